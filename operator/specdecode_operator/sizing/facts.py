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
    """All parameters, embeddings included; of an EAGLE head only what it does not share with its target."""
    vocabulary_size: int
    """`vocab_size`, padding included: what vLLM compares."""
    context_length: int
    """`max_position_embeddings`, in tokens."""
    layers: int
    hidden_size: int
    intermediate_size: int
    """Width of one feed-forward block; of one expert in mixtures of experts."""
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
    experts: int = 0
    """Routed experts a layer; 0 for dense models."""
    experts_per_token: int = 0
    """Routed experts that one token passes through."""
    kv_layers: int | None = None
    """Layers that keep keys and values, where linear-attention layers keep none; None for all."""
    draft_vocabulary_size: int | None = None
    """Tokens that an EAGLE-3 head can propose with an output layer of its own; None where it shares the target's."""

    @property
    def eagle_head(self) -> bool:
        """Whether this is an EAGLE head, which runs only beside the target it was made for.

        Known by its architecture or its draft vocabulary; a head without either looks like a small model.
        """
        return "eagle" in self.architecture.lower() or self.draft_vocabulary_size is not None

    @property
    def embedding_parameters(self) -> int:
        """Parameters of the input embedding and of the output layer, which weight quantization leaves at 16 bits."""
        if self.eagle_head:
            return (self.draft_vocabulary_size or 0) * self.hidden_size
        return self.vocabulary_size * self.hidden_size * (1 if self.tied_embeddings else 2)
