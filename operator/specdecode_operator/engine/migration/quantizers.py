"""Quantizers that vLLM had, and what comes nearest to them now."""

from typing import Final

from specdecode_operator.engine.migration.pieces import Field, Pieces, dropped, lost
from specdecode_operator.engine.versions import Version

__all__ = ["gone", "quantization"]

_LAST_BITSANDBYTES: Final = Version(0, 26, 0)
"""The last release that was seen to have it; 0.30.0 has not."""

_OTHERS_GONE: Final = frozenset({"aqlm", "deepspeedfp", "gguf", "hqq", "marlin", "ptpc_fp8", "rtn", "squeezellm"})
"""Absent in `vllm/model_executor/layers/quantization/__init__.py` 0.33.0; gguf is a plugin of its own."""

_NEAREST: Final = (
    "use a checkpoint that is already quantized (AWQ, GPTQ or compressed-tensors; no flag then), or fp8_per_channel on"
    " BF16 weights"
)
_BITSANDBYTES: Final = (
    "vLLM removed bitsandbytes after 0.26.0, and it was 4-bit NF4, not INT8",
    f"{_NEAREST}, which takes twice the memory of NF4",
)
_OTHER: Final = ("vLLM 0.33 has no such quantizer", _NEAREST)


def gone(name: str, version: Version) -> tuple[str, str] | None:
    """Return why `version` has no quantizer `name` and what comes nearest, or None where it has."""
    word = name.lower()
    if word == "bitsandbytes":
        return _BITSANDBYTES if version > _LAST_BITSANDBYTES else None
    return _OTHER if word in _OTHERS_GONE else None


def quantization(field: str, name: str, flag: str, version: Version) -> Pieces:
    """Yield the quantizer `name` for `field`, or why it is lost."""
    reason = gone(name, version)
    if reason is not None:
        yield lost(flag, *reason)
        return
    yield Field(field, name)
    if name.lower() == "bitsandbytes":
        yield dropped(flag, "this is 4-bit NF4, not INT8, and vLLM removed it after 0.26.0")
