"""The Dockerfile agrees with the chart and with the package."""

import re
from pathlib import Path

import pytest
import yaml

from chart import values
from chart.files import CHART, REPO
from chart.helm import at, find, render
from specdecode_operator import __version__

DOCKERFILE = (REPO / "Dockerfile").read_text()


def words(instruction: str) -> list[list[str]]:
    """What follows each occurrence of an instruction."""
    return [line.split() for line in re.findall(rf"^{instruction} (.*)$", DOCKERFILE, re.MULTILINE)]


def test_there_is_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    label = re.findall(r'image\.version="(.*?)"', DOCKERFILE)
    assert [chart["version"], chart["appVersion"], *label] == [__version__] * 3


def test_the_image_runs_as_the_user_of_the_chart() -> None:
    context = values.default("podSecurityContext")
    assert words("USER") == [[f"{context['runAsUser']}:{context['runAsGroup']}"]]


def test_the_chart_gives_arguments_to_the_entrypoint_of_the_image() -> None:
    container = at(find(render(), "Deployment"), "spec.template.spec.containers.0")
    assert words("ENTRYPOINT") == [['["specdecode"]']]
    assert "command" not in container
    assert container["args"][0] == "run"


def test_every_dependency_is_installed_by_its_hash() -> None:
    installs = re.findall(r"pip .*?install .*", DOCKERFILE)
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-deps --no-index" in line for line in installs)


@pytest.mark.parametrize("source", [word for line in words("COPY") for word in line[:-1] if not word.startswith("--")])
def test_what_is_copied_is_not_ignored(source: str) -> None:
    allowed = {line[1:] for line in (REPO / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert source.startswith("/") or Path(source).parts[0] in allowed
