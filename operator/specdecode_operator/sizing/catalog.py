"""Shapes of common models, and the drafts that are known to go with them. Data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from specdecode_operator.sizing.config_json import from_config
from specdecode_operator.sizing.facts import ModelFacts

__all__ = ["catalog_names", "find", "shape_name"]

_REMEMBERED: Final = "from memory, not checked against its config.json"
_LITGPT: Final = (
    "dimensions: litgpt 0.5.13 config.py and NVIDIA aiconfigurator-core 0.12 model_configs; context length and tied"
    f" embeddings {_REMEMBERED}"
)


@dataclass(frozen=True)
class _Family:
    """What the models of one family share."""

    model_type: str
    architecture: str
    vocabulary: int
    context: int
    source: str = _LITGPT
    rest: Mapping[str, Any] | None = None
    """Further keys of `config.json`."""


_LLAMA: Final = _Family("llama", "LlamaForCausalLM", 128256, 131072)
_QWEN25_SMALL: Final = _Family("qwen2", "Qwen2ForCausalLM", 151936, 32768)
_QWEN25_LARGE: Final = replace(_QWEN25_SMALL, vocabulary=152064)
_QWEN3: Final = _Family("qwen3", "Qwen3ForCausalLM", 151936, 40960)
_QWEN3_MOE: Final = replace(_QWEN3, model_type="qwen3_moe", architecture="Qwen3MoeForCausalLM")
_MISTRAL: Final = _Family("mistral", "MistralForCausalLM", 32768, 32768)
_MIXTRAL: Final = _Family("mixtral", "MixtralForCausalLM", 32000, 32768)
_PHI: Final = _Family("phi3", "Phi3ForCausalLM", 100352, 16384)
_GEMMA2: Final = _Family("gemma2", "Gemma2ForCausalLM", 256000, 8192)
_SMOLLM2: Final = _Family("llama", "LlamaForCausalLM", 49152, 8192)
_GPT_OSS: Final = _Family(
    "gpt_oss",
    "GptOssForCausalLM",
    201088,
    131072,
    f"dimensions: aiconfigurator-core 0.12 model_configs; context length and number format {_REMEMBERED}",
    {"quantization_config": {"quant_method": "mxfp4"}},
)
_DEEPSEEK_LATENT: Final = {
    "kv_lora_rank": 512,
    "q_lora_rank": 1536,
    "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128,
    "v_head_dim": 128,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 2048,
    "intermediate_size": 18432,
    "quantization_config": {"quant_method": "fp8"},
}
_DEEPSEEK: Final = _Family(
    "deepseek_v3",
    "DeepseekV3ForCausalLM",
    129280,
    163840,
    f"dimensions: aiconfigurator-core 0.12 model_configs; context length, ranks and dense layers {_REMEMBERED}",
    _DEEPSEEK_LATENT | {"n_routed_experts": 256, "first_k_dense_replace": 3, "num_nextn_predict_layers": 1},
)
_KIMI: Final = replace(
    _DEEPSEEK,
    model_type="kimi_k2",
    vocabulary=163840,
    context=131072,
    rest=_DEEPSEEK_LATENT | {"n_routed_experts": 384, "first_k_dense_replace": 1},
)
_EAGLE3: Final = _Family(
    "llama",
    "LlamaForCausalLMEagle3",
    128256,
    131072,
    "config.json shown in vllm-project/speculators pull request 53",
    {"draft_vocab_size": 32000},
)

_Row = tuple[_Family, int, int, int, int, int, int, bool]

# family, layers, hidden size, attention heads, KV heads, head dimension, feed-forward width, tied embeddings
_ROWS: Final[Mapping[str, _Row]] = {
    "meta-llama/Llama-3.2-1B-Instruct": (_LLAMA, 16, 2048, 32, 8, 64, 8192, True),
    "meta-llama/Llama-3.2-3B-Instruct": (_LLAMA, 28, 3072, 24, 8, 128, 8192, True),
    "meta-llama/Llama-3.1-8B-Instruct": (_LLAMA, 32, 4096, 32, 8, 128, 14336, False),
    "meta-llama/Llama-3.1-70B-Instruct": (_LLAMA, 80, 8192, 64, 8, 128, 28672, False),
    "meta-llama/Llama-3.1-405B-Instruct": (_LLAMA, 126, 16384, 128, 8, 128, 53248, False),
    "Qwen/Qwen2.5-0.5B-Instruct": (_QWEN25_SMALL, 24, 896, 14, 2, 64, 4864, True),
    "Qwen/Qwen2.5-1.5B-Instruct": (_QWEN25_SMALL, 28, 1536, 12, 2, 128, 8960, True),
    "Qwen/Qwen2.5-3B-Instruct": (_QWEN25_SMALL, 36, 2048, 16, 2, 128, 11008, True),
    "Qwen/Qwen2.5-7B-Instruct": (_QWEN25_LARGE, 28, 3584, 28, 4, 128, 18944, False),
    "Qwen/Qwen2.5-14B-Instruct": (_QWEN25_LARGE, 48, 5120, 40, 8, 128, 13824, False),
    "Qwen/Qwen2.5-32B-Instruct": (_QWEN25_LARGE, 64, 5120, 40, 8, 128, 27648, False),
    "Qwen/Qwen2.5-72B-Instruct": (_QWEN25_LARGE, 80, 8192, 64, 8, 128, 29568, False),
    "Qwen/Qwen3-0.6B": (_QWEN3, 28, 1024, 16, 8, 128, 3072, True),
    "Qwen/Qwen3-1.7B": (_QWEN3, 28, 2048, 16, 8, 128, 6144, True),
    "Qwen/Qwen3-4B": (_QWEN3, 36, 2560, 32, 8, 128, 9728, True),
    "Qwen/Qwen3-8B": (_QWEN3, 36, 4096, 32, 8, 128, 12288, False),
    "Qwen/Qwen3-14B": (_QWEN3, 40, 5120, 40, 8, 128, 17408, False),
    "Qwen/Qwen3-32B": (_QWEN3, 64, 5120, 64, 8, 128, 25600, False),
    "Qwen/Qwen3-30B-A3B": (_QWEN3_MOE, 48, 2048, 32, 4, 128, 6144, False),
    "Qwen/Qwen3-235B-A22B": (_QWEN3_MOE, 94, 4096, 64, 4, 128, 12288, False),
    "mistralai/Mistral-7B-Instruct-v0.3": (_MISTRAL, 32, 4096, 32, 8, 128, 14336, False),
    "mistralai/Mistral-Large-Instruct-2407": (_MISTRAL, 88, 12288, 96, 8, 128, 28672, False),
    "mistralai/Mixtral-8x7B-Instruct-v0.1": (_MIXTRAL, 32, 4096, 32, 8, 128, 14336, False),
    "mistralai/Mixtral-8x22B-Instruct-v0.1": (_MIXTRAL, 56, 6144, 48, 8, 128, 16384, False),
    "microsoft/phi-4": (_PHI, 40, 5120, 40, 10, 128, 17920, False),
    "microsoft/Phi-4-mini-instruct": (_PHI, 32, 3072, 24, 8, 128, 8192, True),
    "google/gemma-2-2b-it": (_GEMMA2, 26, 2304, 8, 4, 256, 9216, True),
    "google/gemma-2-9b-it": (_GEMMA2, 42, 3584, 16, 8, 256, 14336, True),
    "google/gemma-2-27b-it": (_GEMMA2, 46, 4608, 32, 16, 128, 36864, True),
    "HuggingFaceTB/SmolLM2-135M-Instruct": (_SMOLLM2, 30, 576, 9, 3, 64, 1536, True),
    "HuggingFaceTB/SmolLM2-1.7B-Instruct": (_SMOLLM2, 24, 2048, 32, 32, 64, 8192, True),
    "openai/gpt-oss-20b": (_GPT_OSS, 24, 2880, 64, 8, 64, 2880, False),
    "openai/gpt-oss-120b": (_GPT_OSS, 36, 2880, 64, 8, 64, 2880, False),
    "deepseek-ai/DeepSeek-V3": (_DEEPSEEK, 61, 7168, 128, 128, 128, 18432, False),
    "moonshotai/Kimi-K2-Instruct": (_KIMI, 61, 7168, 64, 64, 128, 18432, False),
    "RedHatAI/Llama-3.1-8B-Instruct-speculator.eagle3": (_EAGLE3, 1, 4096, 32, 8, 128, 14336, False),
}

# What single models have beyond their family.
_REST: Final[Mapping[str, Mapping[str, Any]]] = {
    "Qwen/Qwen3-30B-A3B": {"num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768},
    "Qwen/Qwen3-235B-A22B": {"num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 1536},
    "mistralai/Mistral-Large-Instruct-2407": {"max_position_embeddings": 131072},
    "mistralai/Mixtral-8x22B-Instruct-v0.1": {"vocab_size": 32768, "max_position_embeddings": 65536},
    "microsoft/Phi-4-mini-instruct": {"vocab_size": 200064, "max_position_embeddings": 131072},
    "openai/gpt-oss-20b": {"num_local_experts": 32, "num_experts_per_tok": 4},
    "openai/gpt-oss-120b": {"num_local_experts": 128, "num_experts_per_tok": 4},
}

_SAME_SHAPE: Final[Mapping[str, str]] = {
    "meta-llama/Llama-3.2-1B": "meta-llama/Llama-3.2-1B-Instruct",
    "meta-llama/Llama-3.2-3B": "meta-llama/Llama-3.2-3B-Instruct",
    "meta-llama/Llama-3.1-8B": "meta-llama/Llama-3.1-8B-Instruct",
    "meta-llama/Llama-3.1-70B": "meta-llama/Llama-3.1-70B-Instruct",
    "meta-llama/Llama-3.1-405B": "meta-llama/Llama-3.1-405B-Instruct",
    "meta-llama/Llama-3.3-70B-Instruct": "meta-llama/Llama-3.1-70B-Instruct",
    "deepseek-ai/DeepSeek-R1-Distill-Llama-8B": "meta-llama/Llama-3.1-8B-Instruct",
    "deepseek-ai/DeepSeek-R1-Distill-Llama-70B": "meta-llama/Llama-3.1-70B-Instruct",
    "nvidia/Llama-3.1-Nemotron-70B-Instruct-HF": "meta-llama/Llama-3.1-70B-Instruct",
    "deepseek-ai/DeepSeek-R1": "deepseek-ai/DeepSeek-V3",
    "mistralai/Mistral-7B-v0.3": "mistralai/Mistral-7B-Instruct-v0.3",
    "mistralai/Mixtral-8x7B-v0.1": "mistralai/Mixtral-8x7B-Instruct-v0.1",
    "google/gemma-2-2b": "google/gemma-2-2b-it",
    "google/gemma-2-9b": "google/gemma-2-9b-it",
    "google/gemma-2-27b": "google/gemma-2-27b-it",
    "HuggingFaceTB/SmolLM2-135M": "HuggingFaceTB/SmolLM2-135M-Instruct",
    "HuggingFaceTB/SmolLM2-1.7B": "HuggingFaceTB/SmolLM2-1.7B-Instruct",
}
"""Other names of the same shape, vocabulary and context: base models, fine-tunes and distillations."""

_BASE_CONTEXT: Final[Mapping[str, int]] = {
    "Qwen/Qwen2.5-0.5B": 32768,
    "Qwen/Qwen2.5-1.5B": 131072,
    "Qwen/Qwen2.5-3B": 32768,
    "Qwen/Qwen2.5-7B": 131072,
    "Qwen/Qwen2.5-14B": 131072,
    "Qwen/Qwen2.5-32B": 131072,
    "Qwen/Qwen2.5-72B": 131072,
}
"""Qwen2.5's base models: the shape of `-Instruct`, but often another context."""


def catalog_names() -> tuple[str, ...]:
    """Return every name that `find` knows, in the order of the tables."""
    return (*_ROWS, *_SAME_SHAPE, *_BASE_CONTEXT)


def find(name: str) -> ModelFacts | None:
    """Return the facts of the model called `name` on the hub, or None where they are not known.

    Capitals do not matter, and Meta's old prefix (`meta-llama/Meta-Llama-3.1-8B`) is the new name. Quantized
    repositories are not looked up by the name of what they were made from: their bits are not in their name alone.
    """
    return _by_name().get(name.lower().replace("/meta-llama-", "/llama-"))


def shape_name(name: str) -> str:
    """Return the name that stands for the shape of `name`: itself, or that of the model it was made from."""
    return _SAME_SHAPE.get(name, f"{name}-Instruct" if name in _BASE_CONTEXT else name)


@cache
def _by_name() -> dict[str, ModelFacts]:
    return {facts.name.lower(): facts for facts in _all()}


def _all() -> Iterator[ModelFacts]:
    rows = {name: _entry(name, row) for name, row in _ROWS.items()}
    yield from rows.values()
    for name, other in _SAME_SHAPE.items():
        yield replace(rows[other], name=name, source=f"as {other}: {rows[other].source}")
    for name, context in _BASE_CONTEXT.items():
        instructed = rows[f"{name}-Instruct"]
        source = f"as {instructed.name}: {instructed.source}; its context is {_REMEMBERED}"
        yield replace(instructed, name=name, context_length=context, source=source)


def _entry(name: str, row: _Row) -> ModelFacts:
    family, layers, hidden, heads, kv_heads, head_dim, width, tied = row
    config = {
        "model_type": family.model_type,
        "architectures": [family.architecture],
        "vocab_size": family.vocabulary,
        "max_position_embeddings": family.context,
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": head_dim,
        "intermediate_size": width,
        "tie_word_embeddings": tied,
    }
    return replace(
        from_config(name, config | dict(family.rest or {}) | dict(_REST.get(name, {}))), source=family.source
    )
