"""What a replay has come to."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from specdecode_operator.api.v1alpha1 import Decision, Spec
from specdecode_operator.policy import Finding, Signal, Verdict, overall, signals
from specdecode_operator.replay.grid import Grid
from specdecode_operator.replay.recording import RecordedPod

__all__ = ["Entry", "EntryKind", "Evaluation", "Replay", "Summary"]


class EntryKind(StrEnum):
    """What a line of the timeline is about."""

    VERDICT = "Verdict"
    DECISION = "Decision"
    HOLD = "Hold"
    EVENT = "Event"
    PODS = "Pods"


@dataclass(frozen=True)
class Entry:
    """One line of the timeline; `reason` is one word for programs."""

    at: datetime
    kind: EntryKind
    reason: str
    text: str


@dataclass(frozen=True)
class Evaluation:
    """One evaluation: of which variant, what was found, and what held; `hold` is the reason word."""

    at: datetime
    variant: str
    findings: tuple[Finding, ...]
    hold: str | None

    @property
    def verdict(self) -> Verdict:
        """One verdict for all signals."""
        return overall(self.findings)

    @property
    def breached(self) -> bool:
        """Whether any signal is in breach."""
        return any(finding.verdict is Verdict.BREACH for finding in self.findings)


@dataclass(frozen=True)
class Summary:
    """The replay in a few figures; shares are of the evaluations, from 0 to 1."""

    evaluations: int
    decisions: int
    seconds_in_breach: float
    unknown: float
    insufficient: float


@dataclass(frozen=True)
class Replay:
    """What would have been decided for one resource, and why."""

    namespace: str
    name: str
    spec: Spec
    grid: Grid
    scrape_interval: float
    pods: tuple[tuple[RecordedPod, str], ...]
    """Every pod that counts, with the name of its variant."""
    remarks: tuple[str, ...]
    """What had to be guessed, and what the recording cannot answer."""
    evaluations: tuple[Evaluation, ...]
    timeline: tuple[Entry, ...]
    decisions: tuple[Decision, ...]
    """All of them, oldest first, with what became of them."""

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals of the policy, and those that were judged for a time."""
        judged = (finding.signal for evaluation in self.evaluations for finding in evaluation.findings)
        known = {signal.name: signal for signal in signals(self.spec)}
        for signal in judged:
            known.setdefault(signal.name, signal)
        return tuple(known.values())

    @property
    def summary(self) -> Summary:
        """The figures of the end."""
        verdicts = Counter(evaluation.verdict for evaluation in self.evaluations)
        total = len(self.evaluations)
        return Summary(
            evaluations=total,
            decisions=len(self.decisions),
            seconds_in_breach=sum(one.breached for one in self.evaluations) * self.grid.step,
            unknown=verdicts[Verdict.UNKNOWN] / total,
            insufficient=verdicts[Verdict.INSUFFICIENT] / total,
        )
