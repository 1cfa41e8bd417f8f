"""What weights take: the arithmetic of articles, and what stays at 16 bits."""

from dataclasses import replace

import pytest

from specdecode_operator.sizing import (
    ModelFacts,
    WeightFormat,
    eagle3_head,
    find,
    simple_bytes,
    weight_bytes,
    weight_format,
)


def known(name: str) -> ModelFacts:
    facts = find(name)
    assert facts is not None
    return facts


LARGE = known("meta-llama/Llama-3.1-70B-Instruct")
SMALL = known("meta-llama/Llama-3.1-8B-Instruct")


@pytest.mark.parametrize(
    ("target_bits", "draft_bits", "gigabytes"),
    [(16, 16, 156), (8, 16, 86), (8, 8, 78), (4, 16, 51), (4, 4, 39)],
)
def test_the_articles_table_is_bits_times_parameters(target_bits: int, draft_bits: int, gigabytes: int) -> None:
    total = simple_bytes(70 * 10**9, target_bits) + simple_bytes(8 * 10**9, draft_bits)
    assert total == gigabytes * 1e9


@pytest.mark.parametrize(
    ("quantization", "gigabytes"),
    [
        (None, 141.11),
        ("fp8", 72.66),
        ("fp8_per_channel", 72.66),
        ("awq", 39.77),
        ("gptq_marlin", 39.77),
        ("modelopt_fp4", 42.71),
        ("of-tomorrow", 141.11),
        ("int8_per_channel_weight_only", 141.11),
        ("mxfp4", 141.11),
    ],
)
def test_embeddings_stay_at_16_bits_and_scales_count(quantization: str | None, gigabytes: float) -> None:
    assert weight_bytes(LARGE, quantization) / 1e9 == pytest.approx(gigabytes, abs=0.01)


@pytest.mark.parametrize(
    ("name", "gigabytes"),
    [("openai/gpt-oss-20b", 13.76), ("openai/gpt-oss-120b", 65.25), ("deepseek-ai/DeepSeek-V3", 672.9)],
)
def test_checkpoints_that_are_quantized_weigh_what_they_weigh(name: str, gigabytes: float) -> None:
    assert weight_bytes(known(name)) / 1e9 == pytest.approx(gigabytes, rel=0.001)


def test_experts_alone_are_quantized_where_the_format_says_so() -> None:
    mixture = known("Qwen/Qwen3-30B-A3B")
    experts = 3 * 2048 * 768 * 128 * 48
    assert weight_bytes(mixture, "experts_int8") == experts + (mixture.parameters - experts) * 2


def test_the_checkpoints_own_quantization_wins_over_the_flag() -> None:
    quantized = replace(LARGE, quantization="awq", weight_bits=4)
    assert weight_bytes(quantized, "fp8") == weight_bytes(LARGE, "awq")


@pytest.mark.parametrize(
    ("method", "bits", "expected"),
    [
        ("compressed-tensors", 8, WeightFormat(8)),
        ("compressed-tensors", 4, WeightFormat(4, 20 / 128)),
        ("gptq", 8, WeightFormat(8)),
        ("compressed-tensors", 16, WeightFormat(16)),
        (None, 4, WeightFormat(4, 20 / 128)),
    ],
)
def test_bits_of_the_checkpoint_decide(method: str | None, bits: float, expected: WeightFormat) -> None:
    assert weight_format(replace(LARGE, quantization=method, weight_bits=bits)) == expected


def test_float32_doubles_everything() -> None:
    assert weight_bytes(SMALL, plain_bits=32) == 2 * weight_bytes(SMALL)


def test_a_head_shares_its_targets_embedding() -> None:
    head = eagle3_head(SMALL, "org/head")
    assert weight_bytes(head) == head.parameters * 2
    assert weight_bytes(head, "fp8") == head.parameters + 32000 * 4096
