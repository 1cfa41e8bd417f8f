"""Histogram buckets: vLLM's own, and the finer ones that are rendered where the version takes them.

vLLM's lists: `vllm/v1/metrics/buckets.py`, the same from 0.8.5 to 0.33.0. Its lowest bucket for time per output token
is 10 ms, which hides most of what speculation changes.
"""

from bisect import bisect_left
from typing import Final

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine.versions import Feature, Version

__all__ = ["CUSTOM_BUCKETS", "bucket_edges", "edge_at_or_above"]

_TTFT: Final = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
    1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
)  # fmt: skip
_TOKEN: Final = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
_REQUEST: Final = (
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0,
    120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0,
)  # fmt: skip
_FINE_TOKEN: Final = (
    0.001, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.075,
    0.1, 0.125, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
_FINE_REQUEST: Final = (
    0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0,
    60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0,
)  # fmt: skip

CUSTOM_BUCKETS: Final = {"inter_token_latency": _FINE_TOKEN, "request_latency": _FINE_REQUEST}
"""Value of `--custom-histogram-buckets` (families: `vllm/config/observability.py` 0.33.0); seconds."""

_DEFAULT: Final = {LatencyMetric.TPOT: _TOKEN, LatencyMetric.TTFT: _TTFT, LatencyMetric.E2E: _REQUEST}
_FINE: Final = {LatencyMetric.TPOT: _FINE_TOKEN, LatencyMetric.TTFT: _TTFT, LatencyMetric.E2E: _FINE_REQUEST}


def bucket_edges(metric: LatencyMetric, version: Version) -> tuple[float, ...]:
    """Return the upper bounds of the histogram's finite buckets as our pods have them, in seconds, ascending."""
    return (_FINE if version.has(Feature.CUSTOM_BUCKETS) else _DEFAULT)[metric]


def edge_at_or_above(threshold: float, edges: tuple[float, ...]) -> float | None:
    """Return the smallest edge not under `threshold` (seconds), or None above the last one."""
    index = bisect_left(edges, threshold - 1e-9)
    return edges[index] if index < len(edges) else None
