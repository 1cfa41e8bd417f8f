"""The keys of `speculation.config`, one by one. Refused by vLLM's pydantic model of `SpeculativeConfig`."""

from collections.abc import Iterator
from typing import Any

from specdecode_operator.api.remarks import Remark, error, warning
from specdecode_operator.engine.keys import KEYS, Key, known_keys
from specdecode_operator.engine.rules.setup import Setup, needs

__all__ = ["keys_are_known"]


def keys_are_known(setup: Setup) -> Iterator[Remark]:
    """Each key is known to the release, has no field of its own, fits the method and has a value that it takes."""
    for name, value in setup.config.items():
        field = f"speculation.config.{name}"
        key = KEYS.get(name)
        if key is None:
            known = ", ".join(known_keys(setup.version, setup.method))
            message = f"vLLM {setup.version} does not know it; further keys for {setup.method} are {known}"
            yield error("ConfigKeyUnknown", field, message)
        elif key.field is not None:
            yield error("ConfigKeyHasField", field, f"it has a field of its own; use {key.field}")
        else:
            yield from _known(setup, field, key, value)


def _known(setup: Setup, field: str, key: Key, value: Any) -> Iterator[Remark]:  # noqa: ANN401 - any JSON value
    reason = needs(key.releases, setup.version)
    instead = f"; use {key.instead}" if key.instead else ""
    if reason:
        early = setup.version < key.releases.first
        yield error("ConfigKeyUnavailable" if early else "ConfigKeyRemoved", field, reason + instead)
    elif key.refused:
        yield error("ConfigKeyRefused", field, f"vLLM knows this key only to refuse it{instead}")
    elif fault := key.fault(value):
        yield error("ConfigValueInvalid", field, f"{value!r} is refused: {fault}")
    else:
        yield from _read(setup, field, key)


def _read(setup: Setup, field: str, key: Key) -> Iterator[Remark]:
    instead = f"; use {key.instead}" if key.instead else "; remove it"
    if key.methods is not None and setup.method not in key.methods:
        methods = ", ".join(sorted(key.methods)) or "methods that this resource does not offer"
        message = f"it goes with {methods}, not with {setup.method}; remove it"
        yield error("ConfigKeyRefused", field, message) if key.strict else _idle(field, message)
    elif key.read is not None and setup.version not in key.read:
        yield _idle(field, f"nothing reads it from vLLM {key.read.gone} on{instead}")


def _idle(field: str, message: str) -> Remark:
    return warning("ConfigKeyWithoutEffect", field, message)
