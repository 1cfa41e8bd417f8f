"""Quantization of target, draft and KV cache: each rule with a variant that it speaks of and one that it does not."""

import pytest

from specdecode_operator.engine.quantization import KV_CACHE_DTYPES, QUANTIZERS, Weights
from specdecode_operator.engine.versions import READ, Version
from support.variants import Case, Fields, found, remarks

TARGET, DRAFT = "model.quantization", "speculation.draft.quantization"


def target(name: str, version: str = "0.33.0", capability: float | None = None) -> Fields:
    return {"model": {"quantization": name}, "version": version, "capability": capability}


def draft(name: str, version: str = "0.33.0", capability: float | None = None) -> Fields:
    return {"method": "Eagle3", "draft": {"quantization": name}, "version": version, "capability": capability}


def cache(name: str, version: str = "0.33.0") -> Fields:
    return {"engine": {"kvCacheDtype": name}, "version": version}


def flags(*words: str, version: str = "0.33.0") -> Fields:
    return {"args": words, "version": version}


CASES = [
    Case(
        "QuantizationUndescribed",
        TARGET,
        target("online"),
        target("online") | {"args": ("--quantization-config", '{"linear":"fp8_per_tensor"}')},
        ("fp8_per_channel",),
    ),
    Case("QuantizationUndescribed", TARGET, target("online"), target("fp8_per_tensor")),
    Case("QuantizationUndescribed", TARGET, target("online", "0.20.0"), target("online", "0.18.0")),
    Case("QuantizationUnknown", TARGET, target("int8"), target("fp8"), ("int8", "fp8_per_tensor")),
    Case("QuantizationUnknown", DRAFT, draft("w4a16"), draft("fp8")),
    Case(
        "QuantizationRemoved",
        TARGET,
        target("bitsandbytes"),
        target("bitsandbytes", "0.27.1"),
        ("0.28.0", "fp8_per_channel"),
    ),
    Case("QuantizationRemoved", DRAFT, draft("bitsandbytes", "0.28.0"), draft("bitsandbytes", "0.27.1")),
    Case("QuantizationRemoved", TARGET, target("gguf", "0.24.0"), target("gguf", "0.23.0"), ("vllm-gguf-plugin",)),
    Case("QuantizationRemoved", TARGET, target("marlin"), target("marlin", "0.10.1"), ("gptq_marlin",)),
    Case(
        "QuantizationRemoved",
        "engine.extraArgs",
        flags("--load-format", "bitsandbytes"),
        flags("--load-format", "bitsandbytes", version="0.27.1"),
        ("--load-format bitsandbytes",),
    ),
    Case(
        "QuantizationRemoved",
        "engine.extraArgs",
        flags("--load_format=bitsandbytes"),
        flags("--load_format=safetensors"),
    ),
    Case(
        "QuantizationUnavailable",
        TARGET,
        target("fp8_per_channel", "0.23.0"),
        target("fp8_per_channel", "0.24.0"),
        ("0.24.0 or later",),
    ),
    Case("QuantizationUnavailable", DRAFT, draft("mxfp8", "0.18.0"), draft("mxfp8", "0.19.0")),
    Case(
        "QuantizationNeedsCheckpoint",
        TARGET,
        target("awq"),
        target("fp8_per_tensor"),
        ("already quantized", "leave it out"),
    ),
    Case("QuantizationNeedsCheckpoint", DRAFT, draft("gptq"), draft("fp8_per_tensor")),
    Case("QuantizationNeedsCheckpoint", TARGET, target("mxfp4", "0.28.0"), target("mxfp4", "0.29.0")),
    Case("QuantizationDeprecated", TARGET, target("fp8", "0.31.0"), target("fp8", "0.30.0"), ("fp8_per_tensor",)),
    Case("QuantizationDeprecated", DRAFT, draft("fp8"), draft("fp8_per_block")),
    Case(
        "QuantizationDeprecated",
        TARGET,
        target("fp_quant"),
        target("fp_quant") | {"args": ("--allow-deprecated-quantization",)},
        ("--allow-deprecated-quantization",),
    ),
    Case("QuantizationDeprecated", TARGET, target("fbgemm_fp8", "0.14.0"), target("fbgemm_fp8", "0.13.0")),
    Case(
        "QuantizationWithoutEffect",
        TARGET,
        target("int8_per_channel_weight_only"),
        target("fp8_per_channel"),
        ("dense model stays",),
    ),
    Case("QuantizationWithoutEffect", TARGET, target("nvfp4_per_token"), target("mxfp8")),
    Case("QuantizationWithoutEffect", DRAFT, draft("experts_int8"), draft("mxfp8")),
    Case(
        "GpuTooOld",
        TARGET,
        target("nvfp4_per_token", capability=9.0),
        target("nvfp4_per_token", capability=10.0),
        ("10.0", "9.0"),
    ),
    Case("GpuTooOld", TARGET, target("fp8_per_channel", capability=8.0), target("fp8_per_channel", capability=8.9)),
    Case("GpuTooOld", TARGET, target("fp8", "0.14.0", 7.5), target("fp8", "0.17.0", 7.5)),
    Case("GpuTooOld", TARGET, target("modelopt", "0.26.0", 8.6), target("modelopt", "0.30.0", 8.6)),
    Case("GpuTooOld", DRAFT, draft("awq", capability=7.0), draft("awq")),
    Case(
        "QuantizationWeightOnly",
        TARGET,
        target("fp8_per_tensor", capability=8.0),
        target("fp8_per_tensor", capability=8.9),
        ("8.9",),
    ),
    Case("QuantizationWeightOnly", DRAFT, draft("fp8", capability=8.6), draft("fp8", capability=9.0)),
    Case(
        "KvCacheDtypeUnavailable",
        "engine.kvCacheDtype",
        cache("nvfp4", "0.19.0"),
        cache("nvfp4", "0.20.0"),
        ("0.20.0 or later",),
    ),
    Case("KvCacheDtypeUnavailable", "engine.kvCacheDtype", cache("int8"), cache("fp8"), ("int8_per_token_head",)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_rule_speaks_where_it_should(case: Case) -> None:
    messages = found(case.code, case.field, case.bad)
    assert messages
    assert [word for word in case.words if word not in messages[0]] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_rule_is_silent_where_it_should_be(case: Case) -> None:
    assert found(case.code, case.field, case.good) == []


def errors(fields: Fields) -> list[str]:
    return [remark.code for remark in remarks(**fields) if remark.level == "Error"]


def test_an_alias_is_warned_of_and_a_method_that_is_refused_is_an_error() -> None:
    assert (errors(target("fp8")), errors(target("fp_quant"))) == ([], ["QuantizationDeprecated"])


def test_an_older_gpu_that_only_gains_less_is_no_fault() -> None:
    assert errors(target("fp8_per_tensor", capability=8.0)) == []


def test_what_a_plugin_brings_back_is_only_warned_of_in_an_image_of_ones_own() -> None:
    own = {"engine": {"image": "registry/vllm-gguf:latest"}}
    assert (errors(target("gguf")), errors(target("gguf") | own)) == (["QuantizationRemoved"], [])
    assert errors(target("bitsandbytes") | own) == ["QuantizationRemoved"]


def test_a_method_that_the_release_lacks_is_not_judged_further() -> None:
    codes = {remark.code for remark in remarks(**target("bitsandbytes", capability=6.0))}
    assert {code for code in codes if code.startswith(("Quant", "Gpu"))} == {"QuantizationRemoved"}


@pytest.mark.parametrize("name", QUANTIZERS)
def test_every_method_is_taken_by_each_release_that_has_it(name: str) -> None:
    missing = {"QuantizationUnknown", "QuantizationRemoved", "QuantizationUnavailable"}
    for version in READ:
        codes = {remark.code for remark in remarks(**target(name, str(version)))}
        assert bool(codes & missing) != (version in QUANTIZERS[name].releases), version


@pytest.mark.parametrize("name", QUANTIZERS)
def test_a_method_that_is_gone_says_what_stands_in_its_place(name: str) -> None:
    found_method = QUANTIZERS[name]
    assert (found_method.releases.gone is None) == (found_method.instead is None)


@pytest.mark.parametrize("name", QUANTIZERS)
def test_no_method_needs_more_of_the_gpu_in_later_releases_than_before(name: str) -> None:
    steps = [minimum for _, minimum in QUANTIZERS[name].capability]
    assert steps == sorted(steps, reverse=True)
    assert [first for first, _ in QUANTIZERS[name].capability[:1]] in ([], [QUANTIZERS[name].releases.first])


def test_the_least_capability_follows_the_release() -> None:
    found_method = QUANTIZERS["gptq_marlin"]
    assert [found_method.least(Version.parse(text)) for text in ("0.16.0", "0.17.0", "0.33.0")] == [8.0, 7.5, 7.5]


def test_only_online_methods_take_any_dense_weights() -> None:
    online = {name for name, found_method in QUANTIZERS.items() if found_method.weights is Weights.ONLINE}
    newest = {name for name in online if READ[-1] in QUANTIZERS[name].releases}
    assert newest == {"fp8_per_block", "fp8_per_channel", "fp8_per_tensor", "mxfp8", "online"}


@pytest.mark.parametrize("name", KV_CACHE_DTYPES)
def test_every_format_of_the_kv_cache_is_taken_by_each_release_that_has_it(name: str) -> None:
    for version in READ:
        said = found("KvCacheDtypeUnavailable", "engine.kvCacheDtype", cache(name, str(version)))
        assert bool(said) != (version in KV_CACHE_DTYPES[name]), version
