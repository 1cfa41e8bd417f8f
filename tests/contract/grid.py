"""Every kind of command line that the renderer makes: all methods with all choices, each field with each method.

What the API's own models refuse is left out, since it never reaches the renderer.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

from pydantic import ValidationError

from contract.case import Case, Fields
from specdecode_operator.api.v1alpha1 import DraftSampling, Method, Rejection, Speculation
from specdecode_operator.api.v1alpha1.engine import Dtype
from specdecode_operator.engine.keys import KEYS
from specdecode_operator.engine.quantization import KV_CACHE_DTYPES, QUANTIZERS

__all__ = ["KEY_VALUES", "grid"]

_NAMED: Final = {Method.DRAFT_MODEL: "draft", Method.EAGLE: "eagle", Method.EAGLE3: "eagle3"}
_SCHEDULE: Final = [{"upTo": 4, "tokens": 2}, {"tokens": 0}]
_TARGETS: Final = {Method.MTP: "mtp"}

KEY_VALUES: Final[Fields] = {
    "acceptance_method": "rejection_sampler",
    "attention_backend": "FLASH_ATTN",
    "code_revision": "main",
    "draft_load_config": {"load_format": "auto"},
    "draft_lm_head_quantization": "fp8",
    "kv_cache_dtype": "fp8",
    "moe_backend": "auto",
    "speculative_token_tree": "[(0,), (0, 0)]",
    "suffix_decoding_max_spec_factor": 1.5,
    "suffix_decoding_min_token_prob": 0.2,
    "synthetic_acceptance_length": 2.0,
    "synthetic_acceptance_rates": [0.9, 0.5, 0.2, 0.1],
    "posterior_alpha": 0.3,
    "posterior_threshold": 0.09,
    "max_model_len": 1024,
    "tensor_parallel_size": 1,
    "draft_tensor_parallel_size": 1,
    "disable_by_batch_size": 8,
    "suffix_decoding_max_tree_depth": 16,
    "suffix_decoding_max_cached_requests": 100,
    "fly_window_size": 2,
    "fly_entropy_threshold": 0.4,
    "fly_entropy_top_k": 4,
    "dspark_draft_topk": 4,
    "xpress_topc": 4,
}
"""A value that each key takes; a key that is not here takes a Boolean."""

_FIELDS: Final[tuple[Fields, ...]] = (
    *({"engine": {"tensorParallelSize": size}} for size in (2, 4, 8)),
    *({"engine": {"dtype": dtype.value}} for dtype in Dtype),
    *({"engine": {"maxModelLen": length}} for length in (1, 1024, 8192)),
    *({"engine": {"maxNumSeqs": most}} for most in (1, 16, 1024)),
    *({"engine": {"gpuMemoryUtilizationPercent": share}} for share in (10, 57, 99)),
    {"model": {"servedName": "chat"}},
    {"model": {"revision": "main"}},
    {"engine": {"maxModelLen": 4096, "maxNumSeqs": 64, "gpuMemoryUtilizationPercent": 85, "tensorParallelSize": 2}},
    {"engine": {"extraArgs": ["--enable-prefix-caching", "--seed=1", "--max_num_batched_tokens", "8192"]}},
    {"engine": {"extraArgs": ["--pipeline-parallel-size", "2"]}},
    {"engine": {"extraArgs": ["--enforce-eager", "--no-enable-prefix-caching"]}},
    {"engine": {"extraArgs": ["--data-parallel-size=2"]}},
    {"engine": {"extraArgs": ["--per-request-spec-decode-metrics", "summary"]}},
)


def grid(version: str) -> Iterator[Case]:
    """Yield the cases of one version; names are unique."""
    for method in Method:
        yield from _choices(version, method)
        yield from _fields(version, method)
        yield from _keys(version, method)
    yield from _formats(version)


def base(method: Method) -> Fields:
    """Return the least that `method` needs, four tokens included where it takes a number."""
    fields: Fields = {"method": method.value}
    if method in _NAMED:
        fields["draft"] = {"name": _NAMED[method]}
    if method not in {Method.NONE, Method.SUFFIX}:
        fields["numSpeculativeTokens"] = 4
    return fields


def target(method: Method) -> Fields:
    """Return the model that `method` speculates for."""
    return {"name": _TARGETS.get(method, "target")}


def _choices(version: str, method: Method) -> Iterator[Case]:
    """All combinations of number, sampling, schedule and lookup."""
    options: dict[str, tuple[Any, ...]] = {
        "numSpeculativeTokens": (None, 1, 4),
        "draft": (None, *DraftSampling),
        "rejection": (None, *Rejection),
        "batchSizeSchedule": (None, _SCHEDULE),
        "promptLookup": (None, {"min": 2, "max": 4}),
    }
    for values in product(*options.values()):
        chosen = dict(zip(options, values, strict=True))
        sampling = {key: chosen.pop(key) for key in ("draft", "rejection")}
        sampling = {key: value for key, value in sampling.items() if value is not None}
        if chosen["batchSizeSchedule"] and chosen["numSpeculativeTokens"] == 1:
            chosen["batchSizeSchedule"] = [{"upTo": 4, "tokens": 1}, {"tokens": 0}]
        fields = base(method) | chosen | {"sampling": sampling or None}
        fields = {key: value for key, value in fields.items() if value is not None}
        if _allowed(fields):
            yield Case(f"choice {fields}", version, fields, model=target(method))


def _fields(version: str, method: Method) -> Iterator[Case]:
    for change in _FIELDS:
        model = target(method) | change.get("model", {})
        yield Case(f"field {method} {change}", version, base(method), change.get("engine", {}), model)


def _keys(version: str, method: Method) -> Iterator[Case]:
    """Every key of every release, with every method."""
    for key in KEYS:
        fields = base(method) | {"config": {key: KEY_VALUES.get(key, True)}}
        if KEYS[key].field is None and _allowed(fields):
            yield Case(f"key {method} {key}", version, fields, model=target(method))


def _formats(version: str) -> Iterator[Case]:
    """Every method of quantization and number format of the KV cache of every release."""
    plain, pair = base(Method.NONE), base(Method.DRAFT_MODEL)
    for name in (*QUANTIZERS, "no_such_method"):
        yield Case(f"quantization {name}", version, plain, model={"quantization": name})
        draft = {"name": "draft", "quantization": name}
        yield Case(f"draft quantization {name}", version, pair | {"draft": draft})
    for name in (*KV_CACHE_DTYPES, "int8"):
        yield Case(f"KV cache {name}", version, pair, {"kvCacheDtype": name})
        yield Case(f"KV cache {name} of the draft", version, pair | {"config": {"kv_cache_dtype": name}})


def _allowed(fields: Fields) -> bool:
    try:
        Speculation.model_validate(fields)
    except ValidationError:
        return False
    return True
