"""Real shapes of models for the tests of sizing: from the `config.json` of each."""

from dataclasses import replace
from typing import Any

from specdecode_operator.sizing import ModelFacts

_LLAMA = ModelFacts(
    name="meta-llama/Llama-3.1-8B-Instruct",
    model_type="llama",
    architecture="LlamaForCausalLM",
    parameters=8_030_000_000,
    vocabulary_size=128256,
    context_length=131072,
    layers=32,
    hidden_size=4096,
    intermediate_size=14336,
    attention_heads=32,
    kv_heads=8,
    head_dim=128,
)
_QWEN2 = replace(
    _LLAMA,
    name="Qwen/Qwen2.5-7B-Instruct",
    model_type="qwen2",
    architecture="Qwen2ForCausalLM",
    parameters=7_616_000_000,
    vocabulary_size=152064,
    context_length=32768,
    layers=28,
    hidden_size=3584,
    intermediate_size=18944,
    attention_heads=28,
    kv_heads=4,
)
_QWEN3 = replace(
    _LLAMA,
    name="Qwen/Qwen3-8B",
    model_type="qwen3",
    architecture="Qwen3ForCausalLM",
    parameters=8_191_000_000,
    vocabulary_size=151936,
    context_length=40960,
    layers=36,
    intermediate_size=12288,
)


def _shape(
    like: ModelFacts, name: str, billions: float, layers: int, hidden: int, heads: int, **more: Any
) -> ModelFacts:
    return replace(
        like,
        name=name,
        parameters=round(billions * 1e9),
        layers=layers,
        hidden_size=hidden,
        attention_heads=heads,
        **more,
    )


LLAMA_1B = _shape(_LLAMA, "meta-llama/Llama-3.2-1B-Instruct", 1.236, 16, 2048, 32, head_dim=64, intermediate_size=8192)
LLAMA_3B = _shape(_LLAMA, "meta-llama/Llama-3.2-3B-Instruct", 3.213, 28, 3072, 24, intermediate_size=8192)
LLAMA_8B = _LLAMA
LLAMA_70B = _shape(_LLAMA, "meta-llama/Llama-3.1-70B-Instruct", 70.554, 80, 8192, 64, intermediate_size=28672)
LLAMA_405B = _shape(_LLAMA, "meta-llama/Llama-3.1-405B-Instruct", 405.853, 126, 16384, 128, intermediate_size=53248)
QWEN25_05B = _shape(
    _QWEN2, "Qwen/Qwen2.5-0.5B-Instruct", 0.494, 24, 896, 14, kv_heads=2, head_dim=64, vocabulary_size=151936
)
QWEN25_7B = _QWEN2
QWEN25_72B = _shape(_QWEN2, "Qwen/Qwen2.5-72B-Instruct", 72.706, 80, 8192, 64, kv_heads=8, intermediate_size=29568)
QWEN3_06B = _shape(_QWEN3, "Qwen/Qwen3-0.6B", 0.596, 28, 1024, 16, intermediate_size=3072, tied_embeddings=True)
QWEN3_8B = _QWEN3
QWEN3_32B = _shape(_QWEN3, "Qwen/Qwen3-32B", 32.762, 64, 5120, 64, intermediate_size=25600)
QWEN3_30B_A3B = _shape(_QWEN3, "Qwen/Qwen3-30B-A3B", 30.532, 48, 2048, 32, kv_heads=4, active_parameters=3_350_000_000)
PHI_4 = _shape(_LLAMA, "microsoft/phi-4", 14.66, 40, 5120, 40, kv_heads=10, vocabulary_size=100352)
DEEPSEEK_V3 = replace(
    _LLAMA,
    name="deepseek-ai/DeepSeek-V3",
    model_type="deepseek_v3",
    architecture="DeepseekV3ForCausalLM",
    parameters=671_000_000_000,
    active_parameters=37_000_000_000,
    vocabulary_size=129280,
    context_length=163840,
    layers=61,
    hidden_size=7168,
    attention_heads=128,
    kv_heads=128,
    latent_kv_dim=576,
    mtp_layers=1,
    quantization="fp8",
    weight_bits=8,
)
EAGLE3_8B = replace(
    _LLAMA, name="org/eagle3-head-8b", architecture="LlamaForCausalLMEagle3", parameters=425_000_000, layers=1
)
EAGLE_8B = replace(EAGLE3_8B, name="org/eagle-head-8b", architecture="EagleLlamaForCausalLM")
EAGLE_PLAIN_8B = replace(EAGLE3_8B, name="org/eagle-head-plain", architecture="LlamaForCausalLM")
LLAMA_70B_AWQ = replace(LLAMA_70B, name="org/Llama-3.1-70B-AWQ", quantization="awq", weight_bits=4)

ALL = (
    LLAMA_1B,
    LLAMA_3B,
    LLAMA_8B,
    LLAMA_70B,
    LLAMA_405B,
    QWEN25_05B,
    QWEN25_7B,
    QWEN25_72B,
    QWEN3_06B,
    QWEN3_8B,
    QWEN3_32B,
    QWEN3_30B_A3B,
    PHI_4,
    DEEPSEEK_V3,
    EAGLE3_8B,
    EAGLE_8B,
    EAGLE_PLAIN_8B,
    LLAMA_70B_AWQ,
)
