"""What vLLM keeps of a GPU's memory beside weights and KV cache."""

from dataclasses import dataclass
from typing import Final

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.engine.versions import Version
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.load import Load, runs_v2

__all__ = ["MIB", "Reserves", "estimate_reserves"]

MIB: Final = 2**20

ENGINE_BYTES: Final = 609 * MIB
"""Libraries, workspaces and buffers of one GPU: what is left of the measured baseline when the other terms are taken
off (vLLM 0.25.1, H100, Llama-3.1-8B: 449,968 tokens of KV cache). The only constant here that is fitted."""

_NCCL: Final = ((4, 392 * MIB), (2, 342 * MIB))
"""From this tensor parallelism on. Source: NVIDIA aiconfigurator-core 0.12 systems."""

_LOGIT_BYTES: Final = 2 + 4 + 4
"""A 16-bit logit, its float32 copy and its float32 probability."""

GRAPH_BYTES_PER_LAYER: Final = 0.21 * 2**30 / (35 * 16)
"""Llama-3.2-1B, 16 layers and 35 graphs: "took 0.21 GiB" (vllm-project/vllm pull request 11349)."""

_CAPTURE_CEILING: Final = 512
_CAPTURE_CEILING_BLACKWELL: Final = 1024
_BLACKWELL: Final = (10, 0)
_GRAPHS_COUNTED_V1: Final = Version(0, 20, 0)
_GRAPHS_COUNTED_V2: Final = Version(0, 26, 0)


@dataclass(frozen=True)
class Reserves:
    """Bytes of one GPU."""

    communication: float = 0
    """NCCL's buffers."""
    engine: float = 0
    """Libraries, workspaces and buffers that no shape explains."""
    activations: float = 0
    """Largest intermediate results of one step: in a layer, or when tokens are drawn."""
    graphs: float = 0
    """CUDA graphs, where this version takes their estimate from the budget."""
    draft_logits: float = 0
    """The draft's logits, kept for every proposed token where the draft draws its tokens."""

    @property
    def total(self) -> float:
        """All of it."""
        return self.communication + self.engine + self.activations + self.graphs + self.draft_logits


def estimate_reserves(load: Load) -> Reserves:
    """Return what vLLM's start-up profiling would take from one GPU of `load`.

    Source: `Worker.determine_available_memory` in `vllm/v1/worker/gpu_worker.py` and `vllm/utils/mem_utils.py` 0.33.0.
    """
    return Reserves(
        communication=next((size for ranks, size in _NCCL if load.tensor_parallel >= ranks), 0),
        engine=ENGINE_BYTES,
        activations=max(_layer_peak(load), _sampling_peak(load)),
        graphs=_graphs(load),
        draft_logits=_draft_logits(load),
    )


def _layer_peak(load: Load) -> float:
    """Layers run one after the other, so the widest counts; target and draft take turns."""
    models = [load.target] if load.draft is None else [load.target, load.draft]
    widest = max(_values_per_token(model, load.tensor_parallel) for model in models)
    return load.batched_tokens * widest * load.plain_bits / 8


def _values_per_token(model: ModelFacts, ranks: int) -> float:
    """Return the values that one token holds at a layer's fullest moment, beside its residual and hidden state.

    The feed-forward block holds gate and up projection and their product (3 x intermediate size); a mixture holds
    them once for every expert of the token, in buffers of `vllm/model_executor/layers/fused_moe/fused_moe.py`;
    attention holds queries, keys, values and its result.
    """
    hidden, width = model.hidden_size, model.intermediate_size / ranks
    attention = (2 * model.attention_heads + 2 * model.kv_heads) * model.head_dim / ranks
    if model.experts_per_token:
        return 3 * hidden + model.experts_per_token * (max(2 * width, hidden) + width)
    return 2 * hidden + max(3 * width, attention)


def _sampling_peak(load: Load) -> float:
    """Profiling draws a token for each request; V1 draws a second one for the draft's (its sampler's dummy run).

    The rows of the further draft tokens are not profiled: they must fit into what utilization leaves.
    """
    rows = min(load.sequences, load.batched_tokens)
    if load.method is not Method.NONE and not runs_v2(load):
        rows *= 2
    return rows * load.target.vocabulary_size * _LOGIT_BYTES


def _draft_logits(load: Load) -> float:
    """Source: `vllm/v1/worker/gpu/spec_decode/speculator.py` 0.33.0, which allocates them in float32."""
    if not load.probabilistic:
        return 0
    return load.sequences * load.draft_tokens * load.target.vocabulary_size * 4


def _graphs(load: Load) -> float:
    counted = _GRAPHS_COUNTED_V2 if runs_v2(load) else _GRAPHS_COUNTED_V1
    if load.eager or load.version < counted:
        return 0
    verified = load.sequences * (load.draft_tokens + 1)
    piecewise = _capture_sizes(min(2 * verified, _ceiling(load), load.batched_tokens))
    full = _capture_sizes(min(verified, _ceiling(load), load.batched_tokens))
    return (piecewise + full) * load.target.layers * GRAPH_BYTES_PER_LAYER


def _ceiling(load: Load) -> int:
    capability = load.gpu.capability
    return _CAPTURE_CEILING_BLACKWELL if capability and capability >= _BLACKWELL else _CAPTURE_CEILING


def _capture_sizes(largest: int) -> int:
    """Count the batch sizes that are captured: 1, 2, 4, each 8 below 256, each 16 from there.

    Source: `_set_cudagraph_sizes` in `vllm/config/vllm.py` 0.33.0; up to 512 these are 51, up to 256 they are 35.
    """
    small = sum(size <= largest for size in (1, 2, 4))
    return small + len(range(8, min(largest, 255) + 1, 8)) + len(range(256, largest + 1, 16))
