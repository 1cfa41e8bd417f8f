"""A model's facts from the `config.json` of its repository."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from specdecode_operator.sizing.errors import UnreadableConfig
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.parameters import (
    EAGLE3_STATES,
    EAGLE_STATES,
    Experts,
    Latent,
    Shape,
    active_parameters,
    total_parameters,
)
from specdecode_operator.sizing.quantized import checkpoint_quantization

__all__ = [
    "EXPERTS_USED_KEYS",
    "EXPERT_KEYS",
    "MTP_KEYS",
    "first_architecture",
    "flattened",
    "from_config",
]

_NESTED: Final = ("text_config", "llm_config", "transformer_layer_config")
"""Where multimodal models, and EAGLE heads in the format of `speculators`, keep the language model's keys."""

_MOST: Final[Mapping[str, int]] = {
    "vocab_size": 2**24,
    "draft_vocab_size": 2**24,
    "max_position_embeddings": 2**30,
    "hidden_size": 2**20,
    "intermediate_size": 2**22,
    "moe_intermediate_size": 2**22,
    "num_hidden_layers": 2**12,
}
_MOST_OTHERWISE: Final = 2**16

_GEMMA3: Final = {
    "vocab_size": 262208,
    "max_position_embeddings": 131072,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
}
_DEFAULTS: Final[Mapping[str, Mapping[str, int]]] = {
    "gemma3": _GEMMA3,
    "gemma3_text": _GEMMA3,
    "mixtral": {"num_local_experts": 8, "num_experts_per_tok": 2},
    "gemma2": {"head_dim": 256},
}
"""What `transformers` assumes where the file says nothing (`configuration_<type>.py`)."""

_TIED: Final = frozenset({"gemma", "gemma2", "gemma3", "gemma3_text", "cohere", "cohere2"})
"""Types whose `tie_word_embeddings` is true where the file says nothing."""

EXPERT_KEYS: Final = ("num_local_experts", "num_experts", "n_routed_experts")
EXPERTS_USED_KEYS: Final = ("num_experts_per_tok", "experts_per_token", "num_experts_per_token")
MTP_KEYS: Final = ("num_nextn_predict_layers", "mtp_num_hidden_layers", "mtp_num_layers")


@dataclass(frozen=True)
class _Keys:
    """The keys of one model, checked as they are read."""

    model: str
    config: Mapping[str, Any]
    defaults: Mapping[str, int]

    def count(self, key: str, otherwise: int | None = None) -> int:
        """Return the positive integer at `key`; without `otherwise` it must be there."""
        value = self.config.get(key)
        if value is None:
            value = self.defaults.get(key, otherwise)
        if value is None:
            raise UnreadableConfig(f"config.json of {self.model} has no {key}, so its size cannot be told; give facts")
        most = _MOST.get(key, _MOST_OTHERWISE)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise UnreadableConfig(
                f"config.json of {self.model} has {key} {_shown(value)}; it must be a whole number from 1 to {most}"
            )
        return value

    def optional(self, *keys: str) -> int:
        """Return the first of `keys` that is there and above 0, else 0."""
        present = (key for key in keys if self.config.get(key) or key in self.defaults)
        return next((self.count(key) for key in present), 0)


def from_config(name: str, config: Mapping[str, Any], *, tokenizer: str | None = None) -> ModelFacts:
    """Return the facts of model `name` from its parsed `config.json`; `tokenizer` is the digest of `tokenizer.json`.

    Reads decoder-only models of the shapes that vLLM serves: dense, mixture of experts, multi-head latent attention,
    linear-attention hybrids, multimodal files with a `text_config`, and EAGLE heads. Towers for images are not counted.

    Raises:
        UnreadableConfig: a needed key is missing or is no positive whole number of a model's size.

    """
    if not isinstance(config, Mapping):
        raise UnreadableConfig(f"config.json of {name} is {_shown(config)}; it must be a JSON object")
    flat = flattened(config)
    model_type = flat["model_type"] if isinstance(flat.get("model_type"), str) else ""
    keys = _Keys(name, flat, _DEFAULTS.get(model_type, {}))
    shape = _shape(keys, model_type, first_architecture(config))
    return _facts(keys, shape, first_architecture(config), tokenizer)


def flattened(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of the language model over those of the whole, where a file has both."""
    nested = next((part for key in _NESTED if isinstance(part := config.get(key), Mapping)), {})
    return {**config, **{key: value for key, value in nested.items() if value is not None}}


def first_architecture(config: Mapping[str, Any]) -> str:
    """Return the first of `architectures`, or nothing where there is none."""
    listed = config.get("architectures")
    first = listed[0] if isinstance(listed, list) and listed else ""
    return first if isinstance(first, str) else ""


def _shape(keys: _Keys, model_type: str, architecture: str) -> Shape:
    heads, hidden = keys.count("num_attention_heads"), keys.count("hidden_size")
    tied = keys.config.get("tie_word_embeddings")
    return Shape(
        model_type=model_type,
        layers=keys.count("num_hidden_layers"),
        hidden=hidden,
        intermediate=keys.count("intermediate_size", keys.optional("moe_intermediate_size") or None),
        heads=heads,
        kv_heads=_kv_heads(keys, heads),
        head_dim=keys.count("head_dim", max(1, hidden // heads)),
        vocabulary=keys.count("vocab_size"),
        tied=tied if isinstance(tied, bool) else model_type in _TIED,
        latent=_latent(keys),
        joined_states=_joined_states(keys, architecture),
        draft_vocabulary=keys.optional("draft_vocab_size"),
        experts=_experts(keys),
    )


def _kv_heads(keys: _Keys, heads: int) -> int:
    kv_heads = keys.count("num_key_value_heads", heads)
    if kv_heads > heads:
        raise UnreadableConfig(
            f"config.json of {keys.model} has num_key_value_heads {kv_heads} above num_attention_heads {heads};"
            " keys are shared by heads, never the other way round"
        )
    return kv_heads


def _experts(keys: _Keys) -> Experts | None:
    count = keys.optional(*EXPERT_KEYS)
    if not count:
        return None
    width = keys.optional("moe_intermediate_size") or keys.count("intermediate_size")
    return Experts(
        count=count,
        per_token=min(count, keys.optional(*EXPERTS_USED_KEYS) or 1),
        width=width,
        shared_width=keys.optional("shared_expert_intermediate_size") or width * keys.optional("n_shared_experts"),
        dense_layers=min(keys.optional("first_k_dense_replace"), keys.count("num_hidden_layers")),
    )


def _latent(keys: _Keys) -> Latent | None:
    if keys.config.get("kv_lora_rank") is None:
        return None
    return Latent(
        kv_rank=keys.count("kv_lora_rank"),
        rope_dim=keys.count("qk_rope_head_dim"),
        nope_dim=keys.count("qk_nope_head_dim"),
        value_dim=keys.count("v_head_dim"),
        query_rank=keys.optional("q_lora_rank") or None,
    )


def _joined_states(keys: _Keys, architecture: str) -> int:
    """A vocabulary of its own makes a head of EAGLE-3, whatever its architecture says."""
    lowered = architecture.lower()
    if "eagle3" in lowered or keys.optional("draft_vocab_size"):
        return EAGLE3_STATES
    return EAGLE_STATES if "eagle" in lowered else 0


def _facts(keys: _Keys, shape: Shape, architecture: str, tokenizer: str | None) -> ModelFacts:
    quantization, bits = checkpoint_quantization(keys.config)
    return ModelFacts(
        **_measures(shape),
        name=keys.model,
        architecture=architecture,
        context_length=keys.count("max_position_embeddings"),
        mtp_layers=keys.optional(*MTP_KEYS),
        quantization=quantization,
        weight_bits=bits,
        tokenizer=tokenizer,
        source="config.json",
        kv_layers=_kv_layers(keys, shape.layers),
    )


def _measures(shape: Shape) -> dict[str, Any]:
    """What the facts take from the shape alone."""
    experts, latent = shape.experts, shape.latent
    return {
        "model_type": shape.model_type,
        "parameters": total_parameters(shape),
        "active_parameters": active_parameters(shape),
        "vocabulary_size": shape.vocabulary,
        "draft_vocabulary_size": shape.draft_vocabulary or None,
        "layers": shape.layers,
        "hidden_size": shape.hidden,
        "intermediate_size": experts.width if experts else shape.intermediate,
        "attention_heads": shape.heads,
        "kv_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "tied_embeddings": shape.tied,
        "latent_kv_dim": latent.kv_rank + latent.rope_dim if latent else None,
        "experts": experts.count if experts else 0,
        "experts_per_token": experts.per_token if experts else 0,
    }


def _kv_layers(keys: _Keys, layers: int) -> int | None:
    """Count the layers that are not linear attention, by `layer_types` or, in Qwen3-Next, by their interval."""
    types: object = keys.config.get("layer_types")
    if isinstance(types, list) and len(types) == layers:
        full = sum(1 for kind in types if kind != "linear_attention")
        return full if full < layers else None
    interval = keys.optional("full_attention_interval")
    return max(1, layers // interval) if interval > 1 else None


def _shown(value: object) -> str:
    """Return `value` short enough for a sentence; whole containers are named by their type."""
    if isinstance(value, (str, float, int, bool)) or value is None:
        return repr(value)[:40] if not isinstance(value, int) or abs(value) < 2**64 else "a huge number"
    return f"a {type(value).__name__}"
