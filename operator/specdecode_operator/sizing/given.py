"""Facts that the user gives in the resource."""

from dataclasses import replace
from typing import Any, Final

from specdecode_operator.api.v1alpha1 import Facts
from specdecode_operator.sizing.config_json import from_config
from specdecode_operator.sizing.errors import UnreadableConfig
from specdecode_operator.sizing.facts import ModelFacts

__all__ = ["from_facts"]

_KEYS: Final = {
    "model_type": "model_type",
    "hidden_size": "hidden_size",
    "layers": "num_hidden_layers",
    "attention_heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "head_dim": "head_dim",
    "intermediate_size": "intermediate_size",
    "vocabulary_size": "vocab_size",
    "context_length": "max_position_embeddings",
    "tied_embeddings": "tie_word_embeddings",
}
"""Fields of the API and the keys of `config.json` that they are named after."""


def from_facts(name: str, facts: Facts) -> ModelFacts:
    """Return the facts of model `name` as the user gives them; parameters are counted where they are left out.

    Raises:
        UnreadableConfig: more KV heads than attention heads.

    """
    config: dict[str, Any] = {key: getattr(facts, field) for field, key in _KEYS.items()}
    config["architectures"] = [facts.architecture or ""]
    try:
        read = from_config(name, config, tokenizer=facts.tokenizer)
    except UnreadableConfig:
        raise UnreadableConfig(
            f"facts of {name} have kvHeads {facts.kv_heads} above attentionHeads {facts.attention_heads}; keys are"
            " shared by heads, never the other way round"
        ) from None
    return replace(
        read,
        parameters=facts.parameters or read.parameters,
        quantization=facts.quantization,
        weight_bits=float(facts.weight_bits),
        source="facts of the resource",
    )
