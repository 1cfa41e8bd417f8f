"""The JSON of `--speculative-config`, method by method and version by version."""

from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Method, Speculation
from specdecode_operator.engine import UnsupportedConfig, Version, speculative_config

NEWEST = Version(0, 33, 0)
PAIR: dict[str, Any] = {"draft": {"name": "org/draft"}, "numSpeculativeTokens": 4}


def config(
    *, version: Version = NEWEST, draft_path: str | None = None, max_num_seqs: int | None = None, **fields: Any
) -> dict[str, Any] | None:
    speculation = Speculation.model_validate(fields)
    return speculative_config(speculation, version=version, draft_path=draft_path, max_num_seqs=max_num_seqs)


METHODS: list[tuple[dict[str, Any], dict[str, Any] | None]] = [
    ({"method": "None"}, None),
    ({"method": "DraftModel"} | PAIR, {"method": "draft_model", "model": "/d", "num_speculative_tokens": 4}),
    ({"method": "Eagle"} | PAIR, {"method": "eagle", "model": "/d", "num_speculative_tokens": 4}),
    ({"method": "Eagle3"} | PAIR, {"method": "eagle3", "model": "/d", "num_speculative_tokens": 4}),
    ({"method": "Mtp"}, {"method": "mtp"}),
    ({"method": "Mtp", "numSpeculativeTokens": 1}, {"method": "mtp", "num_speculative_tokens": 1}),
    ({"method": "Mtp"} | PAIR, {"method": "mtp", "model": "/d", "num_speculative_tokens": 4}),
    ({"method": "NGram", "numSpeculativeTokens": 3}, {"method": "ngram", "num_speculative_tokens": 3}),
    (
        {"method": "NGram", "numSpeculativeTokens": 3, "promptLookup": {"min": 2, "max": 5}},
        {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_min": 2, "prompt_lookup_max": 5},
    ),
    ({"method": "Suffix"}, {"method": "suffix"}),
]


@pytest.mark.parametrize(("fields", "expected"), METHODS)
def test_each_method_is_named_explicitly(fields: dict[str, Any], expected: dict[str, Any] | None) -> None:
    assert config(draft_path="/d", **fields) == expected


def test_every_method_has_a_case() -> None:
    assert {fields["method"] for fields, _ in METHODS} == set(Method)


def test_a_draft_brings_its_revision_and_its_quantization() -> None:
    draft = {"name": "org/draft", "revision": "v2", "quantization": "fp8"}
    assert config(method="Eagle3", numSpeculativeTokens=2, draft=draft, draft_path="org/draft") == {
        "method": "eagle3",
        "model": "org/draft",
        "revision": "v2",
        "quantization": "fp8",
        "num_speculative_tokens": 2,
    }


SAMPLINGS = [
    ({}, {}),
    ({"draft": "Greedy"}, {"draft_sample_method": "greedy"}),
    ({"draft": "Probabilistic"}, {"draft_sample_method": "probabilistic"}),
    ({"rejection": "Standard"}, {"rejection_sample_method": "standard"}),
    (
        {"draft": "Probabilistic", "rejection": "Block"},
        {"draft_sample_method": "probabilistic", "rejection_sample_method": "block"},
    ),
]


@pytest.mark.parametrize(("sampling", "keys"), SAMPLINGS)
def test_sampling_is_rendered_where_it_is_given(sampling: dict[str, str], keys: dict[str, str]) -> None:
    assert config(method="Mtp", sampling=sampling) == {"method": "mtp"} | keys


def schedule(*ranges: tuple[int | None, int]) -> list[dict[str, int]]:
    return [{"tokens": tokens} | ({} if up_to is None else {"upTo": up_to}) for up_to, tokens in ranges]


SCHEDULES = [
    ([(None, 3)], None, [[1, 1, 3]]),
    ([(None, 3)], 256, [[1, 256, 3]]),
    ([(32, 4), (None, 0)], None, [[1, 32, 4], [33, 33, 0]]),
    ([(32, 4), (128, 2), (None, 0)], 256, [[1, 32, 4], [33, 128, 2], [129, 256, 0]]),
    ([(32, 4), (128, 2), (None, 0)], 64, [[1, 32, 4], [33, 128, 2], [129, 129, 0]]),
    ([(1, 4), (2, 3), (None, 1)], 3, [[1, 1, 4], [2, 2, 3], [3, 3, 1]]),
]


@pytest.mark.parametrize(("ranges", "max_num_seqs", "expected"), SCHEDULES)
def test_batch_ranges_follow_each_other_without_a_gap_and_reach_the_largest_batch(
    ranges: list[tuple[int | None, int]], max_num_seqs: int | None, expected: list[list[int]]
) -> None:
    found = config(method="Mtp", batchSizeSchedule=schedule(*ranges), max_num_seqs=max_num_seqs)
    assert found == {"method": "mtp", "num_speculative_tokens_per_batch_size": expected}


GATES: list[tuple[dict[str, Any], str, str]] = [
    ({"batchSizeSchedule": schedule((None, 1))}, "0.24.0", "speculation.batchSizeSchedule"),
    ({"sampling": {"draft": "Greedy"}}, "0.23.0", "speculation.sampling.draft"),
    ({"sampling": {"rejection": "Block"}}, "0.26.0", "speculation.sampling.rejection"),
]


@pytest.mark.parametrize(("fields", "first", "field"), GATES)
def test_a_feature_of_a_later_vllm_is_refused_with_the_field_and_the_fix(
    fields: dict[str, Any], first: str, field: str
) -> None:
    with pytest.raises(UnsupportedConfig) as caught:
        config(method="Mtp", version=Version(0, 22, 5), **fields)
    assert str(caught.value) == (
        f"{field}: needs vLLM {first} or later, engine.version is 0.22.5; remove it or upgrade"
    )


@pytest.mark.parametrize(("fields", "first", "_field"), GATES)
def test_a_feature_is_taken_from_its_first_release_on(fields: dict[str, Any], first: str, _field: str) -> None:
    found = config(method="Mtp", version=Version.parse(first), **fields)
    assert found is not None
    assert set(found) - {"method"}


def test_standard_rejection_is_no_feature_of_a_later_vllm() -> None:
    assert config(method="Mtp", version=Version(0, 18, 0), sampling={"rejection": "Standard"}) == {
        "method": "mtp",
        "rejection_sample_method": "standard",
    }


RENDERED = [
    ("method", "speculation.method"),
    ("model", "speculation.draft.name"),
    ("revision", "speculation.draft.revision"),
    ("quantization", "speculation.draft.quantization"),
    ("num_speculative_tokens", "speculation.numSpeculativeTokens"),
    ("prompt_lookup_max", "speculation.promptLookup.max"),
    ("prompt_lookup_min", "speculation.promptLookup.min"),
    ("num_speculative_tokens_per_batch_size", "speculation.batchSizeSchedule"),
    ("draft_sample_method", "speculation.sampling.draft"),
    ("rejection_sample_method", "speculation.sampling.rejection"),
]


@pytest.mark.parametrize(("key", "field"), RENDERED)
def test_a_key_that_has_a_field_is_refused_and_the_field_is_named(key: str, field: str) -> None:
    with pytest.raises(UnsupportedConfig) as caught:
        config(method="Suffix", config={key: 1})
    assert str(caught.value) == f"speculation.config: {key} has a field of its own; use {field}"


FURTHER = [
    "attention_backend",
    "draft_tensor_parallel_size",
    "enforce_eager",
    "fly_window_size",
    "kv_cache_dtype",
    "max_model_len",
    "parallel_drafting",
    "suffix_decoding_max_tree_depth",
    "use_heterogeneous_vocab",
]


@pytest.mark.parametrize("key", FURTHER)
def test_a_further_key_that_vllm_knows_is_passed_on(key: str) -> None:
    assert config(method="Suffix", config={key: 7}) == {"method": "suffix", key: 7}


UNKNOWN = ["disable_by_batch_size", "tensor_parallel_size", "Method", "", "posterior_alpha", "num-speculative-tokens"]


@pytest.mark.parametrize("key", UNKNOWN)
def test_a_key_that_vllm_does_not_know_is_refused_and_the_known_ones_are_listed(key: str) -> None:
    with pytest.raises(UnsupportedConfig) as caught:
        config(method="Suffix", config={key: 1})
    start = f"speculation.config: vLLM does not know {key}; known further keys are attention_backend, code_revision,"
    assert str(caught.value).startswith(start)


def test_a_variant_without_speculation_is_never_refused() -> None:
    assert config(method="None", version=Version(0, 18, 0)) is None
