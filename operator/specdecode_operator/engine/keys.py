"""Keys of `--speculative-config`: the releases that know them, what they take, and with what they work.

vLLM refuses a key that it does not know. Sources: class `SpeculativeConfig` in `vllm/config/speculative.py` (before
0.11 `vllm/config.py`) of the releases in `versions.READ`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.engine.versions import ALWAYS, Span, Version, span

__all__ = ["KEYS", "Key", "known_keys"]


@dataclass(frozen=True)
class Key:
    """One key."""

    releases: Span = ALWAYS
    """Releases that know it."""
    takes: Any = str
    """Type of its value, as in vLLM, whose pydantic reads `"5"` as 5 just as ours does."""
    field: str | None = None
    """The field of the resource that renders it."""
    methods: frozenset[Method] | None = None
    """Methods that it works with; None for all."""
    strict: bool = False
    """Whether vLLM refuses it with other methods, instead of not reading it."""
    read: Span | None = None
    """Releases in which anything reads it, where that is not all of `releases`."""
    refused: bool = False
    """Whether vLLM knows it only to refuse it."""
    instead: str | None = None
    """What to write where it is unknown or without effect."""

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.takes)

    def fault(self, value: Any) -> str | None:  # noqa: ANN401 - any JSON value
        """Return what is wrong with `value`, or None."""
        try:
            self._adapter.validate_python(value)
        except ValidationError as error:
            message: str = error.errors()[0]["msg"]
            return message[:1].lower() + message[1:]
        return None

    def value(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        """Return `value` as vLLM reads it, or None where it refuses it."""
        return None if self.fault(value) else self._adapter.validate_python(value)


_Count = Annotated[int, Field(ge=1)]
_NotNegative = Annotated[int, Field(ge=0)]
_HEADS: Final = frozenset({Method.EAGLE, Method.EAGLE3, Method.MTP})
_PAIR: Final = frozenset({Method.DRAFT_MODEL})
_LOOKUP: Final = frozenset({Method.NGRAM})
_SUFFIX: Final = frozenset({Method.SUFFIX})
_NONE: Final[frozenset[Method]] = frozenset()
_V0: Final = span(gone="0.10.0")
_DRAFTED: Final = frozenset(Method) - {Method.NONE, Method.NGRAM, Method.SUFFIX}

KEYS: Final[Mapping[str, Key]] = {
    "method": Key(field="speculation.method"),
    "model": Key(field="speculation.draft.name"),
    "revision": Key(field="speculation.draft.revision"),
    "quantization": Key(field="speculation.draft.quantization"),
    "num_speculative_tokens": Key(takes=_Count, field="speculation.numSpeculativeTokens"),
    "num_speculative_tokens_per_batch_size": Key(
        span("0.24.0"), list[tuple[int, int, int]], field="speculation.batchSizeSchedule"
    ),
    "prompt_lookup_max": Key(takes=_Count, field="speculation.promptLookup.max", methods=_LOOKUP),
    "prompt_lookup_min": Key(takes=_Count, field="speculation.promptLookup.min", methods=_LOOKUP),
    "draft_sample_method": Key(span("0.21.0"), field="speculation.sampling.draft"),
    "rejection_sample_method": Key(span("0.18.0"), field="speculation.sampling.rejection"),
    "acceptance_method": Key(_V0, instead="speculation.sampling.rejection"),
    "posterior_threshold": Key(_V0, float | None, instead="nothing: typical acceptance is gone"),
    "posterior_alpha": Key(_V0, float | None, instead="nothing: typical acceptance is gone"),
    "disable_mqa_scorer": Key(_V0, bool, instead="nothing: every draft is scored in one pass"),
    "disable_logprobs": Key(span(gone="0.11.2"), bool, read=_V0, instead="nothing: log probabilities are returned"),
    "disable_by_batch_size": Key(
        span(gone="0.17.0"), _Count | None, read=_V0, instead="speculation.batchSizeSchedule, from vLLM 0.24.0 on"
    ),
    "speculative_token_tree": Key(span("0.9.0", "0.21.0"), str | None, methods=_HEADS),
    "tensor_parallel_size": Key(span("0.16.0"), int | None, refused=True, instead="draft_tensor_parallel_size"),
    "draft_tensor_parallel_size": Key(takes=_Count | None, methods=_DRAFTED),
    "max_model_len": Key(takes=_Count | None, methods=_DRAFTED),
    "code_revision": Key(takes=str | None, methods=_DRAFTED),
    "enforce_eager": Key(span("0.11.0"), bool | None),
    "disable_padded_drafter_batch": Key(span("0.11.0"), bool),
    "draft_load_config": Key(span("0.17.0"), dict[str, Any] | None, methods=_DRAFTED),
    "parallel_drafting": Key(span("0.16.0"), bool),
    "use_local_argmax_reduction": Key(span("0.17.0"), bool, methods=_DRAFTED),
    "moe_backend": Key(span("0.19.0"), str | None, methods=_DRAFTED),
    "attention_backend": Key(span("0.21.0"), str | None, methods=_DRAFTED),
    "kv_cache_dtype": Key(span("0.26.0"), str | None, methods=_DRAFTED),
    "use_heterogeneous_vocab": Key(span("0.25.0"), bool, methods=_PAIR, strict=True),
    "suffix_decoding_max_tree_depth": Key(span("0.11.2"), _Count, methods=_SUFFIX),
    "suffix_decoding_max_cached_requests": Key(span("0.11.2"), _NotNegative, methods=_SUFFIX),
    "suffix_decoding_max_spec_factor": Key(span("0.11.2"), Annotated[float, Field(ge=0)], methods=_SUFFIX),
    "suffix_decoding_min_token_prob": Key(span("0.11.2"), Annotated[float, Field(ge=0, le=1)], methods=_SUFFIX),
    "synthetic_acceptance_rate": Key(span("0.19.0", "0.20.0"), float | None),
    "synthetic_acceptance_rates": Key(span("0.20.0"), list[float] | None),
    "synthetic_acceptance_length": Key(span("0.20.0"), float | None),
    "enable_adaptive_verification": Key(span("0.28.0"), bool),
    "index_share_for_mtp_iteration": Key(span("0.29.0"), bool | None, methods=frozenset({Method.MTP}), strict=True),
    "dspark_draft_topk": Key(span("0.28.0"), _Count | None, methods=_NONE, strict=True),
    "disable_eagle_block_drop": Key(span("0.30.0"), bool, methods=_HEADS),
    "disable_lookahead_block_hashes": Key(span("0.33.0"), bool, methods=_HEADS),
    "draft_lm_head_quantization": Key(span("0.33.0"), Literal["fp8", "nvfp4"] | None, methods=_HEADS, strict=True),
    "xpress_topc": Key(span("0.33.0"), _NotNegative | None, methods=_NONE, strict=True),
    "fly_window_size": Key(span("0.33.0"), _Count | None),
    "fly_entropy_threshold": Key(span("0.33.0"), Annotated[float, Field(ge=0)]),
    "fly_entropy_top_k": Key(span("0.33.0"), _Count),
}
"""All keys of all supported releases, those that vLLM sets itself left out."""


def known_keys(version: Version, method: Method) -> tuple[str, ...]:
    """Return the keys that `speculation.config` may hold for `method` in `version`, sorted."""
    return tuple(
        sorted(
            name
            for name, key in KEYS.items()
            if key.field is None
            and not key.refused
            and version in (key.read or key.releases)
            and (key.methods is None or method in key.methods)
        )
    )
