"""Names of vLLM's Prometheus series.

Engine V1, 0.8.5 to 0.33: `vllm/v1/metrics/loggers.py`, `v1/spec_decode/metrics.py` of the releases in `versions.READ`.

Counters are exposed with `_total`. The speculation counters exist only while speculation is configured, so their
absence means "off", not zero. Latency is never judged on `vllm:inter_token_latency_seconds`: it has one sample a step,
and a step of speculation yields several tokens.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from specdecode_operator.api.remarks import Remark, error
from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine.versions import Span, Version, span

__all__ = [
    "COUNTERS",
    "FAILED_REASONS",
    "FINISHED_BY_REASON",
    "FINISHED_REQUESTS",
    "GAUGES",
    "GENERATION_TOKENS",
    "KV_CACHE_USAGE",
    "LATENCY_HISTOGRAMS",
    "PROMPT_TOKENS",
    "RUNNING_REQUESTS",
    "SERIES",
    "SPECULATION_COUNTERS",
    "Counter",
    "Gauge",
    "kv_cache_usage",
    "latency_histogram",
    "latency_histograms",
    "unmeasured",
]


class Counter(StrEnum):
    """What is counted."""

    DRAFTS = "drafts"
    DRAFT_TOKENS = "draft_tokens"
    ACCEPTED_TOKENS = "accepted_tokens"
    GENERATED_TOKENS = "generated_tokens"
    FIRST_TOKENS = "first_tokens"
    """First tokens of a request; the prompt's step yields them, and nothing is drafted for it."""
    PREEMPTIONS = "preemptions"
    """Requests that lost their place in the KV cache and start again."""


class Gauge(StrEnum):
    """What an engine shows of its load; `KV_CACHE_USAGE` is a share from 0 to 1, the others are requests."""

    RUNNING = "running"
    WAITING = "waiting"
    KV_CACHE_USAGE = "kv_cache_usage"


COUNTERS: Final = {
    Counter.DRAFTS: "vllm:spec_decode_num_drafts_total",
    Counter.DRAFT_TOKENS: "vllm:spec_decode_num_draft_tokens_total",
    Counter.ACCEPTED_TOKENS: "vllm:spec_decode_num_accepted_tokens_total",
    Counter.GENERATED_TOKENS: "vllm:generation_tokens_total",
    Counter.FIRST_TOKENS: "vllm:time_to_first_token_seconds_count",
    Counter.PREEMPTIONS: "vllm:num_preemptions_total",
}
SPECULATION_COUNTERS: Final = (Counter.DRAFTS, Counter.DRAFT_TOKENS, Counter.ACCEPTED_TOKENS)
"""Those that exist only while speculation is configured."""
LATENCY_HISTOGRAMS: Final = {
    LatencyMetric.TPOT: "vllm:request_time_per_output_token_seconds",
    LatencyMetric.TTFT: "vllm:time_to_first_token_seconds",
    LatencyMetric.E2E: "vllm:e2e_request_latency_seconds",
}
FINISHED_REQUESTS: Final = "vllm:e2e_request_latency_seconds_count"
"""One increment a finished request."""
FINISHED_BY_REASON: Final = "vllm:request_success_total"
"""The same by `finished_reason`: stop, length, abort, error and, from 0.20.2, repetition.

A request that its client cancels is not among them (`OutputProcessor.abort_requests`, 0.32.0); abort is the engine's
own.
"""
FAILED_REASONS: Final = frozenset({"abort", "error"})
"""Values of `finished_reason` of requests without the answer that was asked for."""
PROMPT_TOKENS: Final = "vllm:request_prompt_tokens"
"""A histogram with one observation a finished request, like that of the generated tokens."""
GENERATION_TOKENS: Final = "vllm:request_generation_tokens"
RUNNING_REQUESTS: Final = "vllm:num_requests_running"
"""A gauge that every engine exposes from its start, so its samples tell freshness and coverage."""

SERIES: Final = {
    "vllm:request_time_per_output_token_seconds": span("0.11.0"),
    "vllm:kv_cache_usage_perc": span("0.9.2"),
    "vllm:gpu_cache_usage_perc": span(gone="0.11.2"),
    "vllm:inter_token_latency_seconds": span("0.10.2"),
    "vllm:time_per_output_token_seconds": span(gone="0.12.0"),
    "vllm:spec_decode_num_drafts_total": span("0.8.5"),
}
"""Series that some supported release does not have; 0.11.2 shows the old gauge only when asked to."""

KV_CACHE_USAGE: Final = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")
"""Names of the share of the KV cache in use (0 to 1), the newest first."""

GAUGES: Final = {
    Gauge.RUNNING: (RUNNING_REQUESTS,),
    Gauge.WAITING: ("vllm:num_requests_waiting",),
    Gauge.KV_CACHE_USAGE: KV_CACHE_USAGE,
}
"""All names of each gauge, the newest first."""


def latency_histogram(metric: LatencyMetric, version: Version) -> str | None:
    """Return the histogram of `metric`, or None where `version` has none."""
    name = LATENCY_HISTOGRAMS[metric]
    return name if version in SERIES.get(name, Span()) else None


def latency_histograms(metric: LatencyMetric, versions: Iterable[Version]) -> tuple[str, ...]:
    """Return the distinct histograms of `metric` in `versions`; none where none of them has one."""
    names = (latency_histogram(metric, version) for version in sorted(versions, reverse=True))
    return tuple(dict.fromkeys(name for name in names if name is not None))


def kv_cache_usage(version: Version) -> str:
    """Return the gauge of the share of the KV cache in use (0 to 1)."""
    return next(name for name in KV_CACHE_USAGE if version in SERIES[name])


def unmeasured(metrics: Iterable[LatencyMetric], version: Version) -> tuple[Remark, ...]:
    """Return an error for each of `metrics`, those of `policy.objectives`, that `version` does not expose."""
    return tuple(
        error(
            "LatencyNotMeasured",
            f"policy.objectives[{index}].metric",
            f"vLLM {version} has no {LATENCY_HISTOGRAMS[metric]}, which came with"
            f" {SERIES[LATENCY_HISTOGRAMS[metric]].first}; judge {LatencyMetric.E2E} or upgrade",
        )
        for index, metric in enumerate(metrics)
        if latency_histogram(metric, version) is None
    )
