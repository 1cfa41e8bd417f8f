"""What a version that is not installed would say of a command line, as far as its recorded tables tell."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from contract.case import Question

__all__ = ["VERSIONS", "Table", "table"]

_FOLDER: Final = Path(__file__).resolve().with_name("recorded")
VERSIONS: Final = tuple(
    sorted((path.stem for path in _FOLDER.glob("*.json")), key=lambda text: tuple(map(int, text.split("."))))
)
"""Versions with a table, ascending."""

_VALUES: Final = {
    "method": "SpeculativeMethod",
    "rejection_sample_method": "RejectionSampleMethod",
    "draft_sample_method": "DraftSampleMethod",
    "kv_cache_dtype": "CacheDType",
    "quantization": "QuantizationMethods",
}
"""Keys of `--speculative-config` whose values are listed."""
_FLAG_VALUES: Final = {"--kv-cache-dtype": "CacheDType", "--quantization": "QuantizationMethods"}


@dataclass(frozen=True)
class Table:
    """Flags, keys and values of one version; see `contract.record`."""

    version: str
    lists: dict[str, list[str]]

    def refusals(self, question: Question) -> tuple[str, ...]:
        """Return the flags, keys and values that the version does not know."""
        return tuple(self._refusals(question.words[1:]))

    def _refusals(self, words: tuple[str, ...]) -> Iterator[str]:
        for place, word in enumerate(words):
            flag, equals, value = word.partition("=")
            if not flag.startswith("--"):
                continue
            value = value if equals else next(iter(words[place + 1 :]), "")
            if not self._has_flag(flag):
                yield flag
            elif flag == "--speculative-config":
                yield from self._keys(json.loads(value))
            elif flag in _FLAG_VALUES and not self._has(_FLAG_VALUES[flag], value):
                yield f"{flag} {value}"

    def _keys(self, config: dict[str, Any]) -> Iterator[str]:
        for key, value in config.items():
            if key not in self.lists["speculation"]:
                yield key
            elif key in _VALUES and not self._has(_VALUES[key], value):
                yield f"{key}: {value}"

    def _has_flag(self, flag: str) -> bool:
        positive = flag.replace("_", "-").partition(".")[0].replace("--no-", "--", 1)
        return positive in self.lists["flags"] or flag in self.lists["flags"]

    def _has(self, name: str, value: str) -> bool:
        """Whether the type has the value; a type that the version spells otherwise says nothing."""
        return not self.lists[name] or value in self.lists[name]


@cache
def table(version: str) -> Table:
    """Return the table of a version."""
    return Table(version, json.loads((_FOLDER / f"{version}.json").read_text()))
