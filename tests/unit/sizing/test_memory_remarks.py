"""What the plan says: errors that name what fits, warnings that name what it costs."""

from dataclasses import replace
from typing import Any

import pytest

from specdecode_operator.api.remarks import Level, Remark
from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.sizing import Load, ModelFacts, find, find_gpu, memory_plan, memory_remarks, memory_unknown


def model(name: str) -> ModelFacts:
    facts = find(name)
    assert facts is not None
    return facts


LARGE = model("meta-llama/Llama-3.1-70B-Instruct")
SMALL = model("meta-llama/Llama-3.1-8B-Instruct")
TINY = model("meta-llama/Llama-3.2-1B-Instruct")


def load(target: ModelFacts = SMALL, draft: ModelFacts | None = None, **changes: Any) -> Load:
    gpu = find_gpu("H100")
    assert gpu is not None
    method = Method.NONE if draft is None else Method.DRAFT_MODEL
    fields: dict[str, Any] = {"target": target, "gpu": gpu, "draft": draft, "method": method, "max_model_len": 8192}
    return Load(**(fields | changes))


def said(**changes: Any) -> dict[str, Remark]:
    return {remark.code: remark for remark in memory_remarks(memory_plan(load(**changes)))}


RULES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("MemoryExceeded", {"target": LARGE}, {"target": LARGE, "tensor_parallel": 4}),
    ("MemoryExceeded", {"max_model_len": 10**6}, {"max_model_len": 131072}),
    ("TargetShareHigh", {"target": LARGE, "tensor_parallel": 2}, {"target": LARGE, "tensor_parallel": 4}),
    ("DraftShareHigh", {"target": SMALL, "draft": SMALL}, {"target": SMALL, "draft": TINY}),
    (
        "DraftCostsCache",
        {"target": LARGE, "draft": SMALL, "tensor_parallel": 4},
        {"target": LARGE, "draft": TINY, "tensor_parallel": 4},
    ),
]
"""A code, what it speaks of, and what it is silent on."""


@pytest.mark.parametrize(("code", "refused", "passed"), RULES)
def test_a_rule_speaks_in_one_case_and_is_silent_in_the_other(
    code: str, refused: dict[str, Any], passed: dict[str, Any]
) -> None:
    assert code in said(**refused)
    assert code not in said(**passed)


def test_a_plan_that_fits_well_says_nothing() -> None:
    assert memory_remarks(memory_plan(load())) == ()


def test_too_long_a_context_names_the_longest_that_fits() -> None:
    plan = memory_plan(load(LARGE, target_quantization="fp8", tensor_parallel=2, draft=SMALL, max_model_len=131072))
    remark = said(target=LARGE, target_quantization="fp8", tensor_parallel=2, draft=SMALL, max_model_len=131072)
    exceeded = remark["MemoryExceeded"]
    assert (exceeded.level, exceeded.field) == (Level.ERROR, "engine.maxModelLen")
    assert f"set engine.maxModelLen to {plan.max_model_len_that_fits} or less" in exceeded.message
    assert "or leave the draft out" in exceeded.message


def test_the_named_length_fits() -> None:
    refused = load(max_model_len=10**6)
    longest = memory_plan(refused).max_model_len_that_fits
    assert memory_plan(replace(refused, max_model_len=longest)).fits


@pytest.mark.parametrize(("share", "level"), [(1.02, Level.WARNING), (1.04, Level.ERROR)])
def test_what_is_short_by_less_than_the_plan_is_accurate_is_not_refused(share: float, level: Level) -> None:
    roomy = replace(SMALL, context_length=10**6)
    longest = memory_plan(load(roomy, max_model_len=10**6)).kv_tokens
    assert said(target=roomy, max_model_len=round(share * longest))["MemoryExceeded"].level is level


def test_without_a_length_the_models_context_is_named() -> None:
    exceeded = said(target=replace(SMALL, context_length=10**6), max_model_len=None)["MemoryExceeded"]
    assert exceeded.message.startswith("the model's context of 1,000,000 tokens is more than the ")


@pytest.mark.parametrize(
    ("changes", "fixes"),
    [
        ({"target": LARGE}, "set engine.tensorParallelSize to 2"),
        (
            {"target": LARGE, "tensor_parallel": 2, "draft": SMALL, "max_num_seqs": 256},
            "set engine.tensorParallelSize to 4, or use 8-bit weights, or leave the draft out",
        ),
        (
            {"target": replace(LARGE, attention_heads=63, parameters=10**13)},
            "take GPUs with more memory or a smaller model",
        ),
    ],
)
def test_weights_that_do_not_fit_name_what_does(changes: dict[str, Any], fixes: str) -> None:
    exceeded = said(**changes)["MemoryExceeded"]
    assert exceeded.field == "model.name"
    assert exceeded.message.endswith(f"which leaves nothing for the KV cache; {fixes}")


def test_weights_that_are_8_bit_already_are_not_told_so() -> None:
    exceeded = said(target=model("meta-llama/Llama-3.1-405B-Instruct"), target_quantization="fp8", tensor_parallel=2)
    assert "8-bit" not in exceeded["MemoryExceeded"].message


def test_prediction_layers_are_the_methods_cost() -> None:
    deep = replace(SMALL, mtp_layers=16)
    costs = said(target=deep, method=Method.MTP, draft_tokens=1)["DraftCostsCache"]
    assert costs.field == "speculation.method"


@pytest.mark.parametrize(
    ("field", "what", "message"),
    [
        (
            "model.name",
            "org/model",
            "no memory plan, since org/model is not known; give model.facts from its config.json",
        ),
        (
            "speculation.draft.name",
            "org/draft",
            "no memory plan, since org/draft is not known; give speculation.draft.facts from its config.json",
        ),
        (
            "resources.gpu.product",
            "the GPU",
            "no memory plan, since the GPU is not known; set it to a GPU of the catalog",
        ),
    ],
)
def test_what_is_not_known_is_named(field: str, what: str, message: str) -> None:
    assert memory_unknown(field, what) == Remark(Level.ADVICE, "MemoryUnknown", field, message)
