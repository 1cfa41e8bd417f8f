"""A change of status to the Events that explain it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from specdecode_operator.api.names import APPROVE_ANNOTATION
from specdecode_operator.api.v1alpha1 import (
    PIN,
    PROBE,
    REVERT,
    UNPIN,
    Condition,
    Decision,
    FailureReason,
    Outcome,
    Status,
)

__all__ = ["Note", "Severity", "changed_decisions", "notes"]


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


def changed_decisions(before: Status, after: Status) -> list[Decision]:
    """Return the decisions that are new in `after`, or whose outcome is."""
    known = {decision.id: decision.outcome for decision in before.decisions}
    return [decision for decision in after.decisions if known.get(decision.id) != decision.outcome]


def notes(before: Status, after: Status, key: tuple[str, str]) -> tuple[Note, ...]:
    """Return the Events for what changed between two statuses of the resource `key`: namespace and name."""
    return (
        *_decision_notes(before, after, key),
        *_condition_notes(before, after),
        *_warning_notes(before, after),
        *_thawed(before, after),
    )


def _thawed(before: Status, after: Status) -> Iterator[Note]:
    if before.frozen is not None and after.frozen is None:
        yield Note(Severity.NORMAL, "RemediationUnfrozen", "the operator may act again")


def _decision_notes(before: Status, after: Status, key: tuple[str, str]) -> Iterator[Note]:
    """Say every change of a decision; that one was taken back is said by the decision that does it."""
    changed = changed_decisions(before, after)
    return (_decision_note(decision, key) for decision in changed if decision.outcome is not Outcome.REVERTED)


def _decision_note(decision: Decision, key: tuple[str, str]) -> Note:
    route = f"{decision.from_variant} to {decision.to_variant}"
    severity, reason, sentence = (_SENTENCES | _BY_TRIGGER.get(decision.trigger, {}))[decision.outcome]
    if decision.dry_run:
        sentence = "without dryRun of the signal, the operator would roll {route}: {why}"
    words = {"route": route, "to": decision.to_variant, "why": _evidence(decision), "end": _trial_end(decision)}
    return Note(severity, reason, sentence.format(**words, approve=_approve(decision, key)))


def _approve(decision: Decision, key: tuple[str, str]) -> str:
    namespace, name = key
    return f"kubectl annotate sdd {name} -n {namespace} --overwrite {APPROVE_ANNOTATION}={decision.id}"


_OVERTAKEN: Final = "a change of the spec or a pin overtook the step {route}"

_Sentences = dict[Outcome, tuple[Severity, str, str]]

_SENTENCES: Final[_Sentences] = {
    Outcome.TRIAL: (Severity.WARNING, "TrialStarted", "trying {to} on one pod: {why}"),
    Outcome.DROPPED: (Severity.WARNING, "TrialDropped", "{to} was tried and is not rolled out: {end}"),
    Outcome.UNCLEAR: (Severity.WARNING, "TrialUnclear", "{to} was tried and nothing is changed: {end}"),
    Outcome.STARTED: (Severity.WARNING, "RemediationStarted", "rolling {route}: {why}{end}"),
    Outcome.OBSERVED: (Severity.WARNING, "RemediationSuggested", "Enforce would roll {route}: {why}"),
    Outcome.PROPOSED: (
        Severity.WARNING,
        "RemediationProposed",
        "proposes to roll {route}: {why}; to approve it within 30 minutes: {approve}",
    ),
    Outcome.EXPIRED: (Severity.NORMAL, "RemediationExpired", "nobody approved in time to roll {route}"),
    Outcome.COMPLETED: (Severity.NORMAL, "RemediationCompleted", "every pod was rolled {route}"),
    Outcome.VERIFIED: (Severity.NORMAL, "RemediationVerified", "no signal is in breach since the roll {route}"),
    Outcome.NOT_IMPROVED: (Severity.WARNING, "RemediationNotImproved", "still in breach since the roll {route}"),
    Outcome.FAILED: (Severity.WARNING, "RemediationFailed", "the pods of {to} do not start after the roll {route}"),
    Outcome.SUPERSEDED: (Severity.NORMAL, "RemediationSuperseded", _OVERTAKEN),
}

_PROBE_SENTENCES: Final[_Sentences] = {
    Outcome.PROPOSED: (
        Severity.NORMAL,
        "RemediationProposed",
        "proposes to try speculation again on one pod; to approve it within 30 minutes: {approve}",
    ),
    Outcome.TRIAL: (Severity.NORMAL, "ProbeStarted", "trying speculation again on one pod of {to}"),
    Outcome.DROPPED: (Severity.NORMAL, "ProbeFailed", "speculation stays off: {end}"),
    Outcome.UNCLEAR: (Severity.NORMAL, "ProbeUnclear", "speculation stays off: {end}"),
    Outcome.STARTED: (Severity.NORMAL, "SpeculationReenabled", "rolling {route}{end}"),
}

_BY_TRIGGER: Final[dict[str, _Sentences]] = {
    PROBE: _PROBE_SENTENCES,
    REVERT: {Outcome.STARTED: (Severity.WARNING, "RemediationReverted", "rolling back {route}: {why}")},
    PIN: {
        Outcome.STARTED: (
            Severity.NORMAL,
            "PinStarted",
            "rolling {route}: specdecode.dev/pin asks for it",
        )
    },
    UNPIN: {Outcome.STARTED: (Severity.NORMAL, "PinEnded", "rolling {route}: the pin is over")},
}
"""What reads otherwise where the trigger is this one."""


def _trial_end(decision: Decision) -> str:
    """Return how a trial ended: in the middle of a sentence where it was better, otherwise as all of it."""
    if decision.outcome is Outcome.STARTED:
        return f"; the trial: {decision.comparison}" if decision.comparison else ""
    reason = _TRIAL_ENDS.get(decision.reason, "no difference was found")
    return reason if decision.comparison is None else f"{reason} ({decision.comparison})"


_TRIAL_ENDS: Final[dict[FailureReason | None, str]] = {
    FailureReason.NOT_READY: "its pod was not ready within rollout.readyTimeout",
    FailureReason.CRASH_LOOP: "its pod crashes again and again",
    FailureReason.WORSE: "it is worse than the pods beside it",
    FailureReason.LOW_ACCEPTANCE: "its acceptance rate is below the line for switching speculation on again",
    FailureReason.NO_ROOM: "there is no free GPU for its pod, and no pod to spare",
    FailureReason.TIMED_OUT: "there was not enough evidence in time",
}


def _evidence(decision: Decision) -> str:
    if decision.signal is None:
        return _FAILURES.get(decision.reason, "its pods failed").format(decision.from_variant)
    beside = f", while {decision.pressure}" if decision.pressure is not None else ""
    return (
        f"{decision.signal} {decision.value} over {decision.window} ({decision.samples} requests) is"
        f" {decision.threshold}{beside}"
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
    if new.reason == "AwaitingApproval":
        return
    if new.reason == "PinIgnored" or (kind in ("Stalled", "RemediationBlocked") and status == "True"):
        yield Note(Severity.WARNING, new.reason, new.message)
    elif kind == "MetricsAvailable" and status == "False" and was != status:
        yield Note(Severity.WARNING, "MetricsUnavailable", f"{new.reason}: {new.message}")
    elif kind == "MetricsAvailable" and status == "True" and was == "False":
        yield Note(Severity.NORMAL, "MetricsRecovered", new.message)
    elif kind == "Ready" and status == "True" and was != status:
        yield Note(Severity.NORMAL, "Ready", new.message)
