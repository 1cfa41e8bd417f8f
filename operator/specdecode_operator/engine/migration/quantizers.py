"""Quantizers that vLLM had, and what comes nearest to them now."""

from typing import Final

from specdecode_operator.engine.migration.pieces import Field, Pieces, dropped, lost
from specdecode_operator.engine.quantization import QUANTIZERS
from specdecode_operator.engine.versions import Span, Version

__all__ = ["gone", "quantization"]

_BITSANDBYTES: Final = "bitsandbytes"
_LONG_GONE: Final = Span(gone=Version(0, 8, 3))
_EARLY: Final = frozenset({"squeezellm"})
"""Quantizers of releases before the tables of `engine.quantization`."""

_NEAREST: Final = (
    "use a checkpoint that is already quantized (AWQ, GPTQ or compressed-tensors; no flag then), or fp8_per_channel on"
    " BF16 weights"
)


def gone(name: str, version: Version) -> tuple[str, str] | None:
    """Return why `version` has no quantizer `name` any more and what comes nearest, or None where it may have one."""
    word = name.lower()
    releases = _LONG_GONE if word in _EARLY else QUANTIZERS[word].releases if word in QUANTIZERS else Span()
    if releases.gone is None or version < releases.gone:
        return None
    if word == _BITSANDBYTES:
        return (
            f"vLLM removed {word} by {releases.gone}, and it was 4-bit NF4, not INT8",
            f"{_NEAREST}, which takes twice the memory of NF4",
        )
    return f"vLLM removed {word} by {releases.gone}", _NEAREST


def quantization(field: str, name: str, flag: str, version: Version) -> Pieces:
    """Yield the quantizer `name` for `field`, or why it is lost."""
    reason = gone(name, version)
    if reason is not None:
        yield lost(flag, *reason)
        return
    yield Field(field, name)
    if name.lower() == _BITSANDBYTES:
        left = QUANTIZERS[_BITSANDBYTES].releases.gone
        yield dropped(flag, f"this is 4-bit NF4, not INT8, and vLLM removed it by {left}")
