"""vLLM's words to options, as its own parser reads them (`vllm/utils/argparse_utils.py` 0.32.0)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from specdecode_operator.engine.flags import ALIASES
from specdecode_operator.engine.migration.errors import MalformedCommand
from specdecode_operator.engine.migration.known import LISTS, SINGLES, SWITCHES
from specdecode_operator.engine.migration.texts import check_written_out

__all__ = ["Option", "is_secret", "known", "read_options"]

_NEGATIVE_NUMBER: Final = re.compile(r"-\d+(\.\d+)?")
_LEVEL: Final = re.compile(r"-O\d")
_TRUTH: Final = frozenset({"true", "false"})
_SECRET: Final = re.compile(r"--(.*-)?(api-?keys?|token|secrets?|passwords?|credentials?)")
_NO_SECRETS: Final = SINGLES - {"--hf-token"}


@dataclass(frozen=True)
class Option:
    """One flag with its values."""

    flag: str
    """The flag's full name, with dashes; a positional model is `--model`."""
    spelled: str
    """As it was written, without its value."""
    values: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    """Keys below the flag where it is dotted, such as `--speculative-config.method`."""
    negated: bool = False
    """Whether it is a switch that is turned off."""
    words: tuple[str, ...] = ()
    """The words as they were written."""

    @property
    def value(self) -> str:
        """The last value. Raises `MalformedCommand` where there is none."""
        if not self.values or not self.values[-1]:
            raise MalformedCommand(f"{self.spelled} needs a value")
        return self.values[-1]


def is_secret(flag: str) -> bool:
    """Whether the values of `flag` must never be shown."""
    return flag not in _NO_SECRETS and _SECRET.fullmatch(flag) is not None


def known(flag: str) -> bool:
    """Whether vLLM has or had `flag`."""
    return flag in SWITCHES or flag in LISTS or flag in SINGLES


def read_options(words: Sequence[str]) -> list[Option]:
    """Return the options in their order; the model comes as `--model`, however it was given.

    Raises `MalformedCommand` where a word belongs to no flag. Values of flags that hold a secret appear in no message.
    """
    options: list[Option] = []
    positionals: list[str] = []
    previous = "the program"
    for group in _groups(words):
        option, rest = _option(group) if _is_flag(group[0]) else (None, group)
        options += [option] if option else []
        if len(positionals) + len(rest) > 1:
            raise MalformedCommand(f"a word after {previous if option is None else option.spelled} belongs to no flag")
        positionals += rest
        previous = option.spelled if option else previous
    return [*(_model(word) for word in positionals), *options]


def _model(word: str) -> Option:
    check_written_out("the model", word)
    return Option("--model", "MODEL", (word,), words=(word,))


def _is_flag(word: str) -> bool:
    return word.startswith("-") and word not in ("-", "--") and _NEGATIVE_NUMBER.fullmatch(word) is None


def _groups(words: Sequence[str]) -> Iterator[list[str]]:
    """Yield each flag with the plain words after it; words before the first flag come alone."""
    group: list[str] = []
    for word in words:
        if _is_flag(word) and group:
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _option(group: list[str]) -> tuple[Option, list[str]]:
    """Return the option that `group` begins with, and the words that it leaves."""
    spelled, equals, inline = group[0].partition("=")
    name, *key = spelled.rstrip("+").split(".")
    if _LEVEL.match(name):
        spelled, equals, inline = "-O", "=", spelled[2:]
        name = spelled
    flag, negated = _canonical(name)
    taken = 0 if equals else _taken(flag, group[1:], dotted=bool(key))
    values = (inline,) if equals else tuple(group[1 : 1 + taken])
    if not is_secret(flag):
        for value in values:
            check_written_out(spelled, value)
    negated ^= flag in SWITCHES and bool(values) and values[0].lower() == "false"
    path = tuple(part.replace("-", "_") for part in key)
    option = Option(flag, spelled, values, path, negated, tuple(group[: 1 + taken]))
    return option, group[1 + taken :]


def _canonical(name: str) -> tuple[str, bool]:
    flag = ALIASES.get(name) or name.replace("_", "-")
    flag = ALIASES.get(flag, flag)
    positive = "--" + flag.removeprefix("--no-")
    if flag.startswith("--no-") and (positive in SWITCHES or not known(flag)):
        return positive, True
    return _completed(flag), False


def _completed(flag: str) -> str:
    """Return the only flag that begins like `flag`: argparse takes abbreviations."""
    if known(flag) or not flag.startswith("--"):
        return flag
    matches = [name for name in (*SWITCHES, *LISTS, *SINGLES) if name.startswith(flag)]
    return matches[0] if len(matches) == 1 else flag


def _taken(flag: str, plain: Sequence[str], *, dotted: bool) -> int:
    """Return how many of the `plain` words after `flag` are its values."""
    if flag in SWITCHES:
        return int(bool(plain) and plain[0].lower() in _TRUTH)
    if is_secret(flag) or flag in LISTS or not (dotted or known(flag)):
        return len(plain)
    return min(1, len(plain))
