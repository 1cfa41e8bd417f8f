"""What the layers on the whole cluster share: who can run them, and what they print at their end."""

import os
import platform
from pathlib import Path

import pytest

__all__ = ["MEASURED", "mark", "summarise"]

MEASURED: list[str] = []
"""What was measured on the way; tests add to it."""


def mark(items: list[pytest.Item], *, folder: Path, seconds: float, target: str) -> None:
    """Mark the tests of the layer in `folder`, which are allowed `seconds` each; a hook sees those of others too.

    Where they cannot run they are skipped with a sentence that names `target`, and under CI they fail instead.
    """
    able = platform.system() == "Linux" and os.geteuid() == 0
    for item in items:
        if folder not in item.path.parents:
            continue
        item.add_marker(pytest.mark.e2e)
        item.add_marker(pytest.mark.timeout(seconds))
        if not able and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason=f"this layer needs root on Linux; run {target} as root"))


def summarise(reporter: pytest.TerminalReporter) -> None:
    """Print what was measured on the way."""
    for line in MEASURED:
        reporter.write_line(f"measured: {line}")
