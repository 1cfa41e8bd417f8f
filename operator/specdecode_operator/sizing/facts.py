"""What is known of a model: the figures of its `config.json`."""

from dataclasses import dataclass

__all__ = ["ModelFacts"]


@dataclass(frozen=True)
class ModelFacts:
    """Shape of one model; counts unless said otherwise."""

    name: str
    """Hub name."""
    model_type: str
    """Family, as `model_type` in `config.json`: `llama`, `qwen2`."""
    architecture: str
    """First of `architectures` in `config.json`."""
    parameters: int
    """All parameters, embeddings included."""
    vocabulary_size: int
    """`vocab_size`, padding included: what vLLM compares."""
    context_length: int
    """`max_position_embeddings`, in tokens."""
    layers: int
    hidden_size: int
    intermediate_size: int
    attention_heads: int
    kv_heads: int
    head_dim: int
    tied_embeddings: bool = False
    """Whether the output layer reuses the input embedding."""
    latent_kv_dim: int | None = None
    """Values a token and layer of multi-head latent attention (`kv_lora_rank` + `qk_rope_head_dim`)."""
    active_parameters: int | None = None
    """Parameters that one token uses, for mixtures of experts."""
    mtp_layers: int = 0
    """Multi-token prediction layers in the checkpoint."""
    quantization: str | None = None
    """`quant_method` of the checkpoint; None for plain weights."""
    weight_bits: float = 16
    """Bits a weight in the checkpoint."""
    tokenizer: str | None = None
    """Digest of `tokenizer.json`, or None where it is not known."""
    source: str = ""
    """Where the figures are from."""
