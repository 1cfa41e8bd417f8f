"""Llama checkpoints that hold a bigram table, with as many idle layers as a step should cost."""

from dataclasses import dataclass

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from devcluster.models.domains import SPECIAL_TOKENS, VOCABULARY_SIZE

HIDDEN_SIZE = VOCABULARY_SIZE
"""One dimension a token, so that any bigram table fits exactly."""
CONTEXT_LENGTH = 2048


@dataclass(frozen=True)
class Shape:
    """The dimensions that decide what a step of a model costs.

    A layer is small on purpose: its cost is then the engine's own work on a layer, nearly the same for one
    token and for the 20 that the target verifies when four requests are drafted for.
    """

    layers: int
    intermediate: int = 128
    heads: int = 2
    key_value_heads: int = 1
    head_size: int = 32


def make_model(shape: Shape, table: torch.Tensor) -> LlamaForCausalLM:
    """Make a model whose logits are the rows of `table`, ln P(next token | token).

    A token's embedding is an axis of its own, which the final RMSNorm scales to the length sqrt(HIDDEN_SIZE),
    and the head maps it to the token's row. Layers whose `o_proj` and `down_proj` are zero add
    nothing to the residual stream, yet the engine computes them in full. The other weights of the layers are random.
    """
    model = LlamaForCausalLM(_config(shape))  # type: ignore[no-untyped-call]
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(torch.eye(VOCABULARY_SIZE, HIDDEN_SIZE))
        model.lm_head.weight.copy_(table.T / HIDDEN_SIZE**0.5)
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    return model


def _config(shape: Shape) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=VOCABULARY_SIZE,
        hidden_size=HIDDEN_SIZE,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_value_heads,
        head_dim=shape.head_size,
        max_position_embeddings=CONTEXT_LENGTH,
        bos_token_id=SPECIAL_TOKENS.index("<s>"),
        eos_token_id=SPECIAL_TOKENS.index("</s>"),
        pad_token_id=SPECIAL_TOKENS.index("<pad>"),
        tie_word_embeddings=False,
        dtype="float32",
    )
