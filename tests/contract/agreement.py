"""Pre-flight against the engine, list by list."""

from collections.abc import Iterable
from dataclasses import dataclass

from contract.asking import Answer, Known
from contract.case import Case, Question
from contract.differences import APART, CONFIGURATION, EXPLAINED, Explanation
from specdecode_operator.api.remarks import Remark

__all__ = ["Compared", "Contract", "compare", "summary", "unclassified"]


@dataclass(frozen=True)
class Compared:
    """One list, judged by both."""

    case: Case
    question: Question
    remarks: tuple[Remark, ...]
    """Errors of pre-flight that the engine must share."""
    answer: Answer
    explanation: Explanation | None
    """Why the two differ, where that is known."""

    @property
    def agreed(self) -> bool:
        """Whether both refuse or both pass."""
        return bool(self.remarks) != self.answer.ok

    def __str__(self) -> str:
        said = ", ".join(f"{remark.code} at {remark}" for remark in self.remarks) or "passes"
        engine = "passes" if self.answer.ok else f"{self.answer.type}: {self.answer.error}"
        return f"{self.case.version} {self.case.name}\n    pre-flight: {said}\n    engine: {engine}"


@dataclass(frozen=True)
class Contract:
    """All that is known of one version after it was asked."""

    known: Known
    compared: tuple[Compared, ...]

    @property
    def differing(self) -> list[Compared]:
        """The lists on which the two differ."""
        return [one for one in self.compared if not one.agreed]


def compare(case: Case, question: Question, answer: Answer) -> Compared:
    """Return both judgements of one list; rules of other kinds are left out of pre-flight's."""
    remarks = tuple(remark for remark in case.remarks() if remark.code in CONFIGURATION)
    agreed = bool(remarks) != answer.ok
    explanation = None if agreed else next((e for e in EXPLAINED if e.covers(case, remarks, answer)), None)
    return Compared(case, question, remarks, answer, explanation)


def unclassified(remarks: Iterable[Remark]) -> set[str]:
    """Return the codes that are neither configuration-time nor set apart."""
    return {remark.code for remark in remarks} - set(CONFIGURATION) - set(APART)


def summary(contract: Contract) -> str:
    """Return the line that is printed for a version."""
    compared, differing = contract.compared, contract.differing
    agreed = len(compared) - len(differing)
    explained = sum(one.explanation is not None for one in differing)
    refused = sum(one.agreed and not one.answer.ok for one in compared)
    return (
        f"vLLM {contract.known.version}: {len(compared)} lists tried, {agreed} agreed ({agreed - refused} pass,"
        f" {refused} are refused), {explained} differ for a known reason, {len(differing) - explained} for none"
    )
