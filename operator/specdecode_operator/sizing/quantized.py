"""How a checkpoint is quantized: `quantization_config` of its `config.json`."""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["BIT_KEYS", "PLAIN_BITS", "checkpoint_quantization"]

PLAIN_BITS: Final = 16.0
"""Bits a weight of plain BF16 and FP16 checkpoints."""

_METHOD_BITS: Final[Mapping[str, float]] = {
    "fp8": 8,
    "fbgemm_fp8": 8,
    "deepseek_v4_fp8": 8,
    "mxfp8": 8,
    "mxfp4": 4,
    "gpt_oss_mxfp4": 4,
    "modelopt_fp4": 4,
    "experts_int8": 8,
}
BIT_KEYS: Final = ("bits", "w_bit", "weight_bits")
_MODELOPT_BITS: Final = {"FP8": 8.0, "MXFP8": 8.0, "NVFP4": 4.0, "W4A16_AWQ": 4.0, "W4A8_AWQ": 4.0}
_MOST_BITS: Final = 32


def checkpoint_quantization(config: Mapping[str, Any]) -> tuple[str | None, float]:
    """Return method and bits a weight of the checkpoint; (None, 16) for plain weights.

    Where the bits cannot be read the weights count as 16 bits, which never promises memory that is not there.
    """
    section = config.get("quantization_config", config.get("compression_config"))
    if not isinstance(section, Mapping):
        return None, PLAIN_BITS
    method = section.get("quant_method")
    if not isinstance(method, str) or not method:
        return None, PLAIN_BITS
    return method, _bits(method, section)


def _bits(method: str, section: Mapping[str, Any]) -> float:
    if method == "compressed-tensors":
        return _compressed_bits(section)
    if method == "modelopt":
        return _MODELOPT_BITS.get(str(section.get("quant_algo")), PLAIN_BITS)
    if method == "bitsandbytes":
        return 4.0 if section.get("load_in_4bit") is True else 8.0
    given = next((bits for key in BIT_KEYS if (bits := _number(section.get(key)))), None)
    return given or _METHOD_BITS.get(method, PLAIN_BITS)


def _compressed_bits(section: Mapping[str, Any]) -> float:
    """Return the widest of the groups' weights: a mixed checkpoint is no smaller than its widest group."""
    groups = section.get("config_groups")
    if not isinstance(groups, Mapping):
        return PLAIN_BITS
    weights = [group.get("weights") for group in groups.values() if isinstance(group, Mapping)]
    bits = [_number(weight.get("num_bits")) for weight in weights if isinstance(weight, Mapping)]
    return max((number or PLAIN_BITS for number in bits), default=PLAIN_BITS)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return float(value) if 1 <= value <= _MOST_BITS else None
