"""A plan to the status that records it, and a change of status to the Events that explain it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from specdecode_operator.api.names import NAME_LABEL
from specdecode_operator.api.v1alpha1 import Condition, Decision, Outcome, Status
from specdecode_operator.policy.conditions import Problem, conditions, updated
from specdecode_operator.policy.decide import Plan
from specdecode_operator.policy.signals import effective_thresholds, signals
from specdecode_operator.policy.situation import Observation, Situation

__all__ = ["Note", "Severity", "changed_decisions", "notes", "report", "report_unreadable"]


class Severity(StrEnum):
    """The type of an Event."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True)
class Note:
    """One Event: stable reason, one sentence."""

    severity: Severity
    reason: str
    message: str


def report(situation: Situation, plan: Plan, problem: Problem | None, *, name: str) -> Status:
    """Return the status that records `plan` and what the cluster looks like."""
    return Status(
        observed_generation=situation.generation,
        conditions=conditions(situation, plan, problem),
        active_variant=plan.variant.name,
        variant_hash=plan.variant.hash,
        primary_hash=situation.ladder.primary.hash,
        speculation=plan.variant.speculation.method,
        replicas=situation.cluster.total,
        ready_replicas=situation.cluster.ready,
        selector=f"{NAME_LABEL}={name}",
        operation=plan.operation,
        effective_thresholds=effective_thresholds(signals(situation.spec)),
        decisions=list(plan.decisions),
    )


def report_unreadable(situation: Observation, problem: Problem) -> Status:
    """Return the status of a resource whose spec cannot be read; everything else stays."""
    return situation.status.model_copy(
        update={
            "observed_generation": situation.generation,
            "conditions": updated(situation, problem),
            "replicas": situation.cluster.total,
            "ready_replicas": situation.cluster.ready,
        }
    )


def changed_decisions(before: Status, after: Status) -> list[Decision]:
    """Return the decisions that are new in `after`, or whose outcome is."""
    known = {decision.id: decision.outcome for decision in before.decisions}
    return [decision for decision in after.decisions if known.get(decision.id) != decision.outcome]


def notes(before: Status, after: Status) -> tuple[Note, ...]:
    """Return the Events for what changed between two statuses."""
    return (*_decision_notes(before, after), *_condition_notes(before, after))


def _decision_notes(before: Status, after: Status) -> Iterator[Note]:
    return (_decision_note(decision) for decision in changed_decisions(before, after))


def _decision_note(decision: Decision) -> Note:
    route = f"{decision.from_variant} to {decision.to_variant}"
    evidence = (
        f"{decision.signal} {decision.value} over {decision.window} ({decision.samples} requests) is"
        f" {decision.threshold}"
    )
    if decision.outcome is Outcome.STARTED:
        return Note(Severity.WARNING, "RemediationStarted", f"rolling {route}: {evidence}")
    if decision.outcome is Outcome.OBSERVED:
        return Note(Severity.WARNING, "RemediationSuggested", f"Enforce would roll {route}: {evidence}")
    if decision.outcome is Outcome.COMPLETED:
        return Note(Severity.NORMAL, "RemediationCompleted", f"every pod was rolled {route}")
    return Note(Severity.NORMAL, "RemediationSuperseded", f"a change of the spec overtook the roll {route}")


def _condition_notes(before: Status, after: Status) -> Iterator[Note]:
    for condition in after.conditions:
        old = before.condition(condition.type)
        changed = old is None or (old.status, old.reason) != (condition.status, condition.reason)
        if changed:
            yield from _condition_note(old, condition)


def _condition_note(old: Condition | None, new: Condition) -> Iterator[Note]:
    kind, status = new.type, new.status
    was = old.status if old is not None else None
    if kind in ("Stalled", "RemediationBlocked") and status == "True":
        yield Note(Severity.WARNING, new.reason, new.message)
    elif kind == "MetricsAvailable" and status == "False" and was != status:
        yield Note(Severity.WARNING, "MetricsUnavailable", f"{new.reason}: {new.message}")
    elif kind == "MetricsAvailable" and status == "True" and was == "False":
        yield Note(Severity.NORMAL, "MetricsRecovered", new.message)
    elif kind == "Ready" and status == "True" and was != status:
        yield Note(Severity.NORMAL, "Ready", new.message)
