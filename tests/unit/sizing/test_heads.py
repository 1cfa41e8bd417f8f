"""EAGLE heads, named as such or not."""

from dataclasses import replace

import pytest

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.sizing import Load, ModelFacts, as_head, eagle3_head, find, find_gpu, memory_plan


def known(name: str) -> ModelFacts:
    facts = find(name)
    assert facts is not None
    return facts


TARGET = known("meta-llama/Llama-3.1-8B-Instruct")
HEAD = eagle3_head(TARGET, "org/head")
UNNAMED = replace(TARGET, name="org/head", layers=1, parameters=9 * 10**9)


@pytest.mark.parametrize(
    ("method", "architecture", "parameters"),
    [
        (Method.EAGLE, "EagleLlamaForCausalLM", 251_666_432),
        (Method.EAGLE3, "Eagle3LlamaForCausalLM", 424_689_664 - 32000 * 4096),
    ],
)
def test_a_plain_architecture_becomes_the_head_of_the_method(
    method: Method, architecture: str, parameters: int
) -> None:
    head = as_head(UNNAMED, method)
    assert (head.architecture, head.parameters, head.eagle_head) == (architecture, parameters, True)


@pytest.mark.parametrize("method", [Method.DRAFT_MODEL, Method.NGRAM, Method.MTP])
def test_other_methods_leave_a_model_as_it_is(method: Method) -> None:
    assert as_head(UNNAMED, method) == UNNAMED


def test_a_head_stays_what_it_is() -> None:
    assert as_head(HEAD, Method.EAGLE3) == HEAD


def test_the_plan_takes_an_unnamed_head_for_one() -> None:
    gpu = find_gpu("H100")
    assert gpu is not None
    plan = memory_plan(Load(target=TARGET, gpu=gpu, method=Method.EAGLE3, draft=UNNAMED, draft_tokens=3))
    assert plan.draft_weights / 2**30 == pytest.approx(0.547, abs=0.001)
    assert plan.token_bytes == 131_072 + 4_096


def test_a_mixtures_head_is_dense_and_as_wide_as_its_token() -> None:
    head = eagle3_head(known("Qwen/Qwen3-30B-A3B"), "org/head")
    assert (head.experts, head.intermediate_size) == (0, 8 * 768)
