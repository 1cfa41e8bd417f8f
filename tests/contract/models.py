"""Tiny models without weights: what vLLM reads of a model before it loads it is `config.json`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from specdecode_operator.sizing import ModelFacts

__all__ = ["CONFIGS", "facts", "write"]

_LLAMA: Final[Mapping[str, Any]] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "dtype": "bfloat16",
    "hidden_act": "silu",
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_attention_heads": 8,
    "num_key_value_heads": 8,
    "num_hidden_layers": 4,
    "max_position_embeddings": 8192,
    "rms_norm_eps": 1e-5,
    "vocab_size": 512,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_MIXTURE: Final = {
    "architectures": ["Glm4MoeForCausalLM"],
    "model_type": "glm4_moe",
    "moe_intermediate_size": 128,
    "n_routed_experts": 4,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "first_k_dense_replace": 1,
    "n_group": 1,
    "topk_group": 1,
    "head_dim": 32,
    "partial_rotary_factor": 0.5,
}
_FP8: Final = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}
_AWQ: Final = {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True, "version": "gemm"}
_GPTQ: Final = {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False, "sym": True}

CONFIGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "target": _LLAMA,
    "target-fp8": {**_LLAMA, "quantization_config": _FP8},
    "target-awq": {**_LLAMA, "quantization_config": _AWQ},
    "target-gptq": {**_LLAMA, "quantization_config": _GPTQ},
    "mtp": {**_LLAMA, **_MIXTURE, "num_nextn_predict_layers": 1},
    "mtp-2": {**_LLAMA, **_MIXTURE, "num_nextn_predict_layers": 2},
    "draft": {**_LLAMA, "num_hidden_layers": 2},
    "draft-awq": {**_LLAMA, "num_hidden_layers": 2, "quantization_config": _AWQ},
    "draft-narrow": {**_LLAMA, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2},
    "draft-short": {**_LLAMA, "num_hidden_layers": 2, "max_position_embeddings": 1024},
    "draft-vocabulary": {**_LLAMA, "num_hidden_layers": 2, "vocab_size": 500},
    "eagle": {**_LLAMA, "num_hidden_layers": 1},
    "eagle3": {**_LLAMA, "architectures": ["LlamaForCausalLMEagle3"], "num_hidden_layers": 1, "draft_vocab_size": 256},
}
"""By folder; the shapes are small, the keys are those of models on the hub."""


def write(folder: Path) -> None:
    """Write one folder a model below `folder`."""
    for name, config in CONFIGS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "config.json").write_text(json.dumps(config, indent=2))


def facts(name: str) -> ModelFacts:
    """Return what pre-flight knows of a model."""
    config = CONFIGS[name]
    quantization = config.get("quantization_config", {})
    return ModelFacts(
        name=name,
        model_type=config["model_type"],
        architecture=config["architectures"][0],
        parameters=config["num_hidden_layers"] * 1_000_000,
        vocabulary_size=config["vocab_size"],
        context_length=config["max_position_embeddings"],
        layers=config["num_hidden_layers"],
        hidden_size=config["hidden_size"],
        intermediate_size=config["intermediate_size"],
        attention_heads=config["num_attention_heads"],
        kv_heads=config["num_key_value_heads"],
        head_dim=config["hidden_size"] // config["num_attention_heads"],
        mtp_layers=config.get("num_nextn_predict_layers", 0),
        quantization=quantization.get("quant_method"),
        weight_bits=quantization.get("bits", 8 if quantization else 16),
        source="tests/contract/models.py",
    )
