"""The command line of `vllm serve`, without the program itself: the image's entrypoint is `vllm serve`."""

import json
from dataclasses import dataclass
from typing import Any, Final

from specdecode_operator.api.v1alpha1 import Engine, Model, Speculation
from specdecode_operator.engine.buckets import CUSTOM_BUCKETS
from specdecode_operator.engine.speculation import speculative_config
from specdecode_operator.engine.versions import Feature, Version

__all__ = ["PORT", "Serving", "arguments"]

PORT: Final = 8000
"""Port of the API and of `/metrics`."""

_SPECULATION_ONLY: Final = frozenset({"--per-request-spec-decode-metrics"})
"""Flags that vLLM refuses without speculation (`vllm/config/vllm.py` 0.33.0); each takes one value."""


@dataclass(frozen=True)
class Serving:
    """All that the command line depends on. Paths are hub names or folders in the pod."""

    model: Model
    model_path: str
    speculation: Speculation
    draft_path: str | None
    engine: Engine
    shutdown_timeout: int
    """Seconds that a stopping server may finish its requests."""


def arguments(serving: Serving) -> list[str]:
    """Return the arguments, the model first. Whether this version can run them is for `examine` to say."""
    version = Version.parse(serving.engine.version)
    return [
        serving.model_path,
        *_flags(serving, version),
        *_buckets(version),
        *_speculation(serving, version),
        *_extra(serving.engine.extra_args, speculating=serving.speculation.active),
    ]


def _flags(serving: Serving, version: Version) -> list[str]:
    model, engine = serving.model, serving.engine
    utilization = engine.gpu_memory_utilization_percent
    values: dict[str, Any] = {
        "--served-model-name": model.served,
        "--port": PORT,
        "--revision": model.revision,
        "--quantization": model.quantization,
        "--tensor-parallel-size": engine.tensor_parallel_size,
        "--dtype": engine.dtype,
        "--max-model-len": engine.max_model_len,
        "--max-num-seqs": engine.max_num_seqs,
        "--gpu-memory-utilization": None if utilization is None else utilization / 100,
        "--kv-cache-dtype": engine.kv_cache_dtype,
        "--shutdown-timeout": serving.shutdown_timeout if version.has(Feature.SHUTDOWN_TIMEOUT) else None,
    }
    return [word for flag, value in values.items() if value is not None for word in (flag, str(value))]


def _buckets(version: Version) -> list[str]:
    if not version.has(Feature.CUSTOM_BUCKETS):
        return []
    return ["--custom-histogram-buckets", _compact(CUSTOM_BUCKETS)]


def _speculation(serving: Serving, version: Version) -> list[str]:
    config = speculative_config(
        serving.speculation,
        version=version,
        draft_path=serving.draft_path,
        max_num_seqs=serving.engine.max_num_seqs,
    )
    return [] if config is None else ["--speculative-config", _compact(config)]


def _extra(extra: list[str], *, speculating: bool) -> list[str]:
    if speculating:
        return list(extra)
    kept: list[str] = []
    skip = False
    for word in extra:
        flag = word.split("=")[0].replace("_", "-")
        if not skip and flag not in _SPECULATION_ONLY:
            kept.append(word)
        skip = flag in _SPECULATION_ONLY and "=" not in word
    return kept


def _compact(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
