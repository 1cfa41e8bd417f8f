"""One situation to one plan. No clock, no I/O, no kopf.

First what is under way is settled; a roll of our own that failed is taken back; a trial is gone on with or concluded; a
rollout of which no pod starts falls down; only then does a breach lead to the next rung, and where there is none,
speculation that was switched off may be tried again.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from specdecode_operator.api.v1alpha1 import (
    PROBE,
    Blocked,
    Decision,
    Frozen,
    Mode,
    Operation,
    Outcome,
    Phase,
    Pin,
    Trigger,
)
from specdecode_operator.policy.brakes.approval import awaiting, expiry, requested, settled
from specdecode_operator.policy.brakes.checks import BRAKES, PROBE_CHAIN, Case, Hold, first_objection, halted
from specdecode_operator.policy.brakes.pin import followed, over_at, overridden
from specdecode_operator.policy.brakes.rehearsal import rehearsed
from specdecode_operator.policy.brakes.waking import seconds_until
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.record import Cause, appended, decision
from specdecode_operator.policy.reversal import taken_back
from specdecode_operator.policy.situation import Situation
from specdecode_operator.policy.standing import Standing, stand, started
from specdecode_operator.policy.startup import stuck
from specdecode_operator.policy.trials.probe import leaving, next_probe, probed
from specdecode_operator.policy.trials.trial import begun, tried, turning_points, wanted
from specdecode_operator.policy.verification import due, failure, sound

__all__ = ["Plan", "decide"]


@dataclass(frozen=True)
class Plan:
    """The variant that shall run, and what to remember."""

    variant: Variant
    """What the stable pods run."""
    operation: Operation | None
    decisions: tuple[Decision, ...]
    hold: Hold | None
    """Why nothing new was decided; None where this plan holds a new decision."""
    blocked: tuple[Blocked, ...] = ()
    frozen: Frozen | None = None
    reversals: int = 0
    probes: int = 0
    trial: Variant | None = None
    """What one pod runs beside the stable ones."""
    spared: int = 0
    """How many stable pods make room for it."""
    actions: tuple[str, ...] = ()
    """When the operator's own actions began."""
    pin: Pin | None = None
    """The variant that a person holds."""
    again: float | None = None
    """Seconds after which time alone may change the plan."""


def decide(situation: Situation) -> Plan:
    """Return what shall run. The plan is to be recorded in the status before it is carried out."""
    standing = rehearsed(situation, settled(situation, overridden(situation, stand(situation))))
    operation = standing.operation
    if operation is not None and operation.phase is Phase.TRIAL:
        return _on_trial(situation, tried(situation, standing))
    failed = failure(situation, standing.variant, operation) if operation is not None else None
    if operation is None or failed is None:
        return _go_on(situation, standing)
    hold = _held_back(situation, standing)
    if hold is not None:
        return _plan(situation, standing, hold)
    after = taken_back(situation, standing, operation, failed)
    return _go_on(situation, after) if after.operation is None else _plan(situation, after, None)


def _on_trial(situation: Situation, after: Standing) -> Plan:
    """Go on with the trial or with the roll that it led to, or with everything else once it is over."""
    if after.operation is None:
        return _go_on(situation, after)
    trying = after.operation.phase is Phase.TRIAL
    return _plan(situation, after, Hold("Trial", "a variant is being tried on one pod") if trying else None)


def _held_back(situation: Situation, standing: Standing) -> Hold | None:
    """Return what keeps even a failed roll where it is."""
    if situation.spec.policy.mode is Mode.OBSERVE:
        return Hold("ModeObserve", "policy.mode is Observe; Enforce would take the failed roll back")
    return halted(Case(situation, standing))


def _go_on(situation: Situation, standing: Standing) -> Plan:
    reason = stuck(situation, standing)
    below = situation.ladder.after(standing.variant, Trigger.STARTUP)
    if reason is not None and below is not None:
        return _fall(situation, standing, Cause(Trigger.STARTUP, reason), below)
    case = Case(situation, standing)
    hold = first_objection(case)
    if hold is not None and hold.reason == "NoBreach":
        return _probe(situation, standing, hold)
    if hold is not None or case.next_rung is None:
        return _plan(situation, standing, hold)
    finding, rung = case.next_rung
    return _leave(situation, standing, Cause(finding.signal.trigger, finding=finding), rung)


def _probe(situation: Situation, standing: Standing, hold: Hold) -> Plan:
    """Try speculation again where nothing objects."""
    candidate = probed(situation, standing)
    if candidate is None or first_objection(Case(situation, standing), PROBE_CHAIN) is not None:
        return _plan(situation, standing, hold)
    return _act(situation, standing, Cause(PROBE), candidate)


def _fall(situation: Situation, standing: Standing, cause: Cause, rung: Variant) -> Plan:
    hold = first_objection(Case(situation, standing), BRAKES)
    return _leave(situation, standing, cause, rung) if hold is None else _plan(situation, standing, hold)


def _leave(situation: Situation, standing: Standing, cause: Cause, rung: Variant) -> Plan:
    """Try `rung` or roll to it, or in mode Observe only write it down."""
    observing = situation.spec.policy.mode is Mode.OBSERVE
    return (_observe if observing else _act)(situation, standing, cause, rung)


def _act(situation: Situation, standing: Standing, cause: Cause, rung: Variant) -> Plan:
    """Try `rung` or roll to it, in mode Recommend once it is approved."""
    trying = cause.trigger == PROBE or (cause.finding is not None and wanted(situation))
    outcome = Outcome.TRIAL if trying else Outcome.STARTED
    record = decision(situation, standing.variant, rung, cause, outcome)
    if situation.spec.policy.mode is Mode.RECOMMEND:
        standing, approved = requested(situation, standing, record)
        if approved is None:
            return _plan(situation, standing, awaiting(standing))
        record = approved
    well = _sound(situation, standing) if cause.reason is None else []
    if trying:
        return _plan(situation, begun(situation, standing, rung, record, well), None)
    return _plan(situation, started(leaving(situation, standing, rung), rung, record, well), None)


def _sound(situation: Situation, standing: Standing) -> list[str]:
    judgement = situation.judged(standing.variant.hash)
    return sound(judgement) if judgement is not None else []


def _observe(situation: Situation, standing: Standing, cause: Cause, rung: Variant) -> Plan:
    hold = Hold("ModeObserve", "policy.mode is Observe; Enforce would roll to the next rung")
    record = decision(situation, standing.variant, rung, cause, Outcome.OBSERVED)
    if not _already_observed(situation, standing, record):
        standing = replace(standing, decisions=appended(standing.decisions, record))
    return _plan(situation, standing, hold)


def _already_observed(situation: Situation, standing: Standing, record: Decision) -> bool:
    """One entry an episode: a rollout that does not start, or the time in which `ObjectivesMet` stays false.

    An objective that is missed again within the long window is the same episode.
    """
    if not standing.decisions:
        return False
    last, met = standing.decisions[-1], situation.status.condition("ObjectivesMet")
    fields = {"generation", "from_variant", "to_variant", "trigger", "outcome"}
    same = last.model_dump(include=fields) == record.model_dump(include=fields)
    if record.reason is not None or met is None or met.status == "True":
        return same and record.reason is not None
    again = datetime.fromisoformat(met.last_transition_time) - datetime.fromisoformat(last.at)
    return same and again.total_seconds() <= situation.spec.policy.window.long.seconds


def _plan(situation: Situation, standing: Standing, hold: Hold | None) -> Plan:
    standing = followed(situation, standing)
    operation = standing.operation
    trying = operation if operation is not None and operation.phase is Phase.TRIAL else None
    return Plan(
        variant=standing.variant,
        operation=operation,
        decisions=standing.decisions,
        hold=hold,
        blocked=standing.blocked,
        frozen=standing.frozen,
        reversals=standing.reversals,
        probes=standing.probes,
        actions=standing.actions,
        trial=situation.ladder.find(trying.to_variant) if trying is not None else None,
        pin=standing.pin,
        spared=int(trying is not None and trying.made_room and situation.spec.replicas > 1),
        again=seconds_until(_moments(situation, standing, hold), situation.now),
    )


def _moments(situation: Situation, standing: Standing, hold: Hold | None) -> list[datetime | None]:
    """Return when time alone may change the plan."""
    operation = standing.operation
    moments = [expiry(standing), over_at(standing), hold.until if hold is not None else None]
    if operation is None:
        waiting = standing.pin is None and probed(situation, standing) is not None
        return [*moments, next_probe(situation, standing) if waiting else None]
    if operation.phase is Phase.TRIAL:
        return [*moments, *turning_points(situation, operation)]
    return [*moments, due(situation, operation)]
