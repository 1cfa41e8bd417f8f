"""Whether a head belongs to the target: EAGLE, EAGLE-3 and multi-token prediction (MTP).

vLLM takes a head's kind from the method, and puts `Eagle` or `Eagle3` before an architecture that does not say it
(`vllm/transformers_utils/configs/eagle.py`). It does not compare the head with its target before the weights are
loaded.
"""

from collections.abc import Iterator
from typing import Final

from specdecode_operator.api.remarks import Level, Remark, error
from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.pairing.asked import HEADS, Asked

__all__ = ["generation", "hidden_size", "misfit", "mtp_missing", "mtp_tokens", "vocabulary"]

_DRAFT: Final = "speculation.draft.name"
_METHOD: Final = "speculation.method"

_MOST_LAYERS: Final = 8
"""Published heads have one layer or a few, the smallest of the catalog's models 16; many keep a plain architecture."""


def misfit(draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Tell a head from a model: what is given must be what the method runs."""
    named = _generation(draft)
    if asked.method is Method.DRAFT_MODEL and named is not None:
        yield error(
            "DraftIsHead",
            _METHOD,
            f"{draft.name} ({draft.architecture}) is an EAGLE head and no model of its own; set method {named}, or name"
            " a small model",
        )
    if asked.method in HEADS and named is None and draft.layers > _MOST_LAYERS:
        yield error(
            "DraftIsNoHead",
            _METHOD,
            f"{draft.name} ({draft.architecture}, {draft.layers} layers) is a whole model and no EAGLE head; set method"
            " DraftModel, or name a head that was trained for the target",
        )


def generation(_target: ModelFacts, draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Compare EAGLE with EAGLE-3, which reads hidden states of several layers: the weights do not fit each other."""
    named = _generation(draft)
    if named is None or named is asked.method:
        return
    yield error(
        "HeadMethodMismatch",
        _METHOD,
        f"{asked.method} does not run {draft.name}, whose architecture {draft.architecture} is one of method {named};"
        f" set method {named}, or name another head",
    )


def hidden_size(target: ModelFacts, draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Compare the width of the hidden states that the head reads.

    EAGLE-3 heads of another width exist; their config.json says `target_hidden_size`, so for them it is a warning.
    """
    if target.hidden_size == draft.hidden_size:
        return
    eagle3 = asked.method is Method.EAGLE3
    unless = " unless its config.json has a target_hidden_size that does" if eagle3 else ""
    yield Remark(
        Level.WARNING if eagle3 else Level.ERROR,
        "HeadHiddenSizeMismatch",
        _DRAFT,
        f"{draft.name} has a hidden_size of {draft.hidden_size} and {target.name} {target.hidden_size}, so the head was"
        f" made for another target{unless}; take one that was trained for exactly this target",
    )


def vocabulary(target: ModelFacts, draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Compare the vocabularies of EAGLE, whose head uses the target's embedding and output layer.

    EAGLE-3 heads may have a smaller draft vocabulary with a map to the target's.
    """
    if asked.method is not Method.EAGLE or target.vocabulary_size == draft.vocabulary_size:
        return
    yield error(
        "HeadVocabularyMismatch",
        _DRAFT,
        f"{draft.name} has a vocab_size of {draft.vocabulary_size} and {target.name} {target.vocabulary_size}; an EAGLE"
        " head uses the target's embedding and output layer: take one that was trained for exactly this target",
    )


def mtp_missing(target: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Find method Mtp without layers that predict: neither in the target nor shipped apart."""
    if asked.method is not Method.MTP or asked.draft is not None or target.mtp_layers > 0:
        return
    yield error(
        "MtpMissing",
        _METHOD,
        f"{target.name} ships no multi-token prediction layers (num_nextn_predict_layers); name them in"
        " speculation.draft if they are shipped apart, or choose Eagle3, DraftModel or NGram",
    )


def mtp_tokens(shipping: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Find a number of tokens that is no multiple of the layers (`vllm/config/speculative.py` 0.33.0)."""
    layers, tokens = shipping.mtp_layers, asked.speculation.num_speculative_tokens
    if asked.method is not Method.MTP or layers == 0 or tokens is None or tokens <= layers or tokens % layers == 0:
        return
    yield error(
        "MtpTokensIndivisible",
        "speculation.numSpeculativeTokens",
        f"{tokens} is above the {layers} multi-token prediction layers of {shipping.name} and no multiple of them; set"
        f" {layers} or {tokens - tokens % layers + layers}",
    )


def _generation(draft: ModelFacts) -> Method | None:
    """Return the method that the architecture's name says, None where it says none."""
    name = draft.architecture.lower()
    if "eagle3" in name or "peagle" in name:
        return Method.EAGLE3
    return Method.EAGLE if "eagle" in name else None
