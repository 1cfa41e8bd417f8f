"""What holds for every memory plan."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.sizing import (
    GPUS,
    Load,
    ModelFacts,
    UnreadableConfig,
    catalog_names,
    find,
    from_config,
    memory_plan,
    memory_remarks,
    weight_bytes,
)


def _known(name: str) -> ModelFacts:
    facts = find(name)
    assert facts is not None
    return facts


MODELS = st.sampled_from([_known(name) for name in catalog_names()])
RANKS = st.sampled_from([1, 2, 4, 8])
LOADS = st.builds(
    Load,
    target=MODELS,
    gpu=st.sampled_from(GPUS),
    tensor_parallel=RANKS,
    target_quantization=st.sampled_from([None, "fp8", "awq"]),
    method=st.sampled_from(list(Method)),
    draft=st.none() | MODELS,
    draft_tokens=st.integers(0, 16),
    max_num_seqs=st.none() | st.integers(1, 4096),
    max_model_len=st.none() | st.integers(1, 2**20),
    utilization_percent=st.none() | st.integers(10, 98),
    kv_cache_dtype=st.sampled_from([None, "auto", "fp8"]),
)
KEYS = [
    "model_type", "architectures", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "head_dim", "vocab_size", "max_position_embeddings", "tie_word_embeddings", "text_config",
    "num_experts", "num_experts_per_tok", "moe_intermediate_size", "kv_lora_rank", "qk_rope_head_dim", "layer_types",
    "qk_nope_head_dim", "v_head_dim", "quantization_config", "draft_vocab_size", "first_k_dense_replace",
]  # fmt: skip
NUMBERS = st.integers(-2, 2**30) | st.integers() | st.floats()
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8) | st.sampled_from(["llama", "LlamaForCausalLMEagle3"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=9),
    max_leaves=20,
)
SOUND = st.fixed_dictionaries(
    {
        "hidden_size": st.integers(1, 2**14),
        "intermediate_size": st.integers(1, 2**16),
        "num_hidden_layers": st.integers(1, 200),
        "num_attention_heads": st.integers(1, 128),
        "vocab_size": st.integers(1, 2**18),
        "max_position_embeddings": st.integers(1, 2**20),
    },
    optional={"num_experts": st.integers(0, 512), "quantization_config": JSON, "layer_types": JSON, "head_dim": JSON},
)


@given(LOADS, st.integers(10, 97))
def test_more_utilization_never_holds_fewer_tokens(load: Load, percent: int) -> None:
    less, more = (memory_plan(replace(load, utilization_percent=use)).kv_tokens for use in (percent, percent + 1))
    assert less <= more


@given(LOADS)
def test_more_gpus_never_hold_fewer_tokens(load: Load) -> None:
    one, two = (memory_plan(replace(load, tensor_parallel=ranks)).kv_tokens for ranks in (2, 4))
    assert one <= two


@given(MODELS, st.sampled_from([None, "awq", "modelopt_fp4", "fp8", "mxfp8"]))
def test_fewer_bits_never_weigh_more(facts: ModelFacts, quantization: str | None) -> None:
    assert 0 < weight_bytes(facts, quantization) <= weight_bytes(replace(facts, quantization=None, weight_bits=16))


@given(LOADS)
def test_nothing_is_negative(load: Load) -> None:
    plan = memory_plan(load)
    figures = [value for value in plan.to_dict().values() if not isinstance(value, bool)]
    assert min(figures) >= 0
    assert plan.kv_tokens % 16 == 0
    assert plan.max_model_len_that_fits <= plan.kv_tokens


@given(LOADS, st.integers(1, 2**20))
def test_a_longer_context_means_fewer_requests(load: Load, length: int) -> None:
    short, long = (memory_plan(replace(load, max_model_len=size)).full_length_requests for size in (length, length * 2))
    assert long <= short


@given(LOADS)
def test_there_is_an_error_exactly_where_the_plan_does_not_fit(load: Load) -> None:
    plan = memory_plan(load)
    codes = [remark.code for remark in memory_remarks(plan)]
    assert ("MemoryExceeded" in codes) == (not plan.fits)


def read(config: Any) -> ModelFacts | UnreadableConfig:
    try:
        return from_config("org/model", config)
    except UnreadableConfig as error:
        return error


@given(JSON)
def test_any_json_gives_facts_or_one_sentence(config: Any) -> None:
    facts = read(config)
    if isinstance(facts, UnreadableConfig):
        assert "org/model" in str(facts)
        assert len(str(facts)) < 300
    else:
        assert facts.parameters > 0


@given(SOUND)
def test_a_sound_file_gives_facts_that_can_be_planned(config: dict[str, Any]) -> None:
    facts = read(config)
    if isinstance(facts, UnreadableConfig):
        return
    plan = memory_plan(Load(target=facts, gpu=GPUS[0]))
    assert json.dumps(plan.to_dict())
    assert weight_bytes(facts) <= facts.parameters * 2
