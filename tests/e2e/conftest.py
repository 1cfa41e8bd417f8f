"""The whole cluster, the chart and one resource with two replicas; the tests of this layer are one story, in order."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import stage
from support.layer import MEASURED, mark, summarise
from support.observation import Watched
from support.traffic import Traffic
from support.waiting import eventually

NAMESPACE = "e2e"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the layer."""
    mark(items, folder=Path(__file__).parent, seconds=1500, target="make test")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    summarise(terminalreporter)


@pytest.fixture(scope="session")
def report() -> list[str]:
    return MEASURED


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
