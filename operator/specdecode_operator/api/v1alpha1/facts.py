"""What a user says of a model that the operator cannot look up."""

from typing import Annotated

from pydantic import Field

from specdecode_operator.api.v1alpha1.base import ApiModel

__all__ = ["Facts"]

_Heads = Annotated[int, Field(ge=1, le=65536)]
_Width = Annotated[int, Field(ge=1, le=4194304)]


class Facts(ApiModel):
    """Figures of a model's `config.json`, for checks before pods are made; they change nothing that the pods run."""

    model_type: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9._-]+$")]
    """`model_type`, such as `llama` or `qwen2`: the family."""
    architecture: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_]+$")] | None = None
    """First of `architectures`, such as `LlamaForCausalLM`; EAGLE heads are recognised by it."""
    hidden_size: _Width
    """`hidden_size`."""
    layers: Annotated[int, Field(ge=1, le=4096)]
    """`num_hidden_layers`."""
    attention_heads: _Heads
    """`num_attention_heads`."""
    kv_heads: _Heads | None = None
    """`num_key_value_heads`; `attentionHeads` when left out."""
    head_dim: Annotated[int, Field(ge=1, le=65536)] | None = None
    """`head_dim`; `hiddenSize / attentionHeads` when left out."""
    intermediate_size: _Width
    """`intermediate_size`; of one expert in mixtures of experts (`moe_intermediate_size`)."""
    vocabulary_size: Annotated[int, Field(ge=1, le=16777216)]
    """`vocab_size`, padding included: what vLLM compares between target and draft."""
    context_length: Annotated[int, Field(ge=1, le=1073741824)]
    """`max_position_embeddings`, in tokens."""
    parameters: Annotated[int, Field(ge=1, le=100000000000000)] | None = None
    """All parameters; counted from the other figures when left out, which is wrong for mixtures of experts."""
    tied_embeddings: bool = False
    """`tie_word_embeddings`."""
    quantization: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9_-]+$")] | None = None
    """`quantization_config.quant_method`, for weights that are already quantized."""
    weight_bits: Annotated[int, Field(ge=1, le=32)] = 16
    """Bits a weight in the checkpoint."""
    tokenizer: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9:._-]+$")] | None = None
    """SHA-256 of `tokenizer.json`; target and draft must have the same, or token ids mean different words."""
