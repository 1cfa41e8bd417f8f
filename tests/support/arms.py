"""Arms of trials for tests: histograms of lognormal times in the buckets of the newest vLLM."""

import math
from dataclasses import replace
from statistics import NormalDist
from typing import Any

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import NEWEST, bucket_edges
from specdecode_operator.policy.arms import Arm, Batch, Distribution

WINDOW = 600.0
"""Seconds."""

EDGES = {metric: bucket_edges(metric, NEWEST) for metric in LatencyMetric}
MEANS = {LatencyMetric.TPOT: 0.02, LatencyMetric.TTFT: 0.3, LatencyMetric.E2E: 4.5}
"""Seconds."""


def times(mean: float, count: float = 600.0, *, edges: tuple[float, ...], deviation: float = 0.5) -> Distribution:
    """Return lognormal times with this mean, in ten equal batches; `deviation` is that of their logarithms."""
    normal = NormalDist(math.log(mean) - deviation**2 / 2, deviation)
    buckets = {edge: count * normal.cdf(math.log(edge)) for edge in edges} | {math.inf: count}
    return Distribution(mean * count, count, buckets, batches(mean * count, count))


def batches(total: float, count: float, *factors: float) -> dict[int, Batch]:
    """Return a window in ten parts; the sums of the first ones are `factors` times as large as the others'."""
    return {
        number: Batch(total / 10 * factor, count / 10) for number, factor in enumerate([*factors, *[1.0] * 10][:10])
    }


def latencies(factor: float = 1.0, count: float = 600.0, **factors: float) -> dict[LatencyMetric, Distribution]:
    """Return the three latencies, all `factor` times as long as usual; `factors` by name (`Tpot=2`) come on top."""
    return {
        metric: times(mean * factor * factors.get(metric, 1.0), count, edges=EDGES[metric])
        for metric, mean in MEANS.items()
    }


def arm_of(factor: float = 1.0, *, requests: float = 600.0, failed: float = 0.0, **changes: Any) -> Arm:
    """Return one pod's ten minutes with 500 prompt and 200 generated tokens a request."""
    found = Arm(
        window=WINDOW,
        pods=1,
        finished={"stop": requests - failed, "abort": 0.0, "error": failed},
        latency=latencies(factor, requests),
        prompt_tokens=Distribution(500 * requests, requests),
        generation_tokens=Distribution(200 * requests, requests),
    )
    return replace(found, **changes)
