"""Talking to an API server with the real kubectl."""

import json
from pathlib import Path
from typing import Any

from devcluster.binaries import binary
from devcluster.commands import run


def kubectl(kubeconfig: Path, *arguments: str, stdin: str | None = None) -> str:
    """Run kubectl with a kubeconfig and return what it prints.

    Raises:
        CommandError: kubectl ended with an error.

    """
    return run([binary("kubectl"), f"--kubeconfig={kubeconfig}", *arguments], stdin=stdin)


def get(kubeconfig: Path, *arguments: str) -> dict[str, Any]:
    """The object or list that `kubectl get` with these arguments finds.

    Raises:
        CommandError: kubectl ended with an error, for instance because there is no such object.

    """
    found: dict[str, Any] = json.loads(kubectl(kubeconfig, "get", *arguments, "--output=json"))
    return found
