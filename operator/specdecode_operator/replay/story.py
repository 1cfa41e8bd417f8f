"""The timeline of a replay while it is told: changes of verdicts, decisions, and what held them back."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from specdecode_operator.api.v1alpha1 import Decision, Status
from specdecode_operator.policy import Finding, Judgement, Plan, Verdict, changed_decisions, notes
from specdecode_operator.policy.record import shown
from specdecode_operator.replay.result import Entry, EntryKind, Evaluation

__all__ = ["NOT_FOLLOWED", "Judged", "Story"]

_QUIET: Final = {"Ready"}
"""Reasons of Events that say nothing about a decision."""
NOT_FOLLOWED: Final = "NotFollowed"
"""Why nothing is done while the recorded pods are not those that were decided on; it is told once, when it begins."""

_FINE: Final = ("Healthy", "")


@dataclass(frozen=True)
class Judged:
    """One evaluation: of which variant, and what it found after what the one before had found."""

    at: datetime
    variant: str
    before: Judgement | None
    found: Judgement


class Story:
    """What was found and decided so far."""

    def __init__(self, key: tuple[str, str]) -> None:
        """Tell of the resource `key`: namespace and name."""
        self._key = key
        self.evaluations: list[Evaluation] = []
        self.timeline: list[Entry] = []
        self._decisions: dict[str, Decision] = {}
        self._hold: str | None = None

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """All decisions, oldest first, with what became of them."""
        return tuple(self._decisions.values())

    def evaluated(self, judged: Judged, plan: Plan) -> None:
        """Tell an evaluation and the plan that was made of it."""
        hold = plan.hold.reason if plan.hold is not None else None
        evaluation = Evaluation(judged.at, judged.variant, judged.found.findings, hold)
        self.evaluations.append(evaluation)
        known = {finding.signal.name: finding for finding in judged.before.findings} if judged.before else {}
        for finding in evaluation.findings:
            old = known.get(finding.signal.name)
            if old is None or _kind(old) != _kind(finding):
                self.say(judged.at, EntryKind.VERDICT, finding.reason, _verdict(old, finding))
        self._held(judged.at, plan, breached=evaluation.breached)

    def recorded(self, at: datetime, before: Status, after: Status) -> None:
        """Tell what the operator's Events would have said of the change from `before` to `after`."""
        self._decisions |= {decision.id: decision for decision in changed_decisions(before, after)}
        decided = notes(before, before.model_copy(update={"decisions": after.decisions}), self._key)
        for note in notes(before, after, self._key):
            if note.reason not in _QUIET:
                self.say(at, EntryKind.DECISION if note in decided else EntryKind.EVENT, note.reason, note.message)

    def say(self, at: datetime, kind: EntryKind, reason: str, text: str) -> None:
        """Add a line."""
        self.timeline.append(Entry(at, kind, reason, text))

    def _held(self, at: datetime, plan: Plan, *, breached: bool) -> None:
        """Tell what holds a breach back, once until it changes."""
        hold = plan.hold if breached else None
        if hold is not None and hold.reason not in (self._hold, NOT_FOLLOWED):
            self.say(at, EntryKind.HOLD, hold.reason, hold.message)
        self._hold = hold.reason if hold is not None else None


def _kind(finding: Finding) -> tuple[str, str]:
    """Return what makes a line of its own; between well and very well a service goes back and forth all day."""
    return _FINE if finding.verdict in (Verdict.HEALTHY, Verdict.RECOVERED) else (finding.verdict, finding.reason)


def _verdict(old: Finding | None, new: Finding) -> str:
    change = new.verdict if old is None or old.verdict is new.verdict else f"{old.verdict} -> {new.verdict}"
    text = f"{new.signal.name} {change} ({new.reason})"
    if math.isnan(new.short) and math.isnan(new.long):
        return text
    samples = f"{new.samples_short:.0f} / {new.samples_long:.0f}"
    return f"{text}: {shown(new.signal, new.short)} / {shown(new.signal, new.long)} of {samples} requests"
