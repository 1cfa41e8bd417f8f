"""Facts from config.json: every family's keys, and every file that is none."""

from typing import Any

import pytest

from specdecode_operator.sizing import ModelFacts, UnreadableConfig, from_config
from support.configs import LLAMA_8B

NEEDED = ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "max_position_embeddings")


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in LLAMA_8B.items() if name != key}


def facts(**changes: Any) -> ModelFacts:
    return from_config("org/model", LLAMA_8B | changes)


def test_a_dense_model_is_read_whole() -> None:
    assert from_config("org/model", LLAMA_8B, tokenizer="sha256:1") == ModelFacts(
        name="org/model",
        model_type="llama",
        architecture="LlamaForCausalLM",
        parameters=8_030_261_248,
        vocabulary_size=128256,
        context_length=131072,
        layers=32,
        hidden_size=4096,
        intermediate_size=14336,
        attention_heads=32,
        kv_heads=8,
        head_dim=128,
        tokenizer="sha256:1",
        source="config.json",
    )


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"num_key_value_heads": None}, "kv_heads", 32),
        ({"head_dim": 64}, "head_dim", 64),
        ({"head_dim": None}, "head_dim", 128),
        ({"architectures": []}, "architecture", ""),
        ({"architectures": "LlamaForCausalLM"}, "architecture", ""),
        ({"model_type": 3}, "model_type", ""),
        ({"model_type": "gemma2", "tie_word_embeddings": None}, "tied_embeddings", True),
        ({"model_type": "gemma2", "tie_word_embeddings": False}, "tied_embeddings", False),
        ({"tie_word_embeddings": None}, "tied_embeddings", False),
        ({"num_nextn_predict_layers": 1}, "mtp_layers", 1),
        ({"mtp_num_hidden_layers": 2}, "mtp_layers", 2),
        ({"layer_types": ["full_attention", "linear_attention"] * 16}, "kv_layers", 16),
        ({"layer_types": ["sliding_attention", "full_attention"] * 16}, "kv_layers", None),
        ({"layer_types": ["linear_attention"]}, "kv_layers", None),
        ({"full_attention_interval": 4}, "kv_layers", 8),
        ({"full_attention_interval": 1}, "kv_layers", None),
        ({"num_experts": 0}, "experts", 0),
        ({"model_type": "mixtral"}, "experts", 8),
        ({"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 16}, "experts_per_token", 4),
        ({"num_experts": 64, "moe_intermediate_size": 768}, "intermediate_size", 768),
    ],
)
def test_a_key_decides_one_fact(changes: dict[str, Any], field: str, expected: object) -> None:
    assert getattr(facts(**changes), field) == expected


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (None, (None, 16)),
        ("fp8", (None, 16)),
        ({}, (None, 16)),
        ({"quant_method": ""}, (None, 16)),
        ({"quant_method": "fp8", "activation_scheme": "dynamic"}, ("fp8", 8)),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, ("awq", 4)),
        ({"quant_method": "awq", "w_bit": 4}, ("awq", 4)),
        ({"quant_method": "gptq", "bits": 8}, ("gptq", 8)),
        ({"quant_method": "mxfp4"}, ("mxfp4", 4)),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, ("modelopt", 4)),
        ({"quant_method": "modelopt", "quant_algo": ["?"]}, ("modelopt", 16)),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, ("bitsandbytes", 4)),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, ("bitsandbytes", 8)),
        ({"quant_method": "of-tomorrow"}, ("of-tomorrow", 16)),
        ({"quant_method": "gptq", "bits": True}, ("gptq", 16)),
        ({"quant_method": "gptq", "bits": -4}, ("gptq", 16)),
        ({"quant_method": "compressed-tensors"}, ("compressed-tensors", 16)),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 4}}}},
            ("compressed-tensors", 4),
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"a": {"weights": {"num_bits": 4}}, "b": {"weights": {"num_bits": 8}}},
            },
            ("compressed-tensors", 8),
        ),
        ({"quant_method": "compressed-tensors", "config_groups": {"a": {"weights": None}, "b": 3}}, None),
    ],
)
def test_the_checkpoint_says_how_it_is_quantized(section: object, expected: tuple[str | None, float] | None) -> None:
    read = facts(quantization_config=section)
    assert (read.quantization, read.weight_bits) == (expected or ("compressed-tensors", 16))


def test_a_multimodal_file_is_read_by_its_text_config() -> None:
    text = {"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34}
    read = from_config("google/gemma", {"architectures": ["Gemma3ForConditionalGeneration"], "text_config": text})
    assert (read.model_type, read.attention_heads, read.kv_heads, read.head_dim) == ("gemma3_text", 8, 4, 256)
    assert (read.vocabulary_size, read.context_length, read.tied_embeddings) == (262208, 131072, True)


def test_latent_attention_is_one_vector_a_token() -> None:
    latent = {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128}
    assert facts(**latent, q_lora_rank=None).latent_kv_dim == 576
    assert facts(**latent, q_lora_rank=1536).parameters != facts(**latent).parameters


class TestEagleHeads:
    def test_an_eagle3_head_counts_what_it_does_not_share(self) -> None:
        head = facts(architectures=["LlamaForCausalLMEagle3"], num_hidden_layers=1, draft_vocab_size=32000)
        assert (head.eagle_head, head.parameters, head.draft_vocabulary_size) == (True, 424_689_664, 32000)

    def test_without_a_vocabulary_of_its_own_it_shares_the_output_layer(self) -> None:
        head = facts(architectures=["LlamaForCausalLMEagle3"], num_hidden_layers=1)
        assert head.parameters * 2 / 2**30 == pytest.approx(0.547, abs=0.001)

    def test_a_vocabulary_of_its_own_makes_a_head_of_a_plain_architecture(self) -> None:
        head = facts(num_hidden_layers=1, draft_vocab_size=32000)
        assert (head.eagle_head, head.parameters, head.architecture) == (True, 424_689_664, "LlamaForCausalLM")

    def test_an_eagle_head_joins_two_states(self) -> None:
        head = facts(architectures=["EagleLlamaForCausalLM"], num_hidden_layers=1)
        assert head.parameters == 2 * 4096**2 + 4096**2 * 2 + 2 * 4096 * 1024 + 3 * 4096 * 14336 + 2 * 4096

    def test_the_format_of_speculators_keeps_the_layer_apart(self) -> None:
        layer = without("architectures") | {"num_hidden_layers": 1}
        wrapped = {"architectures": ["Eagle3Speculator"], "draft_vocab_size": 32000, "transformer_layer_config": layer}
        assert from_config("org/head", wrapped).parameters == 424_689_664


class TestWhatIsNoModel:
    @pytest.mark.parametrize("key", NEEDED)
    def test_a_missing_key_is_named(self, key: str) -> None:
        with pytest.raises(UnreadableConfig, match=rf"config\.json of org/model has no {key}\b"):
            from_config("org/model", without(key))

    @pytest.mark.parametrize("key", [*NEEDED, "intermediate_size", "num_key_value_heads", "head_dim"])
    @pytest.mark.parametrize("value", [0, -1, 1.5, 4096.0, True, "4096", [4096], {}, 10**400, float("nan")])
    def test_an_absurd_value_is_named(self, key: str, value: object) -> None:
        with pytest.raises(UnreadableConfig, match=rf"has {key} .*must be a whole number from 1 to"):
            from_config("org/model", LLAMA_8B | {key: value})

    def test_more_key_heads_than_heads_are_refused(self) -> None:
        with pytest.raises(UnreadableConfig, match="num_key_value_heads 64 above num_attention_heads 32"):
            facts(num_key_value_heads=64)

    @pytest.mark.parametrize("body", [[], "config", 3, None])
    def test_what_is_no_object_is_refused(self, body: Any) -> None:
        with pytest.raises(UnreadableConfig, match="must be a JSON object"):
            from_config("org/model", body)

    def test_the_sentence_stays_short(self) -> None:
        with pytest.raises(UnreadableConfig) as caught:
            facts(hidden_size="9" * 10**6)
        assert len(str(caught.value)) < 200
