"""What one flag becomes: fields of the spec, keys of the speculation, further arguments, findings."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Extra", "Field", "Finding", "Key", "Piece", "Pieces", "Ranks", "dropped", "lost"]


@dataclass(frozen=True)
class Finding:
    """Something that the reader of the resource has to know about one flag."""

    flag: str
    """The flag or variable as it was written, without its value."""
    message: str
    """The reason, and the nearest replacement where there is one."""
    lost: bool
    """Whether the resource does less than the command line did."""

    def __str__(self) -> str:
        return f"{'lost' if self.lost else 'note'}: {self.flag}: {self.message}"


@dataclass(frozen=True)
class Field:
    """A value for one field; `path` is dotted, below `spec`."""

    path: str
    value: Any


@dataclass(frozen=True)
class Key:
    """A key of `--speculative-config`, and the flag that gave it."""

    name: str
    value: Any
    flag: str


@dataclass(frozen=True)
class Extra:
    """Words that go to `engine.extraArgs` as they are."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Ranks:
    """Each replica or stage takes the GPUs of one tensor-parallel group."""

    count: int


Piece = Field | Key | Extra | Ranks | Finding
Pieces = Iterator[Piece]


def lost(flag: str, reason: str, replacement: str) -> Finding:
    """Return a finding of something that the resource cannot say."""
    return Finding(flag, f"{reason}; {replacement}", lost=True)


def dropped(flag: str, reason: str) -> Finding:
    """Return a finding of something that is left out without harm, or said differently."""
    return Finding(flag, reason, lost=False)
