"""Handlers: how the value of one flag becomes a field, a key, further arguments or a finding."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final

from specdecode_operator.api.v1alpha1 import Duration
from specdecode_operator.engine.migration.errors import MalformedCommand
from specdecode_operator.engine.migration.known import SWITCHES
from specdecode_operator.engine.migration.options import Option, known
from specdecode_operator.engine.migration.pieces import Extra, Field, Key, Pieces, Ranks, dropped, lost
from specdecode_operator.engine.migration.quantizers import gone, quantization
from specdecode_operator.engine.migration.texts import holds_secret
from specdecode_operator.engine.migration.values import chosen, decimal, json_object, json_value, readable, whole
from specdecode_operator.engine.versions import Version

__all__ = [
    "DTYPES",
    "Handler",
    "acceptance",
    "backend",
    "device",
    "load_format",
    "max_model_len",
    "number",
    "passed_on",
    "port",
    "ranks",
    "secret",
    "served_names",
    "shutdown",
    "speculative_config",
    "target_quantization",
    "task",
    "to_field",
    "to_key",
    "to_loss",
    "to_note",
    "to_other_words",
    "utilization",
    "within",
]

Handler = Callable[[Option, Version], Pieces]

_PORT: Final = "8000"
_LEAST_PERCENT: Final = 10
_MOST_PERCENT: Final = 99
_WHOLE: Final = 100
_LONGEST_WORD: Final = 1024
DTYPES: Final = {
    "auto": "auto",
    "bfloat16": "bfloat16",
    "float16": "float16",
    "half": "float16",
    "float32": "float32",
    "float": "float32",
}
_SAMPLERS: Final = {name: name for name in ("rejection_sampler", "typical_acceptance_sampler")}
_LOCAL_FILE: Final = re.compile(r"(^|=)(/|\./|\.\./|~)")


def to_field(path: str, convert: Callable[[Option], Any]) -> Handler:
    """Return a handler that sets the field at `path` to the converted value."""

    def handler(option: Option, _version: Version) -> Pieces:
        yield Field(path, convert(option))

    return handler


def to_key(name: str, convert: Callable[[Option], Any]) -> Handler:
    """Return a handler that gives the key `name` of `--speculative-config` the converted value."""

    def handler(option: Option, _version: Version) -> Pieces:
        yield Key(name, convert(option), option.spelled)

    return handler


def to_note(reason: str) -> Handler:
    """Return a handler that leaves the flag out without harm."""

    def handler(option: Option, _version: Version) -> Pieces:
        yield dropped(option.spelled, reason)

    return handler


def to_loss(reason: str, replacement: str) -> Handler:
    """Return a handler that names the flag as lost."""

    def handler(option: Option, _version: Version) -> Pieces:
        yield lost(option.spelled, reason, replacement)

    return handler


def to_other_words(reason: str, *words: str) -> Handler:
    """Return a handler for a flag that another one replaces; `{}` in `words` stands for its values."""

    def handler(option: Option, _version: Version) -> Pieces:
        made = [part for word in words for part in (option.values if word == "{}" else (word,))]
        yield Extra(tuple(made))
        yield dropped(option.spelled, f"{reason}; engine.extraArgs has {' '.join(made)}")

    return handler


def passed_on(option: Option, version: Version) -> Pieces:
    """Give the flag to `engine.extraArgs`, unless it holds a secret."""
    if any(map(holds_secret, option.values)):
        yield from secret(option, version)
        return
    words = _passed_words(option)
    if any(len(word) > _LONGEST_WORD for word in words):
        advice = f"engine.extraArgs takes words of {_LONGEST_WORD} characters; shorten it or bake it into the image"
        yield lost(option.spelled, "its value is too long", advice)
        return
    yield Extra(words)
    if not known(option.flag):
        yield dropped(option.spelled, "vLLM 0.32 lists no such flag; it is passed on as it stands")
    if any(_LOCAL_FILE.search(value) for value in option.values):
        yield dropped(option.spelled, "the file must be in the pod too; mount it by podTemplate")


def _passed_words(option: Option) -> tuple[str, ...]:
    """Return the words for `engine.extraArgs`: a switch takes no value any more, and no word is empty."""
    if option.flag in SWITCHES and option.values:
        return (f"--no-{option.flag.removeprefix('--')}" if option.negated else option.flag,)
    if "" in option.words:
        return (f"{option.spelled}=",)
    return option.words


def secret(option: Option, _version: Version) -> Pieces:
    """Name the flag as lost, without its value."""
    yield lost(
        option.spelled,
        "arguments show secrets to everyone who may read pods",
        "keep it in a Secret and give it by podTemplate with a secretKeyRef",
    )


def served_names(option: Option, _version: Version) -> Pieces:
    """Keep the first name, which is also the one of the metrics."""
    yield Field("model.servedName", Option("", option.spelled, option.values[:1]).value)
    if len(option.values) > 1:
        others = ", ".join(option.values[1:])
        yield lost(
            option.spelled, f"the resource has one served name, so {others} is not answered", "ask for the first"
        )


def max_model_len(option: Option, _version: Version) -> Pieces:
    """Read the length of a request in tokens."""
    if option.value.lower() in ("-1", "auto"):
        yield lost(
            option.spelled, "the resource takes no length that vLLM finds itself", "set engine.maxModelLen in tokens"
        )
        return
    yield Field("engine.maxModelLen", readable(option, 1, 16777216))


def utilization(option: Option, _version: Version) -> Pieces:
    """Turn a share into whole percents."""
    percent = decimal(option) * 100
    if not 0 < percent <= _WHOLE:
        raise MalformedCommand(f"{option.spelled} {option.value}: needs a share over 0 and up to 1")
    rounded = min(int(percent), _MOST_PERCENT)
    if rounded < _LEAST_PERCENT:
        advice = "leave engine.gpuMemoryUtilizationPercent out, or set 10 or more"
        yield lost(option.spelled, f"the resource takes {_LEAST_PERCENT} to {_MOST_PERCENT} percent", advice)
        return
    yield Field("engine.gpuMemoryUtilizationPercent", rounded)
    if percent != Decimal(rounded):
        yield dropped(option.spelled, f"rounded down to {rounded} %, since the resource takes whole percents up to 99")


def target_quantization(option: Option, version: Version) -> Pieces:
    """Keep the quantizer, where the version still has it."""
    if option.value.lower() == "none":
        yield dropped(option.spelled, "none is what vLLM does without the flag")
    else:
        yield from quantization("model.quantization", option.value, option.spelled, version)


def load_format(option: Option, version: Version) -> Pieces:
    """Pass the format on, unless its quantizer is gone."""
    reason = gone(option.value, version)
    if reason is None:
        yield from passed_on(option, version)
    else:
        yield lost(option.spelled, *reason)


def port(option: Option, _version: Version) -> Pieces:
    """Say which port clients get, where they would notice."""
    if option.value != _PORT:
        port = whole(option, 1, 65535)
        yield dropped(
            option.spelled, f"the operator's Service listens on {_PORT}; give clients that port instead of {port}"
        )


def shutdown(option: Option, _version: Version) -> Pieces:
    """Turn the seconds into a drain timeout."""
    seconds = whole(option, 0, 999999)
    if seconds == 0:
        yield lost(option.spelled, "pods always finish the requests they have", "set rollout.drainTimeout to 1s")
        return
    divisor, unit = next((size, unit) for size, unit in ((3600, "h"), (60, "m"), (1, "s")) if seconds % size == 0)
    yield Field("rollout.drainTimeout", Duration(f"{seconds // divisor}{unit}"))


def ranks(option: Option, version: Version) -> Pieces:
    """Further parallelism has no field, but takes GPUs."""
    yield Ranks(whole(option, 1, 64))
    yield from passed_on(option, version)


def backend(option: Option, version: Version) -> Pieces:
    """Say the backend of structured outputs as vLLM does now."""
    if option.value in ("auto", "xgrammar", "guidance", "outlines"):
        config = f'{{"backend":"{option.value}"}}'
        yield from to_other_words("it is a key now", "--structured-outputs-config", config)(option, version)
    else:
        yield lost(
            option.spelled,
            "this backend or its options are gone, or refuse requests while vLLM speculates",
            "use --structured-outputs-config with backend auto, xgrammar, guidance or outlines",
        )


def task(option: Option, _version: Version) -> Pieces:
    """Leave out what vLLM finds itself."""
    if option.value in ("auto", "generate"):
        yield dropped(option.spelled, "vLLM finds the task itself")
    else:
        yield lost(option.spelled, "vLLM has no --task any more", "use --runner and --convert in engine.extraArgs")


def device(option: Option, _version: Version) -> Pieces:
    """Leave out what the image decides."""
    if option.value in ("auto", "cuda"):
        yield dropped(option.spelled, "the image decides on the device")
    else:
        yield lost(
            option.spelled,
            "vLLM has no --device any more, the image decides",
            "set engine.image to one that is made for the device, and resources.gpu.resourceName",
        )


def acceptance(option: Option, _version: Version) -> Pieces:
    """Check the name of the acceptance sampler."""
    yield Key("acceptance_method", chosen(_SAMPLERS)(option), option.spelled)


def speculative_config(option: Option, version: Version) -> Pieces:
    """Take the JSON object or the dotted key apart; each key is named as if it were dotted."""
    if any(map(holds_secret, option.values)):
        yield from secret(option, version)
    elif option.key:
        found: Any = option.value.split(",") if option.spelled.endswith("+") else json_value(option)
        for part in reversed(option.key[1:]):
            found = {part: found}
        yield Key(option.key[0], found, option.spelled)
    else:
        for name, value in json_object(option).items():
            yield Key(name.replace("-", "_"), value, f"{option.spelled}.{name}")


def number(option: Option) -> float:
    """Return the value as a number."""
    return float(decimal(option))


def within(low: int, high: int) -> Callable[[Option], int]:
    """Return a converter for whole numbers from `low` to `high`."""
    return partial(whole, low=low, high=high)
