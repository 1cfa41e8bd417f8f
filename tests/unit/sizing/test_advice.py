"""Advice: what fits, in the order of the priors, with the plainest weights."""

from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.engine.versions import Version
from specdecode_operator.sizing import find, find_gpu
from specdecode_operator.sizing.advice import Advice, Question, advise


def ask(target: str = "meta-llama/Llama-3.1-70B-Instruct", gpu: str = "H100", **changes: Any) -> Advice:
    facts, card = find(target), find_gpu(gpu)
    assert facts is not None
    assert card is not None
    fields: dict[str, Any] = {"gpus": 2, "version": Version(0, 33, 0), "context": 8192} | changes
    return advise(Question(target=facts, gpu=card, **fields))


def order(advice: Advice) -> list[tuple[Method, str | None]]:
    return [(candidate.method, candidate.draft) for candidate in advice.candidates]


class TestOrder:
    def test_a_large_target_tries_small_drafts_before_lookups(self) -> None:
        assert order(ask()) == [
            (Method.DRAFT_MODEL, "meta-llama/Llama-3.2-1B-Instruct"),
            (Method.DRAFT_MODEL, "meta-llama/Llama-3.2-3B-Instruct"),
            (Method.DRAFT_MODEL, "meta-llama/Llama-3.1-8B-Instruct"),
            (Method.NGRAM, None),
            (Method.NONE, None),
        ]

    def test_a_small_target_tries_heads_first_and_draft_models_last(self) -> None:
        advice = ask("meta-llama/Llama-3.1-8B-Instruct", gpus=1)
        assert [candidate.method for candidate in advice.candidates] == [
            Method.EAGLE3,
            Method.EAGLE3,
            Method.NGRAM,
            Method.NONE,
            Method.DRAFT_MODEL,
        ]
        assert "below 30 B" in advice.candidates[-1].reason

    def test_prediction_layers_come_first(self) -> None:
        advice = ask("deepseek-ai/DeepSeek-V3", "H200", gpus=8)
        assert order(advice) == [(Method.MTP, None), (Method.NGRAM, None), (Method.NONE, None)]

    def test_no_pair_has_two_vocabularies(self) -> None:
        assert (Method.DRAFT_MODEL, "Qwen/Qwen2.5-7B-Instruct") in order(ask("Qwen/Qwen2.5-72B-Instruct"))
        assert all(method is not Method.DRAFT_MODEL for method, _ in order(ask("Qwen/Qwen2.5-32B-Instruct")))


class TestWeights:
    @pytest.mark.parametrize(
        ("target", "gpu", "gpus", "weights"),
        [
            ("meta-llama/Llama-3.1-70B-Instruct", "H100", 4, "as they are"),
            ("meta-llama/Llama-3.1-70B-Instruct", "H100", 2, "fp8"),
            ("meta-llama/Llama-3.1-70B-Instruct", "H100", 1, "awq"),
            ("meta-llama/Llama-3.1-70B-Instruct", "A100-80", 2, "fp8"),
            ("deepseek-ai/DeepSeek-V3", "H200", 8, "as they are"),
        ],
    )
    def test_the_plainest_that_fit_are_taken(self, target: str, gpu: str, gpus: int, weights: str) -> None:
        assert ask(target, gpu, gpus=gpus, requests=4).candidates[0].weights == weights

    def test_quantized_weights_say_what_to_compare(self) -> None:
        assert "compare the answers' quality" in ask().candidates[0].next_step


class TestWhatDoesNotFit:
    def test_it_is_listed_with_its_plan(self) -> None:
        advice = ask("meta-llama/Llama-3.1-405B-Instruct", gpus=2)
        assert advice.candidates == ()
        assert {candidate.plan.kv_tokens for candidate in advice.refused} == {0}

    def test_more_requests_leave_fewer_candidates(self) -> None:
        few, many = ask(requests=2), ask(requests=36)
        assert len(many.candidates) < len(few.candidates)
        assert len(many.candidates) + len(many.refused) == len(few.candidates) + len(few.refused)

    def test_what_is_advised_holds_what_was_asked(self) -> None:
        for candidate in ask(requests=16).candidates:
            assert candidate.plan.kv_tokens >= 16 * 8192
            assert candidate.plan.fits
