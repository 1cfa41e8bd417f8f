"""What a check says of a resource before anything runs: one code, one field, one sentence."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Level", "Remark", "advice", "error", "warning"]


class Level(StrEnum):
    """Whether a remark keeps pods from being made."""

    ERROR = "Error"
    """It cannot run."""
    WARNING = "Warning"
    """It runs, but not as one would expect; worth an Event."""
    ADVICE = "Advice"
    """Good to know or to consider; no Event."""


@dataclass(frozen=True)
class Remark:
    """One result of a check."""

    level: Level
    code: str
    """Stable word for programs, such as `VocabularyMismatch`; the docs explain each."""
    field: str
    """Path below `spec`, such as `speculation.draft.name`."""
    message: str
    """One sentence that gives the values and the fix; it does not repeat the field."""

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def error(code: str, field: str, message: str) -> Remark:
    """Return a remark that keeps pods from being made."""
    return Remark(Level.ERROR, code, field, message)


def warning(code: str, field: str, message: str) -> Remark:
    """Return a remark on what runs, but not as one would expect."""
    return Remark(Level.WARNING, code, field, message)


def advice(code: str, field: str, message: str) -> Remark:
    """Return a remark on what is good to know, or may be done better."""
    return Remark(Level.ADVICE, code, field, message)
