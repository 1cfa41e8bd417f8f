"""Names of vLLM's Prometheus series.

V1 engine, 0.18 to 0.33: `vllm/v1/metrics/loggers.py`, `v1/spec_decode/metrics.py`.

Counters are exposed with `_total`. The speculation counters exist only while speculation is configured, so their
absence means "off", not zero. Latency is never judged on `vllm:inter_token_latency_seconds`: it has one sample a step,
and a step of speculation yields several tokens.
"""

from enum import StrEnum
from typing import Final

from specdecode_operator.api.v1alpha1 import LatencyMetric

__all__ = ["COUNTERS", "FINISHED_REQUESTS", "LATENCY_HISTOGRAMS", "RUNNING_REQUESTS", "Counter"]


class Counter(StrEnum):
    """What the speculation counters count."""

    DRAFTS = "drafts"
    DRAFT_TOKENS = "draft_tokens"
    ACCEPTED_TOKENS = "accepted_tokens"


COUNTERS: Final = {
    Counter.DRAFTS: "vllm:spec_decode_num_drafts_total",
    Counter.DRAFT_TOKENS: "vllm:spec_decode_num_draft_tokens_total",
    Counter.ACCEPTED_TOKENS: "vllm:spec_decode_num_accepted_tokens_total",
}
LATENCY_HISTOGRAMS: Final = {
    LatencyMetric.TPOT: "vllm:request_time_per_output_token_seconds",
    LatencyMetric.TTFT: "vllm:time_to_first_token_seconds",
    LatencyMetric.E2E: "vllm:e2e_request_latency_seconds",
}
FINISHED_REQUESTS: Final = "vllm:e2e_request_latency_seconds_count"
"""One increment a finished request."""
RUNNING_REQUESTS: Final = "vllm:num_requests_running"
"""A gauge that every engine exposes from its start, so its samples tell freshness and coverage."""
