"""Values of flags to values of fields; what cannot be read raises `MalformedCommand`."""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from specdecode_operator.engine.migration.errors import MalformedCommand
from specdecode_operator.engine.migration.options import Option
from specdecode_operator.engine.migration.texts import holds_secret

__all__ = ["chosen", "decimal", "json_object", "json_value", "readable", "text", "text_or_none", "whole"]

_READABLE: Final = re.compile(r"(\d+(?:\.\d+)?)([kKmMgGtT])")
_DECIMAL_UNITS: Final = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY_UNITS: Final = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_LONGEST_SHOWN: Final = 64
_UNITS: Final = _DECIMAL_UNITS | _BINARY_UNITS


def text(option: Option) -> str:
    """Return the value as it is."""
    return option.value


def text_or_none(option: Option) -> str | None:
    """Return the value, or None for the word `None`, which flags of V0 took for nothing (`nullable_str`)."""
    return None if option.value == "None" else option.value


def whole(option: Option, low: int, high: int) -> int:
    """Return the value as a whole number from `low` to `high`, the range of its field."""
    try:
        number = int(option.value)
    except ValueError:
        raise MalformedCommand(f"{_shown(option)}: needs a whole number") from None
    return _within(option, number, low, high)


def readable(option: Option, low: int, high: int) -> int:
    """Return a number such as `8192`, `8k` (8000) or `8K` (8192), as vLLM's `human_readable_int` reads it."""
    match = _READABLE.fullmatch(option.value.strip())
    if match is None:
        return whole(option, low, high)
    number, unit = Decimal(match[1]), match[2]
    if unit in _BINARY_UNITS and "." in match[1]:
        raise MalformedCommand(f"{_shown(option)}: {unit} takes whole numbers; use {unit.lower()}")
    return _within(option, int(number * _UNITS[unit]), low, high)


def decimal(option: Option) -> Decimal:
    """Return the value as an exact decimal number."""
    try:
        number = Decimal(option.value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise MalformedCommand(f"{_shown(option)}: needs a number")
    return number


def chosen(choices: Mapping[str, str]) -> Callable[[Option], str]:
    """Return a converter that gives what `choices` says for the value."""

    def convert(option: Option) -> str:
        if option.value not in choices:
            raise MalformedCommand(f"{_shown(option)}: needs one of {', '.join(choices)}")
        return choices[option.value]

    return convert


def json_object(option: Option) -> dict[str, Any]:
    """Return the value as a JSON object."""
    try:
        found = json.loads(option.value)
    except json.JSONDecodeError as error:
        raise MalformedCommand(
            f"{option.spelled}: no JSON at character {error.pos + 1} ({error.msg}); quote it for the shell"
        ) from None
    except (ValueError, RecursionError):
        raise MalformedCommand(f"{option.spelled}: its JSON is too deep, or a number in it too long") from None
    if not isinstance(found, dict):
        raise MalformedCommand(f'{option.spelled}: needs a JSON object such as \'{{"method":"ngram"}}\'')
    return found


def json_value(option: Option) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a dotted flag: JSON where it is some, else text."""
    try:
        return json.loads(option.value)
    except (ValueError, RecursionError):
        return option.value


def _within(option: Option, number: int, low: int, high: int) -> int:
    if not low <= number <= high:
        raise MalformedCommand(f"{_shown(option)}: the resource takes {low} to {high}")
    return number


def _shown(option: Option) -> str:
    """Return the flag with its value, unless that is long or may be a secret."""
    short = len(option.value) <= _LONGEST_SHOWN and not holds_secret(option.value)
    return f"{option.spelled} {option.value}" if short else option.spelled
