"""Two questions to the rule: how often does it act on a service that is well, and how late on one that is not."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from montecarlo.service import STEP, Phase, Service, simulate
from montecarlo.watch import WINDOW, Watch, steps

__all__ = ["Detection", "actions_a_day", "detections", "percentile"]

_DAY = steps(24 * 3600)
_HISTORY = steps(WINDOW.long.seconds)
_PATIENCE = steps(3 * 3600)


@dataclass(frozen=True)
class Detection:
    """A service that is well until its share of hits changes from `before` to `after`, once."""

    service: Service
    before: float
    after: float


def actions_a_day(rng: np.random.Generator, service: Service, share: float, *, days: int, scrape: float) -> float:
    """Return how often a day the rule acts on a service whose share of hits stays what it is."""
    counters = simulate(rng, service, [Phase(share, days * _DAY)])
    watch = Watch(service.signal, counters, scrape)
    return len(list(watch.actions(_HISTORY))) / days


def detections(rng: np.random.Generator, change: Detection, *, onsets: int, scrape: float) -> list[float]:
    """Return the minutes from each of `onsets` changes to the action; infinite where none came within three hours."""
    return [_detection(rng, change, scrape) for _ in range(onsets)]


def percentile(minutes: list[float], percent: float) -> float:
    """Return the smallest of `minutes` that at least `percent` of them do not exceed."""
    return sorted(minutes)[math.ceil(percent / 100 * len(minutes)) - 1]


def _detection(rng: np.random.Generator, change: Detection, scrape: float) -> float:
    """The change comes at any point between two scrapes."""
    onset = _HISTORY + int(rng.integers(steps(60)))
    counters = simulate(rng, change.service, [Phase(change.before, onset), Phase(change.after, _PATIENCE)])
    found = _first(Watch(change.service.signal, counters, scrape).actions(onset))
    return math.inf if found is None else (found - onset) * STEP / 60


def _first(found: Iterator[int]) -> int | None:
    return next(found, None)
