"""Defaults of `vllm serve` that changed, for what the resource leaves out."""

from typing import Final

from specdecode_operator.engine.versions import Version

__all__ = ["gpu_memory_utilization"]

_RAISED: Final = Version(0, 20, 0)


def gpu_memory_utilization(version: Version) -> float:
    """Return the share of each GPU's memory that vLLM takes by default (`vllm/config/cache.py`; 0.19.0 has 0.9)."""
    return 0.92 if version >= _RAISED else 0.9
