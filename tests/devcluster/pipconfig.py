"""The machine's settings for package indexes, so that builds reach the same index as its own pip."""

import ast
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from devcluster.commands import run

SETTINGS = ("index-url", "extra-index-url", "find-links", "trusted-host", "cert", "proxy", "default-timeout")
UV_VARIABLES = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def settings() -> dict[str, str]:
    """What pip's files and environment set of `SETTINGS`; the environment wins, as it does for pip."""
    listed = run([sys.executable, "-m", "pip", "config", "list"])
    return parsed(listed)


def parsed(listed: str) -> dict[str, str]:
    """The settings in the output of `pip config list`: lines of the form `global.index-url='https://...'`."""
    found: dict[str, str] = {}
    for line in sorted(listed.splitlines(), key=_from_environment):
        name, separator, value = line.partition("=")
        option = name.rpartition(".")[2]
        if separator and option in SETTINGS:
            found[option] = str(ast.literal_eval(value))
    return found


def pip_file(values: Mapping[str, str]) -> str:
    """The text of a `pip.conf` with these settings."""
    lines = (f"{name} = {' '.join(value.split())}" for name, value in values.items())
    return "\n".join(["[global]", *lines, ""])


def uv_environment(values: Mapping[str, str]) -> dict[str, str]:
    """The environment for uv: its own variables where they are set, else pip's settings under uv's names."""
    translated = {variable: values[name] for name, variable in UV_VARIABLES.items() if name in values}
    return {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1", **translated, **os.environ}


def files(values: Mapping[str, str]) -> list[Path]:
    """The files and folders of this machine that the settings and the certificate variables name."""
    words = [word for value in values.values() for word in value.split()]
    words += [os.environ.get(variable, "") for variable in CERTIFICATE_VARIABLES]
    return sorted({Path(word) for word in words if word.startswith("/") and Path(word).exists()})


def _from_environment(line: str) -> bool:
    return line.startswith(":env:")
