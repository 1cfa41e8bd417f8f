"""All checks of one variant, and what of them the status says."""

from dataclasses import replace
from typing import Any

import pytest

from specdecode_operator.api.remarks import Level, Remark
from specdecode_operator.api.v1alpha1 import MAX_WARNINGS, PreflightWarning
from specdecode_operator.policy import ladder
from specdecode_operator.sizing import Examination, examine_rungs, find, gathered, located, preflight, summary
from support.builders import spec_of

LLAMA_70B = "meta-llama/Llama-3.1-70B-Instruct"
LLAMA_8B = "meta-llama/Llama-3.1-8B-Instruct"
QWEN_HALF_B = "Qwen/Qwen2.5-0.5B-Instruct"
ON_H100 = {"gpu": {"product": "H100"}}
WARNING = Remark(Level.WARNING, "Dear", "speculation.draft.name", "costs; take another")
ERROR = Remark(Level.ERROR, "Broken", "speculation.method", "does not run; upgrade")
ADVICE = Remark(Level.ADVICE, "Nice", "speculation.method", "may be better")


def draft_of(name: str, **changes: Any) -> dict[str, Any]:
    return {"method": "DraftModel", "draft": {"name": name}, "numSpeculativeTokens": 4} | changes


def examined(**fields: Any) -> Examination:
    spec = spec_of(**fields)
    return preflight(spec, spec.model, spec.speculation, facts=find)


def codes(examination: Examination) -> set[str]:
    return {remark.code for remark in examination.remarks}


class TestPreflight:
    def test_engine_pair_and_memory_are_all_asked(self) -> None:
        found = examined(
            model={"name": LLAMA_70B},
            speculation=draft_of(QWEN_HALF_B, config={"nonsense": 1}),
            resources=ON_H100,
        )
        fields = {remark.field for remark in found.errors}
        assert {"VocabularyMismatch", "MemoryExceeded"} <= codes(found)
        assert "speculation.config.nonsense" in fields

    def test_a_pair_that_fits_has_a_plan_and_no_error(self) -> None:
        found = examined(
            model={"name": LLAMA_70B},
            speculation=draft_of(LLAMA_8B),
            engine={"tensorParallelSize": 4, "maxModelLen": 8192},
            resources=ON_H100,
        )
        assert found.errors == ()
        assert found.memory is not None
        assert found.memory.fits

    @pytest.mark.parametrize(
        "fields",
        [
            {"model": {"name": LLAMA_8B}, "speculation": {"method": "None"}},
            {"model": {"name": "org/unheard"}, "speculation": {"method": "None"}, "resources": ON_H100},
            {"model": {"name": LLAMA_8B}, "speculation": draft_of("org/unheard"), "resources": ON_H100},
            {"model": {"name": LLAMA_8B}, "resources": {"gpu": {"product": "Abacus"}}},
        ],
    )
    def test_without_gpu_or_models_there_is_no_plan_and_no_error(self, fields: dict[str, Any]) -> None:
        found = examined(**fields)
        assert (found.memory, found.errors, "MemoryUnknown" in codes(found)) == (None, (), True)

    def test_what_the_resource_says_of_a_model_comes_first(self) -> None:
        known = find(QWEN_HALF_B)
        assert known is not None
        facts = {
            "modelType": known.model_type, "architecture": known.architecture, "hiddenSize": known.hidden_size,
            "layers": known.layers, "attentionHeads": known.attention_heads, "kvHeads": known.kv_heads,
            "headDim": known.head_dim, "intermediateSize": known.intermediate_size,
            "vocabularySize": 128256, "contextLength": known.context_length,
        }  # fmt: skip
        pair = draft_of(QWEN_HALF_B)
        pair["draft"] = {"name": QWEN_HALF_B, "facts": facts}
        assert "VocabularyMismatch" not in codes(examined(model={"name": LLAMA_70B}, speculation=pair))

    def test_the_generation_of_the_gpu_is_known_to_the_engine_rules(self) -> None:
        asked = {"model": {"name": LLAMA_8B, "quantization": "fp8_per_channel"}, "speculation": {"method": "None"}}
        old, new = (examined(**asked, resources={"gpu": {"product": gpu}}) for gpu in ("A100-80", "H100"))
        assert codes(old) - codes(new)

    def test_flags_of_the_user_reach_the_plan(self) -> None:
        asked = {"model": {"name": LLAMA_8B}, "speculation": {"method": "None"}, "resources": ON_H100}
        small, large = (
            examined(**asked, engine={"extraArgs": [f"--max-num-batched-tokens={tokens}"]}).memory
            for tokens in (2048, 65536)
        )
        assert small is not None
        assert large is not None
        assert small.kv_tokens > large.kv_tokens


class TestSummary:
    @pytest.mark.parametrize("remarks", [(), (ADVICE,), (ERROR,)])
    def test_nothing_to_say(self, remarks: tuple[Remark, ...]) -> None:
        assert summary({"primary": Examination(remarks)}, "primary") is None

    def test_warnings_of_primary(self) -> None:
        found = summary({"primary": Examination((WARNING, ADVICE))}, "primary")
        assert found is not None
        assert found.warnings == [
            PreflightWarning(code="Dear", field="speculation.draft.name", message="costs; take another")
        ]

    def test_a_fallback_that_is_never_chosen(self) -> None:
        rungs = {"primary": Examination(()), "int8": Examination((ERROR, WARNING))}
        found = summary(rungs, "primary")
        assert found is not None
        assert found.warnings == [
            PreflightWarning(
                code="Broken",
                field="fallbacks[int8].speculation.method",
                message="this fallback is never chosen: does not run; upgrade",
            )
        ]

    def test_memory_is_that_of_the_active_rung(self) -> None:
        spec = spec_of(model={"name": LLAMA_8B}, speculation=draft_of("meta-llama/Llama-3.2-1B-Instruct"),
                       engine={"maxModelLen": 8192}, resources=ON_H100)  # fmt: skip
        rungs = {rung.name: preflight(spec, rung.model, rung.speculation, facts=find) for rung in ladder(spec).rungs}
        with_draft, alone = (summary(rungs, name) for name in ("primary", "no-speculation"))
        assert with_draft is not None
        assert alone is not None
        assert with_draft.memory is not None
        assert alone.memory is not None
        assert with_draft.memory.kv_cache_tokens < alone.memory.kv_cache_tokens
        assert alone.memory.kv_cache_tokens == with_draft.memory.kv_cache_tokens_without_speculation

    def test_the_status_stays_small(self) -> None:
        many = tuple(replace(WARNING, field=f"field{number}", message="x" * 5000) for number in range(40))
        found = summary({"primary": Examination(many)}, "primary")
        assert found is not None
        assert len(found.warnings) == MAX_WARNINGS
        assert max(len(warning.message) for warning in found.warnings) == 1024


class TestEveryRung:
    def test_each_is_examined_by_name_in_order(self) -> None:
        rung = {"name": "other", "triggers": ["Latency"], "model": {"name": LLAMA_8B}}
        spec = spec_of(model={"name": LLAMA_70B}, fallbacks=[rung])
        rungs = ladder(spec)
        found = examine_rungs(spec, (rungs.primary, *rungs.fallbacks), facts=find)
        assert list(found) == ["primary", "other"]
        assert found["primary"] == preflight(spec, spec.model, spec.speculation, facts=find)

    def test_what_a_fallback_shares_is_said_once_and_the_rest_where_it_stands(self) -> None:
        found = {"primary": Examination((WARNING,)), "int8": Examination((WARNING, ERROR))}
        assert list(gathered(found)) == [WARNING, replace(ERROR, field="fallbacks[int8].speculation.method")]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("model.quantization", "fallbacks[int8].model.quantization"),
        ("speculation.config", "fallbacks[int8].speculation.config"),
        ("engine.maxModelLen", "engine.maxModelLen"),
    ],
)
def test_where_a_fallbacks_remark_stands(field: str, expected: str) -> None:
    assert located(field, "int8") == expected
