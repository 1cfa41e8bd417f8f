"""Quantization of the target, the draft and the KV cache."""

from collections.abc import Iterator
from typing import Final

from specdecode_operator.api.remarks import Remark, error, warning
from specdecode_operator.engine.quantization import KV_CACHE_DTYPES, QUANTIZERS, Quantizer, Weights
from specdecode_operator.engine.rules.setup import Setup, needs
from specdecode_operator.engine.versions import Version

__all__ = [
    "kv_cache_exists",
    "load_format_exists",
    "online_is_described",
    "quantization_exists",
    "quantization_fits",
    "quantization_suits",
]

_FP8_UNITS: Final = 8.9
_ALIAS_DEPRECATED: Final = Version(0, 31, 0)
_WEIGHT_ONLY_BELOW: Final = frozenset({"fp8", "fp8_per_tensor", "fp8_per_block", "mxfp8"})


def quantization_exists(setup: Setup) -> Iterator[Remark]:
    """`_verify_quantization` in `vllm/config/model.py`."""
    for field, name in _asked(setup):
        found = QUANTIZERS.get(name)
        if found is None:
            known = ", ".join(key for key, value in sorted(QUANTIZERS.items()) if setup.version in value.releases)
            message = f"vLLM {setup.version} does not know {name}; it knows {known}"
            yield error("QuantizationUnknown", field, message)
        elif reason := needs(found.releases, setup.version):
            early = setup.version < found.releases.first
            instead = f"; use {found.instead}" if found.instead and not early else ""
            code = "QuantizationUnavailable" if early else "QuantizationRemoved"
            plugin = f", or an image with {found.plugin}" if found.plugin and not early else ""
            say = warning if plugin and setup.engine.image else error
            yield say(code, field, f"{name}: {reason}{instead}{plugin}")


def quantization_suits(setup: Setup) -> Iterator[Remark]:
    """Deprecated methods (`vllm/config/model.py`), and what a method does with plain weights."""
    for field, name, found in _found(setup):
        if found.deprecated is not None and setup.version in found.deprecated:
            if not setup.flags.on("--allow-deprecated-quantization"):
                message = (
                    f"vLLM {setup.version} refuses {name} without --allow-deprecated-quantization in engine.extraArgs"
                )
                yield error("QuantizationDeprecated", field, message)
        elif name == "fp8" and setup.version >= _ALIAS_DEPRECATED:
            message = "for plain weights fp8 is an old name of fp8_per_tensor, and for FP8 weights none is needed"
            yield warning("QuantizationDeprecated", field, message)
        yield from _plain_weights(setup, field, name, found)


def _plain_weights(setup: Setup, field: str, name: str, found: Quantizer) -> Iterator[Remark]:
    if found.weights is Weights.EXPERTS:
        message = f"{name} quantizes the experts of a mixture alone; a dense model stays as it is"
        yield warning("QuantizationWithoutEffect", field, message)
    plain = found.online is not None and setup.version in found.online
    if found.weights is Weights.CHECKPOINT and not plain:
        message = (
            f"{name} needs weights that are already quantized this way, which vLLM finds out by itself; leave it out,"
            " or the start fails on other weights"
        )
        yield warning("QuantizationNeedsCheckpoint", field, message)


def online_is_described(setup: Setup) -> Iterator[Remark]:
    """`OnlineQuantizationConfig` in `vllm/model_executor/layers/quantization/online/base.py` 0.33.0 needs it."""
    found = setup.model.quantization == "online" and setup.version in QUANTIZERS["online"].releases
    if found and not any(flag.startswith("--quantization-config") for flag in setup.flags.values):
        yield error(
            "QuantizationUndescribed",
            "model.quantization",
            "online does not say what to quantize; give --quantization-config in engine.extraArgs, or set"
            " fp8_per_tensor or fp8_per_channel",
        )


def quantization_fits(setup: Setup) -> Iterator[Remark]:
    """`get_min_capability` of the method's class; FP8 units are there from 8.9 on (`online/fp8.py`)."""
    capability = setup.compute_capability
    if capability is None:
        return
    for field, name, found in _found(setup):
        least = found.least(setup.version)
        if least is not None and capability < least:
            message = f"{name} needs GPUs of compute capability {least} or higher, these have {capability}"
            yield error("GpuTooOld", field, message)
        elif name in _WEIGHT_ONLY_BELOW and capability < _FP8_UNITS:
            message = (
                f"GPUs of compute capability {capability} have no FP8 units (from {_FP8_UNITS} on); {name} saves memory"
                " here, but does not compute faster"
            )
            yield warning("QuantizationWeightOnly", field, message)


def load_format_exists(setup: Setup) -> Iterator[Remark]:
    """`--load-format bitsandbytes` left with the method."""
    removed = needs(QUANTIZERS["bitsandbytes"].releases, setup.version)
    if removed and setup.flags.text("--load-format") == "bitsandbytes":
        yield error(
            "QuantizationRemoved",
            "engine.extraArgs",
            f"--load-format bitsandbytes: {removed}; use {QUANTIZERS['bitsandbytes'].instead}",
        )


def kv_cache_exists(setup: Setup) -> Iterator[Remark]:
    """Type `CacheDType` in `vllm/config/cache.py`."""
    name = setup.engine.kv_cache_dtype
    if name is None:
        return
    found = KV_CACHE_DTYPES.get(name)
    if found is None:
        known = ", ".join(key for key, releases in KV_CACHE_DTYPES.items() if setup.version in releases)
        message = f"vLLM {setup.version} does not know {name}; it knows {known}"
        yield error("KvCacheDtypeUnavailable", "engine.kvCacheDtype", message)
    elif reason := needs(found, setup.version):
        yield error("KvCacheDtypeUnavailable", "engine.kvCacheDtype", f"{name}: {reason}")


def _asked(setup: Setup) -> Iterator[tuple[str, str]]:
    draft = setup.speculation.draft
    if setup.model.quantization is not None:
        yield "model.quantization", setup.model.quantization
    if draft is not None and draft.quantization is not None:
        yield "speculation.draft.quantization", draft.quantization


def _found(setup: Setup) -> Iterator[tuple[str, str, Quantizer]]:
    """Yield the methods that the release has."""
    for field, name in _asked(setup):
        found = QUANTIZERS.get(name)
        if found is not None and setup.version in found.releases:
            yield field, name, found
