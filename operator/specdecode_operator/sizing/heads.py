"""EAGLE heads: one layer beside a target, whose embedding it shares."""

from dataclasses import replace
from typing import Final

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.sizing.config_json import from_config
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.parameters import EAGLE3_STATES, EAGLE_STATES, Shape, total_parameters

__all__ = ["EAGLE_METHODS", "as_head", "eagle3_head"]

EAGLE_METHODS: Final = {Method.EAGLE: (EAGLE_STATES, "Eagle"), Method.EAGLE3: (EAGLE3_STATES, "Eagle3")}
"""Hidden states that a method's heads join, and the word that vLLM puts before their architecture."""

_HEAD_VOCABULARY: Final = 32000


def as_head(facts: ModelFacts, method: Method) -> ModelFacts:
    """Return `facts` as the head that vLLM makes of them for `method`.

    Many published heads have the architecture of a whole model in their `config.json`; vLLM puts `Eagle` or `Eagle3`
    before it (`vllm/transformers_utils/configs/eagle.py` 0.33.0), and shares embedding and output layer.
    """
    if facts.eagle_head or method not in EAGLE_METHODS:
        return facts
    states, prefix = EAGLE_METHODS[method]
    shape = Shape(
        model_type=facts.model_type,
        layers=facts.layers,
        hidden=facts.hidden_size,
        intermediate=facts.intermediate_size,
        heads=facts.attention_heads,
        kv_heads=facts.kv_heads,
        head_dim=facts.head_dim,
        vocabulary=facts.vocabulary_size,
        joined_states=states,
    )
    return replace(facts, architecture=f"{prefix}{facts.architecture}", parameters=total_parameters(shape))


def eagle3_head(target: ModelFacts, name: str) -> ModelFacts:
    """Return the usual EAGLE-3 head for `target`: one layer of its widths, and 32,000 tokens that it can propose.

    A stand-in where a head's own `config.json` is not known. Heads are dense: for a mixture of experts the width is
    what one token passes through. Source: `config.json` in vllm-project/speculators pull request 53.
    """
    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLMEagle3"],
        "num_hidden_layers": 1,
        "hidden_size": target.hidden_size,
        "intermediate_size": target.intermediate_size * max(1, target.experts_per_token),
        "num_attention_heads": target.attention_heads,
        "num_key_value_heads": target.kv_heads,
        "head_dim": target.head_dim,
        "vocab_size": target.vocabulary_size,
        "draft_vocab_size": min(_HEAD_VOCABULARY, target.vocabulary_size),
        "max_position_embeddings": target.context_length,
    }
    return replace(from_config(name, config), source="the usual shape of an EAGLE-3 head for this target")
