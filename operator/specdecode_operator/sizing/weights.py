"""What weights take in memory, by number format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.quantized import PLAIN_BITS

__all__ = ["WeightFormat", "simple_bytes", "weight_bytes", "weight_format"]


@dataclass(frozen=True)
class WeightFormat:
    """How the quantized part of a model is stored; the rest stays at the model's number format."""

    bits: float
    """Bits a weight, without scales."""
    scale_bits: float = 0.0
    """Scales and zero points, spread over the weights that share them."""
    experts_only: bool = False
    """Whether only the experts are quantized, and attention and dense layers stay as they are."""

    @property
    def total_bits(self) -> float:
        """Bits a weight, scales included."""
        return self.bits + self.scale_bits


_MOST_GROUPED_BITS: Final = 4
"""Formats of more bits scale whole rows, which takes next to nothing."""

PLAIN: Final = WeightFormat(PLAIN_BITS)

_GROUPED: Final = 20 / 128
"""A 16-bit scale and a 4-bit zero point for 128 weights; NVFP4 has an 8-bit scale for 16 weights, MXFP4 for 32."""
_FORMATS: Final[Mapping[str, WeightFormat]] = {
    "fp8": WeightFormat(8),
    "fp8_per_tensor": WeightFormat(8),
    "fp8_per_channel": WeightFormat(8),
    "fp8_per_block": WeightFormat(8),
    "fbgemm_fp8": WeightFormat(8),
    "ptpc_fp8": WeightFormat(8),
    "deepseek_v4_fp8": WeightFormat(8),
    "modelopt": WeightFormat(8),
    "mxfp8": WeightFormat(8, 8 / 32),
    "modelopt_mxfp8": WeightFormat(8, 8 / 32),
    "experts_int8": WeightFormat(8, experts_only=True),
    "int8_per_channel_weight_only": WeightFormat(8, experts_only=True),
    "awq": WeightFormat(4, _GROUPED),
    "auto_awq": WeightFormat(4, _GROUPED),
    "awq_marlin": WeightFormat(4, _GROUPED),
    "gptq": WeightFormat(4, _GROUPED),
    "auto_gptq": WeightFormat(4, _GROUPED),
    "gptq_marlin": WeightFormat(4, _GROUPED),
    "moe_wna16": WeightFormat(4, _GROUPED),
    "bitsandbytes": WeightFormat(4, 8 / 64),
    "mxfp4": WeightFormat(4, 8 / 32, experts_only=True),
    "gpt_oss_mxfp4": WeightFormat(4, 8 / 32, experts_only=True),
    "modelopt_fp4": WeightFormat(4, 8 / 16),
    "nvfp4_per_token": WeightFormat(4, 8 / 16, experts_only=True),
}
"""By value of `--quantization`. Source: `vllm/model_executor/layers/quantization/` and `vllm/config/quantization.py`
0.33.0: `mxfp4` and the `_weight_only` and `_per_token` formats cover the experts of mixtures alone."""


def simple_bytes(parameters: int, bits: float) -> float:
    """Return `parameters` x `bits` in bytes: the arithmetic of most articles, with nothing left at 16 bits."""
    return parameters * bits / 8


def weight_format(facts: ModelFacts, quantization: str | None = None) -> WeightFormat:
    """Return how the weights lie in GPU memory with vLLM's `--quantization` set to `quantization`.

    The checkpoint's own quantization wins over the flag (`vllm/config/model.py` 0.33.0). A method that is not known
    counts as 16 bits, so that the plan promises no memory that may not be there.
    """
    if facts.quantization is not None or facts.weight_bits < PLAIN_BITS:
        return _checkpoint_format(facts)
    return _FORMATS.get(quantization or "", PLAIN)


def _checkpoint_format(facts: ModelFacts) -> WeightFormat:
    known = _FORMATS.get(facts.quantization or "", PLAIN)
    if known.bits == facts.weight_bits:
        return known
    return WeightFormat(facts.weight_bits, _GROUPED if facts.weight_bits <= _MOST_GROUPED_BITS else 0.0)


def weight_bytes(facts: ModelFacts, quantization: str | None = None, *, plain_bits: float = PLAIN_BITS) -> float:
    """Return what the weights of `facts` take, in bytes over all GPUs together.

    Embedding and output layer stay at `plain_bits`: neither weight-only checkpoints (AWQ, GPTQ, compressed-tensors)
    nor vLLM's online FP8 quantize them (`vllm/model_executor/layers/quantization/fp8.py` gives only linear layers a
    method of its own). Tensor parallelism splits all of it evenly, the draft's weights too, since the draft runs on
    the target's tensor-parallel group; what every GPU holds whole (norms, routers) is below 0.1 %.
    """
    stored = weight_format(facts, quantization)
    quantized = min(_quantizable(facts, stored), facts.parameters)
    if stored is PLAIN or stored.bits >= plain_bits:
        return facts.parameters * plain_bits / 8
    return (quantized * stored.total_bits + (facts.parameters - quantized) * plain_bits) / 8


def _quantizable(facts: ModelFacts, stored: WeightFormat) -> int:
    if stored.experts_only:
        return 3 * facts.hidden_size * facts.intermediate_size * facts.experts * facts.layers
    return max(0, facts.parameters - facts.embedding_parameters)
