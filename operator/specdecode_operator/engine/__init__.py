"""What is known of vLLM by version: methods, keys, flags, quantization, arguments, metrics. Pure."""

from specdecode_operator.engine.arguments import PORT, Serving, arguments
from specdecode_operator.engine.buckets import bucket_edges, edge_at_or_above
from specdecode_operator.engine.defaults import gpu_memory_utilization
from specdecode_operator.engine.errors import EngineError
from specdecode_operator.engine.examine import acceptance_counted, examine
from specdecode_operator.engine.flags import Flags
from specdecode_operator.engine.metrics import (
    COUNTERS,
    FAILED_REASONS,
    FINISHED_BY_REASON,
    FINISHED_REQUESTS,
    GAUGES,
    GENERATION_TOKENS,
    LATENCY_HISTOGRAMS,
    PROMPT_TOKENS,
    RUNNING_REQUESTS,
    SPECULATION_COUNTERS,
    Counter,
    Gauge,
    kv_cache_usage,
    latency_histogram,
    latency_histograms,
    unmeasured,
)
from specdecode_operator.engine.running import VERSION_PATH, other_release, told_release
from specdecode_operator.engine.speculation import drafts_every_step, speculative_config
from specdecode_operator.engine.versions import NEWEST, OLDEST, Feature, Span, Version

__all__ = [
    "COUNTERS",
    "FAILED_REASONS",
    "FINISHED_BY_REASON",
    "FINISHED_REQUESTS",
    "GAUGES",
    "GENERATION_TOKENS",
    "LATENCY_HISTOGRAMS",
    "NEWEST",
    "OLDEST",
    "PORT",
    "PROMPT_TOKENS",
    "RUNNING_REQUESTS",
    "SPECULATION_COUNTERS",
    "VERSION_PATH",
    "Counter",
    "EngineError",
    "Feature",
    "Flags",
    "Gauge",
    "Serving",
    "Span",
    "Version",
    "acceptance_counted",
    "arguments",
    "bucket_edges",
    "drafts_every_step",
    "edge_at_or_above",
    "examine",
    "gpu_memory_utilization",
    "kv_cache_usage",
    "latency_histogram",
    "latency_histograms",
    "other_release",
    "speculative_config",
    "told_release",
    "unmeasured",
]
