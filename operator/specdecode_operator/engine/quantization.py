"""Values of `--quantization`, and number formats of the KV cache, by release.

Sources: `vllm/model_executor/layers/quantization/__init__.py` and the classes' `get_min_capability`,
`vllm/config/quantization.py` (online methods) and `vllm/config/cache.py` of the releases in `versions.READ`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from specdecode_operator.engine.versions import ALWAYS, Span, Version, span

__all__ = ["KV_CACHE_DTYPES", "QUANTIZERS", "Quantizer", "Weights"]


class Weights(StrEnum):
    """Which weights a method takes."""

    CHECKPOINT = "checkpoint"
    """Only weights that are already quantized this way, which vLLM finds out by itself."""
    ONLINE = "online"
    """Plain weights, quantized while they are loaded."""
    EITHER = "either"
    """Both."""
    EXPERTS = "experts"
    """Plain weights; only the experts of a mixture are quantized."""


@dataclass(frozen=True)
class Quantizer:
    """One method of quantization."""

    weights: Weights
    releases: Span = ALWAYS
    """Releases that have it."""
    capability: tuple[tuple[Version, float], ...] = ()
    """Least CUDA compute capability from a release on, ascending; empty where none is known."""
    deprecated: Span | None = None
    """Releases that refuse it without `--allow-deprecated-quantization`."""
    online: Span | None = None
    """Releases in which a checkpoint's method also takes plain weights."""
    plugin: str | None = None
    """Package that brings it back where it is gone."""
    instead: str | None = None
    """What does the same today."""

    def least(self, version: Version) -> float | None:
        """Return the least compute capability in `version`."""
        found = [minimum for first, minimum in self.capability if first <= version]
        return found[-1] if found else None


def _since(*steps: tuple[str, float]) -> tuple[tuple[Version, float], ...]:
    return tuple((Version.parse(text), minimum) for text, minimum in steps)


_CHECKPOINT, _ONLINE = Weights.CHECKPOINT, Weights.ONLINE
_PRE_QUANTIZED: Final = "weights that are already quantized, and no quantization at all here"
_LAST: Final = span("0.14.0", "0.16.0")
_FP8: Final = "fp8_per_tensor or fp8_per_channel"

QUANTIZERS: Final[Mapping[str, Quantizer]] = {
    "aqlm": Quantizer(_CHECKPOINT, span(gone="0.10.1"), _since(("0.8.3", 6.0)), instead=_PRE_QUANTIZED),
    "auto-round": Quantizer(
        _CHECKPOINT, span("0.9.0", "0.16.0"), _since(("0.9.0", 6.0)), deprecated=_LAST, instead="inc"
    ),
    "auto_awq": Quantizer(_CHECKPOINT, span("0.24.0"), _since(("0.24.0", 7.5))),
    "auto_gptq": Quantizer(_CHECKPOINT, span("0.22.0"), _since(("0.22.0", 6.0))),
    "awq": Quantizer(_CHECKPOINT, capability=_since(("0.8.3", 7.5))),
    "awq_marlin": Quantizer(_CHECKPOINT, capability=_since(("0.8.3", 8.0), ("0.17.0", 7.5))),
    "bitblas": Quantizer(
        _CHECKPOINT, span("0.8.5", "0.16.0"), _since(("0.8.5", 7.0)), deprecated=_LAST, instead=_PRE_QUANTIZED
    ),
    "bitsandbytes": Quantizer(
        Weights.EITHER,
        span(gone="0.28.0"),
        _since(("0.8.3", 7.0)),
        instead=f"{_FP8} for 8 bits, or an AWQ, GPTQ or compressed-tensors checkpoint for 4",
    ),
    "compressed-tensors": Quantizer(_CHECKPOINT, capability=_since(("0.8.3", 7.0))),
    "deepspeedfp": Quantizer(_CHECKPOINT, span(gone="0.16.0"), _since(("0.8.3", 6.0)), deprecated=_LAST, instead=_FP8),
    "experts_int8": Quantizer(Weights.EXPERTS, capability=_since(("0.8.3", 8.0)), deprecated=span("0.14.0", "0.20.0")),
    "fbgemm_fp8": Quantizer(_CHECKPOINT, capability=_since(("0.8.3", 8.0)), deprecated=span("0.14.0")),
    "fp8": Quantizer(Weights.EITHER, capability=_since(("0.8.3", 8.0), ("0.17.0", 7.5))),
    "fp8_per_block": Quantizer(_ONLINE, span("0.20.0"), _since(("0.20.0", 7.5))),
    "fp8_per_channel": Quantizer(_ONLINE, span("0.24.0"), _since(("0.24.0", 8.9))),
    "fp8_per_tensor": Quantizer(_ONLINE, span("0.20.0"), _since(("0.20.0", 7.5))),
    "fp_quant": Quantizer(_CHECKPOINT, span("0.11.2"), _since(("0.11.2", 10.0)), deprecated=span("0.14.0")),
    "gguf": Quantizer(
        _CHECKPOINT, span(gone="0.24.0"), _since(("0.8.3", 6.0)), plugin="vllm-gguf-plugin", instead=_PRE_QUANTIZED
    ),
    "gptq": Quantizer(_CHECKPOINT, capability=_since(("0.8.3", 6.0))),
    "gptq_bitblas": Quantizer(
        _CHECKPOINT, span("0.8.5", "0.16.0"), _since(("0.8.5", 8.0)), deprecated=_LAST, instead="gptq"
    ),
    "gptq_marlin": Quantizer(_CHECKPOINT, capability=_since(("0.8.3", 8.0), ("0.17.0", 7.5))),
    "gptq_marlin_24": Quantizer(
        _CHECKPOINT, span(gone="0.16.0"), _since(("0.8.3", 8.0)), deprecated=_LAST, instead="gptq"
    ),
    "hqq": Quantizer(
        _CHECKPOINT, span(gone="0.16.0"), _since(("0.8.3", 8.0)), deprecated=_LAST, instead=_PRE_QUANTIZED
    ),
    "humming": Quantizer(_CHECKPOINT, span("0.20.0"), _since(("0.20.0", 7.5))),
    "inc": Quantizer(_CHECKPOINT, span("0.10.0"), _since(("0.10.0", 6.0))),
    "int8_per_channel_weight_only": Quantizer(Weights.EXPERTS, span("0.20.0"), _since(("0.20.0", 7.5))),
    "marlin": Quantizer(_CHECKPOINT, span(gone="0.10.2"), _since(("0.8.3", 8.0)), instead="gptq_marlin"),
    "modelopt": Quantizer(_CHECKPOINT, capability=_since(("0.8.3", 8.9), ("0.30.0", 8.0))),
    "modelopt_fp4": Quantizer(_CHECKPOINT, span("0.9.0"), _since(("0.9.0", 8.0), ("0.17.0", 7.5))),
    "modelopt_mixed": Quantizer(_CHECKPOINT, span("0.17.0"), _since(("0.17.0", 8.9), ("0.33.0", 7.5))),
    "modelopt_mxfp8": Quantizer(_CHECKPOINT, span("0.16.0"), _since(("0.16.0", 10.0), ("0.20.0", 8.0))),
    "moe_wna16": Quantizer(_CHECKPOINT, capability=_since(("0.8.3", 7.0))),
    "mxfp4": Quantizer(_CHECKPOINT, span("0.10.1"), _since(("0.10.1", 8.0)), online=span("0.29.0")),
    "mxfp8": Quantizer(_ONLINE, span("0.19.0"), _since(("0.19.0", 7.5))),
    "nvfp4": Quantizer(_CHECKPOINT, span(gone="0.9.0"), _since(("0.8.3", 10.0)), instead="modelopt_fp4"),
    "nvfp4_per_token": Quantizer(Weights.EXPERTS, span("0.26.0"), _since(("0.26.0", 10.0))),
    "online": Quantizer(_ONLINE, span("0.20.0"), _since(("0.20.0", 7.5))),
    "petit_nvfp4": Quantizer(
        _CHECKPOINT, span("0.10.2", "0.20.0"), deprecated=span("0.14.0", "0.20.0"), instead="modelopt_fp4"
    ),
    "ptpc_fp8": Quantizer(
        _ONLINE, span(gone="0.19.0"), deprecated=span("0.14.0", "0.19.0"), instead="fp8_per_channel, from vLLM 0.24 on"
    ),
    "qqq": Quantizer(_CHECKPOINT, span(gone="0.10.2"), _since(("0.8.3", 8.0)), instead=_PRE_QUANTIZED),
    "quark": Quantizer(_CHECKPOINT, capability=_since(("0.8.3", 7.0))),
    "rtn": Quantizer(_ONLINE, span("0.9.2", "0.16.0"), deprecated=_LAST, instead=_FP8),
    "torchao": Quantizer(_CHECKPOINT, span("0.8.5"), _since(("0.8.5", 7.5))),
    "cpu_awq": Quantizer(_CHECKPOINT, span("0.12.0", "0.23.0"), instead="awq"),
    "cpu_gptq": Quantizer(_CHECKPOINT, span("0.12.0", "0.14.0"), instead="gptq"),
    "deepseek_v4_fp8": Quantizer(_CHECKPOINT, span("0.20.0")),
    "gpt_oss_mxfp4": Quantizer(_CHECKPOINT, span("0.20.0")),
    "ipex": Quantizer(_CHECKPOINT, span(gone="0.16.0"), deprecated=_LAST, instead="inc"),
    "neuron_quant": Quantizer(_ONLINE, span(gone="0.10.2"), instead="a release for that hardware"),
    "tpu_int8": Quantizer(_ONLINE, span(gone="0.14.0"), instead="a release for that hardware"),
}
"""Methods of all supported releases."""

KV_CACHE_DTYPES: Final[Mapping[str, Span]] = {
    "auto": span(),
    "bfloat16": span("0.11.0"),
    "float16": span("0.18.0"),
    "fp8": span(),
    "fp8_ds_mla": span("0.11.2"),
    "fp8_e4m3": span(),
    "fp8_e5m2": span(),
    "fp8_inc": span("0.10.0"),
    "fp8_per_token_head": span("0.20.0"),
    "int4_per_token_head": span("0.25.0"),
    "int8_per_token_head": span("0.20.0"),
    "nvfp4": span("0.20.0"),
    "nvfp4_4over6": span("0.28.0"),
    "nvfp4_ds_mla": span("0.30.0"),
    "octave_k3v3": span("0.33.0"),
    "octave_k3v3_compact": span("0.33.0"),
    "octave_k3v4": span("0.33.0"),
    "turboquant_3bit_nc": span("0.20.0"),
    "turboquant_4bit_nc": span("0.20.0"),
    "turboquant_k3v4_nc": span("0.20.0"),
    "turboquant_k8v4": span("0.20.0"),
    "ultraquant_4bit": span("0.32.0"),
}
"""Values of `--kv-cache-dtype`."""
