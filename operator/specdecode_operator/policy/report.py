"""A plan to the status that records it, and a change of status to the Events that explain it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from specdecode_operator.api.names import NAME_LABEL
from specdecode_operator.api.v1alpha1 import (
    REVERT,
    Condition,
    Decision,
    FactsStatus,
    FailureReason,
    Outcome,
    Status,
)
from specdecode_operator.policy.conditions import Problem, conditions, held_back, updated
from specdecode_operator.policy.decide import Plan
from specdecode_operator.policy.signals import effective_thresholds, signals
from specdecode_operator.policy.situation import Observation, Situation

__all__ = ["Note", "Severity", "changed_decisions", "notes", "report", "report_unreadable", "report_waiting"]


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
        plan=situation.preflight,
        facts=situation.facts,
        reversals=plan.reversals,
        frozen=plan.frozen,
        blocked=list(plan.blocked),
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


def report_waiting(situation: Observation, facts: FactsStatus | None) -> Status:
    """Return the status while `facts` are being read, before the first pods are made."""
    return situation.status.model_copy(
        update={
            "observed_generation": situation.generation,
            "conditions": held_back(situation),
            "replicas": situation.cluster.total,
            "ready_replicas": situation.cluster.ready,
            "facts": facts,
        }
    )


def changed_decisions(before: Status, after: Status) -> list[Decision]:
    """Return the decisions that are new in `after`, or whose outcome is."""
    known = {decision.id: decision.outcome for decision in before.decisions}
    return [decision for decision in after.decisions if known.get(decision.id) != decision.outcome]


def notes(before: Status, after: Status) -> tuple[Note, ...]:
    """Return the Events for what changed between two statuses."""
    return (
        *_decision_notes(before, after),
        *_condition_notes(before, after),
        *_warning_notes(before, after),
        *_thawed(before, after),
    )


def _thawed(before: Status, after: Status) -> Iterator[Note]:
    if before.frozen is not None and after.frozen is None:
        yield Note(Severity.NORMAL, "RemediationUnfrozen", "the operator may act again")


def _decision_notes(before: Status, after: Status) -> Iterator[Note]:
    """Say every change of a decision; that one was taken back is said by the decision that does it."""
    changed = changed_decisions(before, after)
    return (_decision_note(decision) for decision in changed if decision.outcome is not Outcome.REVERTED)


def _decision_note(decision: Decision) -> Note:
    route = f"{decision.from_variant} to {decision.to_variant}"
    if decision.outcome is Outcome.STARTED and decision.trigger == REVERT:
        return Note(Severity.WARNING, "RemediationReverted", f"rolling back {route}: {_evidence(decision)}")
    severity, reason, sentence = _SENTENCES[decision.outcome]
    return Note(severity, reason, sentence.format(route=route, to=decision.to_variant, why=_evidence(decision)))


_SENTENCES: Final = {
    Outcome.STARTED: (Severity.WARNING, "RemediationStarted", "rolling {route}: {why}"),
    Outcome.OBSERVED: (Severity.WARNING, "RemediationSuggested", "Enforce would roll {route}: {why}"),
    Outcome.COMPLETED: (Severity.NORMAL, "RemediationCompleted", "every pod was rolled {route}"),
    Outcome.VERIFIED: (Severity.NORMAL, "RemediationVerified", "no signal is in breach since the roll {route}"),
    Outcome.NOT_IMPROVED: (Severity.WARNING, "RemediationNotImproved", "still in breach since the roll {route}"),
    Outcome.FAILED: (Severity.WARNING, "RemediationFailed", "the pods of {to} do not start after the roll {route}"),
    Outcome.SUPERSEDED: (Severity.NORMAL, "RemediationSuperseded", "a change of the spec overtook the roll {route}"),
}


def _evidence(decision: Decision) -> str:
    if decision.signal is None:
        return _FAILURES.get(decision.reason, "its pods failed").format(decision.from_variant)
    return (
        f"{decision.signal} {decision.value} over {decision.window} ({decision.samples} requests) is"
        f" {decision.threshold}"
    )


_FAILURES: Final[dict[FailureReason | None, str]] = {
    FailureReason.NOT_READY: "the pods of {} were not ready within rollout.readyTimeout",
    FailureReason.CRASH_LOOP: "the pods of {} crash again and again",
}


def _warning_notes(before: Status, after: Status) -> Iterator[Note]:
    """Yield what pre-flight warns of for the first time."""
    known = {(warning.code, warning.field) for warning in before.plan.warnings} if before.plan else set()
    for warning in after.plan.warnings if after.plan else ():
        if (warning.code, warning.field) not in known:
            yield Note(Severity.WARNING, warning.code, f"{warning.field}: {warning.message}")


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
