"""The moments of a recording."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["Grid"]


@dataclass(frozen=True)
class Grid:
    """`count` moments, `step` seconds apart, the first of them `start`; all are whole seconds."""

    start: datetime
    step: int
    count: int

    @classmethod
    def between(cls, start: datetime, end: datetime, step: int) -> "Grid":
        """Return the moments from `start` up to `end`."""
        return cls(start, step, int((end - start).total_seconds() // step) + 1)

    @property
    def end(self) -> datetime:
        """The last moment."""
        return self.at(self.count - 1)

    def at(self, index: int) -> datetime:
        """Return the moment number `index`, from 0 on."""
        return self.start + timedelta(seconds=self.step * index)

    def index(self, timestamp: float) -> int | None:
        """Return the number of the moment `timestamp` (seconds of the epoch), or None where it is none."""
        number = round((timestamp - self.start.timestamp()) / self.step)
        return number if 0 <= number < self.count else None

    def chunks(self, longest: int) -> Iterator["Grid"]:
        """Yield the same moments in pieces of at most `longest`."""
        for first in range(0, self.count, longest):
            yield Grid(self.at(first), self.step, min(longest, self.count - first))

    def before(self, seconds: float) -> "Grid":
        """Return the moments in the `seconds` before the first, in step with it."""
        count = -int(-seconds // self.step)
        return Grid(self.start - timedelta(seconds=count * self.step), self.step, count)
