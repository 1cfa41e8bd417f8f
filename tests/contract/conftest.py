"""Asks each version once, both at the same time, and prints how far pre-flight and the engine agree."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contract import models
from contract.agreement import Contract, compare, summary
from contract.asking import ask
from contract.case import Case, Question
from contract.environments import VERSIONS
from contract.grid import grid
from contract.refusals import refusals

_REPORT: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(3600))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _REPORT:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def report() -> list[str]:
    return _REPORT


@pytest.fixture(scope="session")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Contract]:
    scratch = tmp_path_factory.mktemp("contract")
    models.write(scratch / "models")
    asked = {version: _questions(version, scratch / "models") for version in VERSIONS}
    with ThreadPoolExecutor(len(VERSIONS)) as pool:
        answered = pool.map(lambda version: _contract(version, asked[version], scratch), VERSIONS)
    found = dict(zip(VERSIONS, answered, strict=True))
    _REPORT.extend(summary(contract) for contract in found.values())
    return found


def _questions(version: str, folder: Path) -> list[tuple[Case, Question]]:
    return [(case, case.question(folder)) for case in (*grid(version), *refusals(version))]


def _contract(version: str, asked: list[tuple[Case, Question]], scratch: Path) -> Contract:
    known, answers = ask(version, [question for _, question in asked], scratch)
    return Contract(known, tuple(compare(case, question, answers[question]) for case, question in asked))
