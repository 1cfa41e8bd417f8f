"""The catalog of models: parameters, key-value bytes, names."""

import pytest

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.sizing import ModelFacts, catalog_names, drafts_for, eagle3_head, find, find_draft


def known(name: str) -> ModelFacts:
    facts = find(name)
    assert facts is not None
    return facts


@pytest.mark.parametrize(
    ("name", "billions", "active"),
    [
        ("meta-llama/Llama-3.2-1B-Instruct", 1.236, None),
        ("meta-llama/Llama-3.2-3B-Instruct", 3.213, None),
        ("meta-llama/Llama-3.1-8B-Instruct", 8.030, None),
        ("meta-llama/Llama-3.1-70B-Instruct", 70.554, None),
        ("meta-llama/Llama-3.1-405B-Instruct", 405.853, None),
        ("Qwen/Qwen2.5-0.5B-Instruct", 0.494, None),
        ("Qwen/Qwen2.5-1.5B-Instruct", 1.544, None),
        ("Qwen/Qwen2.5-3B-Instruct", 3.086, None),
        ("Qwen/Qwen2.5-7B-Instruct", 7.616, None),
        ("Qwen/Qwen2.5-14B-Instruct", 14.770, None),
        ("Qwen/Qwen2.5-32B-Instruct", 32.764, None),
        ("Qwen/Qwen2.5-72B-Instruct", 72.706, None),
        ("Qwen/Qwen3-0.6B", 0.596, None),
        ("Qwen/Qwen3-1.7B", 1.721, None),
        ("Qwen/Qwen3-4B", 4.022, None),
        ("Qwen/Qwen3-8B", 8.191, None),
        ("Qwen/Qwen3-14B", 14.768, None),
        ("Qwen/Qwen3-32B", 32.762, None),
        ("mistralai/Mistral-7B-Instruct-v0.3", 7.248, None),
        ("mistralai/Mistral-Large-Instruct-2407", 122.610, None),
        ("microsoft/phi-4", 14.660, None),
        ("microsoft/Phi-4-mini-instruct", 3.836, None),
        ("google/gemma-2-2b-it", 2.614, None),
        ("google/gemma-2-9b-it", 9.242, None),
        ("google/gemma-2-27b-it", 27.227, None),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", 0.135, None),
        ("HuggingFaceTB/SmolLM2-1.7B-Instruct", 1.711, None),
        ("Qwen/Qwen3-30B-A3B", 30.532, 3.35),
        ("Qwen/Qwen3-235B-A22B", 235.094, 22.19),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", 46.703, 12.88),
        ("mistralai/Mixtral-8x22B-Instruct-v0.1", 140.630, 39.16),
    ],
)
def test_parameters_are_those_published(name: str, billions: float, active: float | None) -> None:
    facts = known(name)
    assert round(facts.parameters / 1e9, 3) == billions
    assert (facts.active_parameters and round(facts.active_parameters / 1e9, 2)) == active


@pytest.mark.parametrize(
    ("name", "billions"),
    [("openai/gpt-oss-20b", 20.9), ("openai/gpt-oss-120b", 116.8), ("deepseek-ai/DeepSeek-V3", 671.0)],
)
def test_parameters_of_the_great_mixtures_are_those_of_their_cards(name: str, billions: float) -> None:
    assert known(name).parameters / 1e9 == pytest.approx(billions, abs=0.1)


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
        ("meta-llama/Meta-Llama-3.1-70B", "meta-llama/Llama-3.1-70B-Instruct"),
        ("META-LLAMA/llama-3.1-8b", "meta-llama/Llama-3.1-8B-Instruct"),
        ("meta-llama/Llama-3.3-70B-Instruct", "meta-llama/Llama-3.1-70B-Instruct"),
        ("deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-V3"),
        ("Qwen/Qwen2.5-72B", "Qwen/Qwen2.5-72B-Instruct"),
    ],
)
def test_names_of_the_same_shape_are_found(name: str, same: str) -> None:
    assert (known(name).parameters, known(name).vocabulary_size) == (
        known(same).parameters,
        known(same).vocabulary_size,
    )


@pytest.mark.parametrize("name", ["", "org/model", "meta-llama/Llama-3.1-70B-Instruct-AWQ-INT4", "Llama-3.1-8B"])
def test_other_names_are_not_known(name: str) -> None:
    assert find(name) is None


def test_qwen_vocabularies_differ_between_small_and_large() -> None:
    sizes = {size: known(f"Qwen/Qwen2.5-{size}-Instruct").vocabulary_size for size in ("3B", "7B", "72B")}
    assert sizes == {"3B": 151936, "7B": 152064, "72B": 152064}


def test_every_entry_names_its_source() -> None:
    assert [name for name in catalog_names() if not known(name).source] == []


def test_base_models_have_their_own_context() -> None:
    assert (known("Qwen/Qwen2.5-7B").context_length, known("Qwen/Qwen2.5-7B-Instruct").context_length) == (
        131072,
        32768,
    )


class TestDrafts:
    def test_heads_come_before_models(self) -> None:
        drafts = drafts_for(known("meta-llama/Llama-3.1-8B-Instruct"))
        assert [(draft.method, draft.name) for draft in drafts] == [
            (Method.EAGLE3, "RedHatAI/Llama-3.1-8B-Instruct-speculator.eagle3"),
            (Method.EAGLE3, "yuhuili/EAGLE3-LLaMA3.1-Instruct-8B"),
            (Method.DRAFT_MODEL, "meta-llama/Llama-3.2-1B-Instruct"),
        ]

    def test_every_draft_model_has_the_targets_vocabulary(self) -> None:
        wrong = [
            (name, draft.name)
            for name in catalog_names()
            for draft in drafts_for(known(name))
            if draft.facts.vocabulary_size != known(name).vocabulary_size
        ]
        assert wrong == []

    def test_every_draft_is_smaller_and_has_a_source(self) -> None:
        pairs = [(known(name), draft) for name in catalog_names() for draft in drafts_for(known(name))]
        assert all(draft.source and draft.facts.parameters < target.parameters for target, draft in pairs)

    def test_a_head_that_is_not_in_the_catalog_has_the_usual_shape(self) -> None:
        target = known("meta-llama/Llama-3.1-8B-Instruct")
        usual = eagle3_head(target, "org/head")
        listed = known("RedHatAI/Llama-3.1-8B-Instruct-speculator.eagle3")
        assert (usual.parameters, usual.layers, usual.eagle_head) == (listed.parameters, 1, True)

    def test_an_unknown_target_has_none(self) -> None:
        assert drafts_for(known("microsoft/phi-4")) == ()

    @pytest.mark.parametrize(
        "name",
        [
            "meta-llama/Meta-Llama-3.1-70B",
            "meta-llama/Llama-3.3-70B-Instruct",
            "deepseek-ai/DeepSeek-R1-Distill-Llama-70B",
        ],
    )
    def test_models_of_the_family_go_with_every_weights_of_a_shape(self, name: str) -> None:
        assert [draft.name for draft in drafts_for(known(name))] == [
            "meta-llama/Llama-3.2-1B-Instruct",
            "meta-llama/Llama-3.2-3B-Instruct",
            "meta-llama/Llama-3.1-8B-Instruct",
        ]

    def test_heads_go_with_their_own_weights_alone(self) -> None:
        methods = {draft.method for draft in drafts_for(known("deepseek-ai/DeepSeek-R1-Distill-Llama-8B"))}
        assert methods == {Method.DRAFT_MODEL}

    @pytest.mark.parametrize(
        ("name", "method", "source"),
        [
            ("meta-llama/Llama-3.2-1B-Instruct", Method.DRAFT_MODEL, "dimensions: litgpt"),
            ("RedHatAI/Llama-3.1-8B-Instruct-speculator.eagle3", Method.EAGLE3, "config.json shown in"),
            ("org/head", Method.EAGLE3, "the usual shape"),
            ("org/head", Method.EAGLE, "the usual shape"),
        ],
    )
    def test_what_a_plan_can_assume_of_a_draft(self, name: str, method: Method, source: str) -> None:
        found = find_draft(name, method, known("meta-llama/Llama-3.1-8B-Instruct"))
        assert found is not None
        assert found.source.startswith(source)

    @pytest.mark.parametrize("method", [Method.DRAFT_MODEL, Method.MTP])
    def test_nothing_can_be_assumed_of_an_unknown_model(self, method: Method) -> None:
        assert find_draft("org/model", method, known("meta-llama/Llama-3.1-8B-Instruct")) is None
