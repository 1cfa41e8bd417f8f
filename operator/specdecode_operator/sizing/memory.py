"""The memory plan: what weights, reserves and the draft leave for the KV cache."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.heads import as_head
from specdecode_operator.sizing.load import Load
from specdecode_operator.sizing.reserves import Reserves, estimate_reserves
from specdecode_operator.sizing.weights import weight_bytes

__all__ = ["MemoryPlan", "kv_bytes_per_token", "memory_plan"]

_GIB: Final = 2**30
_BLOCK: Final = 16
"""Tokens of one block of the KV cache (`vllm:cache_config_info{block_size}`)."""

_KV_BITS: Final[Mapping[str, float]] = {
    "fp8": 8,
    "fp8_e4m3": 8,
    "fp8_e5m2": 8,
    "fp8_inc": 8,
    "int8_per_token_head": 8,
    "fp8_per_token_head": 8,
    "fp8_ds_mla": 656 * 8 / 576,
    "nvfp4": 4 + 8 / 16,
    "float32": 32,
}
"""By `--kv-cache-dtype` (`vllm/config/cache.py` 0.33.0); all others count with the model's own bits, which promises no
memory that may not be there. `fp8_ds_mla` packs 576 values into 656 bytes."""


@dataclass(frozen=True)
class MemoryPlan:
    """How the memory of one engine's GPUs is divided. Bytes are sums over its GPUs unless said otherwise."""

    load: Load
    reserves: Reserves
    """Of one GPU."""
    target_weights: float
    draft_weights: float
    kv_bytes: float
    """Memory left for the KV cache; negative where weights and reserves alone are too much."""
    token_bytes: float
    """KV cache of one token, target and draft, on one GPU."""
    kv_tokens: int
    """Tokens that the KV cache holds."""
    kv_tokens_without_speculation: int
    """Tokens that it would hold with the target alone."""

    @property
    def gpu_total(self) -> float:
        """Memory of all GPUs, as vLLM sees it."""
        return float(self.load.gpu.visible_bytes * self.load.tensor_parallel)

    @property
    def target_share_percent(self) -> float:
        """Share of the GPUs' memory that the target's weights take."""
        return 100 * self.target_weights / self.gpu_total

    @property
    def draft_share_percent(self) -> float:
        """Share of the GPUs' memory that the draft's weights take, without its KV cache."""
        return 100 * self.draft_weights / self.gpu_total

    @property
    def kv_drop_percent(self) -> float:
        """How many of its tokens the KV cache loses to speculation."""
        if self.kv_tokens_without_speculation == 0:
            return 0.0
        return 100 * (1 - self.kv_tokens / self.kv_tokens_without_speculation)

    @property
    def max_model_len_that_fits(self) -> int:
        """Longest request that the KV cache holds, never above the target's context; 0 where nothing fits."""
        return min(self.kv_tokens, self.load.target.context_length)

    @property
    def fits(self) -> bool:
        """Whether vLLM would start: its KV cache holds one request of `max_model_len`."""
        return self.kv_tokens >= self.load.wanted_length

    @property
    def full_length_requests(self) -> int:
        """Requests of `max_model_len` that the KV cache holds at once."""
        return self.kv_tokens // self.load.wanted_length

    @property
    def full_length_requests_without_speculation(self) -> int:
        """The same with the target alone."""
        return self.kv_tokens_without_speculation // self.load.wanted_length

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON shows it: GiB over all GPUs, tokens, percent."""
        return {
            "gpuTotalGiB": round(self.gpu_total / _GIB, 2),
            "targetWeightsGiB": round(self.target_weights / _GIB, 2),
            "draftWeightsGiB": round(self.draft_weights / _GIB, 2),
            "reservedGiB": round(self.reserves.total * self.load.tensor_parallel / _GIB, 2),
            "kvCacheGiB": round(max(0.0, self.kv_bytes) / _GIB, 2),
            "kvCacheTokens": self.kv_tokens,
            "kvCacheTokensWithoutSpeculation": self.kv_tokens_without_speculation,
            "fullLengthRequests": self.full_length_requests,
            "fullLengthRequestsWithoutSpeculation": self.full_length_requests_without_speculation,
            "targetSharePercent": round(self.target_share_percent, 1),
            "draftSharePercent": round(self.draft_share_percent, 1),
            "maxModelLenThatFits": self.max_model_len_that_fits,
            "fits": self.fits,
        }


def memory_plan(load: Load, reserves: Reserves | None = None) -> MemoryPlan:
    """Return how `load` divides its GPUs' memory; `reserves` of one GPU replace the estimate.

    requested = total x utilization; KV cache = requested - (target + draft) / tensor parallelism - reserves; tokens =
    KV cache / (bytes a token of target and draft), in whole blocks. Source: `Worker.determine_available_memory` in
    `vllm/v1/worker/gpu_worker.py` and `vllm/v1/core/kv_cache_utils.py` 0.33.0.
    """
    kept = reserves or estimate_reserves(load)
    target = weight_bytes(load.target, load.target_quantization, plain_bits=load.plain_bits)
    draft = _draft_weights(load)
    requested = math.ceil(load.gpu.visible_bytes * load.utilization)
    left = requested - (target + draft) / load.tensor_parallel - kept.total
    token_bytes = _token_bytes(load)
    tokens = max(0, math.floor(left / (_BLOCK * token_bytes)) * _BLOCK)
    return MemoryPlan(
        load=load,
        reserves=kept,
        target_weights=target,
        draft_weights=draft,
        kv_bytes=left * load.tensor_parallel,
        token_bytes=token_bytes,
        kv_tokens=tokens,
        kv_tokens_without_speculation=_alone(load, reserves, tokens),
    )


def _alone(load: Load, reserves: Reserves | None, tokens: int) -> int:
    if load.method is Method.NONE:
        return tokens
    return memory_plan(load.without_speculation(), reserves).kv_tokens


def _draft_weights(load: Load) -> float:
    if load.draft is not None:
        return weight_bytes(as_head(load.draft, load.method), load.draft_quantization, plain_bits=load.plain_bits)
    return _mtp_weights(load) if load.method is Method.MTP else 0.0


def _mtp_weights(load: Load) -> float:
    """Each prediction layer is a layer of the target and a projection of two hidden states onto one.

    Source: `vllm/model_executor/models/deepseek_mtp.py`; embedding and output layer are the target's.
    """
    facts = load.target
    plain = load.plain_bits / 8
    whole = weight_bytes(facts, load.target_quantization, plain_bits=load.plain_bits)
    layer = (whole - facts.embedding_parameters * plain) / facts.layers
    return facts.mtp_layers * (layer + 2 * facts.hidden_size**2 * plain)


def _token_bytes(load: Load) -> float:
    bits = _KV_BITS.get(load.kv_cache_dtype or "", load.plain_bits)
    target = kv_bytes_per_token(load.target, load.tensor_parallel, bits)
    if load.draft is not None:
        return target + kv_bytes_per_token(load.draft, load.tensor_parallel, bits)
    if load.method is Method.MTP:
        return target * (1 + load.target.mtp_layers / _kv_layers(load.target))
    return target


def kv_bytes_per_token(facts: ModelFacts, ranks: int = 1, bits: float = 16) -> float:
    """Return the KV cache of one token on one of `ranks` GPUs, in bytes.

    Key and value of every head, a head at least on every GPU; latent attention keeps one vector, whole on every GPU.
    Sliding windows are not taken off, since requests shorter than the window need all of it.
    """
    if facts.latent_kv_dim is not None:
        return _kv_layers(facts) * facts.latent_kv_dim * bits / 8
    heads = math.ceil(facts.kv_heads / ranks)
    return 2 * _kv_layers(facts) * heads * facts.head_dim * bits / 8


def _kv_layers(facts: ModelFacts) -> int:
    return max(1, facts.layers if facts.kv_layers is None else facts.kv_layers)
