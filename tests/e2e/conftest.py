"""The whole cluster, the chart and one resource with two replicas; the tests of this layer are one story, in order."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import stage
from support.observation import Watched
from support.traffic import Traffic
from support.waiting import eventually

NAMESPACE = "e2e"
_REPORT: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the layer; where it cannot run it is skipped with a sentence, and under CI it fails instead."""
    able = platform.system() == "Linux" and os.geteuid() == 0
    for item in items:
        item.add_marker(pytest.mark.e2e)
        item.add_marker(pytest.mark.timeout(1500))
        if not able and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason="the end-to-end layer needs root on Linux; run make test as root"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured on the way."""
    for line in _REPORT:
        terminalreporter.write_line(f"measured: {line}")


@pytest.fixture(scope="session")
def report() -> list[str]:
    return _REPORT


@pytest.fixture(scope="session")
def models() -> Path:
    found = stage.prepare()
    stage.install()
    stage.kube("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=180s")
    stage.apply(stage.resource(found, NAMESPACE, replicas=2, probe={"mode": "Never"}))
    return found


@pytest.fixture(scope="session")
def watched(models: Path) -> Watched:
    assert models.is_dir()
    found = Watched(NAMESPACE)
    eventually(lambda: found.condition("Reconciling") == ("False", "UpToDate"), seconds=500, what="two ready pods")
    return found


@pytest.fixture(scope="session")
def traffic(models: Path, watched: Watched) -> Iterator[Traffic]:
    """Domain A from the start; every request opens a connection of its own."""
    assert watched.condition("Ready")[0] == "True"
    with Traffic(stage.address(NAMESPACE), "target", stage.prompts(models)) as found:
        yield found


@pytest.fixture(scope="session")
def kept_connections(models: Path, watched: Watched) -> Iterator[Traffic]:
    """A client beside it that keeps its connection open."""
    assert watched.condition("Ready")[0] == "True"
    address, prompts = stage.address(NAMESPACE), stage.prompts(models)
    with Traffic(address, "target", prompts, in_flight=1, keep_alive=True) as found:
        yield found
