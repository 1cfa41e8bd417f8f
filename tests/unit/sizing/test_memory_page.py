"""The figures of docs/memory.md are those of the code."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.engine.versions import Version
from specdecode_operator.sizing import (
    GPUS,
    Gpu,
    Load,
    MemoryPlan,
    ModelFacts,
    eagle3_head,
    find,
    find_gpu,
    memory_plan,
    simple_bytes,
)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "memory.md"
GIB = 2**30
BILLION = 10**9

# name, bits of target and draft, `--quantization` of both, GPU, gigabytes on its label
PAIRS = [
    ("BF16 + BF16", 16, 16, None, None, "H100", 80),
    ("INT8 + BF16", 8, 16, "fp8", None, "H100", 80),
    ("INT8 + INT8", 8, 8, "fp8", "fp8", "H100", 80),
    ("INT4 + BF16", 4, 16, "awq", None, "H100", 80),
    ("INT4 + INT4", 4, 4, "awq", "awq", "H100", 80),
    ("BF16 + BF16", 16, 16, None, None, "H200", 141),
]
ARTICLE = [(156, 4), (86, 74), (78, 82), (51, 109), (39, 121), (156, 126)]


def model(name: str) -> ModelFacts:
    facts = find(name)
    assert facts is not None
    return facts


def gpu(name: str) -> Gpu:
    found = find_gpu(name)
    assert found is not None
    return found


TARGET, DRAFT = model("meta-llama/Llama-3.1-70B-Instruct"), model("meta-llama/Llama-3.1-8B-Instruct")


def simple(target_bits: int, draft_bits: int, gigabytes: int) -> tuple[float, float, float]:
    """Weights, what is left, and the draft's share of the memory in percent, in the arithmetic of the article."""
    target, draft = (
        simple_bytes(size * BILLION, bits) / BILLION for size, bits in ((70, target_bits), (8, draft_bits))
    )
    return target + draft, 2 * gigabytes - target - draft, 100 * draft / (2 * gigabytes)


def served(target: str | None, draft: str | None, name: str) -> MemoryPlan:
    return memory_plan(
        Load(
            target=TARGET,
            gpu=gpu(name),
            tensor_parallel=2,
            target_quantization=target,
            method=Method.DRAFT_MODEL,
            draft=DRAFT,
            draft_quantization=draft,
            draft_tokens=5,
            max_num_seqs=256,
            max_model_len=8192,
        )
    )


def article_rows() -> Iterator[str]:
    for name, target_bits, draft_bits, _, _, card, label in PAIRS:
        weights, left, share = simple(target_bits, draft_bits, label)
        yield f"| 2 x {card} ({2 * label} GB) | {name} | {weights:.0f} GB | {left:.0f} GB | {share:.1f} % |"


def real_rows() -> Iterator[str]:
    for name, _, _, target, draft, card, _ in PAIRS:
        plan = served(target, draft, card)
        weights = (plan.target_weights + plan.draft_weights) / BILLION
        drop = f"{-plan.kv_drop_percent:.0f} %"
        yield (
            f"| 2 x {card} | {name} | {weights:.1f} GB | {plan.kv_bytes / BILLION:.1f} GB"
            f" | {plan.kv_tokens_without_speculation:,} | {plan.kv_tokens:,} | {drop} |"
        )


def measured_rows() -> Iterator[str]:
    base = Load(
        target=DRAFT,
        gpu=gpu("H100"),
        version=Version(0, 25, 1),
        utilization_percent=90,
        max_num_seqs=256,
        max_model_len=2048,
    )
    full = eagle3_head(DRAFT, "head")
    head = replace(full, parameters=full.parameters - 32000 * 4096, draft_vocabulary_size=None)
    small = model("meta-llama/Llama-3.2-1B-Instruct")
    for name, load, measured in (
        ("no speculation (the fitted one)", base, (449_968,)),
        ("1B draft model, 5 tokens", replace(base, method=Method.DRAFT_MODEL, draft=small, draft_tokens=5), (342_384,)),
        ("EAGLE-3 head, 3 tokens", replace(base, method=Method.EAGLE3, draft=head, draft_tokens=3), (427_376, 431_808)),
    ):
        tokens = memory_plan(load).kv_tokens
        errors = " and ".join(f"{100 * (tokens / true - 1):+.1f} %" for true in measured)
        yield f"| {name} | {' and '.join(f'{true:,}' for true in measured)} | {tokens:,} | {errors} |"


def gpu_rows() -> Iterator[str]:
    for card in GPUS:
        capability = "-" if card.capability is None else ".".join(map(str, card.capability))
        yield f"| `{card.name}` | {card.memory_mib:,} | {card.reserved_mib:,} | {card.bandwidth_tb_s} | {capability} |"


@pytest.mark.parametrize("rows", [article_rows, real_rows, measured_rows, gpu_rows])
def test_every_row_is_in_the_page(rows: Callable[[], Iterator[str]]) -> None:
    lines = PAGE.read_text().splitlines()
    assert [row for row in rows() if row not in lines] == []


@pytest.mark.parametrize(("pair", "expected"), list(zip(PAIRS, ARTICLE, strict=True)))
def test_the_simple_arithmetic_is_the_articles(
    pair: tuple[str, int, int, str | None, str | None, str, int], expected: tuple[int, int]
) -> None:
    weights, left, _ = simple(pair[1], pair[2], pair[6])
    assert (weights, left) == expected


def test_every_code_of_the_plan_has_a_page() -> None:
    codes = ("MemoryExceeded", "MemoryUnknown", "TargetShareHigh", "DraftShareHigh", "DraftCostsCache")
    pages = PAGE.parent / "codes"
    assert [code for code in codes if not (pages / f"{code}.md").read_text().startswith(f"# {code}\n")] == []


def test_the_article_leaves_more_than_there_is() -> None:
    plan = served("fp8", None, "H100")
    assert simple(8, 16, 80)[1] - plan.kv_bytes / BILLION > 15
    assert plan.kv_bytes / BILLION < 60
