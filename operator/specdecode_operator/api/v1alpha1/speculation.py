"""How tokens are proposed: method, draft, number of tokens and sampling."""

from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, model_validator

from specdecode_operator.api.v1alpha1.base import ApiModel, BrokenRules, ModelName, rule
from specdecode_operator.api.v1alpha1.facts import Facts
from specdecode_operator.api.v1alpha1.model import Quantization, Revision, Storage

__all__ = [
    "BatchRange",
    "Draft",
    "DraftSampling",
    "Method",
    "PromptLookup",
    "Rejection",
    "Sampling",
    "Speculation",
]


class Method(StrEnum):
    """How draft tokens are proposed."""

    NONE = "None"
    DRAFT_MODEL = "DraftModel"
    NGRAM = "NGram"
    EAGLE = "Eagle"
    EAGLE3 = "Eagle3"
    MTP = "Mtp"
    SUFFIX = "Suffix"


class DraftSampling(StrEnum):
    """How the draft picks its tokens (vLLM `draft_sample_method`)."""

    GREEDY = "Greedy"
    PROBABILISTIC = "Probabilistic"


class Rejection(StrEnum):
    """How the target accepts them (vLLM `rejection_sample_method`); Fly alone gives up the target's distribution."""

    STANDARD = "Standard"
    BLOCK = "Block"
    FLY = "Fly"


_NEEDS_DRAFT: Final = "['DraftModel', 'Eagle', 'Eagle3']"
_NEEDS_TOKENS: Final = "['DraftModel', 'NGram', 'Eagle', 'Eagle3']"
_RULES: Final = {
    "draft_needed": rule(
        f"!(self.method in {_NEEDS_DRAFT}) || has(self.draft)",
        "speculation.draft: method DraftModel, Eagle or Eagle3 needs draft.name",
    ),
    "draft_unused": rule(
        f"!has(self.draft) || self.method in {_NEEDS_DRAFT} || self.method == 'Mtp'",
        "speculation.draft: only DraftModel, Eagle, Eagle3 and Mtp use a draft; remove it or change speculation.method",
    ),
    "tokens_needed": rule(
        f"!(self.method in {_NEEDS_TOKENS}) || has(self.numSpeculativeTokens)",
        "speculation.numSpeculativeTokens: method DraftModel, NGram, Eagle or Eagle3 needs it; 3 is a good start",
    ),
    "lookup_unused": rule(
        "!has(self.promptLookup) || self.method == 'NGram'",
        "speculation.promptLookup: only method NGram uses it; remove it or set speculation.method to NGram",
    ),
    "none_is_empty": rule(
        "self.method != 'None' || !(has(self.numSpeculativeTokens) || has(self.batchSizeSchedule)"
        " || has(self.sampling) || has(self.config))",
        "speculation: method None takes no further fields; remove them or choose a method",
    ),
    "schedule_bound": rule(
        "!has(self.batchSizeSchedule) || !has(self.numSpeculativeTokens)"
        " || self.batchSizeSchedule.all(r, r.tokens <= self.numSpeculativeTokens)",
        "speculation.batchSizeSchedule: tokens must not exceed numSpeculativeTokens",
    ),
}
_SCHEDULE_RULES: Final = [
    rule(
        "!has(self[size(self) - 1].upTo) && self.filter(r, !has(r.upTo)).size() == 1",
        "speculation.batchSizeSchedule: every range but the last needs upTo, and the last has none",
    ),
    rule(
        "self.filter(r, has(r.upTo)).map(r, r.upTo).isSorted()"
        " && self.all(r, !has(r.upTo) || self.filter(s, has(s.upTo) && s.upTo == r.upTo).size() == 1)",
        "speculation.batchSizeSchedule: upTo must grow from range to range",
    ),
]
_LOOKUP_ORDER: Final = rule("self.min <= self.max", "speculation.promptLookup: min must not exceed max")


class Draft(ApiModel):
    """The weights that propose tokens: a small model, or an EAGLE head made for this very target."""

    name: ModelName
    """Hub name, or the name of a folder in `storage`."""
    revision: Revision | None = None
    """Branch, tag or commit on the hub."""
    quantization: Quantization | None = None
    """Quantization of the draft alone; leave it out for weights that are already quantized."""
    storage: Storage | None = None
    """Where the draft lies; the target's `storage` when left out."""
    facts: Facts | None = None
    """Figures of its `config.json`, where it is in no catalog; for checks and the memory plan alone."""


class PromptLookup(ApiModel):
    """Length of the n-grams that are looked up in the prompt, in tokens."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [_LOOKUP_ORDER]})

    min: Annotated[int, Field(ge=1, le=64)]
    """Shortest n-gram."""
    max: Annotated[int, Field(ge=1, le=64)]
    """Longest n-gram."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(_LOOKUP_ORDER["message"])
        return self


class BatchRange(ApiModel):
    """Up to this batch size, propose this many tokens."""

    up_to: Annotated[int, Field(ge=1, le=65536)] | None = None
    """Largest number of requests in one engine step; left out in the last range."""
    tokens: Annotated[int, Field(ge=0, le=64)]
    """Tokens to propose; 0 proposes none, but keeps the draft in memory."""


class Sampling(ApiModel):
    """How tokens are drawn and accepted; unless by `Fly`, the answers' distribution stays the target's."""

    draft: DraftSampling | None = None
    """`Probabilistic` raises acceptance at temperatures above 0 and costs memory for the draft's logits."""
    rejection: Rejection | None = None
    """`Block` accepts whole blocks (vLLM's V2 model runner); `Fly` also tokens that differ (lossy, from 0.33)."""


class Speculation(ApiModel):
    """How the pods speculate. Switching it on makes requests with `min_p` or `logit_bias` fail in vLLM."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": list(_RULES.values())})

    method: Method
    """How draft tokens are proposed; `None` serves the target alone."""
    draft: Draft | None = None
    """The weights that propose tokens, for DraftModel, Eagle and Eagle3 (and for Mtp heads that are shipped apart)."""
    num_speculative_tokens: Annotated[int, Field(ge=1, le=64)] | None = None
    """Tokens proposed a step. More tokens lower the acceptance rate of the very same pair."""
    prompt_lookup: PromptLookup | None = None
    """N-gram lengths, for method NGram."""
    batch_size_schedule: (
        Annotated[
            list[BatchRange],
            Field(
                min_length=1,
                max_length=16,
                json_schema_extra={"x-kubernetes-list-type": "atomic", "x-kubernetes-validations": _SCHEDULE_RULES},
            ),
        ]
        | None
    ) = None
    """Fewer tokens at larger batches, switched by vLLM itself without a restart (from 0.24)."""
    sampling: Sampling | None = None
    """How tokens are drawn and accepted."""
    config: Annotated[dict[str, Any], Field(max_length=32)] | None = None
    """Further keys of vLLM's `--speculative-config`, checked against the keys that this version knows."""

    @property
    def active(self) -> bool:
        """Whether any token is proposed."""
        return self.method is not Method.NONE

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        broken = [str(_RULES[name]["message"]) for name, holds in self._checks().items() if not holds]
        broken += self._broken_schedule()
        if broken:
            raise BrokenRules(broken)
        return self

    def _checks(self) -> dict[str, bool]:
        drafting = self.method in {Method.DRAFT_MODEL, Method.EAGLE, Method.EAGLE3}
        counted = drafting or self.method is Method.NGRAM
        ranges = self.batch_size_schedule or []
        return {
            "draft_needed": not drafting or self.draft is not None,
            "draft_unused": self.draft is None or drafting or self.method is Method.MTP,
            "tokens_needed": not counted or self.num_speculative_tokens is not None,
            "lookup_unused": self.prompt_lookup is None or self.method is Method.NGRAM,
            "none_is_empty": self.active or not self._extras(),
            "schedule_bound": all(r.tokens <= (self.num_speculative_tokens or r.tokens) for r in ranges),
        }

    def _extras(self) -> bool:
        fields = (self.num_speculative_tokens, self.batch_size_schedule, self.sampling, self.config)
        return any(field is not None for field in fields)

    def _broken_schedule(self) -> list[str]:
        if self.batch_size_schedule is None:
            return []
        edges = [r.up_to for r in self.batch_size_schedule]
        known = [edge for edge in edges if edge is not None]
        open_ended = edges[-1] is None and None not in edges[:-1]
        holds = (open_ended, known == sorted(set(known)))
        return [str(entry["message"]) for entry, kept in zip(_SCHEDULE_RULES, holds, strict=True) if not kept]
