"""A command line, from an argument list or as it stands in a script, to vLLM's own words and its environment."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath
from typing import Final

from specdecode_operator.engine.migration.errors import MalformedCommand

__all__ = ["Command", "read_command"]

_ASSIGNMENT: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_CONTINUATION: Final = re.compile(r"\\[ \t]*\r?\n")
_COMMENT: Final = re.compile(r"(?m)(^|(?<=\s))#[^'\"\n]*$")
_DESCRIPTOR: Final = re.compile(r"(?<=\s)[12](?=>)")
_IMAGE: Final = re.compile(r"(\S*/)?vllm-openai([:@]\S+)?")
_CONTAINER_TOOLS: Final = frozenset({"docker", "podman", "nerdctl"})
_PROGRAMS: Final = frozenset({"python", "python3", "vllm", "kubectl", "helm", *_CONTAINER_TOOLS})
_SEPARATORS: Final = frozenset(";&|\n")


@dataclass(frozen=True)
class Command:
    """What starts one server."""

    environment: tuple[tuple[str, str], ...]
    """Variables that are set for it, in their order."""
    words: tuple[str, ...]
    """vLLM's arguments, without the program."""
    container: bool = False
    """Whether a container tool starts it, whose own options are not read."""


def read_command(arguments: Sequence[str]) -> Command:
    """Return the server's words in `arguments`; one argument with spaces is read as a shell would read it.

    Raises `MalformedCommand` where quotes are open, or no single server is started.
    """
    if len(arguments) == 1 and len(arguments[0].split()) != 1:
        commands = list(_commands(arguments[0]))
    else:
        commands = [[word for word in arguments if word.strip(" \t\r\n\\") or not word]]
    exported = [word for command in commands if _only_sets(command) for word in command]
    words = _server([command for command in commands if command and not _only_sets(command)])
    return _command(exported, words)


def _command(exported: list[str], words: list[str]) -> Command:
    start = _program_end(words)
    before = words[:start] if start else list(takewhile(_ASSIGNMENT.fullmatch, words))
    rest = words[start:] if start else words[len(before) :]
    if not start and rest and PurePosixPath(rest[0]).name in _PROGRAMS:
        raise MalformedCommand(f"the command starts no vLLM server, but {rest[0]}; give `vllm serve …` or its flags")
    matches = [_ASSIGNMENT.fullmatch(word) for word in (*exported, *before)]
    environment = {match[1]: match[2] for match in matches if match}
    return Command(tuple(environment.items()), tuple(rest), bool(_CONTAINER_TOOLS & set(before)))


def _only_sets(command: list[str]) -> bool:
    rest = command[1:] if command[:1] == ["export"] else command
    return bool(rest) and all(_ASSIGNMENT.fullmatch(word) for word in rest)


def _server(commands: list[list[str]]) -> list[str]:
    servers = [command for command in commands if _program_end(command)] or commands
    if not servers:
        raise MalformedCommand("the command line is empty; give `vllm serve MODEL …` or its flags after --")
    if len(servers) > 1:
        raise MalformedCommand(f"{len(servers)} commands are given; give one server at a time")
    return servers[0]


def _program_end(words: Sequence[str]) -> int:
    """Return the index of vLLM's first own word, or 0 where no program is named."""
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if PurePosixPath(word).name == "vllm" and following == "serve":
            return index + 2
        if word == "-m" and following.startswith("vllm.entrypoints."):
            return index + 2 + (words[index + 2 : index + 3] == ["serve"])
        if PurePosixPath(word).name == "api_server.py" or _IMAGE.fullmatch(word):
            return index + 1
    return 0


def _commands(text: str) -> Iterator[list[str]]:
    """Yield the simple commands in `text`; a line that begins with a flag goes on with the one before."""
    command: list[str] = []
    words = _tokens(_DESCRIPTOR.sub("", _COMMENT.sub("", _CONTINUATION.sub(" ", text))))
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if not _separates(word):
            command.append(word)
        elif not (set(word) == {"\n"} and following.startswith("-")):
            yield _without_redirections(command)
            command = []
    yield _without_redirections(command)


def _tokens(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|<>\n")
    lexer.whitespace_split = True
    lexer.whitespace = " \t\r"
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        raise MalformedCommand("a quotation mark or a backslash is left open; close it") from None


def _separates(word: str) -> bool:
    return bool(word) and set(word) <= _SEPARATORS


def _without_redirections(command: list[str]) -> list[str]:
    """Leave out `> file`, `2>&1` and their like: a pod's log is its standard output."""
    kept: list[str] = []
    words = iter(command)
    for word in words:
        if word and set(word) <= set("<>&"):
            next(words, None)
        else:
            kept.append(word)
    return kept
