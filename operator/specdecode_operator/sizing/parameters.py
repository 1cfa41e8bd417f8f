"""How many parameters a shape has, counted as `transformers` builds its modules."""

from dataclasses import dataclass
from typing import Final

__all__ = ["EAGLE3_STATES", "EAGLE_STATES", "Experts", "Latent", "Shape", "active_parameters", "total_parameters"]

EAGLE_STATES: Final = 2
EAGLE3_STATES: Final = 3
"""Hidden states that a head joins before its layer: EAGLE the embedding and the last state, EAGLE-3 three states."""

_QKV_BIAS: Final = frozenset({"qwen2", "qwen2_moe"})
_QK_NORM: Final = frozenset({"qwen3", "qwen3_moe", "gemma3", "gemma3_text"})
_FOUR_NORMS: Final = frozenset({"gemma2", "gemma3", "gemma3_text"})
_BIASED_EXPERTS: Final = frozenset({"gpt_oss"})


@dataclass(frozen=True)
class Latent:
    """Widths of multi-head latent attention, as the keys of DeepSeek's `config.json`."""

    kv_rank: int
    rope_dim: int
    nope_dim: int
    value_dim: int
    query_rank: int | None


@dataclass(frozen=True)
class Experts:
    """The experts of one layer."""

    count: int
    per_token: int
    width: int
    shared_width: int = 0
    """Feed-forward width of the experts that every token passes through."""
    dense_layers: int = 0
    """Leading layers of the model that have none."""


@dataclass(frozen=True)
class Shape:
    """The widths and counts that decide how many parameters there are."""

    model_type: str
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool = False
    experts: Experts | None = None
    latent: Latent | None = None
    joined_states: int = 0
    """`EAGLE_STATES` or `EAGLE3_STATES` for a head, 0 for whole models."""
    draft_vocabulary: int = 0
    """Rows of an EAGLE-3 head's own output layer; 0 where it shares the target's."""


def total_parameters(shape: Shape) -> int:
    """Return all parameters of `shape`: embeddings, layers, norms and biases.

    Multi-token prediction layers, vision towers and adapters are not counted. Exact for the families of the catalog:
    Llama-3.1-8B has 8,030,261,248.
    """
    if shape.joined_states:
        return _head(shape)
    return _embeddings(shape) + _layers(shape, shape.experts.count if shape.experts else 0) + shape.hidden


def active_parameters(shape: Shape) -> int | None:
    """Return the parameters that one token uses, or None for dense models, where that is all of them."""
    if shape.experts is None:
        return None
    return _embeddings(shape) + _layers(shape, shape.experts.per_token) + shape.hidden


def _embeddings(shape: Shape) -> int:
    return shape.vocabulary * shape.hidden * (1 if shape.tied else 2)


def _layers(shape: Shape, counted: int) -> int:
    """Return all layers, with `counted` experts in those that have any."""
    common = shape.layers * (_attention(shape) + _norms(shape))
    dense = shape.layers if shape.experts is None else shape.experts.dense_layers
    common += dense * 3 * shape.hidden * shape.intermediate
    if shape.experts is None:
        return common
    return common + (shape.layers - dense) * _mixture(shape, shape.experts, counted)


def _attention(shape: Shape) -> int:
    if shape.latent is not None:
        return _latent_attention(shape, shape.latent)
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    weights = shape.hidden * (2 * queries + 2 * keys)
    if shape.model_type in _QKV_BIAS:
        return weights + queries + 2 * keys
    if shape.model_type in _BIASED_EXPERTS:
        return weights + queries + 2 * keys + shape.hidden + shape.heads
    return weights


def _latent_attention(shape: Shape, latent: Latent) -> int:
    query_width = shape.heads * (latent.nope_dim + latent.rope_dim)
    if latent.query_rank is None:
        queries = shape.hidden * query_width
    else:
        queries = latent.query_rank * (shape.hidden + query_width + 1)
    down = shape.hidden * (latent.kv_rank + latent.rope_dim) + latent.kv_rank
    up = latent.kv_rank * shape.heads * (latent.nope_dim + latent.value_dim)
    return queries + down + up + shape.heads * latent.value_dim * shape.hidden


def _norms(shape: Shape) -> int:
    norms = (4 if shape.model_type in _FOUR_NORMS else 2) * shape.hidden
    return norms + (2 * shape.head_dim if shape.model_type in _QK_NORM else 0)


def _mixture(shape: Shape, experts: Experts, counted: int) -> int:
    router = shape.hidden * experts.count
    weights = 3 * shape.hidden * (experts.width * counted + experts.shared_width)
    if shape.model_type in _BIASED_EXPERTS:
        return router + weights + experts.count + counted * (2 * experts.width + shape.hidden)
    return router + weights


def _head(shape: Shape) -> int:
    """Count what a head brings; embedding and, without a vocabulary of its own, output layer are the target's.

    EAGLE-3's attention reads the embedding beside the joined states, so its inputs are twice as wide and it has two
    more norms. Source: `vllm/model_executor/models/llama_eagle3.py`, `llama_eagle.py`.
    """
    head = shape.hidden * (shape.joined_states * shape.hidden + shape.draft_vocabulary)
    head += shape.layers * (_attention(shape) + _norms(shape) + 3 * shape.hidden * shape.intermediate)
    if shape.joined_states == EAGLE3_STATES:
        widened = shape.hidden * shape.head_dim * (shape.heads + 2 * shape.kv_heads)
        head += widened + 2 * shape.hidden
    return head
