"""Drafts that are known to go with a target. Data."""

from dataclasses import dataclass
from typing import Final

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.sizing.catalog import find, shape_name
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.heads import EAGLE_METHODS, eagle3_head

__all__ = ["KnownDraft", "drafts_for", "find_draft"]

_FAMILY: Final = "a smaller model of the family"
_VLLM_DOCS: Final = "vLLM's documentation, features/speculative_decoding/eagle"
_EDGE_DOCS: Final = "NVIDIA TensorRT-Edge-LLM 0.9.1, user guide, speculative decoding"


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
    "meta-llama/Llama-3.1-405B-Instruct": _LLAMA_DRAFTS,
    "Qwen/Qwen2.5-72B-Instruct": ("Qwen/Qwen2.5-7B-Instruct",),
    "Qwen/Qwen3-8B": ("Qwen/Qwen3-0.6B",),
    "Qwen/Qwen3-14B": ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-1.7B"),
    "Qwen/Qwen3-32B": ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-1.7B", "Qwen/Qwen3-4B"),
    "mistralai/Mistral-Large-Instruct-2407": ("mistralai/Mistral-7B-Instruct-v0.3",),
    "google/gemma-2-27b-it": ("google/gemma-2-2b-it",),
}
"""By the shape's name in the catalog. Every pair has the same `vocab_size`: the small Qwen2.5 models (151936) are not
here."""

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
    """Return the drafts known for `target`: EAGLE-3 heads first, then models of the family, small to large.

    A head is for the very weights that it was trained with; a model of the family goes with all weights of a shape.
    """
    found = find(target.name)
    name = found.name if found else target.name
    heads = (
        KnownDraft(Method.EAGLE3, head, find(head) or eagle3_head(target, head), source)
        for head, source in _EAGLE3_HEADS.get(name, ())
    )
    models = (
        KnownDraft(Method.DRAFT_MODEL, model, facts, _FAMILY)
        for model in _DRAFT_MODELS.get(shape_name(name), ())
        if (facts := find(model)) is not None
    )
    return (*heads, *models)


def find_draft(name: str, method: Method, target: ModelFacts) -> ModelFacts | None:
    """Return what the memory plan can assume of draft `name`, or None where nothing can be.

    An EAGLE head that is in no catalog has the usual shape of a head for `target`, since the target's hidden states
    decide its widths; EAGLE's first generation has no vocabulary of its own and is a little smaller.
    """
    if method in EAGLE_METHODS:
        return find(name) or eagle3_head(target, name)
    return find(name)
