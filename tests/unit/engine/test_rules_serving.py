"""Speculation beside flags, limits and requests: each rule with a variant that it speaks of and one it is silent on."""

import pytest

from support.variants import Case, Fields, found, remarks

EAGLE: Fields = {"method": "Eagle3"}
PAIR: Fields = {"method": "DraftModel"}
SUFFIX: Fields = {"method": "Suffix"}
OFF: Fields = {"method": "None", "tokens": None}
V1: Fields = {"env": {"VLLM_USE_V2_MODEL_RUNNER": "0"}}
V2: Fields = {"env": {"VLLM_USE_V2_MODEL_RUNNER": "1"}}
ARGS = "engine.extraArgs"


def args(*words: str, **engine: int) -> Fields:
    return {"args": words, "engine": engine}


def requests(most: int, *words: str) -> Fields:
    return args(*words, maxNumSeqs=most)


BUDGET = "--max-num-batched-tokens"
MARKED = {"speculation": {"sampling": {"draft": "Probabilistic"}}}

CASES = [
    Case("BatchedTokensTooFew", ARGS, OFF | requests(64, BUDGET, "32"), OFF | requests(64, BUDGET, "64"), ("32", "64")),
    Case(
        "BatchedTokensTooFew",
        ARGS,
        EAGLE | {"tokens": 5} | args(BUDGET, "5"),
        EAGLE | {"tokens": 5} | args(BUDGET, "6"),
        ("more than the 5 tokens",),
    ),
    Case(
        "BatchedTokensTooFew",
        ARGS,
        EAGLE | {"tokens": 5} | args(BUDGET, "5"),
        {"tokens": 5} | args(BUDGET, "5"),
    ),
    Case(
        "BatchedTokensTooFew",
        ARGS,
        EAGLE | {"tokens": 5, "version": "0.33.0"} | args(BUDGET, "5"),
        EAGLE | {"tokens": 5, "version": "0.32.0"} | args(BUDGET, "5"),
    ),
    Case(
        "BatchedTokensTooFew",
        ARGS,
        EAGLE | requests(512, "--enable-lora", BUDGET, "2k"),
        EAGLE | requests(512, "--enable-lora", BUDGET, "2K"),
        ("2048",),
    ),
    Case(
        "BatchedTokensTooFew",
        ARGS,
        EAGLE | requests(512, "--enable_lora", BUDGET, "1024"),
        EAGLE | requests(512, BUDGET, "1024"),
        ("LoRA",),
    ),
    Case(
        "CudaGraphCeiling",
        "engine.maxNumSeqs",
        EAGLE | requests(129),
        EAGLE | requests(128),
        ("516", "512", "above 128 requests"),
    ),
    Case(
        "CudaGraphCeiling",
        "engine.maxNumSeqs",
        EAGLE | {"tokens": 5} | requests(86),
        EAGLE | {"tokens": 5} | requests(85),
        ("above 85 requests",),
    ),
    Case(
        "CudaGraphCeiling",
        "engine.maxNumSeqs",
        EAGLE | {"capability": 10.0} | requests(257),
        EAGLE | {"capability": 10.0} | requests(256),
        ("1024",),
    ),
    Case(
        "CudaGraphCeiling",
        "engine.maxNumSeqs",
        EAGLE | {"capability": 9.0} | requests(256),
        OFF | {"capability": 9.0} | requests(4096),
    ),
    Case("CudaGraphCeiling", "engine.maxNumSeqs", EAGLE | requests(256), EAGLE | requests(256, "--enforce-eager")),
    Case(
        "CudaGraphCeiling",
        "engine.maxNumSeqs",
        EAGLE | requests(256, "--seed", "1"),
        EAGLE | requests(256, "--compilation-config.max_cudagraph_capture_size", "1024"),
    ),
    Case(
        "FlagConflictsWithSpeculation",
        ARGS,
        SUFFIX | args("--logits-processors", "module:Class"),
        EAGLE | args("--logits-processors", "module:Class"),
        ("--logits-processors", "V1"),
    ),
    Case(
        "FlagConflictsWithSpeculation",
        ARGS,
        EAGLE | V1 | args("--logits-processors", "module:Class"),
        OFF | V1 | args("--logits-processors", "module:Class"),
    ),
    Case(
        "FlagConflictsWithSpeculation",
        ARGS,
        EAGLE | args("--kv-sharing-fast-prefill"),
        PAIR | args("--kv-sharing-fast-prefill"),
        ("--kv-sharing-fast-prefill",),
    ),
    Case(
        "FlagConflictsWithSpeculation",
        ARGS,
        SUFFIX | args("--async-scheduling"),
        SUFFIX | args("--no-async-scheduling"),
        ("--async-scheduling",),
    ),
    Case(
        "FlagConflictsWithSpeculation",
        ARGS,
        {"version": "0.32.0"} | args("--async-scheduling"),
        {"version": "0.33.0"} | args("--async-scheduling"),
    ),
    Case(
        "FlagConflictsWithSpeculation",
        ARGS,
        EAGLE | {"version": "0.10.2"} | args("--async-scheduling"),
        EAGLE | {"version": "0.11.2"} | args("--async-scheduling"),
    ),
    Case(
        "FlagConflictsWithSpeculation",
        ARGS,
        PAIR | {"version": "0.15.0"} | args("--async-scheduling"),
        PAIR | {"version": "0.16.0"} | args("--async-scheduling"),
    ),
    Case(
        "FlagConflictsWithSpeculation",
        ARGS,
        EAGLE | V2 | args("--enable-dbo"),
        EAGLE | args("--enable-dbo"),
        ("--enable-dbo",),
    ),
    Case(
        "FlagConflictsWithSpeculation",
        ARGS,
        EAGLE | args("--watermark-config", "{}"),
        EAGLE | MARKED | args("--watermark-config", "{}"),
        ("--watermark-config", "Probabilistic"),
    ),
    Case(
        "FlagConflictsWithSpeculation",
        ARGS,
        PAIR | MARKED | args("--watermark-config={}"),
        OFF | args("--watermark-config={}"),
    ),
    Case(
        "StructuredOutputRefused",
        ARGS,
        EAGLE | args("--structured-outputs-config.backend", "lm-format-enforcer"),
        EAGLE | args("--structured-outputs-config.backend", "xgrammar"),
        ("xgrammar",),
    ),
    Case(
        "StructuredOutputRefused",
        ARGS,
        EAGLE | args("--structured-outputs-config", '{"backend": "lm-format-enforcer"}'),
        EAGLE | args("--structured-outputs-config", '{"backend": "guidance"}'),
    ),
    Case(
        "StructuredOutputRefused",
        ARGS,
        EAGLE | {"version": "0.11.2"} | args("--guided-decoding-backend=lm-format-enforcer"),
        OFF | {"version": "0.11.2"} | args("--guided-decoding-backend=lm-format-enforcer"),
    ),
    Case("RequestOptionsRefused", "speculation.method", EAGLE, OFF, ("min_p or logit_bias",)),
    Case("RequestOptionsRefused", "speculation.method", EAGLE | {"version": "0.14.0"}, EAGLE | {"version": "0.13.0"}),
    Case(
        "RequestOptionsIgnored",
        "speculation.method",
        EAGLE | {"version": "0.12.0"},
        EAGLE | {"version": "0.14.0"},
        ("penalties, min_p or logprobs",),
    ),
    Case("RequestOptionsIgnored", "speculation.method", {"version": "0.9.2"}, PAIR | {"version": "0.9.2"}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_rule_speaks_where_it_should(case: Case) -> None:
    messages = found(case.code, case.field, case.bad)
    assert messages
    assert [word for word in case.words if word not in messages[0]] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_rule_is_silent_where_it_should_be(case: Case) -> None:
    assert found(case.code, case.field, case.good) == []


@pytest.mark.parametrize(("version", "named"), [("0.14.0", True), ("0.16.0", True), ("0.17.0", False)])
def test_three_releases_refused_min_tokens_too(version: str, named: bool) -> None:  # noqa: FBT001 - a table's column
    messages = found("RequestOptionsRefused", "speculation.method", EAGLE | {"version": version})
    assert ["min_tokens" in message for message in messages] == [named]


@pytest.mark.parametrize("version", ["0.9.2", "0.12.0", "0.16.0", "0.33.0"])
def test_what_clients_notice_is_said_once(version: str) -> None:
    codes = [remark.code for remark in remarks(**EAGLE | {"version": version})]
    assert len([code for code in codes if code.startswith("RequestOptions")]) == 1
