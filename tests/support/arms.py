"""Arms of trials for tests: histograms of lognormal times in the buckets of the newest vLLM."""

import math
from collections.abc import Iterator
from dataclasses import replace
from statistics import NormalDist
from typing import Any

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import NEWEST, Counter, bucket_edges
from specdecode_operator.policy import ArmQuery, Row
from specdecode_operator.policy.trials.arms import Arm, Batch, Distribution, Part, Tokens

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


def rows(query: ArmQuery, found: Arm, pod: str) -> list[Row]:
    """Return what Prometheus answers to `query` for a pod that has done what `found` says."""
    labels = {"namespace": "prod", "pod": pod}
    return [Row({**labels, **more}, value) for more, value in _values(query, found)]


def _values(query: ArmQuery, found: Arm) -> Iterator[tuple[dict[str, str], float]]:
    figure = query.figure
    if figure.part is Part.FINISHED:
        yield from (({"finished_reason": reason}, count) for reason, count in found.finished.items())
    elif isinstance(figure.of, Counter):
        yield from (({}, count) for counter, count in found.counters.items() if counter is figure.of)
    else:
        yield from _observations(query, _distribution(found, figure.of))


def _distribution(found: Arm, of: LatencyMetric | Tokens | None) -> Distribution:
    if isinstance(of, LatencyMetric):
        return found.latency[of]
    return found.prompt_tokens if of is Tokens.PROMPT else found.generation_tokens


def _observations(query: ArmQuery, found: Distribution) -> Iterator[tuple[dict[str, str], float]]:
    field = str(query.figure.part)
    if query.figure.part is Part.BUCKET:
        yield from (({"le": "+Inf" if bound == math.inf else f"{bound:g}"}, n) for bound, n in found.buckets.items())
    elif query.batched:
        yield from (({"specdecode_batch": f"{key}"}, getattr(one, field)) for key, one in found.batches.items())
    else:
        yield {}, getattr(found, field)
