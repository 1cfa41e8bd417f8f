"""What a config.json is cut down to, and how long pods wait for it, whatever the file and the Job say."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import FactsReport, FactsStatus, ModelFound
from specdecode_operator.engine import told_release
from specdecode_operator.policy import facts_step
from specdecode_operator.sizing import ModelFacts, UnreadableConfig, facts_found, from_config, reduced
from support.builders import NOW
from support.configs import LLAMA_8B

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 300_000),
    st.sampled_from(["llama", "mixtral", "gemma2", "fp8", "awq", ""]),
)
KEYS = st.sampled_from(
    [
        *LLAMA_8B,
        "head_dim",
        "draft_vocab_size",
        "num_local_experts",
        "num_experts_per_tok",
        "moe_intermediate_size",
        "kv_lora_rank",
        "qk_rope_head_dim",
        "qk_nope_head_dim",
        "v_head_dim",
        "full_attention_interval",
        "num_nextn_predict_layers",
        "rope_theta",
    ]
)
SECTIONS = st.dictionaries(
    st.sampled_from(["quant_method", "bits", "w_bit", "quant_algo", "load_in_4bit", "ignore"]),
    st.one_of(VALUES, st.sampled_from(["compressed-tensors", "modelopt", "bitsandbytes", "NVFP4"])),
)
LAYERS = st.lists(st.sampled_from(["linear_attention", "full_attention", "sliding_attention"]), max_size=40)
CONFIGS = st.builds(
    lambda changes, section, layers, nested: _config(changes, section, layers, nested=nested),
    st.dictionaries(KEYS, VALUES, max_size=6),
    st.none() | SECTIONS,
    st.none() | LAYERS,
    st.booleans(),
)


def _config(
    changes: dict[str, Any], section: dict[str, Any] | None, layers: list[str] | None, *, nested: bool
) -> dict[str, Any]:
    config = LLAMA_8B | changes | {"quantization_config": section, "layer_types": layers}
    return {"architectures": ["Wrapped"], "text_config": config} if nested else config


def facts(config: Any) -> ModelFacts | None:
    try:
        return from_config("org/model", config)
    except UnreadableConfig:
        return None


@given(CONFIGS)
def test_what_is_kept_of_a_readable_file_says_the_same(config: dict[str, Any]) -> None:
    known = facts(config)
    if known is not None:
        assert facts(json.loads(json.dumps(reduced(config)))) == known


@given(
    st.text(max_size=200)
    | st.recursive(VALUES, lambda inner: st.dictionaries(KEYS, inner), max_leaves=8).map(json.dumps)
)
def test_whatever_a_job_says_is_facts_or_nothing(text: str) -> None:
    found = facts_found([ModelFound(name="org/model", config=text[:1500])])
    assert set(found) <= {"org/model"}


@given(st.integers(10, 3600), st.lists(st.floats(0, 600), max_size=50), st.none() | st.integers(0, 49))
def test_pods_wait_at_most_the_deadline_and_one_look(deadline: int, pauses: list[float], answer: int | None) -> None:
    known: FactsStatus | None = None
    waited = 0.0
    for number, pause in enumerate([*pauses, 3600.0]):
        report = FactsReport() if number == answer and number else None
        now = NOW + timedelta(seconds=waited)
        step = facts_step("a1", known, report, serving=False, now=now, deadline=deadline)
        if step.again is None:
            break
        assert step.again <= 5.0
        if waited >= deadline:
            assert step.facts is not None
            assert step.facts.finished
        known, waited = step.facts, waited + pause
    else:
        assert known is not None
        assert known.finished or waited >= deadline


@given(st.binary(max_size=300) | st.text(max_size=60).map(lambda text: json.dumps({"version": text}).encode()))
def test_whatever_a_server_says_is_a_release_or_nothing(body: bytes) -> None:
    found = told_release(body)
    assert found is None or str(found).encode() in body
