"""One situation to one plan. No clock, no I/O, no kopf."""

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime

from specdecode_operator.api.v1alpha1 import MAX_DECISIONS, Decision, Mode, Operation, Outcome
from specdecode_operator.policy.checks import Case, Hold, first_objection
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.signals import AcceptanceSignal, Signal, effective_thresholds
from specdecode_operator.policy.situation import Situation
from specdecode_operator.policy.standing import Standing, stand
from specdecode_operator.policy.verdicts import Finding, burn_threshold

__all__ = ["Plan", "decide", "timestamp"]


@dataclass(frozen=True)
class Plan:
    """The variant that shall run, and what to remember."""

    variant: Variant
    operation: Operation | None
    decisions: tuple[Decision, ...]
    hold: Hold | None
    """Why nothing new was decided; None where this plan holds a new decision."""


def decide(situation: Situation) -> Plan:
    """Return what shall run. The plan is to be recorded in the status before it is carried out."""
    standing = stand(situation)
    case = Case(situation, standing)
    hold = first_objection(case)
    if hold is not None or case.next_rung is None:
        return Plan(standing.variant, standing.operation, standing.decisions, hold)
    finding, rung = case.next_rung
    if situation.spec.policy.mode is Mode.OBSERVE:
        return _observe(situation, standing, finding, rung)
    return _act(situation, standing, finding, rung)


def timestamp(now: datetime) -> str:
    """Return `now` as Kubernetes writes times."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _observe(situation: Situation, standing: Standing, finding: Finding, rung: Variant) -> Plan:
    hold = Hold("ModeObserve", "policy.mode is Observe; Enforce would roll to the next rung")
    decision = _decision(situation, standing, finding, rung, Outcome.OBSERVED)
    if _already_observed(situation, standing, decision):
        return Plan(standing.variant, standing.operation, standing.decisions, hold)
    return Plan(standing.variant, standing.operation, _ring(standing, decision), hold)


def _already_observed(situation: Situation, standing: Standing, decision: Decision) -> bool:
    """One entry an episode: as long as `ObjectivesMet` stays false, the same finding is not written again."""
    if not standing.decisions:
        return False
    met = situation.status.condition("ObjectivesMet")
    fields = {"generation", "from_variant", "to_variant", "trigger", "outcome"}
    same = standing.decisions[-1].model_dump(include=fields) == decision.model_dump(include=fields)
    return same and met is not None and met.status != "True"


def _act(situation: Situation, standing: Standing, finding: Finding, rung: Variant) -> Plan:
    decision = _decision(situation, standing, finding, rung, Outcome.STARTED)
    operation = Operation(
        id=decision.id, from_variant=standing.variant.name, to_variant=rung.name, started_at=decision.at
    )
    return Plan(rung, operation, _ring(standing, decision), None)


def _ring(standing: Standing, decision: Decision) -> tuple[Decision, ...]:
    return (*standing.decisions, decision)[-MAX_DECISIONS:]


def _decision(situation: Situation, standing: Standing, finding: Finding, rung: Variant, outcome: Outcome) -> Decision:
    window = situation.spec.policy.window
    at = timestamp(situation.now)
    return Decision(
        id=_id(situation, standing.variant.name, rung.name, at),
        at=at,
        generation=situation.generation,
        from_variant=standing.variant.name,
        to_variant=rung.name,
        trigger=finding.signal.trigger,
        signal=finding.signal.name,
        value=f"{percent(finding.short)} / {percent(finding.long)}",
        threshold=_threshold(finding.signal),
        window=f"{window.short} / {window.long}",
        samples=f"{finding.samples_short:.0f} / {finding.samples_long:.0f}",
        outcome=outcome,
    )


def _id(situation: Situation, origin: str, target: str, at: str) -> str:
    text = f"{situation.generation} {origin} {target} {at}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _threshold(signal: Signal) -> str:
    if isinstance(signal, AcceptanceSignal):
        return f"below {percent(signal.threshold)} of the draft tokens accepted"
    effective = effective_thresholds((signal,))[0].effective
    return f"over {percent(burn_threshold(signal.budget))} of the requests slower than {effective}"


def percent(value: float) -> str:
    """Return a share as a percentage with three significant digits."""
    return "none" if math.isnan(value) else f"{100 * value:.3g}%"
