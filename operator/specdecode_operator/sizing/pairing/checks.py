"""All checks of a pair, in their order; every fault is reported at once."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from specdecode_operator.api.remarks import Remark, advice
from specdecode_operator.api.v1alpha1 import Engine, Method, Model, Speculation
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.pairing import checkpoints, drafts, heads, limits
from specdecode_operator.sizing.pairing.asked import HEADS, Asked

__all__ = ["pairing"]

OneCheck = Callable[[ModelFacts, Asked], Iterator[Remark]]
PairCheck = Callable[[ModelFacts, ModelFacts, Asked], Iterator[Remark]]

_TARGET: Final[tuple[OneCheck, ...]] = (
    checkpoints.target_quantization,
    limits.target_heads,
    limits.target_context,
    heads.mtp_missing,
)
_TARGET_OF_DRAFT_MODEL: Final[tuple[OneCheck, ...]] = (drafts.mtp_at_hand, drafts.small_target)
_DRAFT: Final[tuple[OneCheck, ...]] = (
    checkpoints.draft_quantization,
    limits.draft_heads,
)
_HEAD: Final[tuple[PairCheck, ...]] = (
    heads.generation,
    heads.hidden_size,
    heads.vocabulary,
    limits.draft_context,
    limits.draft_length,
)
_PAIR: Final[Mapping[Method, tuple[PairCheck, ...]]] = {
    Method.DRAFT_MODEL: (
        drafts.vocabulary,
        drafts.tokenizer,
        drafts.family,
        drafts.size,
        drafts.quantized_target,
        limits.draft_context,
        limits.draft_length,
    ),
    **dict.fromkeys(HEADS, _HEAD),
}


def pairing(
    target: ModelFacts | None, draft: ModelFacts | None, model: Model, speculation: Speculation, engine: Engine
) -> tuple[Remark, ...]:
    """Return what does not fit between target, draft, method and engine, in the order of the checks.

    `target` and `draft` are what is known of `model` and `speculation.draft`; None where nothing is, and then the
    checks that need it are left out and one warning says so. What vLLM refuses, or starts and cannot use, is an error;
    advice is a warning.
    """
    asked = Asked(model, speculation, engine)
    named = draft if speculation.draft is not None else None
    return (
        *_unknown(target, named, asked),
        *(_of_target(target, asked) if target else ()),
        *(_of_draft(named, asked) if named else ()),
        *(_of_pair(target, named, asked) if target and named else ()),
        *_of_layers(target, named, asked),
        *limits.tokens(asked),
    )


def _of_target(target: ModelFacts, asked: Asked) -> Iterator[Remark]:
    further = _TARGET_OF_DRAFT_MODEL if asked.method is Method.DRAFT_MODEL else ()
    for check in (*_TARGET, *further):
        yield from check(target, asked)


def _of_draft(draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    for check in (heads.misfit, *_DRAFT):
        yield from check(draft, asked)


def _of_pair(target: ModelFacts, draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Compare both, unless the draft is of another kind than the method's: then nothing that follows means anything."""
    if any(heads.misfit(draft, asked)):
        return
    for check in _PAIR.get(asked.method, ()):
        yield from check(target, draft, asked)


def _of_layers(target: ModelFacts | None, draft: ModelFacts | None, asked: Asked) -> Iterator[Remark]:
    """Count the prediction layers where they are: in a draft if one is named, else in the target."""
    shipping = target if asked.draft is None else draft
    if shipping is not None:
        yield from heads.mtp_tokens(shipping, asked)


def _unknown(target: ModelFacts | None, draft: ModelFacts | None, asked: Asked) -> Iterator[Remark]:
    missing = [] if target else [("model.name", asked.model.name, "model.facts")]
    if asked.draft is not None and draft is None:
        missing.append(("speculation.draft.name", asked.draft.name, "speculation.draft.facts"))
    if not missing:
        return
    fields, names, facts = zip(*missing, strict=True)
    yield advice(
        "FactsUnknown",
        fields[0],
        f"nothing is known of {' and '.join(names)}, so the checks that need config.json were left out; give"
        f" {' and '.join(facts)}, or --facts DIR to `specdecode plan`",
    )
