"""The command line of `vllm serve`, word by word."""

import json
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Engine, Model, Speculation
from specdecode_operator.engine import PORT, Serving, arguments, examine
from specdecode_operator.engine.buckets import CUSTOM_BUCKETS

OLD: dict[str, Any] = {"version": "0.30.0"}
"""A version without finer buckets, which keeps the lists short."""


def words(
    *,
    model: dict[str, Any] | None = None,
    speculation: dict[str, Any] | None = None,
    engine: dict[str, Any] | None = None,
    draft_path: str | None = None,
) -> list[str]:
    return arguments(
        Serving(
            model=Model.model_validate({"name": "org/target"} | (model or {})),
            model_path="org/target",
            speculation=Speculation.model_validate(speculation or {"method": "None"}),
            draft_path=draft_path,
            engine=Engine.model_validate(OLD | (engine or {})),
            shutdown_timeout=300,
        )
    )


START = ["org/target", "--served-model-name", "org/target", "--port", "8000"]
REST = ["--tensor-parallel-size", "1", "--shutdown-timeout", "300"]


def test_the_least_is_the_model_its_name_the_port_and_the_drain() -> None:
    assert words() == [*START, *REST]


def test_every_field_has_its_flag() -> None:
    engine = {
        "tensorParallelSize": 4,
        "dtype": "bfloat16",
        "maxModelLen": 8192,
        "maxNumSeqs": 128,
        "gpuMemoryUtilizationPercent": 85,
        "kvCacheDtype": "fp8",
        "extraArgs": ["--enable-prefix-caching", "--seed=1"],
    }
    model = {"revision": "abc", "servedName": "chat", "quantization": "fp8"}
    speculation = {"method": "DraftModel", "draft": {"name": "org/draft"}, "numSpeculativeTokens": 4}
    assert words(model=model, engine=engine, speculation=speculation, draft_path="/models/draft") == [
        "org/target",
        *("--served-model-name", "chat"),
        *("--port", "8000"),
        *("--revision", "abc"),
        *("--quantization", "fp8"),
        *("--tensor-parallel-size", "4"),
        *("--dtype", "bfloat16"),
        *("--max-model-len", "8192"),
        *("--max-num-seqs", "128"),
        *("--gpu-memory-utilization", "0.85"),
        *("--kv-cache-dtype", "fp8"),
        *("--shutdown-timeout", "300"),
        *("--speculative-config", '{"method":"draft_model","model":"/models/draft","num_speculative_tokens":4}'),
        "--enable-prefix-caching",
        "--seed=1",
    ]


@pytest.mark.parametrize(("percent", "share"), [(10, "0.1"), (57, "0.57"), (90, "0.9"), (99, "0.99")])
def test_a_percentage_becomes_a_share(percent: int, share: str) -> None:
    found = words(engine={"gpuMemoryUtilizationPercent": percent})
    assert found[found.index("--gpu-memory-utilization") + 1] == share


def test_finer_buckets_are_rendered_where_the_version_takes_them() -> None:
    found = words(engine={"version": "0.32.0"})
    assert found[:-1] == [*START, *REST, "--custom-histogram-buckets"]
    assert json.loads(found[-1]) == {name: list(edges) for name, edges in CUSTOM_BUCKETS.items()}


def test_the_speculative_config_is_json_with_sorted_keys_and_no_spaces() -> None:
    speculation = {"method": "NGram", "numSpeculativeTokens": 3, "promptLookup": {"min": 2, "max": 4}}
    assert words(speculation=speculation)[-1] == (
        '{"method":"ngram","num_speculative_tokens":3,"prompt_lookup_max":4,"prompt_lookup_min":2}'
    )


def test_a_schedule_ends_at_the_largest_batch_of_the_engine() -> None:
    speculation = {
        "method": "Mtp",
        "numSpeculativeTokens": 2,
        "batchSizeSchedule": [{"upTo": 8, "tokens": 2}, {"tokens": 0}],
    }
    found = words(speculation=speculation, engine={"maxNumSeqs": 64})
    assert json.loads(found[-1])["num_speculative_tokens_per_batch_size"] == [[1, 8, 2], [9, 64, 0]]


EXTRA = [
    ([], []),
    (["--seed", "1"], ["--seed", "1"]),
    (["--per-request-spec-decode-metrics", "summary"], []),
    (["--per-request-spec-decode-metrics=summary"], []),
    (["--per-request-spec-decode-metrics", "summary", "--seed", "1"], ["--seed", "1"]),
    (["--per-request-spec-decode-metrics=summary", "--seed", "1"], ["--seed", "1"]),
    (["--seed", "1", "--per-request-spec-decode-metrics", "detailed"], ["--seed", "1"]),
    (["--per_request_spec_decode_metrics=summary", "--seed", "1"], ["--seed", "1"]),
    (["--per_request_spec_decode_metrics", "summary", "--seed", "1"], ["--seed", "1"]),
    (["--per-request_spec-decode_metrics", "summary"], []),
    (["--a", "--per-request-spec-decode-metrics", "x", "--per-request-spec-decode-metrics=y", "--b"], ["--a", "--b"]),
]


@pytest.mark.parametrize(("extra", "kept"), EXTRA)
def test_flags_that_mean_something_only_with_speculation_leave_with_it(extra: list[str], kept: list[str]) -> None:
    assert words(engine={"extraArgs": extra})[len(START) + len(REST) :] == kept


@pytest.mark.parametrize(("extra", "_kept"), EXTRA)
def test_with_speculation_every_further_flag_stays(extra: list[str], _kept: list[str]) -> None:
    found = words(engine={"extraArgs": extra}, speculation={"method": "Suffix"})
    assert found[len(START) + len(REST) :] == ["--speculative-config", '{"method":"suffix"}', *extra]


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {"version": "0.23.0"},
        {"method": "Mtp", "numSpeculativeTokens": 1, "batchSizeSchedule": [{"tokens": 1}]},
        "speculation.batchSizeSchedule: needs vLLM 0.24.0 or later, engine.version is 0.23.0; remove it or upgrade",
    ),
    (
        {"version": "0.24.0"},
        {"method": "Mtp", "numSpeculativeTokens": 1, "sampling": {"rejection": "Block"}},
        (
            "speculation.sampling.rejection: Block needs vLLM 0.25.0 or later, engine.version is 0.24.0;"
            " remove it or upgrade"
        ),
    ),
    (
        {"version": "0.33.0"},
        {"method": "Mtp", "numSpeculativeTokens": 1, "config": {"model": "org/draft"}},
        "speculation.config.model: it has a field of its own; use speculation.draft.name",
    ),
    (
        {"version": "0.33.0", "image": "vllm/vllm-openai:v0.30.0"},
        {"method": "None"},
        (
            "engine.image: the tag says 0.30.0, engine.version 0.33.0; flags and metric names follow engine.version, so"
            " make the two agree"
        ),
    ),
]


@pytest.mark.parametrize(("engine", "speculation", "message"), REFUSED)
def test_what_the_engine_would_refuse_is_for_the_rules_to_say(
    engine: dict[str, Any], speculation: dict[str, Any], message: str
) -> None:
    """What runs under a version that knew less must go on being rendered."""
    asked = Speculation.model_validate(speculation), Engine.model_validate(engine)
    assert message in map(str, examine(Model(name="org/target"), *asked))
    assert words(engine=engine, speculation=speculation)


def test_what_is_only_warned_of_is_rendered() -> None:
    assert words(speculation={"method": "Suffix"})[-1] == '{"method":"suffix"}'


@pytest.mark.parametrize(("version", "drains"), [("0.8.3", False), ("0.17.0", False), ("0.18.0", True)])
def test_the_drain_is_rendered_where_the_version_has_it(version: str, *, drains: bool) -> None:
    assert ("--shutdown-timeout" in words(engine={"version": version})) is drains


def test_no_word_is_empty_and_every_one_is_text() -> None:
    assert all(isinstance(word, str) and word for word in words(engine={"version": "0.33.0", "maxNumSeqs": 1}))


def test_the_port_is_that_of_vllm() -> None:
    assert PORT == 8000
