"""Facts that the user gives say the same as the model's own file."""

from typing import Any

import pytest
from pydantic import ValidationError

from specdecode_operator.api.v1alpha1 import Facts
from specdecode_operator.sizing import UnreadableConfig, find, from_facts

GIVEN: dict[str, Any] = {
    "modelType": "llama",
    "architecture": "LlamaForCausalLM",
    "hiddenSize": 4096,
    "layers": 32,
    "attentionHeads": 32,
    "kvHeads": 8,
    "intermediateSize": 14336,
    "vocabularySize": 128256,
    "contextLength": 131072,
}


def facts(**changes: Any) -> Facts:
    return Facts.model_validate(GIVEN | changes)


def test_given_facts_are_those_of_the_catalog() -> None:
    listed = find("meta-llama/Llama-3.1-8B-Instruct")
    assert listed is not None
    read = from_facts("org/model", facts())
    assert (read.parameters, read.head_dim, read.kv_heads) == (listed.parameters, listed.head_dim, listed.kv_heads)
    assert (read.name, read.source) == ("org/model", "facts of the resource")


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"parameters": 9 * 10**9}, "parameters", 9 * 10**9),
        ({"quantization": "awq", "weightBits": 4}, "weight_bits", 4),
        ({"quantization": "awq", "weightBits": 4}, "quantization", "awq"),
        ({"tokenizer": "sha256:1"}, "tokenizer", "sha256:1"),
        ({"tiedEmbeddings": True}, "tied_embeddings", True),
        ({"headDim": 64}, "head_dim", 64),
        ({"kvHeads": None}, "kv_heads", 32),
        ({"architecture": None}, "architecture", ""),
        ({"architecture": "LlamaForCausalLMEagle3", "layers": 1}, "eagle_head", True),
    ],
)
def test_a_field_decides_one_fact(changes: dict[str, Any], field: str, expected: object) -> None:
    assert getattr(from_facts("org/model", facts(**changes)), field) == expected


def test_more_kv_heads_than_heads_are_refused_in_the_fields_names() -> None:
    with pytest.raises(UnreadableConfig, match="kvHeads 64 above attentionHeads 32"):
        from_facts("org/model", facts(kvHeads=64))


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": 0},
        {"hiddenSize": -1},
        {"layers": 10**9},
        {"weightBits": 64},
        {"vocabularySize": 1.5},
        {"modelType": ""},
    ],
)
def test_figures_of_no_model_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        facts(**changes)
