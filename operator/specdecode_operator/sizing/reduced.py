"""The part of a `config.json` that facts come from: a few hundred bytes in place of many thousand."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from specdecode_operator.api.v1alpha1 import ModelFound
from specdecode_operator.sizing.config_json import (
    EXPERT_KEYS,
    EXPERTS_USED_KEYS,
    MTP_KEYS,
    first_architecture,
    flattened,
    from_config,
)
from specdecode_operator.sizing.errors import UnreadableConfig
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.quantized import BIT_KEYS, checkpoint_quantization

__all__ = ["facts_found", "reduced"]

_KEYS: Final = (
    "model_type",
    "num_hidden_layers",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
    "draft_vocab_size",
    "max_position_embeddings",
    "tie_word_embeddings",
    "moe_intermediate_size",
    "shared_expert_intermediate_size",
    "n_shared_experts",
    "first_k_dense_replace",
    "kv_lora_rank",
    "qk_rope_head_dim",
    "qk_nope_head_dim",
    "v_head_dim",
    "q_lora_rank",
    "full_attention_interval",
    *EXPERT_KEYS,
    *EXPERTS_USED_KEYS,
    *MTP_KEYS,
)
_QUANTIZATION_KEYS: Final = ("quant_method", "quant_algo", "load_in_4bit", *BIT_KEYS)
_LINEAR: Final = "linear_attention"


def reduced(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `from_config` reads of `config`, of which it makes the same facts."""
    flat = flattened(config)
    kept = _scalars(flat, _KEYS) | {"architectures": [first_architecture(config)]}
    if quantization := _quantization(flat):
        kept["quantization_config"] = quantization
    types = flat.get("layer_types")
    if isinstance(types, list):
        kept["layer_types"] = [kind if kind == _LINEAR else "" for kind in types]
    return kept


def facts_found(models: Iterable[ModelFound]) -> dict[str, ModelFacts]:
    """Return the facts of `models` by name; one whose figures cannot be read is left out."""
    known = ((model.name, _facts(model)) for model in models)
    return {name: facts for name, facts in known if facts is not None}


def _facts(model: ModelFound) -> ModelFacts | None:
    try:
        return from_config(model.name, json.loads(model.config), tokenizer=model.tokenizer)
    except (UnreadableConfig, ValueError, RecursionError):
        return None


def _scalars(section: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: section[key] for key in keys if isinstance(section.get(key), str | int | float)}


def _quantization(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section without the lists of layers that quantizers write into it."""
    section = flat.get("quantization_config", flat.get("compression_config"))
    if not isinstance(section, Mapping):
        return {}
    kept, (_, bits) = _scalars(section, _QUANTIZATION_KEYS), checkpoint_quantization(flat)
    if isinstance(section.get("config_groups"), Mapping):
        kept["config_groups"] = {"all": {"weights": {"num_bits": round(bits)}}}
    return kept
