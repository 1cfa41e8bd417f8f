"""The JSON of `--speculative-config`, method by method and version by version."""

from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Method, Speculation
from specdecode_operator.engine import Version, drafts_every_step, speculative_config

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
    ({"rejection": "Fly"}, {"rejection_sample_method": "fly"}),
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


def test_further_keys_are_passed_on_as_they_are() -> None:
    further = {"attention_backend": "FLASH_ATTN", "enforce_eager": True}
    assert config(method="Mtp", config=further) == {"method": "mtp"} | further


@pytest.mark.parametrize(
    ("version", "word"), [("0.9.2", "deepseek_mtp"), ("0.10.2", "deepseek_mtp"), ("0.11.0", "mtp"), ("0.33.0", "mtp")]
)
def test_a_method_is_called_what_the_release_calls_it(version: str, word: str) -> None:
    assert config(method="Mtp", version=Version.parse(version)) == {"method": word}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"method": "Eagle3"} | PAIR, True),
        ({"method": "Mtp"}, True),
        ({"method": "Mtp", "batchSizeSchedule": [{"upTo": 8, "tokens": 2}, {"tokens": 1}]}, True),
        ({"method": "Mtp", "batchSizeSchedule": [{"upTo": 8, "tokens": 2}, {"tokens": 0}]}, False),
        ({"method": "NGram", "numSpeculativeTokens": 3}, False),
        ({"method": "Suffix"}, False),
    ],
)
def test_lookup_and_a_range_of_no_tokens_leave_steps_without_a_draft(fields: dict[str, Any], *, expected: bool) -> None:
    assert drafts_every_step(Speculation.model_validate(fields)) is expected


def test_a_variant_without_speculation_has_no_config() -> None:
    assert config(method="None", version=Version(0, 18, 0)) is None
