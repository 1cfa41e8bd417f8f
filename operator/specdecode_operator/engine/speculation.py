"""The value of vLLM's `--speculative-config`.

Keys and rules: `vllm/config/speculative.py` of 0.33.0. The method is always explicit, since vLLM otherwise guesses it
from the model's name.
"""

from collections.abc import Iterator
from typing import Any, Final

from specdecode_operator.api.v1alpha1 import Method, Speculation
from specdecode_operator.engine.errors import UnsupportedConfig
from specdecode_operator.engine.versions import Feature, Version

__all__ = ["speculative_config"]

_METHODS: Final = {
    Method.DRAFT_MODEL: "draft_model",
    Method.NGRAM: "ngram",
    Method.EAGLE: "eagle",
    Method.EAGLE3: "eagle3",
    Method.MTP: "mtp",
    Method.SUFFIX: "suffix",
}
_RENDERED_KEYS: Final = {
    "method": "speculation.method",
    "model": "speculation.draft.name",
    "revision": "speculation.draft.revision",
    "quantization": "speculation.draft.quantization",
    "num_speculative_tokens": "speculation.numSpeculativeTokens",
    "prompt_lookup_max": "speculation.promptLookup.max",
    "prompt_lookup_min": "speculation.promptLookup.min",
    "num_speculative_tokens_per_batch_size": "speculation.batchSizeSchedule",
    "draft_sample_method": "speculation.sampling.draft",
    "rejection_sample_method": "speculation.sampling.rejection",
}
_FURTHER_KEYS: Final = frozenset(
    {
        "attention_backend",
        "code_revision",
        "disable_padded_drafter_batch",
        "draft_lm_head_quantization",
        "draft_load_config",
        "draft_tensor_parallel_size",
        "dspark_draft_topk",
        "enable_adaptive_verification",
        "enforce_eager",
        "fly_entropy_threshold",
        "fly_entropy_top_k",
        "fly_window_size",
        "index_share_for_mtp_iteration",
        "kv_cache_dtype",
        "max_model_len",
        "moe_backend",
        "parallel_drafting",
        "suffix_decoding_max_cached_requests",
        "suffix_decoding_max_spec_factor",
        "suffix_decoding_max_tree_depth",
        "suffix_decoding_min_token_prob",
        "use_heterogeneous_vocab",
        "use_local_argmax_reduction",
    }
)


def speculative_config(
    speculation: Speculation, *, version: Version, draft_path: str | None, max_num_seqs: int | None
) -> dict[str, Any] | None:
    """Return the JSON object for `--speculative-config`, or None where nothing is proposed.

    `draft_path` is the draft as vLLM finds it (hub name or folder in the pod). Raises `UnsupportedConfig` where
    `version` cannot do what is asked.
    """
    if not speculation.active:
        return None
    _check_features(speculation, version)
    config: dict[str, Any] = {"method": _METHODS[speculation.method]}
    config |= _draft(speculation, draft_path)
    config |= _proposal(speculation, max_num_seqs)
    config |= _sampling(speculation)
    return config | _further(speculation.config or {})


def _draft(speculation: Speculation, draft_path: str | None) -> dict[str, Any]:
    draft = speculation.draft
    if draft is None:
        return {}
    keys = {"model": draft_path, "revision": draft.revision, "quantization": draft.quantization}
    return {key: value for key, value in keys.items() if value is not None}


def _proposal(speculation: Speculation, max_num_seqs: int | None) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    if speculation.num_speculative_tokens is not None:
        keys["num_speculative_tokens"] = speculation.num_speculative_tokens
    if speculation.prompt_lookup is not None:
        keys["prompt_lookup_min"] = speculation.prompt_lookup.min
        keys["prompt_lookup_max"] = speculation.prompt_lookup.max
    if speculation.batch_size_schedule is not None:
        keys["num_speculative_tokens_per_batch_size"] = list(_ranges(speculation, max_num_seqs))
    return keys


def _ranges(speculation: Speculation, max_num_seqs: int | None) -> Iterator[list[int]]:
    """Yield `[first, last, tokens]`; the last range goes on past its end (`v1/spec_decode/dynamic/utils.py`)."""
    first = 1
    for entry in speculation.batch_size_schedule or []:
        last = entry.up_to or max(first, max_num_seqs or first)
        yield [first, last, entry.tokens]
        first = last + 1


def _sampling(speculation: Speculation) -> dict[str, Any]:
    sampling = speculation.sampling
    if sampling is None:
        return {}
    keys = {"draft_sample_method": sampling.draft, "rejection_sample_method": sampling.rejection}
    return {key: value.value.lower() for key, value in keys.items() if value is not None}


def _further(config: dict[str, Any]) -> dict[str, Any]:
    for key in config:
        if key in _RENDERED_KEYS:
            raise UnsupportedConfig(f"speculation.config: {key} has a field of its own; use {_RENDERED_KEYS[key]}")
        if key not in _FURTHER_KEYS:
            raise UnsupportedConfig(
                f"speculation.config: vLLM does not know {key}; known further keys are"
                f" {', '.join(sorted(_FURTHER_KEYS))}"
            )
    return config


def _check_features(speculation: Speculation, version: Version) -> None:
    sampling = speculation.sampling
    asked = {
        "speculation.batchSizeSchedule": (speculation.batch_size_schedule, Feature.BATCH_SIZE_SCHEDULE),
        "speculation.sampling.draft": (sampling and sampling.draft, Feature.DRAFT_SAMPLING),
        "speculation.sampling.rejection": (
            sampling and sampling.rejection == "Block",
            Feature.BLOCK_REJECTION,
        ),
    }
    for field, (value, feature) in asked.items():
        if value and not version.has(feature):
            raise UnsupportedConfig(
                f"{field}: needs vLLM {feature.value} or later, engine.version is {version}; remove it or upgrade"
            )
