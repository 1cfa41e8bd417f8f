"""What depends on the release alone: each rule with a variant that it speaks of and one that it does not."""

import pytest

from support.variants import Case, found, remarks

EAGLE = {"method": "Eagle3"}
PAIR = {"method": "DraftModel"}
V2_OFF = {"VLLM_USE_V2_MODEL_RUNNER": "0"}
V2_ON = {"VLLM_USE_V2_MODEL_RUNNER": "1"}


def image(reference: str, version: str = "0.33.0") -> dict[str, object]:
    return {"engine": {"image": reference}, "version": version}


CASES = [
    Case("EngineVersionUnknown", "engine.version", {"version": "0.34.0"}, {"version": "0.33.9"}, ("0.33.0", "0.34.0")),
    Case("EngineVersionUnknown", "engine.version", {"version": "1.0.0"}, {"version": "0.33.0"}),
    Case(
        "ImageVersionMismatch",
        "engine.image",
        image("docker.io/vllm/vllm-openai:v0.30.0"),
        image("docker.io/vllm/vllm-openai:v0.33.0"),
        ("0.30.0", "0.33.0"),
    ),
    Case(
        "ImageVersionMismatch",
        "engine.image",
        image("mirror:5000/vllm:0.30.0-cu129@sha256:abc"),
        image("mirror:5000/vllm:0.33.0-cu129@sha256:abc"),
    ),
    Case("ImageVersionMismatch", "engine.image", image("vllm:v0.8.5.post1"), image("vllm:v0.8.5.post1", "0.8.5")),
    Case("ImageVersionMismatch", "engine.image", image("org/server:1.4.2"), image("org/server:latest")),
    Case(
        "RequestsNotDrained",
        "rollout.drainTimeout",
        {"version": "0.17.0"},
        {"version": "0.18.0"},
        ("aborts running requests",),
    ),
    Case(
        "MethodUnavailable",
        "speculation.method",
        PAIR | {"version": "0.10.0"},
        PAIR | {"version": "0.9.2"},
        ("set engine.version to 0.15.0 or later",),
    ),
    Case("MethodUnavailable", "speculation.method", PAIR | {"version": "0.14.1"}, PAIR | {"version": "0.15.0"}),
    Case("MethodUnavailable", "speculation.method", EAGLE | {"version": "0.8.5"}, EAGLE | {"version": "0.9.2"}),
    Case(
        "MethodUnavailable",
        "speculation.method",
        {"method": "Mtp", "version": "0.8.5"},
        {"method": "Mtp", "version": "0.9.0"},
    ),
    Case(
        "MethodUnavailable",
        "speculation.method",
        {"method": "Suffix", "version": "0.10.2"},
        {"method": "Suffix", "version": "0.11.2"},
        ("0.11.2 or later",),
    ),
    Case(
        "MethodOverridden",
        "speculation.draft.name",
        PAIR | {"draft": {"name": "org/Qwen3-8B_Eagle3"}},
        {"method": "Eagle3", "draft": {"name": "org/Qwen3-8B_Eagle3"}},
        ("eagle3", "DraftModel"),
    ),
    Case(
        "MethodOverridden",
        "speculation.draft.name",
        PAIR | {"version": "0.20.0", "draft": {"name": "org/small-dflash"}},
        PAIR | {"version": "0.19.0", "draft": {"name": "org/small-dflash"}},
    ),
    Case(
        "MethodOverridden",
        "speculation.draft.name",
        PAIR | {"draft": {"name": "org/small", "storage": {"claim": "c", "path": "eagle-tests/small"}}},
        PAIR | {"draft": {"name": "org/eagle-small", "storage": {"claim": "c", "path": "small"}}},
    ),
    Case(
        "MethodOverridden",
        "speculation.draft.name",
        {"method": "Eagle", "version": "0.8.3", "draft": {"name": "org/head"}},
        {"method": "Eagle", "version": "0.8.3", "draft": {"name": "org/EAGLE-head"}},
        ("draft model",),
    ),
    Case("MethodNeedsPackage", "engine.image", {"method": "Suffix"}, {"method": "NGram"}, ("arctic-inference",)),
    Case(
        "RunnerUnsupported",
        "speculation.method",
        {"method": "Suffix", "env": V2_ON},
        {"method": "Suffix"},
        ("V1 alone", "VLLM_USE_V2_MODEL_RUNNER"),
    ),
    Case(
        "RunnerUnsupported",
        "speculation.method",
        PAIR | {"version": "0.30.0", "env": V2_ON},
        PAIR | {"version": "0.31.0", "env": V2_ON},
    ),
    Case(
        "RunnerUnsupported",
        "speculation.config.enable_adaptive_verification",
        EAGLE | {"env": V2_OFF, "speculation": {"config": {"enable_adaptive_verification": True}}},
        EAGLE | {"env": V2_ON, "speculation": {"config": {"enable_adaptive_verification": True}}},
    ),
    Case(
        "RunnerUnsupported",
        "speculation.config.draft_lm_head_quantization",
        EAGLE | {"env": V2_OFF, "speculation": {"config": {"draft_lm_head_quantization": "fp8"}}},
        EAGLE | {"speculation": {"config": {"draft_lm_head_quantization": "fp8"}}},
    ),
    Case(
        "RunnerUnsupported",
        "speculation.config.parallel_drafting",
        EAGLE | {"env": V2_ON, "speculation": {"config": {"parallel_drafting": True}}},
        EAGLE | {"speculation": {"config": {"parallel_drafting": True}}},
    ),
    Case(
        "RunnerUnsupported",
        "speculation.config.use_heterogeneous_vocab",
        PAIR | {"env": V2_ON, "speculation": {"config": {"use_heterogeneous_vocab": True}}},
        PAIR | {"speculation": {"config": {"use_heterogeneous_vocab": True}}},
    ),
    Case(
        "RunnerUnsupported",
        "speculation.batchSizeSchedule",
        EAGLE | {"version": "0.24.0", "env": V2_ON, "speculation": {"batchSizeSchedule": [{"tokens": 1}]}},
        EAGLE | {"version": "0.25.0", "env": V2_ON, "speculation": {"batchSizeSchedule": [{"tokens": 1}]}},
    ),
    Case(
        "AcceptanceNotMeasured",
        "engine.version",
        PAIR | {"version": "0.9.2"},
        PAIR | {"version": "0.15.0"},
        ("engine V0", "never judged"),
    ),
    Case("AcceptanceNotMeasured", "engine.version", {"version": "0.8.5"}, {"version": "0.9.0"}),
    Case(
        "AcceptanceNotMeasured",
        "engine.version",
        {"version": "0.8.3", "env": {"VLLM_USE_V1": "1"}},
        {"version": "0.8.5", "env": {"VLLM_USE_V1": "1"}},
    ),
    Case(
        "AcceptanceNotMeasured",
        "engine.version",
        {"version": "0.9.2", "env": {"VLLM_USE_V1": "0"}},
        {"version": "0.9.2", "method": "None", "tokens": None},
    ),
    Case(
        "DataParallelMetrics",
        "engine.extraArgs",
        {"version": "0.10.2", "args": ("--data-parallel-size", "2")},
        {"version": "0.11.0", "args": ("--data-parallel-size", "2")},
    ),
    Case(
        "DataParallelMetrics",
        "engine.extraArgs",
        {"version": "0.10.0", "args": ("-dp=2",)},
        {"version": "0.10.0", "args": ("-dp=1",)},
    ),
    Case(
        "DraftWithoutCudaGraphs",
        "engine.env",
        PAIR,
        PAIR | {"env": V2_OFF},
        ("VLLM_USE_V2_MODEL_RUNNER=0",),
    ),
    Case("DraftWithoutCudaGraphs", "engine.env", PAIR | {"version": "0.31.0"}, PAIR | {"version": "0.30.0"}),
    Case("DraftWithoutCudaGraphs", "engine.env", PAIR, PAIR | {"args": ("--enforce-eager",)}),
    Case(
        "FlagUnavailable",
        "engine.extraArgs",
        {"version": "0.28.0", "args": ("--per-request-spec-decode-metrics", "summary")},
        {"version": "0.29.0", "args": ("--per-request-spec-decode-metrics", "summary")},
        ("0.29.0 or later",),
    ),
    Case(
        "FlagUnavailable",
        "engine.extraArgs",
        {"version": "0.10.2", "args": ('--structured-outputs-config={"backend":"xgrammar"}',)},
        {"version": "0.11.0", "args": ("--structured-outputs-config.backend=xgrammar",)},
    ),
    Case(
        "FlagRemoved",
        "engine.extraArgs",
        {"args": ("--swap_space", "4")},
        {"version": "0.17.0", "args": ("--swap_space", "4")},
        ("--swap-space", "0.18.0"),
    ),
    Case(
        "FlagRemoved",
        "engine.extraArgs",
        {"version": "0.8.3", "args": ("--speculative-model", "org/draft")},
        {"version": "0.8.3", "args": ("--seed", "1")},
        ("speculation.draft.name",),
    ),
    Case(
        "FlagRemoved",
        "engine.extraArgs",
        {"args": ("--speculative-disable-by-batch-size=8",)},
        {"args": ("--max-num-batched-tokens=8192",)},
        ("speculation.batchSizeSchedule",),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_rule_speaks_where_it_should(case: Case) -> None:
    messages = found(case.code, case.field, case.bad)
    assert messages
    assert [word for word in case.words if word not in messages[0]] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_rule_is_silent_where_it_should_be(case: Case) -> None:
    assert found(case.code, case.field, case.good) == []


def levels(code: str, **fields: object) -> list[str]:
    return [remark.level for remark in remarks(**fields) if remark.code == code]


def test_a_tag_of_a_vllm_image_binds_and_that_of_another_is_asked_about() -> None:
    ours = levels("ImageVersionMismatch", engine={"image": "registry/vllm-openai:v0.30.0"})
    others = ["registry/chat:2.3.4", "registry/chat:0.30.0", "registry/our-vllm:2.3.4", "registry/our-vllm:0.1.3"]
    asked = [levels("ImageVersionMismatch", engine={"image": image}) for image in others]
    assert (ours, asked) == (["Error"], [["Warning"]] * 4)


@pytest.mark.parametrize(
    "reference",
    [
        "registry:5000/vllm",
        "vllm@sha256:abc",
        "vllm:latest",
        "vllm:nightly-0.30",
        "vllm:v0.33",
        "10.0.0.1:5000/vllm:v0.33.0",
    ],
)
def test_a_tag_that_is_no_version_says_nothing(reference: str) -> None:
    assert levels("ImageVersionMismatch", engine={"image": reference}) == []


def test_what_is_said_of_a_release_without_the_drain_does_not_keep_it_from_running() -> None:
    assert levels("RequestsNotDrained", version="0.17.0") == ["Warning"]


def test_the_default_variant_of_the_newest_release_has_no_fault() -> None:
    assert [remark.code for remark in remarks(method="None", tokens=None)] == []
