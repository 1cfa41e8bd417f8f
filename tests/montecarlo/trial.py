"""Simulated trials: both arms' histograms, filled by requests that share their luck, and what the product concludes."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from montecarlo.service import Floats
from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import NEWEST, Version, bucket_edges
from specdecode_operator.policy.trials.arm_queries import BATCHES
from specdecode_operator.policy.trials.arms import Arm, Batch, Distribution
from specdecode_operator.policy.trials.comparison import ArmVerdict, compare
from specdecode_operator.policy.trials.looks import look

__all__ = ["Conclusion", "Pod", "Trial", "arm", "conclude", "serve", "wrong"]

BIN: Final = 30.0
"""Seconds between two scrapes, and those in which the requests of a pod share their luck."""

MINIMUM, MAXIMUM = 600.0, 3600.0
"""Default `policy.trial.minDuration` and `maxDuration` in seconds."""

Bins = NDArray[np.intp]
"""The bin of each request."""

_BINS: Final = round(MAXIMUM / BIN)

_TPOT, _TTFT = (0.02, 0.5), (0.2, 1.0)
"""Median in seconds, and standard deviation of the logarithm."""

_PROMPT, _GENERATION = (500.0, 1.0), (200.0, 0.6)
"""The same in tokens."""


@dataclass(frozen=True)
class Trial:
    """One pod of a candidate, whose times are `ratio` times those of the stable pods, beside `stable_pods` of them."""

    ratio: float
    requests_per_minute: float = 60.0
    """Of each pod."""
    stable_pods: int = 1
    correlation: float = 0.02
    """Of the logarithms of two requests' times, in the same half minute of a pod."""
    version: Version = NEWEST
    """Whose bucket edges are used."""


@dataclass(frozen=True)
class Pod:
    """Sums of one pod from the start on, at every scrape; one row more than there are bins."""

    requests: Floats
    tokens: Floats
    """Prompt tokens and generated ones."""
    seconds: Mapping[LatencyMetric, Floats]
    counts: Mapping[LatencyMetric, Floats]
    """Cumulative over the buckets too; the last column is that of all."""


@dataclass(frozen=True)
class Conclusion:
    """How a trial ended, after how many seconds, and on how many requests of the candidate."""

    verdict: ArmVerdict
    seconds: float
    requests: float


def conclude(rng: np.random.Generator, trial: Trial) -> Conclusion:
    """Return what comes of one trial that is judged at every scrape at which a look is open.

    That is the first verdict that is better or worse, or else the last one.
    """
    edges = {metric: bucket_edges(metric, trial.version) for metric in LatencyMetric}
    candidate = [serve(rng, trial, edges, trial.ratio)]
    stable = [serve(rng, trial, edges, 1.0) for _ in range(trial.stable_pods)]
    found = Conclusion(ArmVerdict.UNCLEAR, MAXIMUM, 0.0)
    for step, window in _looks():
        compared = compare(arm(candidate, edges, step, window), arm(stable, edges, step, window))
        found = Conclusion(compared.verdict, step * BIN, compared.requests.candidate)
        if compared.verdict in (ArmVerdict.BETTER, ArmVerdict.WORSE):
            break
    return found


def wrong(trial: Trial, verdict: ArmVerdict) -> bool:
    """Whether `verdict` contradicts the true ratio; with a ratio of 1 any difference does."""
    contradicting = {ArmVerdict.WORSE: trial.ratio <= 1, ArmVerdict.BETTER: trial.ratio >= 1}
    return contradicting.get(verdict, False)


def serve(
    rng: np.random.Generator, trial: Trial, edges: Mapping[LatencyMetric, tuple[float, ...]], ratio: float
) -> Pod:
    """Return what a pod has counted that serves for `MAXIMUM` seconds, `ratio` times as slow as a stable one."""
    arrivals = rng.poisson(trial.requests_per_minute / 60 * BIN, _BINS)
    bins = np.repeat(np.arange(_BINS), arrivals)
    prompt, generated = (_lognormal(rng, spread, len(bins)) for spread in (_PROMPT, _GENERATION))
    generated = np.maximum(np.round(generated), 2)
    tpot, ttft = (ratio * _shared(rng, spread, bins, trial.correlation) for spread in (_TPOT, _TTFT))
    times = {
        LatencyMetric.TPOT: tpot,
        LatencyMetric.TTFT: ttft,
        LatencyMetric.E2E: ttft + (generated - 1) * tpot,
    }
    return Pod(
        requests=_cumulative(arrivals),
        tokens=_cumulative(np.stack([np.bincount(bins, one, _BINS) for one in (prompt, generated)], axis=1)),
        seconds={metric: _cumulative(np.bincount(bins, values, _BINS)) for metric, values in times.items()},
        counts={metric: _cumulative(_counts(bins, values, edges[metric])) for metric, values in times.items()},
    )


def arm(pods: list[Pod], edges: Mapping[LatencyMetric, tuple[float, ...]], step: int, window: float) -> Arm:
    """Return what the product sees of `pods` at a scrape, over `window` seconds."""
    start = step - round(window / BIN)

    def total(counts: list[Floats]) -> Floats:
        found: Floats = np.sum([one[step] - one[start] for one in counts], axis=0)
        return found

    requests = float(total([pod.requests for pod in pods]))
    prompt, generated = map(float, total([pod.tokens for pod in pods]))
    latency = {
        metric: Distribution(
            float(total([pod.seconds[metric] for pod in pods])),
            requests,
            dict(zip((*bounds, float("inf")), map(float, total([pod.counts[metric] for pod in pods])), strict=True)),
            _batches(pods, metric, range(start, step + 1, (step - start) // BATCHES)),
        )
        for metric, bounds in edges.items()
    }
    tokens = Distribution(prompt, requests), Distribution(generated, requests)
    return Arm(window, len(pods), {"stop": requests, "abort": 0.0}, latency, *tokens)


def _looks() -> Iterator[tuple[int, float]]:
    """Yield the scrapes at which a look is open, and its window."""
    for step in range(_BINS + 1):
        window = look(step * BIN, MINIMUM, MAXIMUM)
        if window is not None:
            yield step, window


def _batches(pods: list[Pod], metric: LatencyMetric, steps: range) -> dict[int, Batch]:
    """Return the parts of a window that lie between `steps`."""
    sums, counts = (
        np.sum([np.diff(one[list(steps)]) for one in column], axis=0)
        for column in ([pod.seconds[metric] for pod in pods], [pod.requests for pod in pods])
    )
    return {number: Batch(float(sums[number]), float(counts[number])) for number in range(len(sums))}


def _lognormal(rng: np.random.Generator, spread: tuple[float, float], number: int) -> Floats:
    median, deviation = spread
    return median * np.exp(deviation * rng.standard_normal(number))


def _shared(rng: np.random.Generator, spread: tuple[float, float], bins: Bins, correlation: float) -> Floats:
    """Return one lognormal time a request; those of a bin have a part of their logarithm in common."""
    median, deviation = spread
    luck = rng.standard_normal(_BINS)[bins]
    own = rng.standard_normal(len(bins))
    return median * np.exp(deviation * (math.sqrt(correlation) * luck + math.sqrt(1 - correlation) * own))


def _counts(bins: Bins, values: Floats, edges: tuple[float, ...]) -> Floats:
    """Return the number of values by bin and upper bound, cumulative over the bounds."""
    width = len(edges) + 1
    index = bins * width + np.searchsorted(edges, values, side="left")
    counts = np.bincount(index, minlength=_BINS * width).reshape(_BINS, width)
    found: Floats = np.cumsum(counts, axis=1, dtype=np.float64)
    return found


def _cumulative(increments: NDArray[np.generic]) -> Floats:
    rows = increments.astype(np.float64)
    sums: Floats = np.concatenate([np.zeros_like(rows[:1]), np.cumsum(rows, axis=0)])
    return sums
