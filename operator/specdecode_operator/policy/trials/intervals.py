"""How sure one can be: means out of histograms, their ratio, and shares, for requests that share a batch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from specdecode_operator.policy.trials.arms import Batch, Distribution

__all__ = ["EXTRAPOLATION", "Estimate", "Moments", "Share", "design_effect", "moments", "ratio_of_means", "share"]

EXTRAPOLATION: Final = 0.01
"""How far the increases of two series of one histogram may disagree: `increase()` extrapolates every series alone."""

_MEAN_TOLERANCE: Final = 0.05
"""How far a mean may lie outside of what the buckets allow, for the same reason."""

_LARGEST: Final = 2.0**53
"""From where on a float does not count one by one."""

_SHORTEST: Final = 1e-9
"""Seconds; no clock of an engine tells less."""

_Z: Final = 1.959964
"""Quantile of the normal distribution for 95 %, both sides."""

_STUDENT: Final = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""The same of Student's distribution, from one degree of freedom on."""

_BIN: Final = 30.0
"""Seconds in which the requests of one pod count as one batch."""


@dataclass(frozen=True)
class Moments:
    """Number and mean of observations, their squared coefficient of variation, and how their batches deviate."""

    count: float
    mean: float
    variation: float
    deviations: tuple[float, ...] = ()
    """For each part of the window what its observations are over the mean in sum, as a part of an average batch."""

    @property
    def effect(self) -> float:
        """How much more the mean varies from batch to batch than independent observations would; at least 1."""
        alone = self.variation / self.count
        return max(1.0, _error(self.deviations) ** 2 / alone) if alone > 0 and len(self.deviations) > 1 else 1.0


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; NaN where it cannot be told."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    part: float
    whole: float


@dataclass(frozen=True)
class _Bucket:
    """Observations between two bounds, evenly spread."""

    low: float
    high: float
    count: float

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    @property
    def square(self) -> float:
        """The mean of their squares."""
        return (self.low * self.low + self.low * self.high + self.high * self.high) / 3


def design_effect(requests: float, window: float, correlation: float) -> float:
    """Return by how much the variance grows that `requests` of one pod in `window` seconds share their batches.

    `correlation` is that between two requests of the same 30 seconds, from 0 to 1.
    """
    together = requests * min(1.0, _BIN / window)
    return 1 + correlation * max(0.0, together - 1)


def moments(found: Distribution) -> Moments | None:
    """Return what a histogram says; None where its figures cannot be, or nothing was observed.

    The mean is exact. For the spread, observations are taken as evenly spread within their bucket; those above the last
    edge have the mean that the sum leaves them, and an exponential tail.
    """
    if not _countable(found):
        return None
    *closed, tail = _buckets(found.buckets)
    if not _mean_among(found, closed, tail):
        return None
    above = max(tail.low, (found.sum - sum(one.count * one.mean for one in closed)) / tail.count) if tail.count else 0.0
    return Moments(found.count, found.mean, _variation(closed, tail, above), _deviations(found.batches))


def ratio_of_means(part: Moments, base: Moments, *, part_effect: float, base_effect: float) -> Estimate:
    """Return the ratio of two means, with the wider of two intervals of its logarithm (delta method).

    One comes from the spread of single observations, with variances multiplied by the effects. The other comes from the
    batches, taken in pairs, with Student's quantile: it sees what the requests of some minutes have in common, and what
    the two arms have in common cancels out. Without batches there is no interval.
    """
    ratio = part.mean / base.mean
    variance = part_effect * part.variation / part.count + base_effect * base.variation / base.count
    number = len(part.deviations)
    if not (0 < ratio < math.inf and variance < math.inf and 1 < number <= len(_STUDENT) + 1):
        return Estimate()
    if len(base.deviations) != number:
        return Estimate()
    pairs = [first - second for first, second in zip(part.deviations, base.deviations, strict=True)]
    half = max(_Z * math.sqrt(variance), _STUDENT[number - 2] * _error(pairs))
    return Estimate(ratio, ratio * math.exp(-half), ratio * _exp(half))


def share(found: Share, effect: float) -> Estimate:
    """Return a share with Wilson's interval, for the number of independent requests that `effect` leaves."""
    part, whole = min(found.part, found.whole), found.whole
    if not (part >= 0 and 0 < whole < math.inf):
        return Estimate()
    value, independent = part / whole, whole / effect
    square = _Z * _Z / independent
    centre = (value + square / 2) / (1 + square)
    half = _Z * math.sqrt(value * (1 - value) / independent + square / independent / 4) / (1 + square)
    return Estimate(value, max(0.0, centre - half), min(1.0, centre + half))


def _countable(found: Distribution) -> bool:
    """Whether there is a sum and a number of observations, and buckets that count the same observations."""
    numbers = (found.sum, found.count, *found.buckets.values())
    if not all(0 <= number < _LARGEST for number in numbers) or not found.mean > 0:
        return False
    *bounds, last = sorted(found.buckets) or [math.nan]
    if last != math.inf or not bounds or not all(_SHORTEST <= bound < _LARGEST for bound in bounds):
        return False
    slack = EXTRAPOLATION * found.count
    counts = [found.buckets[bound] for bound in sorted(found.buckets)]
    return abs(counts[-1] - found.count) <= slack and all(low <= high + slack for low, high in pairwise(counts))


def _buckets(cumulative: Mapping[float, float]) -> list[_Bucket]:
    """Return the buckets in the order of their bounds; a count that falls a little counts as nothing more."""
    bounds = sorted(cumulative)
    counts = accumulate((cumulative[bound] for bound in bounds), max)
    edges, totals = pairwise([0.0, *bounds]), pairwise([0.0, *counts])
    return [_Bucket(low, high, after - before) for (low, high), (before, after) in zip(edges, totals, strict=True)]


def _mean_among(found: Distribution, closed: list[_Bucket], tail: _Bucket) -> bool:
    """Whether the sum lies between what it were with every observation at the lower, and at the upper, bound."""
    least = sum(one.count * one.low for one in (*closed, tail))
    most = math.inf if tail.count else sum(one.count * one.high for one in closed)
    return least * (1 - _MEAN_TOLERANCE) <= found.sum <= most * (1 + _MEAN_TOLERANCE)


def _variation(closed: list[_Bucket], tail: _Bucket, above: float) -> float:
    """Return the squared coefficient of variation, with `above` as the mean of what lies above the last edge."""
    count = sum(one.count for one in closed) + tail.count
    excess = above - tail.low
    mean = (sum(one.count * one.mean for one in closed) + tail.count * above) / count
    squares = sum(one.count * one.square for one in closed)
    if tail.count:
        squares += tail.count * (tail.low * tail.low + 2 * tail.low * excess + 2 * excess * excess)
    return max(0.0, squares / count / mean / mean - 1)


def _deviations(batches: Mapping[int, Batch]) -> tuple[float, ...]:
    """Return how the batches deviate, in their order; nothing where they hold nothing."""
    found = [batches[number] for number in sorted(batches)]
    total, count = sum(one.sum for one in found), sum(one.count for one in found)
    if not (0 < total < _LARGEST and 0 < count < _LARGEST and total / count > 0):
        return ()
    mean, average = total / count, total / len(found)
    return tuple((one.sum - mean * one.count) / average for one in found)


def _error(deviations: Sequence[float]) -> float:
    """Return the standard error of a mean out of the deviations of its batches, of which there are two or more."""
    number = len(deviations)
    return math.sqrt(sum(one * one for one in deviations) / number / (number - 1))


def _exp(power: float) -> float:
    try:
        return math.exp(power)
    except OverflowError:
        return math.inf
