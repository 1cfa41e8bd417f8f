"""A config.json cut down to what facts come from: the same facts in a few hundred bytes."""

import json
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import ModelFound
from specdecode_operator.sizing import facts_found, from_config, reduced
from support.configs import LLAMA_8B as LLAMA

GROUPS = {"a": {"weights": {"num_bits": 4}, "targets": ["Linear"] * 200}, "b": {"weights": {"num_bits": 8}}}
LATENT = {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128}
TEXT = {"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34}
HYBRID = ["linear_attention", "linear_attention", "linear_attention", "full_attention"]

CONFIGS = {
    "dense": LLAMA,
    "with what nobody reads": LLAMA | {"rope_scaling": {"factor": 8.0}, "id2label": {str(n): n for n in range(10_000)}},
    "without what has a default": {key: value for key, value in LLAMA.items() if key != "num_key_value_heads"},
    "nulls": LLAMA | {"head_dim": None, "num_key_value_heads": None, "tie_word_embeddings": None},
    "no architecture": LLAMA | {"architectures": []},
    "tied by its type": LLAMA | {"model_type": "gemma2", "tie_word_embeddings": None},
    "fp8": LLAMA | {"quantization_config": {"quant_method": "fp8", "modules_to_not_convert": ["lm_head"] * 500}},
    "awq": LLAMA | {"quantization_config": {"quant_method": "awq", "w_bit": 4, "group_size": 128}},
    "bitsandbytes": LLAMA | {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
    "modelopt": LLAMA | {"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}},
    "modelopt of no known kind": LLAMA | {"quantization_config": {"quant_method": "modelopt", "quant_algo": ["?"]}},
    "groups": LLAMA | {"quantization_config": {"quant_method": "compressed-tensors", "config_groups": GROUPS}},
    "groups without bits": LLAMA | {"quantization_config": {"quant_method": "compressed-tensors", "config_groups": {}}},
    "compressed, by its older name": LLAMA | {"compression_config": {"quant_method": "compressed-tensors"}},
    "no quantization in the section": LLAMA | {"quantization_config": "fp8"},
    "mixture": LLAMA | {"num_local_experts": 8, "num_experts_per_tok": 2},
    "mixture of deepseek": LLAMA
    | LATENT
    | {
        "n_routed_experts": 256,
        "num_experts_per_tok": 8,
        "moe_intermediate_size": 2048,
        "n_shared_experts": 1,
        "first_k_dense_replace": 3,
        "q_lora_rank": 1536,
        "num_nextn_predict_layers": 1,
    },
    "mixture of qwen": LLAMA
    | {
        "num_experts": 60,
        "num_experts_per_tok": 4,
        "moe_intermediate_size": 1408,
        "shared_expert_intermediate_size": 5632,
    },
    "hybrid by its layers": LLAMA | {"layer_types": HYBRID * 8},
    "hybrid by its interval": LLAMA | {"full_attention_interval": 4},
    "sliding windows": LLAMA
    | {"layer_types": ["sliding_attention", "full_attention"] * 16, "full_attention_interval": 4},
    "multimodal": {"architectures": ["Gemma3ForConditionalGeneration"], "text_config": TEXT, "vision_config": {"x": 1}},
    "a head of EAGLE-3": LLAMA
    | {"architectures": ["LlamaForCausalLMEagle3"], "num_hidden_layers": 1, "draft_vocab_size": 32000},
    "a head of EAGLE": LLAMA | {"architectures": ["EagleLlamaForCausalLM"], "num_hidden_layers": 1},
    "a head of speculators": {
        "architectures": ["Eagle3Speculator"],
        "draft_vocab_size": 32000,
        "transformer_layer_config": LLAMA | {"num_hidden_layers": 1},
    },
}
EVERY = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())


@EVERY
def test_the_same_facts_come_of_it(config: dict[str, Any]) -> None:
    assert from_config("org/model", reduced(config)) == from_config("org/model", config)


@EVERY
def test_it_is_small_enough_for_two_in_a_last_word(config: dict[str, Any]) -> None:
    text = json.dumps(reduced(config), separators=(",", ":"))
    assert len(text) <= 1536
    assert ModelFound(name="org/model", config=text)


@EVERY
def test_what_is_reduced_cannot_be_reduced_further(config: dict[str, Any]) -> None:
    assert reduced(reduced(config)) == reduced(config)


def test_facts_are_read_back_with_their_tokenizer() -> None:
    found = facts_found([ModelFound(name="org/model", config=json.dumps(reduced(LLAMA)), tokenizer="ab12")])
    assert found == {"org/model": from_config("org/model", LLAMA, tokenizer="ab12")}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"hidden_size": -1}', "[" * 1500, "1e999", '"config"'])
def test_figures_that_cannot_be_read_are_no_facts(text: str) -> None:
    assert facts_found([ModelFound(name="org/model", config=text)]) == {}
