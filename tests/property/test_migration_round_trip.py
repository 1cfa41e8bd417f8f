"""What the operator renders, read back as a command line, is the resource that it was rendered from."""

import json
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from specdecode_operator.api.remarks import Level
from specdecode_operator.api.unknown import unknown_fields
from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment, parse
from specdecode_operator.engine import EngineError, examine
from specdecode_operator.engine.migration import Migration, migrate
from specdecode_operator.policy import ladder
from specdecode_operator.workload import Layout, children

VERSIONS = st.sampled_from(["0.21.0", "0.23.0", "0.24.0", "0.26.0", "0.32.0", "0.33.0"])
WORD = st.text(st.sampled_from("abcxyz019"), min_size=1, max_size=8)
HUB_NAMES = st.builds("{}/{}".format, WORD, WORD.map("m{}".format))
COUNTS = st.integers(1, 64)
PERCENTS = st.integers(10, 99)

EXTRA = st.sampled_from(
    [
        ["--enable-prefix-caching"],
        ["--no-enable-chunked-prefill"],
        ["--seed", "-1"],
        ["--max-num-batched-tokens=4096"],
        ["--cudagraph-capture-sizes", "1", "2", "4"],
        ["--compilation-config.level", "3"],
        ["-O3"],
        ["--limit-mm-per-prompt", '{"image":2}'],
    ]
)

MODELS = st.fixed_dictionaries(
    {"name": HUB_NAMES},
    optional={
        "revision": WORD,
        "servedName": WORD,
        "quantization": st.sampled_from(["fp8", "awq", "compressed-tensors", "fp8_per_channel"]),
    },
)
ENGINES = st.fixed_dictionaries(
    {"version": VERSIONS},
    optional={
        "tensorParallelSize": COUNTS,
        "dtype": st.sampled_from(["auto", "bfloat16", "float16", "float32"]),
        "maxModelLen": st.integers(1, 16777216),
        "maxNumSeqs": st.integers(1, 65536),
        "gpuMemoryUtilizationPercent": PERCENTS,
        "kvCacheDtype": st.sampled_from(["auto", "fp8", "fp8_e5m2"]),
        "extraArgs": st.lists(EXTRA, max_size=4, unique_by=tuple).map(
            lambda flags: [word for flag in flags for word in flag]
        ),
    },
)
DRAFTS = st.fixed_dictionaries(
    {"name": HUB_NAMES}, optional={"revision": WORD, "quantization": st.sampled_from(["fp8", "awq"])}
)
SAMPLINGS = st.fixed_dictionaries(
    {},
    optional={
        "draft": st.sampled_from(["Greedy", "Probabilistic"]),
        "rejection": st.sampled_from(["Standard", "Block"]),
    },
).filter(bool)
LOOKUPS = st.tuples(COUNTS, COUNTS).map(sorted).map(lambda pair: {"min": pair[0], "max": pair[1]})
DURATIONS = st.one_of(
    st.integers(1, 59).map("{}s".format), st.integers(1, 59).map("{}m".format), st.integers(1, 24).map("{}h".format)
)


@st.composite
def schedules(draw: st.DrawFn, most: int) -> list[dict[str, int]]:
    edges = draw(st.lists(st.integers(1, 65536), max_size=5, unique=True))
    tokens = [draw(st.integers(0, most)) for _ in range(len(edges) + 1)]
    ranges = [{"upTo": edge, "tokens": count} for edge, count in zip(sorted(edges), tokens, strict=False)]
    return [*ranges, {"tokens": tokens[-1]}]


@st.composite
def speculations(draw: st.DrawFn) -> dict[str, Any]:
    method = draw(st.sampled_from(["DraftModel", "NGram", "Eagle", "Eagle3", "Mtp", "Suffix"]))
    tokens = draw(COUNTS)
    found: dict[str, Any] = {"method": method, "numSpeculativeTokens": tokens}
    if method in ("DraftModel", "Eagle", "Eagle3") or (method == "Mtp" and draw(st.booleans())):
        found["draft"] = draw(DRAFTS)
    if method == "NGram":
        found["promptLookup"] = draw(LOOKUPS)
    if method not in ("NGram", "Suffix"):
        found |= draw(st.fixed_dictionaries({}, optional={"sampling": SAMPLINGS}))
        found |= draw(st.fixed_dictionaries({}, optional={"batchSizeSchedule": schedules(tokens)}))
    if method == "DraftModel" and draw(st.booleans()):
        found["config"] = {"max_model_len": draw(st.integers(1, 4096))}
    return found


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    found = {"model": draw(MODELS), "engine": draw(ENGINES)}
    return found | draw(
        st.fixed_dictionaries(
            {},
            optional={
                "speculation": speculations(),
                "rollout": st.fixed_dictionaries({"drainTimeout": DURATIONS}),
            },
        )
    )


def resource_of(spec: dict[str, Any]) -> SpecDecodeDeployment:
    body = {"apiVersion": "specdecode.dev/v1alpha1", "kind": "SpecDecodeDeployment", "metadata": {"name": "chat"}}
    return parse(body | {"spec": spec})


def arguments(resource: SpecDecodeDeployment) -> list[str] | None:
    """The engine's arguments, or None where the version cannot run it."""
    spec, rungs = resource.spec, ladder(resource.spec)
    if any(remark.level is Level.ERROR for remark in examine(spec.model, spec.speculation, spec.engine)):
        return None
    deployment = children(resource, Layout(rungs.primary, rungs.primary.hash))[0]
    words = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    assert isinstance(words, list)
    return words


@settings(max_examples=150)
@given(specs())
def test_reading_the_rendered_arguments_gives_the_same_resource(spec: dict[str, Any]) -> None:
    resource = resource_of(spec)
    words = arguments(resource)
    assume(words is not None)
    assert words is not None
    again = migrate(["vllm", "serve", *words], version=resource.spec.engine.version, name="chat")
    assert (unknown_fields(again.resource), again.losses, again.fault) == ([], (), None)
    read = parse(again.resource).spec
    assert canonical(read) == canonical(resource.spec)
    assert arguments(parse(again.resource)) == words


def canonical(spec: Any) -> dict[str, Any]:
    """The spec as the pods see it: the served name written out, and the drain in seconds."""
    served = spec.model.served
    drain = spec.rollout.drain_timeout.seconds
    dumped: dict[str, Any] = spec.model_dump(mode="json", exclude_defaults=True, exclude={"rollout"})
    dumped["model"]["served_name"] = served
    return dumped | {"drain": drain}


FLAGS = st.sampled_from(
    [
        ["-tp", "2"],
        ["--max-model-len", "8k"],
        ["--swap-space", "4"],
        ["--speculative-model", "[ngram]", "--num-speculative-tokens", "4"],
        ["--quantization", "bitsandbytes"],
        ["--api-key", "sesame"],
        ["--unknown", "1"],
        ["--enforce-eager"],
        ["--download-dir=/x"],
        ["--served-model-name", "a", "b"],
        ["-pp", "2"],
    ]
)


@given(st.lists(FLAGS, max_size=8, unique_by=tuple), st.randoms(use_true_random=False))
def test_the_order_of_the_flags_changes_only_the_order_of_what_is_said(flags: list[list[str]], random: Any) -> None:
    shuffled = list(flags)
    random.shuffle(shuffled)
    first, second = (migrate(["org/target", *(word for flag in order for word in flag)]) for order in (flags, shuffled))
    assert set(first.findings) == set(second.findings)
    assert unordered(first.resource) == unordered(second.resource)


def unordered(resource: dict[str, Any]) -> dict[str, Any]:
    engine = dict(resource["spec"]["engine"])
    engine["extraArgs"] = sorted(engine.get("extraArgs", []))
    return resource | {"spec": resource["spec"] | {"engine": engine}}


@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_words_give_a_resource_or_one_sentence(words: list[str]) -> None:
    assert_resource_or_sentence(["org/target", *words])


@given(st.text(max_size=60))
def test_any_text_gives_a_resource_or_one_sentence(text: str) -> None:
    assert_resource_or_sentence([f"vllm serve org/target --seed 1 {text}"])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 70)
    | st.floats(allow_nan=False)
    | st.sampled_from(["org/draft", "block"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=2),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        *("method", "model", "revision", "quantization", "num_speculative_tokens", "max_model_len", "fly_window_size"),
        *("prompt_lookup_max", "prompt_lookup_min", "draft_tensor_parallel_size", "disable_by_batch_size"),
        *("num_speculative_tokens_per_batch_size", "draft_sample_method", "rejection_sample_method"),
        *("acceptance_method", "posterior_alpha"),
    ]
)


@settings(max_examples=300)
@given(st.sampled_from(["ngram", "draft_model", "mtp", "suffix"]), st.dictionaries(KEYS, JSON, max_size=5))
def test_any_speculative_configuration_gives_a_resource_or_one_sentence(method: str, keys: dict[str, Any]) -> None:
    config = {"method": method, "num_speculative_tokens": 4, "model": "org/draft"} | keys
    assert_resource_or_sentence(["org/target", "--speculative-config", json.dumps(config)])


def assert_resource_or_sentence(words: list[str]) -> None:
    found = result(words)
    if isinstance(found, str):
        assert (found.strip() != "", "\n" in found) == (True, False)
    else:
        assert unknown_fields(found.resource) == []
        assert (arguments(parse(found.resource)) is None) is (found.fault is not None)


def result(words: list[str]) -> Migration | str:
    try:
        return migrate(words)
    except EngineError as error:
        return str(error)
