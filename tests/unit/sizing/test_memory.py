"""The memory plan: measured servers, the planner's table, the article's pairs."""

from dataclasses import replace
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.engine.versions import Version
from specdecode_operator.sizing import (
    Gpu,
    Load,
    MemoryPlan,
    ModelFacts,
    Reserves,
    eagle3_head,
    estimate_reserves,
    find,
    find_gpu,
    kv_bytes_per_token,
    memory_plan,
)

GIB = 2**30
OLD = Version(0, 25, 1)


def model(name: str) -> ModelFacts:
    facts = find(name)
    assert facts is not None
    return facts


def gpu(name: str) -> Gpu:
    found = find_gpu(name)
    assert found is not None
    return found


LLAMA = {size: model(f"meta-llama/Llama-3.1-{size}-Instruct") for size in ("8B", "70B", "405B")}
LLAMA["1B"] = model("meta-llama/Llama-3.2-1B-Instruct")
QWEN = {"0.6B": model("Qwen/Qwen3-0.6B"), "8B": model("Qwen/Qwen3-8B")}
QWEN25 = {size: model(f"Qwen/Qwen2.5-{size}-Instruct") for size in ("7B", "72B")}


def load(target: ModelFacts, draft: ModelFacts | None = None, **changes: Any) -> Load:
    method = Method.NONE if draft is None else Method.EAGLE3 if draft.eagle_head else Method.DRAFT_MODEL
    fields: dict[str, Any] = {"target": target, "gpu": gpu("H100"), "method": method, "draft": draft} | changes
    return Load(**fields)


class TestMeasuredServers:
    """vLLM 0.25.1 on one H100 with Llama-3.1-8B's shape; only the first is what a constant is fitted on."""

    served = load(LLAMA["8B"], version=OLD, utilization_percent=90, max_num_seqs=256, max_model_len=2048)

    def test_the_baseline_is_met(self) -> None:
        assert memory_plan(self.served).kv_tokens == pytest.approx(449_968, abs=16)

    def test_a_1b_draft_is_predicted(self) -> None:
        plan = memory_plan(replace(self.served, method=Method.DRAFT_MODEL, draft=LLAMA["1B"], draft_tokens=5))
        assert plan.kv_tokens == pytest.approx(342_384, rel=0.03)
        assert plan.kv_drop_percent == pytest.approx(24, abs=2)

    @pytest.mark.parametrize("measured", [427_376, 431_808])
    def test_a_head_that_shares_its_output_layer_is_predicted(self, measured: int) -> None:
        full = eagle3_head(LLAMA["8B"], "org/head")
        shared = replace(full, parameters=full.parameters - 32000 * 4096, draft_vocabulary_size=None)
        plan = memory_plan(replace(self.served, method=Method.EAGLE3, draft=shared, draft_tokens=3))
        assert plan.draft_weights / GIB == pytest.approx(0.55, abs=0.01)
        assert plan.kv_tokens == pytest.approx(measured, rel=0.03)

    def test_memory_of_the_model_is_what_was_logged(self) -> None:
        plan = memory_plan(replace(self.served, method=Method.DRAFT_MODEL, draft=LLAMA["1B"], draft_tokens=5))
        assert plan.target_weights / GIB == pytest.approx(15.0, abs=0.05)
        assert (plan.target_weights + plan.draft_weights) / GIB == pytest.approx(17.32, abs=0.1)


# GPU, number, target, draft, bits of the target, bits of the draft, tokens
PLANNED = [
    ("H100", 2, LLAMA["70B"], None, 16, 16, 20_096),
    ("H100", 2, LLAMA["70B"], LLAMA["8B"], 16, 16, 0),
    ("H100", 2, LLAMA["70B"], None, 8, 16, 235_408),
    ("H100", 2, LLAMA["70B"], LLAMA["8B"], 8, 16, 133_136),
    ("H100", 2, LLAMA["70B"], LLAMA["8B"], 8, 8, 150_640),
    ("H100", 2, LLAMA["70B"], LLAMA["1B"], 8, 16, 207_152),
    ("H100", 4, LLAMA["70B"], None, 16, 16, 470_816),
    ("H100", 4, LLAMA["70B"], LLAMA["8B"], 16, 16, 301_296),
    ("H100", 4, LLAMA["70B"], LLAMA["1B"], 16, 16, 421_168),
    ("H100", 1, LLAMA["70B"], None, 4, 16, 117_696),
    ("H100", 1, LLAMA["70B"], LLAMA["8B"], 4, 16, 49_056),
    ("H100", 1, LLAMA["70B"], LLAMA["8B"], 4, 4, 75_312),
    ("A100-80", 4, LLAMA["70B"], None, 16, 16, 475_072),
    ("A100-80", 4, LLAMA["70B"], LLAMA["8B"], 16, 16, 304_320),
    ("H200", 2, LLAMA["70B"], None, 16, 16, 386_400),
    ("H200", 2, LLAMA["70B"], LLAMA["8B"], 16, 16, 240_992),
    ("B200", 1, LLAMA["70B"], None, 8, 16, 309_744),
    ("B200", 1, LLAMA["70B"], LLAMA["8B"], 8, 16, 186_240),
    ("H200", 8, LLAMA["405B"], None, 8, 16, 1_288_608),
    ("H200", 8, LLAMA["405B"], LLAMA["8B"], 8, 16, 1_002_800),
    ("H100", 8, LLAMA["405B"], None, 8, 16, 358_304),
    ("H100", 8, LLAMA["405B"], LLAMA["8B"], 8, 16, 260_928),
    ("H100", 1, LLAMA["8B"], None, 16, 16, 440_864),
    ("H100", 1, LLAMA["8B"], LLAMA["1B"], 16, 16, 337_616),
    ("L40S", 1, LLAMA["8B"], None, 16, 16, 179_664),
    ("L40S", 1, LLAMA["8B"], LLAMA["1B"], 16, 16, 128_640),
    ("H100", 1, QWEN["8B"], None, 16, 16, 389_712),
    ("H100", 1, QWEN["8B"], QWEN["0.6B"], 16, 16, 214_656),
    ("H100", 1, QWEN25["7B"], None, 16, 16, 1_022_176),
    ("H100", 2, QWEN25["72B"], None, 8, 16, 228_832),
    ("H100", 2, QWEN25["72B"], QWEN25["7B"], 8, 16, 155_200),
]
ASSUMED = Reserves(engine=1.5 * GIB, activations=2 * GIB, graphs=1 * GIB)


def all_at(bits: int, facts: ModelFacts) -> ModelFacts:
    """A model that weighs bits x parameters: the table leaves nothing at 16 bits."""
    return replace(facts, parameters=facts.parameters * bits // 16)


@pytest.mark.parametrize(("name", "count", "target", "draft", "target_bits", "draft_bits", "tokens"), PLANNED)
def test_with_the_tables_reserves_the_plan_is_the_tables(  # noqa: PLR0913, PLR0917 - one row of the table
    name: str,
    count: int,
    target: ModelFacts,
    draft: ModelFacts | None,
    target_bits: int,
    draft_bits: int,
    tokens: int,
) -> None:
    shrunk = draft and all_at(draft_bits, draft)
    whole = replace(gpu(name), reserved_mib=0)
    plan = memory_plan(load(all_at(target_bits, target), shrunk, gpu=whole, tensor_parallel=count), ASSUMED)
    assert plan.kv_tokens == pytest.approx(tokens, rel=0.03)


@pytest.mark.parametrize(("name", "count", "target", "draft", "target_bits", "draft_bits", "tokens"), PLANNED)
def test_with_estimated_reserves_the_plan_stays_near(  # noqa: PLR0913, PLR0917 - one row of the table
    name: str,
    count: int,
    target: ModelFacts,
    draft: ModelFacts | None,
    target_bits: int,
    draft_bits: int,
    tokens: int,
) -> None:
    """The table's reserves are assumed, and its memory is nvidia-smi's; what is estimated lies beside it."""
    shrunk = draft and all_at(draft_bits, draft)
    served = load(all_at(target_bits, target), shrunk, gpu=gpu(name), tensor_parallel=count, max_num_seqs=256)
    assert memory_plan(served).kv_tokens == pytest.approx(tokens, rel=0.12, abs=2_400)


@pytest.mark.parametrize(
    ("target", "draft", "percent"),
    [
        (LLAMA["70B"], LLAMA["8B"], 40),
        (LLAMA["70B"], LLAMA["1B"], 10),
        (LLAMA["405B"], LLAMA["8B"], 25),
        (QWEN["8B"], QWEN["0.6B"], 78),
        (QWEN25["72B"], QWEN25["7B"], 17.5),
        (LLAMA["8B"], eagle3_head(LLAMA["8B"], "org/head"), 3.1),
    ],
)
def test_a_draft_adds_its_own_keys_and_values_to_every_token(
    target: ModelFacts, draft: ModelFacts, percent: float
) -> None:
    added = kv_bytes_per_token(draft) / kv_bytes_per_token(target)
    assert 100 * added == pytest.approx(percent, abs=0.5)


@pytest.mark.parametrize(
    ("name", "ranks", "bits", "expected"),
    [
        ("meta-llama/Llama-3.1-70B-Instruct", 1, 16, 327_680),
        ("meta-llama/Llama-3.1-70B-Instruct", 2, 16, 163_840),
        ("meta-llama/Llama-3.1-70B-Instruct", 16, 16, 40_960),
        ("meta-llama/Llama-3.1-70B-Instruct", 1, 8, 163_840),
        ("microsoft/phi-4", 4, 16, 61_440),
        ("google/gemma-2-9b-it", 1, 16, 344_064),
        ("deepseek-ai/DeepSeek-V3", 1, 16, 70_272),
        ("deepseek-ai/DeepSeek-V3", 8, 16, 70_272),
        ("openai/gpt-oss-120b", 1, 16, 73_728),
    ],
)
def test_bytes_of_one_token(name: str, ranks: int, bits: int, expected: int) -> None:
    assert kv_bytes_per_token(model(name), ranks, bits) == expected


def test_linear_attention_layers_keep_no_keys() -> None:
    assert kv_bytes_per_token(replace(LLAMA["8B"], kv_layers=8)) == 131_072 / 4


class TestMethods:
    plain = memory_plan(load(LLAMA["70B"], tensor_parallel=4))

    def plan(self, method: Method, **changes: Any) -> MemoryPlan:
        return memory_plan(load(LLAMA["70B"], tensor_parallel=4, method=method, draft_tokens=3, **changes))

    @pytest.mark.parametrize("method", [Method.NGRAM, Method.SUFFIX])
    def test_lookup_methods_weigh_nothing(self, method: Method) -> None:
        plan = self.plan(method)
        assert (plan.draft_weights, plan.token_bytes) == (0, self.plain.token_bytes)

    def test_prediction_layers_weigh_what_a_layer_of_the_target_weighs(self) -> None:
        deepseek = model("deepseek-ai/DeepSeek-V3")
        plan = memory_plan(load(deepseek, gpu=gpu("H200"), tensor_parallel=8, method=Method.MTP, draft_tokens=1))
        assert plan.draft_weights / 1e9 == pytest.approx(11, abs=1)
        assert plan.token_bytes == 70_272 / 61 * 62

    def test_the_plan_without_speculation_is_that_of_the_target_alone(self) -> None:
        plan = memory_plan(load(LLAMA["70B"], LLAMA["8B"], tensor_parallel=4, draft_tokens=5))
        assert plan.kv_tokens_without_speculation == self.plain.kv_tokens
        assert self.plain.kv_drop_percent == 0


class TestReserves:
    base = load(LLAMA["8B"], max_num_seqs=256)

    @pytest.mark.parametrize(("ranks", "mib"), [(1, 0), (2, 342), (4, 392), (8, 392)])
    def test_more_gpus_need_buffers_to_talk(self, ranks: int, mib: int) -> None:
        assert estimate_reserves(replace(self.base, tensor_parallel=ranks)).communication == mib * 2**20

    def test_activations_grow_with_the_tokens_of_a_step(self) -> None:
        peaks = [
            estimate_reserves(replace(self.base, max_num_batched_tokens=tokens)).activations for tokens in (8192, 16384)
        ]
        assert peaks == [800 * 2**20, 1600 * 2**20]

    def test_many_requests_make_the_logits_the_peak(self) -> None:
        reserves = estimate_reserves(replace(self.base, max_num_seqs=1024))
        assert reserves.activations == 1024 * 128256 * 10

    def test_the_v1_runner_draws_a_second_token_for_the_draft(self) -> None:
        drafting = replace(self.base, method=Method.SUFFIX, max_num_seqs=1024)
        assert estimate_reserves(drafting).activations == 2 * 1024 * 128256 * 10

    def test_a_draft_that_draws_keeps_its_logits(self) -> None:
        drawing = replace(self.base, method=Method.DRAFT_MODEL, draft=LLAMA["1B"], draft_tokens=5, probabilistic=True)
        assert estimate_reserves(drawing).draft_logits == 256 * 5 * 128256 * 4

    def test_an_experts_buffers_hold_every_expert_of_the_token(self) -> None:
        mixture = load(model("mistralai/Mixtral-8x7B-Instruct-v0.1"), max_num_seqs=256)
        values = 3 * 4096 + 2 * (2 * 14336 + 14336)
        assert estimate_reserves(mixture).activations == 8192 * values * 2

    @pytest.mark.parametrize(
        ("version", "method", "counted"),
        [
            (Version(0, 18, 0), Method.NONE, False),
            (Version(0, 20, 2), Method.NONE, True),
            (OLD, Method.NONE, False),
            (OLD, Method.EAGLE3, False),
            (OLD, Method.NGRAM, True),
            (OLD, Method.DRAFT_MODEL, True),
            (Version(0, 33, 0), Method.NONE, True),
            (Version(0, 33, 0), Method.SUFFIX, True),
        ],
    )
    def test_graphs_count_by_version_and_runner(self, version: Version, method: Method, *, counted: bool) -> None:
        graphs = estimate_reserves(replace(self.base, version=version, method=method)).graphs
        assert (graphs > 0) == counted

    def test_eager_engines_have_no_graphs(self) -> None:
        assert estimate_reserves(replace(self.base, eager=True)).graphs == 0

    def test_blackwell_captures_larger_batches(self) -> None:
        many = replace(self.base, max_num_seqs=1024)
        assert estimate_reserves(replace(many, gpu=gpu("B200"))).graphs > estimate_reserves(many).graphs


class TestDefaults:
    @pytest.mark.parametrize(
        ("version", "percent", "expected"),
        [
            (Version(0, 18, 0), None, 0.9),
            (Version(0, 20, 0), None, 0.92),
            (Version(0, 33, 0), None, 0.92),
            (OLD, 80, 0.8),
        ],
    )
    def test_utilization_is_the_versions(self, version: Version, percent: int | None, expected: float) -> None:
        assert load(LLAMA["8B"], version=version, utilization_percent=percent).utilization == expected

    @pytest.mark.parametrize(
        ("name", "expected"), [("H100", (1024, 8192)), ("A100-80", (256, 2048)), ("L4", (256, 2048))]
    )
    def test_limits_are_the_gpus(self, name: str, expected: tuple[int, int]) -> None:
        defaults = load(LLAMA["8B"], gpu=gpu(name))
        assert (defaults.sequences, defaults.batched_tokens) == expected


def test_the_plan_as_json_has_the_documented_keys() -> None:
    plan = memory_plan(
        load(
            LLAMA["70B"], LLAMA["8B"], tensor_parallel=2, target_quantization="fp8", max_model_len=8192, draft_tokens=5
        )
    ).to_dict()
    assert plan == {
        "gpuTotalGiB": 158.36,
        "targetWeightsGiB": 67.67,
        "draftWeightsGiB": 14.96,
        "reservedGiB": plan["reservedGiB"],
        "kvCacheGiB": plan["kvCacheGiB"],
        "kvCacheTokens": plan["kvCacheTokens"],
        "kvCacheTokensWithoutSpeculation": plan["kvCacheTokensWithoutSpeculation"],
        "fullLengthRequests": plan["kvCacheTokens"] // 8192,
        "fullLengthRequestsWithoutSpeculation": plan["kvCacheTokensWithoutSpeculation"] // 8192,
        "targetSharePercent": 42.7,
        "draftSharePercent": 9.4,
        "maxModelLenThatFits": min(plan["kvCacheTokens"], 131072),
        "fits": True,
    }


def test_the_parts_make_up_what_vllm_may_use() -> None:
    plan = memory_plan(load(LLAMA["70B"], LLAMA["8B"], tensor_parallel=4))
    parts = plan.target_weights + plan.draft_weights + 4 * plan.reserves.total + plan.kv_bytes
    assert parts == pytest.approx(plan.gpu_total * 0.92, abs=8)


def test_what_does_not_fit_holds_nothing() -> None:
    plan = memory_plan(load(LLAMA["405B"]))
    assert (plan.kv_tokens, plan.max_model_len_that_fits, plan.fits, plan.full_length_requests) == (0, 0, False, 0)
    assert plan.kv_drop_percent == 0
