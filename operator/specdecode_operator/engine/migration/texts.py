"""What may not go from a command line into a resource: values that a shell fills in, and secrets."""

import re
from typing import Final

from specdecode_operator.engine.migration.errors import MalformedCommand

__all__ = ["check_written_out", "holds_secret"]

_EXPANSION: Final = re.compile(r"\$[A-Za-z_{(]|`")
_SECRET: Final = re.compile(r"\b(hf_|sk-)[A-Za-z0-9_-]{16,}")
"""Tokens of the Hugging Face hub, and keys in the style of OpenAI's API."""


def check_written_out(name: str, value: str) -> None:
    """Raise `MalformedCommand` where a shell has yet to fill `value` in; Kubernetes would read `$(…)` otherwise."""
    if _EXPANSION.search(value):
        raise MalformedCommand(f"{name} holds a shell variable or command; write out its value")


def holds_secret(value: str) -> bool:
    """Whether a part of `value` has the form of a token or key."""
    return _SECRET.search(value) is not None
