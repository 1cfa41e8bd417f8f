"""At which ages of its pod a trial is judged.

Few windows keep the number of different PromQL queries small over all resources, and few looks keep the rate of errors
small: each look is another chance to be wrong, so that a window must not slide along with the evaluations.
"""

from collections.abc import Iterator
from typing import Final

__all__ = ["OPEN", "look", "looks"]

OPEN: Final = 60.0
"""Seconds for which a look but the last is open: long enough for an evaluation, too short for the window to move."""


def looks(minimum: float, maximum: float) -> tuple[float, ...]:
    """Return the windows in seconds, ascending: `minimum`, doubled as long as it is under `maximum`, and `maximum`."""
    return (*_doubled(minimum, maximum), maximum)


def look(elapsed: float, minimum: float, maximum: float) -> float | None:
    """Return the window of the look that is open, or None between two looks and before the first.

    `elapsed` is the age of the candidate's pod less its warm-up; all are in seconds. The last look stays open. One that
    is missed, since the metrics were not to be had, is made up for by the next.
    """
    if elapsed >= maximum:
        return maximum
    return next((window for window in _doubled(minimum, maximum) if window <= elapsed < window + OPEN), None)


def _doubled(window: float, maximum: float) -> Iterator[float]:
    while 0 < window < maximum:
        yield window
        window *= 2
