"""Whether a small model can draft for the target: vocabulary, tokenizer, family and size."""

from collections.abc import Iterator
from typing import Final

from specdecode_operator.api.remarks import Remark, advice, error, warning
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.pairing.asked import Asked, active, billions

__all__ = ["family", "mtp_at_hand", "quantized_target", "size", "small_target", "tokenizer", "vocabulary"]

_DRAFT: Final = "speculation.draft.name"
_METHOD: Final = "speculation.method"

_LARGEST: Final = 8.0
"""Below this size ratio a draft step is dear: the lower end of the usual advice, 1:8 to 1:12."""
_SMALLEST: Final = 12.0
"""Above this size ratio the usual advice expects the draft to be wrong too often."""
_FAR: Final = 50.0
_SMALL_TARGET: Final = 30_000_000_000
"""Parameters a token from which a draft model is worth trying before an EAGLE-3 head or n-gram lookup."""
_FOUR_BIT: Final = 5.0
_PLAIN: Final = 16.0

_LARGE: Final = (
    "is under the usual 1:8 to 1:12: each draft step is dear, and published comparisons found smaller drafts faster;"
    " try one of an eighth of the target or less"
)
_SMALL: Final = (
    "is beyond the usual 1:8 to 1:12: expect a lower acceptance rate and a cheaper draft step; published comparisons"
    " favour small drafts, so measure before you take a larger one"
)
_VERY_SMALL: Final = (
    "is far beyond the usual 1:8 to 1:12: the acceptance rate may be low, yet published comparisons favour small"
    " drafts; judge the pair by its time per output token, not by its acceptance rate"
)


def vocabulary(target: ModelFacts, draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Compare `vocab_size`, padding included, as vLLM does (`vllm/config/speculative.py` 0.33.0).

    `use_heterogeneous_vocab` lifts the comparison; what it asks for in turn is a rule of the engine's.
    """
    if target.vocabulary_size == draft.vocabulary_size or asked.key("use_heterogeneous_vocab"):
        return
    yield error(
        "VocabularyMismatch",
        _DRAFT,
        f"{draft.name} has a vocab_size of {draft.vocabulary_size} and {target.name} {target.vocabulary_size}; vLLM"
        f" wants them equal: take a draft whose config.json says {target.vocabulary_size}, or set"
        " use_heterogeneous_vocab: true in speculation.config, which proposes only tokens that both models have, drafts"
        " greedily and runs on the V1 model runner",
    )


def tokenizer(target: ModelFacts, draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Compare the digests of both `tokenizer.json`, where they are known.

    A warning: vLLM does not compare them, and files can differ in bytes that change no token.
    """
    comparable = target.tokenizer and draft.tokenizer and target.vocabulary_size == draft.vocabulary_size
    if not comparable or target.tokenizer == draft.tokenizer or asked.key("use_heterogeneous_vocab"):
        return
    yield warning(
        "TokenizerMismatch",
        _DRAFT,
        f"tokenizer.json of {draft.name} is not that of {target.name}; vLLM compares only the sizes, so the pair"
        " starts, but proposals are refused where the same number stands for another token: compare the vocabularies,"
        " or take a draft with the target's tokenizer",
    )


def family(target: ModelFacts, draft: ModelFacts, _asked: Asked) -> Iterator[Remark]:
    """Compare `model_type`; a draft of another family may work, but was hardly trained to answer alike."""
    if target.model_type == draft.model_type:
        return
    yield warning(
        "FamilyMismatch",
        _DRAFT,
        f"{draft.name} is a {draft.model_type} and {target.name} a {target.model_type} model; models of different"
        " families agree on fewer tokens: prefer a draft of the target's family, or measure the acceptance rate first",
    )


def size(target: ModelFacts, draft: ModelFacts, _asked: Asked) -> Iterator[Remark]:
    """Compare the sizes: all parameters for memory, those that a token uses for time."""
    if draft.parameters >= target.parameters:
        yield error(
            "DraftNotSmaller",
            _DRAFT,
            f"{draft.name} has {billions(draft.parameters)} parameters and {target.name}"
            f" {billions(target.parameters)}; a draft that is not smaller than its target costs more than it can save:"
            " take one of about a tenth",
        )
        return
    ratio = active(target) / max(active(draft), 1)
    if ratio < _LARGEST:
        yield warning("DraftLarge", _DRAFT, f"{_sizes(target, draft)} {_LARGE}")
    elif ratio > _SMALLEST:
        yield advice("DraftSmall", _DRAFT, f"{_sizes(target, draft)} {_VERY_SMALL if ratio > _FAR else _SMALL}")


def small_target(target: ModelFacts, _asked: Asked) -> Iterator[Remark]:
    """Advise against a draft model for a small target, which leaves little to save."""
    if active(target) >= _SMALL_TARGET:
        return
    yield warning(
        "DraftModelForSmallTarget",
        _METHOD,
        f"{target.name} uses {billions(active(target))} parameters a token, and below about 30B a draft model often"
        " loses: measured on an H100 with vLLM 0.25.1, an 8B target with a 1B draft took 1.6 to 2.4 times the time per"
        " output token at an acceptance rate of 0.54; try an EAGLE-3 head or n-gram lookup first",
    )


def mtp_at_hand(target: ModelFacts, _asked: Asked) -> Iterator[Remark]:
    """Advise to use what the checkpoint itself ships."""
    if target.mtp_layers == 0:
        return
    yield advice(
        "MtpAvailable",
        _METHOD,
        f"{target.name} ships {target.mtp_layers} multi-token prediction layer(s), trained with it; method Mtp needs no"
        " second model: try it before a draft model",
    )


def quantized_target(target: ModelFacts, draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Compare the bytes that a step reads where the target has 4-bit weights and the draft plain ones.

    A step at small batches takes the time of reading its weights, so the bytes decide, not the parameters.
    """
    plain = draft.weight_bits >= _PLAIN and (asked.draft is None or asked.draft.quantization is None)
    if target.weight_bits > _FOUR_BIT or not plain:
        return
    read, proposed = (active(facts) * facts.weight_bits / 8e9 for facts in (target, draft))
    if read >= _LARGEST * proposed:
        return
    yield warning(
        "DraftUnquantized",
        "speculation.draft.quantization",
        f"a step of {target.name} reads {read:.3g} GB of {target.weight_bits:g}-bit weights, and each token that"
        f" {draft.name} proposes reads {proposed:.3g} GB of {draft.weight_bits:g}-bit ones; take a quantized or smaller"
        " draft",
    )


def _sizes(target: ModelFacts, draft: ModelFacts) -> str:
    ratio = active(target) / max(active(draft), 1)
    experts = target.active_parameters or draft.active_parameters
    counted = "parameters that a token uses" if experts else "parameters"
    return f"the size ratio 1:{_short(ratio)} ({billions(active(draft))} to {billions(active(target))} {counted})"


def _short(ratio: float) -> str:
    return f"{ratio:.3g}" if ratio < 999.5 else f"{ratio:.0f}"  # noqa: PLR2004 - three digits
