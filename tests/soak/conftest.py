"""The whole cluster and the chart, for stories that take longer than `make test` may."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support import stage
from support.layer import MEASURED, mark, summarise
from support.observation import Watched
from support.traffic import Traffic
from support.waiting import eventually

Serve = Callable[..., tuple[Watched, Traffic]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the layer."""
    mark(items, folder=Path(__file__).parent, seconds=2400, target="make test-long")


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
    return found


@pytest.fixture
def serve(models: Path) -> Iterator[Serve]:
    """Return what serves a resource of one pod, with traffic of domain A, and takes it away after the test."""
    with ExitStack() as stack:

        def start(namespace: str, *fallbacks: stage.Manifest, **policy: Any) -> tuple[Watched, Traffic]:
            remove(namespace)
            manifest = stage.resource(models, namespace, replicas=1, **policy)
            manifest["spec"]["fallbacks"] = list(fallbacks)
            stage.apply(manifest)
            stack.callback(remove, namespace)
            watched = Watched(namespace)
            eventually(lambda: watched.condition("Ready")[0] == "True", seconds=400, what="a ready pod")
            traffic = Traffic(stage.address(namespace), "target", stage.prompts(models))
            return watched, stack.enter_context(traffic)

        yield start


def remove(namespace: str) -> None:
    stage.kube("delete", "namespace", namespace, "--ignore-not-found", "--timeout=180s")
