"""Laws of the checks: whatever the API takes gets an answer, and the renderer refuses exactly what is an error."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from specdecode_operator.api.remarks import Level
from specdecode_operator.api.v1alpha1 import Engine, Model, Speculation
from specdecode_operator.engine import Serving, arguments, examine
from specdecode_operator.engine.flags import FLAGS, LEGACY_FLAGS
from specdecode_operator.engine.keys import KEYS
from specdecode_operator.engine.quantization import KV_CACHE_DTYPES, QUANTIZERS
from specdecode_operator.engine.versions import READ

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
VERSIONS = st.sampled_from([str(version) for version in READ] + ["0.34.1", "1.0.0"])
NAMES = st.sampled_from(sorted(QUANTIZERS)) | st.from_regex(r"[a-z0-9_-]{1,12}", fullmatch=True)
WORDS = (
    st.sampled_from([flag for flag in sorted({*FLAGS, *LEGACY_FLAGS}) if flag != "--custom-histogram-buckets"])
    | st.sampled_from(["--enable-lora", "--enforce-eager", "--max-num-batched-tokens", "-dp", "-pp=2", "8k", "{}", "2"])
    | st.from_regex(r"[a-z0-9{}.=:-]{1,12}", fullmatch=True)
)
ENGINES = st.fixed_dictionaries(
    {"version": VERSIONS, "extraArgs": st.lists(WORDS, max_size=5)},
    optional={
        "maxNumSeqs": st.integers(1, 4096),
        "tensorParallelSize": st.sampled_from([1, 2, 8]),
        "kvCacheDtype": st.sampled_from(sorted(KV_CACHE_DTYPES)),
        "image": st.from_regex(r"[a-z0-9./:@v-]{1,24}", fullmatch=True),
        "env": st.just([{"name": "VLLM_USE_V2_MODEL_RUNNER", "value": "1"}]),
    },
)
SPECULATIONS = st.fixed_dictionaries(
    {"method": st.sampled_from(["NGram", "Mtp", "Suffix"]), "numSpeculativeTokens": st.integers(1, 16)},
    optional={
        "config": st.dictionaries(st.sampled_from(sorted(KEYS)) | st.text(max_size=6), JSON, max_size=4),
        "sampling": st.fixed_dictionaries(
            {},
            optional={
                "draft": st.sampled_from(["Greedy", "Probabilistic"]),
                "rejection": st.sampled_from(["Standard", "Block", "Fly"]),
            },
        ),
        "batchSizeSchedule": st.just([{"upTo": 4, "tokens": 1}, {"tokens": 0}]),
    },
)
CAPABILITIES = st.none() | st.sampled_from([7.0, 8.0, 8.9, 9.0, 10.0])


@given(ENGINES, SPECULATIONS, st.none() | NAMES, CAPABILITIES)
def test_every_variant_gets_an_answer_in_single_sentences(
    engine: dict[str, Any], speculation: dict[str, Any], quantization: str | None, capability: float | None
) -> None:
    model = Model(name="org/target", quantization=quantization)
    asked = (model, Speculation.model_validate(speculation), Engine.model_validate(engine))
    found = examine(*asked, compute_capability=capability)
    assert found == examine(*asked, compute_capability=capability)
    for remark in found:
        assert remark.message
        assert not remark.message.endswith(".")
        assert not remark.message.startswith(f"{remark.field}:")


@given(ENGINES, SPECULATIONS, st.none() | NAMES)
def test_the_renderer_refuses_exactly_what_is_an_error(
    engine: dict[str, Any], speculation: dict[str, Any], quantization: str | None
) -> None:
    serving = Serving(
        model=Model(name="org/target", quantization=quantization),
        model_path="org/target",
        speculation=Speculation.model_validate(speculation),
        draft_path=None,
        engine=Engine.model_validate(engine),
        shutdown_timeout=60,
    )
    remarks = examine(serving.model, serving.speculation, serving.engine)
    assert all(isinstance(remark.level, Level) and remark.message for remark in remarks)
    assert arguments(serving)[0] == "org/target"
