"""The keys of `--speculative-config`, however they were given, to `spec.speculation`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from specdecode_operator.api.v1alpha1 import Draft, Engine, Method, Model, Speculation
from specdecode_operator.engine.migration.errors import CannotMigrate, MalformedCommand
from specdecode_operator.engine.migration.methods import METHODS, UNSUPPORTED, guessed
from specdecode_operator.engine.migration.pieces import Field, Finding, Key, Pieces, dropped, lost
from specdecode_operator.engine.migration.quantizers import quantization
from specdecode_operator.engine.migration.refusal import refusal
from specdecode_operator.engine.migration.sampling import sampling
from specdecode_operator.engine.migration.schedule import schedule
from specdecode_operator.engine.migration.weights import locate
from specdecode_operator.engine.versions import Version

__all__ = ["Target", "speculation"]

_DRAFTING: Final = frozenset({Method.DRAFT_MODEL, Method.EAGLE, Method.EAGLE3, Method.MTP})
_COUNTED: Final = frozenset({Method.DRAFT_MODEL, Method.NGRAM, Method.EAGLE, Method.EAGLE3})
_WITH_DRAFT: Final = frozenset({Method.DRAFT_MODEL, Method.EAGLE, Method.EAGLE3})
_MOST_TOKENS: Final = 64
_DEFAULT_LOOKUP: Final = 5
"""Both lengths when none is given (`vllm/config/speculative.py`, 0.8.3 to 0.33.0)."""

_READ: Final = frozenset(
    {
        "method",
        "model",
        "revision",
        "quantization",
        "num_speculative_tokens",
        "prompt_lookup_max",
        "prompt_lookup_min",
        "num_speculative_tokens_per_batch_size",
        "disable_by_batch_size",
        "draft_sample_method",
        "rejection_sample_method",
        "draft_tensor_parallel_size",
        "acceptance_method",
        "posterior_threshold",
        "posterior_alpha",
    }
)
_LOSSY_SAMPLERS: Final = ("fly_", "synthetic_")
"""How the keys of samplers begin that change the answers."""
_HARMLESS: Final = {
    "disable_mqa_scorer": "vLLM scores all draft tokens in one pass now",
    "disable_logprobs": "log probabilities are given with speculation too now",
    "disable_log_stats": "metrics of speculation belong to /metrics now",
}
"""Keys of 0.8.3 to 0.9.2 that nothing needs any more."""


@dataclass(frozen=True)
class Target:
    """What of the target and its server bears upon the speculation."""

    version: Version
    tensor_parallel_size: int
    in_folder: bool
    """Whether the target lies in a folder rather than on the hub."""


def speculation(keys: Mapping[str, Key], target: Target) -> Pieces:
    """Yield the fields of `spec.speculation`, and what is lost or left out.

    Raises `CannotMigrate` where the number of tokens is missing, and `MalformedCommand` where a value cannot be read.
    """
    name = _method_name(keys)
    if name is None:
        yield from _nothing(keys)
    elif name in UNSUPPORTED and name != "ngram_gpu":
        yield lost(_flag(keys, "method", "model"), f"{name}: {UNSUPPORTED[name][0]}", UNSUPPORTED[name][1])
    else:
        yield from _speculation(name, keys, target)


def _speculation(name: str, keys: Mapping[str, Key], target: Target) -> Pieces:
    flag = _flag(keys, "method", "model")
    if name in UNSUPPORTED:
        yield lost(flag, f"{name}: {UNSUPPORTED[name][0]}", UNSUPPORTED[name][1])
    method = METHODS["ngram" if name == "ngram_gpu" else name]
    yield Field("speculation.method", method.value)
    if "method" not in keys and method in _DRAFTING:
        yield dropped(flag, f"read as method {method.value}; set speculation.method where it is another")
    yield from _draft(method, keys, target)
    tokens = _tokens(method, keys)
    if tokens is not None:
        yield Field("speculation.numSpeculativeTokens", tokens)
    yield from _lookup(method, keys)
    yield from schedule(keys, tokens, target.version)
    yield from sampling(keys, target.version)
    yield from _parallel(keys, target)
    yield from _further(method, keys, target.version)


def _method_name(keys: Mapping[str, Key]) -> str | None:
    found = keys.get("method")
    if found is None or found.value is None:
        model = keys.get("model")
        return None if model is None else guessed(_text(model))
    name = _text(found)
    name = "mtp" if name.endswith("_mtp") else name
    if name not in METHODS and name not in UNSUPPORTED:
        raise MalformedCommand(f"{found.flag}: vLLM has no method {name}; known ones are {', '.join(METHODS)}")
    return name


def _nothing(keys: Mapping[str, Key]) -> Pieces:
    tokens = keys.get("num_speculative_tokens")
    if tokens is not None:
        raise MalformedCommand(f"{tokens.flag}: needs a draft or a method beside it, such as --speculative-model")
    for key in keys.values():
        if key.name in ("acceptance_method", "posterior_threshold", "posterior_alpha"):
            yield from sampling({key.name: key}, Version(0, 0, 0))
        else:
            yield dropped(key.flag, "it means nothing without a draft or a method")


def _draft(method: Method, keys: Mapping[str, Key], target: Target) -> Pieces:
    key = keys.get("model")
    if method not in _DRAFTING or key is None:
        if method in _WITH_DRAFT:
            raise MalformedCommand(f"{_flag(keys, 'method')}: method {method.value} needs a draft; give its model")
        return
    found = locate(_text(key), key.flag, "speculation.draft.storage")
    yield Field("speculation.draft.name", found.name)
    if found.storage:
        yield Field("speculation.draft.storage", found.storage)
    elif target.in_folder and found.finding is None:
        yield lost(
            key.flag,
            "a draft of the hub cannot stand beside a target in a folder",
            f"download it to {found.name} beside the target",
        )
    if found.finding:
        yield found.finding
    yield from _draft_weights(keys, target)


def _draft_weights(keys: Mapping[str, Key], target: Target) -> Pieces:
    if "revision" in keys:
        yield Field("speculation.draft.revision", _text(keys["revision"]))
    if "quantization" in keys:
        key = keys["quantization"]
        yield from quantization("speculation.draft.quantization", _text(key), key.flag, target.version)


def _tokens(method: Method, keys: Mapping[str, Key]) -> int | None:
    key = keys.get("num_speculative_tokens")
    if key is None:
        if method in _COUNTED:
            raise CannotMigrate(
                f"--num-speculative-tokens: method {method.value} needs it, and vLLM has no default; 3 is a good start"
            )
        return None
    return _whole(key, 1, _MOST_TOKENS)


def _lookup(method: Method, keys: Mapping[str, Key]) -> Pieces:
    given = {name: keys[name] for name in ("prompt_lookup_min", "prompt_lookup_max") if name in keys}
    if method is not Method.NGRAM:
        yield from (dropped(key.flag, f"method {method.value} looks no n-grams up") for key in given.values())
        return
    lengths = {name: _whole(key, 1, _MOST_TOKENS) for name, key in given.items()}
    largest = lengths.get("prompt_lookup_max", lengths.get("prompt_lookup_min", _DEFAULT_LOOKUP))
    smallest = lengths.get("prompt_lookup_min", largest)
    if "prompt_lookup_min" not in keys and _flag(keys, "prompt_lookup_max").startswith("--ngram"):
        smallest = 1
    if smallest > largest:
        raise MalformedCommand(f"{_flag(keys, 'prompt_lookup_min')}: {smallest} exceeds the maximum of {largest}")
    yield Field("speculation.promptLookup", {"min": smallest, "max": largest})


def _parallel(keys: Mapping[str, Key], target: Target) -> Iterator[Finding]:
    key = keys.get("draft_tensor_parallel_size")
    if key is None:
        return
    size, own = _whole(key, 1, _MOST_TOKENS), target.tensor_parallel_size
    if size == own:
        yield dropped(key.flag, f"{size} is what the draft has anyway, the tensor parallelism of the target")
    else:
        yield lost(
            key.flag,
            f"vLLM shards the draft over the target's {own} GPUs; with {size} its V1 runner stops at start and its V2"
            " runner ignores it",
            "leave it out, and count the draft's weights on every GPU",
        )


def _further(method: Method, keys: Mapping[str, Key], version: Version) -> Pieces:
    for key in keys.values():
        if key.name in _HARMLESS:
            yield dropped(key.flag, _HARMLESS[key.name])
        elif key.name.startswith(_LOSSY_SAMPLERS):
            yield dropped(key.flag, "it belongs to a sampler that the resource does not have")
    left_out = {key for key in keys if key in _HARMLESS or key in _READ or key.startswith(_LOSSY_SAMPLERS)}
    further = {name: key for name, key in keys.items() if name not in left_out}
    faults = {name: _fault(method, key, version) for name, key in further.items()}
    yield from (Finding(further[name].flag, fault, lost=True) for name, fault in faults.items() if fault)
    config = {name: key.value for name, key in further.items() if not faults[name]}
    if config:
        yield Field("speculation.config", config)
    if "max_model_len" in config:
        flag = further["max_model_len"].flag
        yield dropped(flag, "vLLM's V2 runner lowers the length of all requests to it, where V0 only stopped drafting")


def _fault(method: Method, key: Key, version: Version) -> str | None:
    """Return why the renderer refuses `key` in `speculation.config`, or None; what it refuses anyway is no fault."""
    plain = Speculation(
        method=method,
        draft=Draft(name="draft") if method in _WITH_DRAFT else None,
        num_speculative_tokens=1 if method in _COUNTED else None,
    )
    engine, model = Engine(version=str(version)), Model(name="target")
    if refusal(model, plain, engine) is not None:
        return None
    return refusal(model, plain.model_copy(update={"config": {key.name: key.value}}), engine)


def _flag(keys: Mapping[str, Key], *names: str) -> str:
    """Return the flag that gave the first of the keys `names` that is there."""
    return next((keys[name].flag for name in names if name in keys), "")


def _text(key: Key) -> str:
    if not isinstance(key.value, str) or not key.value:
        raise MalformedCommand(f"{key.flag}: needs a text")
    return key.value


def _whole(key: Key, low: int, high: int) -> int:
    """Return the value as a whole number; vLLM takes numbers in quotes too."""
    value = int(key.value) if isinstance(key.value, str) and key.value.isdecimal() else key.value
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise MalformedCommand(f"{key.flag}: needs a whole number from {low} to {high}")
    return value
