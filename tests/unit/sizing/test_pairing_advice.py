"""What is said of the pairs that people try: the words, all faults at once, and nothing where all is well."""

from dataclasses import replace

import pytest

from specdecode_operator.api.remarks import Level, Remark
from specdecode_operator.sizing import ModelFacts
from support.builders import Manifest
from support.pairs import Case
from support.shapes import (
    DEEPSEEK_V3,
    EAGLE3_8B,
    EAGLE_8B,
    EAGLE_PLAIN_8B,
    LLAMA_1B,
    LLAMA_8B,
    LLAMA_70B,
    LLAMA_405B,
    PHI_4,
    QWEN25_05B,
    QWEN25_7B,
    QWEN25_72B,
)

ERROR, WARNING = Level.ERROR, Level.WARNING
DRAFT = "speculation.draft.name"

PAIR = Case()
QWEN = Case(QWEN25_72B, QWEN25_7B)
ALONE = Case(draft=None, method="None")
NGRAM = Case(draft=None, method="NGram")
MTP = Case(DEEPSEEK_V3, None, "Mtp", 1)
HEAD = Case(LLAMA_8B, EAGLE_8B, "Eagle", 3)
HEAD3 = Case(LLAMA_8B, EAGLE3_8B, "Eagle3", 3)
HETEROGENEOUS = {"config": {"use_heterogeneous_vocab": True}}
SHORT_DRAFT = PAIR.but(draft=replace(LLAMA_8B, context_length=8192))
FAR = (
    "is far beyond the usual 1:8 to 1:12: the acceptance rate may be low, yet published comparisons favour small"
    " drafts; judge the pair by its time per output token, not by its acceptance rate"
)


@pytest.mark.parametrize("case", [PAIR, QWEN, ALONE, NGRAM, MTP, HEAD, HEAD3, HEAD.but(draft=EAGLE_PLAIN_8B)])
def test_nothing_is_said_of_what_fits(case: Case) -> None:
    assert case.remarks() == ()


ARTICLE = {
    "8B for 70B": (Case(LLAMA_70B, LLAMA_8B), ()),
    "Qwen2.5 7B for 72B": (Case(QWEN25_72B, QWEN25_7B), ()),
    "1B for 70B": (
        Case(LLAMA_70B, LLAMA_1B),
        (
            Remark(
                Level.ADVICE,
                "DraftSmall",
                DRAFT,
                f"the size ratio 1:57.1 (1.24B to 70.6B parameters) {FAR}",
            ),
        ),
    ),
    "8B for 405B": (
        Case(LLAMA_405B, LLAMA_8B),
        (
            Remark(
                Level.ADVICE,
                "DraftSmall",
                DRAFT,
                f"the size ratio 1:50.5 (8.03B to 406B parameters) {FAR}",
            ),
        ),
    ),
}


@pytest.mark.parametrize(("case", "remarks"), ARTICLE.values(), ids=ARTICLE.keys())
def test_the_pairs_of_the_article_get_this_advice(case: Case, remarks: tuple[Remark, ...]) -> None:
    assert case.remarks() == remarks


def test_the_vocabularies_of_qwen_are_told_apart_with_both_numbers_and_the_fix() -> None:
    found = [remark for remark in Case(QWEN25_7B, QWEN25_05B).remarks() if remark.level is ERROR]
    assert found == [
        Remark(
            ERROR,
            "VocabularyMismatch",
            DRAFT,
            "Qwen/Qwen2.5-0.5B-Instruct has a vocab_size of 151936 and Qwen/Qwen2.5-7B-Instruct 152064; vLLM wants them"
            " equal: take a draft whose config.json says 152064, or set use_heterogeneous_vocab: true in"
            " speculation.config, which proposes only tokens that both models have, drafts greedily and runs on the V1"
            " model runner",
        )
    ]


def test_all_faults_are_named_at_once() -> None:
    case = Case(
        QWEN25_72B,
        replace(QWEN25_05B, context_length=4096, quantization="gptq", weight_bits=4),
        tokens=12,
        model={"quantization": "awq"},
        draft_fields={"quantization": "awq"},
        engine={"tensorParallelSize": 4, "maxModelLen": 65536},
    )
    assert case.codes() == [
        "QuantizationNotInCheckpoint",
        "ContextExceeded",
        "QuantizationConflict",
        "DraftHeadsIndivisible",
        "VocabularyMismatch",
        "DraftSmall",
        "DraftContextShort",
        "ManyTokens",
    ]


def test_both_models_that_nothing_is_known_of_are_named_in_one_warning() -> None:
    assert PAIR.but(target=None, draft=None).remarks() == (
        Remark(
            Level.ADVICE,
            "FactsUnknown",
            "model.name",
            "nothing is known of org/target and org/draft, so the checks that need config.json were left out; give"
            " model.facts and speculation.draft.facts, or --facts DIR to `specdecode plan`",
        ),
    )


def test_what_is_known_of_one_model_is_checked_though_the_other_is_unknown() -> None:
    case = PAIR.but(target=None, draft=QWEN25_05B, engine={"tensorParallelSize": 4})
    assert case.codes() == ["FactsUnknown", "DraftHeadsIndivisible"]


def test_facts_of_a_draft_that_the_resource_does_not_name_are_not_looked_at() -> None:
    assert NGRAM.but(draft=QWEN25_05B).remarks() == ()


def test_nothing_is_compared_with_a_draft_of_the_wrong_kind() -> None:
    assert HEAD.but(target=QWEN25_72B, draft=LLAMA_1B).codes() == ["DraftIsNoHead"]


def test_a_draft_as_long_as_its_target_is_not_blamed_for_a_length_that_the_target_has_not() -> None:
    assert PAIR.but(engine={"maxModelLen": 200000}).codes() == ["ContextExceeded"]


def test_a_draft_is_not_stretched_with_its_target() -> None:
    stretched = {"maxModelLen": 200000, "extraArgs": ["--hf-overrides", "{}"]}
    assert PAIR.but(engine=stretched).codes() == ["DraftContextShort"]


def test_a_family_of_another_name_is_no_matter_for_a_head() -> None:
    assert HEAD3.but(draft=replace(EAGLE3_8B, model_type="eagle")).remarks() == ()


CONSEQUENCES = {
    "from 0.32 the limit is lowered": ({"version": "0.32.0"}, {}, ERROR, "silently lowers the server's limit to 8192"),
    "before it, speculation ends there": ({"version": "0.30.0"}, {}, WARNING, "without speculation from there on"),
    "on the V1 runner as well": (
        {"env": [{"name": "VLLM_USE_V2_MODEL_RUNNER", "value": "0"}]},
        {},
        WARNING,
        "without speculation from there on",
    ),
    "and with heterogeneous vocabularies": ({}, HETEROGENEOUS, WARNING, "without speculation from there on"),
}


@pytest.mark.parametrize(("engine", "speculation", "level", "said"), CONSEQUENCES.values(), ids=CONSEQUENCES.keys())
def test_a_short_draft_is_refused_where_this_version_would_lower_the_limit(
    engine: Manifest, speculation: Manifest, level: Level, said: str
) -> None:
    case = SHORT_DRAFT.but(engine={"maxModelLen": 16384} | engine, speculation=speculation)
    assert [(remark.level, said in remark.message) for remark in case.remarks()] == [(level, True)]


SIZES = [
    (7.99, ["DraftLarge"]),
    (8.0, []),
    (12.0, []),
    (12.01, ["DraftSmall"]),
    (1.0, ["DraftNotSmaller"]),
]


@pytest.mark.parametrize(("ratio", "codes"), SIZES)
def test_the_size_ratio_is_advised_between_an_eighth_and_a_twelfth(ratio: float, codes: list[str]) -> None:
    target = replace(LLAMA_70B, parameters=96_000_000_000)
    assert PAIR.but(target=target, draft=replace(LLAMA_8B, parameters=round(96e9 / ratio))).codes() == codes


def test_of_a_mixture_the_parameters_that_a_token_uses_are_compared_and_the_message_says_so() -> None:
    said = [remark.message for remark in Case(DEEPSEEK_V3, LLAMA_8B).remarks() if remark.code == "DraftLarge"]
    assert [message.split(":", 2)[1] for message in said] == [
        "4.61 (8.03B to 37B parameters that a token uses) is under the usual 1"
    ]


@pytest.mark.parametrize(
    ("target", "gpus", "choice"),
    [(QWEN25_7B, 8, "set 1, 2 or 4"), (PHI_4, 4, "set 1 or 2"), (QWEN25_05B, 4, "set 1 or 2"), (LLAMA_8B, 5, "or 16")],
)
def test_the_numbers_of_gpus_that_work_are_named(target: ModelFacts, gpus: int, choice: str) -> None:
    case = ALONE.but(target=target, engine={"tensorParallelSize": gpus})
    assert [choice in remark.message for remark in case.remarks()] == [True]
