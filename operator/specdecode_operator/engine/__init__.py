"""What is known of vLLM by version: methods, keys, flags, quantization, arguments, metrics. Pure."""

from specdecode_operator.engine.arguments import PORT, Serving, arguments
from specdecode_operator.engine.buckets import bucket_edges, edge_at_or_above
from specdecode_operator.engine.defaults import gpu_memory_utilization
from specdecode_operator.engine.errors import EngineError
from specdecode_operator.engine.examine import acceptance_counted, examine
from specdecode_operator.engine.flags import Flags
from specdecode_operator.engine.metrics import (
    COUNTERS,
    FINISHED_REQUESTS,
    LATENCY_HISTOGRAMS,
    RUNNING_REQUESTS,
    Counter,
    kv_cache_usage,
    latency_histogram,
    latency_histograms,
    unmeasured,
)
from specdecode_operator.engine.running import VERSION_PATH, other_release, told_release
from specdecode_operator.engine.speculation import speculative_config
from specdecode_operator.engine.versions import NEWEST, OLDEST, Feature, Span, Version

__all__ = [
    "COUNTERS",
    "FINISHED_REQUESTS",
    "LATENCY_HISTOGRAMS",
    "NEWEST",
    "OLDEST",
    "PORT",
    "RUNNING_REQUESTS",
    "VERSION_PATH",
    "Counter",
    "EngineError",
    "Feature",
    "Flags",
    "Serving",
    "Span",
    "Version",
    "acceptance_counted",
    "arguments",
    "bucket_edges",
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
