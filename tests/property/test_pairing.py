"""Whatever is known of two models, pre-flight answers, and it answers with fields that exist."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from specdecode_operator.api.remarks import Level
from specdecode_operator.api.v1alpha1 import Spec, Speculation
from specdecode_operator.sizing import ModelFacts
from support.pairs import Case
from support.shapes import ALL, DEEPSEEK_V3, LLAMA_8B

COUNTS = st.one_of(st.integers(1, 16), st.integers(1, 10**12))
NAMES = st.sampled_from(["llama", "LlamaForCausalLM", "EagleLlamaForCausalLM", "LlamaForCausalLMEagle3", "PEagle", ""])
METHODS = st.sampled_from(["None", "DraftModel", "NGram", "Eagle", "Eagle3", "Mtp", "Suffix"])
QUANTIZATIONS = st.sampled_from([None, "awq", "gptq", "fp8", "compressed-tensors", "modelopt", "bitsandbytes", "other"])
FACTS = st.builds(
    ModelFacts,
    name=st.just("org/model"),
    model_type=NAMES,
    architecture=NAMES,
    parameters=COUNTS,
    vocabulary_size=COUNTS,
    context_length=COUNTS,
    layers=COUNTS,
    hidden_size=COUNTS,
    intermediate_size=COUNTS,
    attention_heads=st.integers(1, 256),
    kv_heads=st.integers(0, 256),
    head_dim=COUNTS,
    latent_kv_dim=st.none() | COUNTS,
    active_parameters=st.none() | COUNTS,
    mtp_layers=st.integers(0, 4),
    quantization=QUANTIZATIONS,
    weight_bits=st.sampled_from([2.0, 4.0, 4.25, 8.0, 16.0, 32.0]),
    tokenizer=st.none() | st.sampled_from(["sha256:a", "sha256:b"]),
)
KNOWN = st.none() | st.sampled_from(ALL) | FACTS
CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "use_heterogeneous_vocab": st.booleans(),
        "max_model_len": st.sampled_from([0, 1, 4096, True, "4096"]),
        "draft_tensor_parallel_size": st.sampled_from([0, 1, 2, 8, "2"]),
    },
)
ENGINES = st.fixed_dictionaries(
    {"tensorParallelSize": st.integers(1, 64)},
    optional={
        "maxModelLen": st.integers(1, 16777216),
        "version": st.sampled_from(["0.18.0", "0.26.0", "0.33.0", "0.40.0"]),
        "extraArgs": st.sampled_from([[], ["--hf-overrides={}"]]),
    },
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    method = draw(METHODS)
    quantization = draw(QUANTIZATIONS)
    apart = method == "Mtp" and draw(st.booleans())
    return Case(
        draw(KNOWN),
        draw(KNOWN),
        method,
        draw(st.integers(1, 64)),
        {"quantization": quantization} if quantization else {},
        {"name": "org/mtp"} if apart else {},
        {"config": draw(CONFIG)} if method != "None" else {},
        draw(ENGINES),
    )


@given(cases())
def test_every_remark_has_a_code_a_field_of_the_spec_and_a_message(case: Case) -> None:
    for remark in case.remarks():
        assert remark.code.isalnum()
        assert remark.code[0].isupper()
        assert _exists(remark.field)
        assert remark.message


@given(cases())
def test_a_code_is_said_at_most_once_of_a_field_and_model(case: Case) -> None:
    found = case.remarks()
    assert len({(remark.code, remark.field, remark.message) for remark in found}) == len(found)


@given(cases())
def test_of_a_pair_that_nothing_is_known_of_no_error_is_said(case: Case) -> None:
    unknown = case.but(target=None, draft=None)
    assert all(remark.level is not Level.ERROR for remark in unknown.remarks())


@given(cases())
def test_nothing_is_said_of_a_pair_that_is_not_used(case: Case) -> None:
    alone = case.but(method="None", draft_fields={}, speculation={})
    assert alone.remarks() == alone.but(draft=None).remarks()


@given(cases())
def test_what_is_said_of_the_target_does_not_depend_on_the_draft(case: Case) -> None:
    own = ("model.quantization", "engine.tensorParallelSize")
    without = {str(remark) for remark in case.but(draft=None).remarks() if remark.field in own}
    assert without <= {str(remark) for remark in case.remarks()}


@pytest.mark.parametrize("field", ["model.nmae", "speculation.draft.name.x", "spec.model"])
def test_a_field_that_does_not_exist_is_told_from_one_that_does(field: str) -> None:
    assert not _exists(field)


def test_the_keys_of_the_engine_count_as_fields() -> None:
    assert _exists("speculation.config.max_model_len")


def test_the_shapes_are_those_that_they_are_named_for() -> None:
    assert (LLAMA_8B.kv_heads * LLAMA_8B.head_dim * 2 * 2 * LLAMA_8B.layers) == 131072
    assert DEEPSEEK_V3.latent_kv_dim is not None
    assert DEEPSEEK_V3.latent_kv_dim * DEEPSEEK_V3.layers * 2 == 70272


def _exists(path: str) -> bool:
    kind: Any = Spec
    for part in path.split("."):
        if kind is FREE:
            return part == "max_model_len"
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return False
        by_alias = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
        if part not in by_alias:
            return False
        kind = _model(by_alias[part])
    return True


def _model(annotation: Any) -> Any:
    """Return the model in an annotation, such as that of `Draft | None`; the annotation where there is none."""
    parts = (annotation, *get_args(annotation))
    return next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), annotation)


FREE = _model(Speculation.model_fields["config"].annotation)
"""Keys of `--speculative-config`, which the schema leaves to the engine."""
