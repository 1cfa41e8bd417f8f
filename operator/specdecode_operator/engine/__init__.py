"""What is known of vLLM: versions, speculation config, arguments, metric names and buckets. Pure."""

from specdecode_operator.engine.arguments import PORT, Serving, arguments
from specdecode_operator.engine.buckets import bucket_edges, edge_at_or_above
from specdecode_operator.engine.errors import EngineError, UnsupportedConfig
from specdecode_operator.engine.metrics import (
    COUNTERS,
    FINISHED_REQUESTS,
    LATENCY_HISTOGRAMS,
    RUNNING_REQUESTS,
    Counter,
)
from specdecode_operator.engine.speculation import speculative_config
from specdecode_operator.engine.versions import Feature, Version

__all__ = [
    "COUNTERS",
    "FINISHED_REQUESTS",
    "LATENCY_HISTOGRAMS",
    "PORT",
    "RUNNING_REQUESTS",
    "Counter",
    "EngineError",
    "Feature",
    "Serving",
    "UnsupportedConfig",
    "Version",
    "arguments",
    "bucket_edges",
    "edge_at_or_above",
    "speculative_config",
]
