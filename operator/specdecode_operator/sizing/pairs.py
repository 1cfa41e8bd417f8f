"""Drafts that are known to go with a target. Data."""

from dataclasses import dataclass
from typing import Final

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.sizing.catalog import find
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.parameters import EAGLE3_STATES, Shape, total_parameters

__all__ = ["KnownDraft", "drafts_for", "eagle3_head"]

_FAMILY: Final = "a smaller model of the family"
_VLLM_DOCS: Final = "vLLM's documentation, features/speculative_decoding/eagle"
_EDGE_DOCS: Final = "NVIDIA TensorRT-Edge-LLM 0.9.1, user guide, speculative decoding"
_HEAD_VOCABULARY: Final = 32000


@dataclass(frozen=True)
class KnownDraft:
    """One draft for a target."""

    method: Method
    name: str
    facts: ModelFacts
    """From the catalog, or for an EAGLE-3 head that is not in it: the usual head of the target's shape."""
    source: str


_LLAMA_DRAFTS: Final = (
    "meta-llama/Llama-3.2-1B-Instruct",
    "meta-llama/Llama-3.2-3B-Instruct",
    "meta-llama/Llama-3.1-8B-Instruct",
)
_DRAFT_MODELS: Final = {
    "meta-llama/Llama-3.1-8B-Instruct": ("meta-llama/Llama-3.2-1B-Instruct",),
    "meta-llama/Llama-3.1-70B-Instruct": _LLAMA_DRAFTS,
    "meta-llama/Llama-3.3-70B-Instruct": _LLAMA_DRAFTS,
    "meta-llama/Llama-3.1-405B-Instruct": _LLAMA_DRAFTS,
    "Qwen/Qwen2.5-72B-Instruct": ("Qwen/Qwen2.5-7B-Instruct",),
    "Qwen/Qwen3-8B": ("Qwen/Qwen3-0.6B",),
    "Qwen/Qwen3-14B": ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-1.7B"),
    "Qwen/Qwen3-32B": ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-1.7B", "Qwen/Qwen3-4B"),
    "mistralai/Mistral-Large-Instruct-2407": ("mistralai/Mistral-7B-Instruct-v0.3",),
    "google/gemma-2-27b-it": ("google/gemma-2-2b-it",),
}
"""By target; every pair has the same `vocab_size`, so the small Qwen2.5 models (151936) are not here."""

_EAGLE3_HEADS: Final = {
    "meta-llama/Llama-3.1-8B-Instruct": (
        ("RedHatAI/Llama-3.1-8B-Instruct-speculator.eagle3", _VLLM_DOCS),
        ("yuhuili/EAGLE3-LLaMA3.1-Instruct-8B", _EDGE_DOCS),
    ),
    "Qwen/Qwen3-1.7B": (("AngelSlim/Qwen3-1.7B_eagle3", _EDGE_DOCS),),
    "Qwen/Qwen3-4B": (("AngelSlim/Qwen3-4B_eagle3", _EDGE_DOCS),),
    "Qwen/Qwen3-8B": (("Tengyunw/qwen3_8b_eagle3", _EDGE_DOCS),),
}


def drafts_for(target: ModelFacts) -> tuple[KnownDraft, ...]:
    """Return the drafts known for `target`: EAGLE-3 heads first, then models of the family, small to large."""
    known = find(target.name)
    name = known.name if known else target.name
    heads = (
        KnownDraft(Method.EAGLE3, head, find(head) or eagle3_head(target, head), source)
        for head, source in _EAGLE3_HEADS.get(name, ())
    )
    models = (
        KnownDraft(Method.DRAFT_MODEL, model, facts, _FAMILY)
        for model in _DRAFT_MODELS.get(name, ())
        if (facts := find(model)) is not None
    )
    return (*heads, *models)


def eagle3_head(target: ModelFacts, name: str) -> ModelFacts:
    """Return the usual EAGLE-3 head for `target`: one layer of its widths, and 32,000 tokens that it can propose.

    A stand-in where a head's own `config.json` is not known; widths are what the joined hidden states ask for.
    Source: `config.json` in vllm-project/speculators pull request 53.
    """
    shape = Shape(
        model_type="llama",
        layers=1,
        hidden=target.hidden_size,
        intermediate=_dense_width(target),
        heads=target.attention_heads,
        kv_heads=target.kv_heads,
        head_dim=target.head_dim,
        vocabulary=target.vocabulary_size,
        joined_states=EAGLE3_STATES,
        draft_vocabulary=min(_HEAD_VOCABULARY, target.vocabulary_size),
    )
    return ModelFacts(
        name=name,
        model_type="llama",
        architecture="LlamaForCausalLMEagle3",
        parameters=total_parameters(shape),
        vocabulary_size=target.vocabulary_size,
        context_length=target.context_length,
        layers=1,
        hidden_size=target.hidden_size,
        intermediate_size=shape.intermediate,
        attention_heads=target.attention_heads,
        kv_heads=target.kv_heads,
        head_dim=target.head_dim,
        draft_vocabulary_size=shape.draft_vocabulary,
        source="the usual shape of an EAGLE-3 head for this target",
    )


def _dense_width(target: ModelFacts) -> int:
    """Heads are dense; for a mixture of experts take what its token passes through."""
    return target.intermediate_size * max(1, target.experts_per_token)
