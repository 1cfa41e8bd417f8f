"""The documents keep up with the product."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from specdecode_operator.api.unknown import unknown_fields
from specdecode_operator.api.v1alpha1 import parse
from specdecode_operator.cli import main
from specdecode_operator.policy import ladder
from specdecode_operator.workload import Layout, children

REPOSITORY = Path(__file__).resolve().parents[3]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("**/*.md"))]
NAMES = [str(page.relative_to(REPOSITORY)) for page in PAGES]


def resources(page: Path) -> list[dict[str, Any]]:
    blocks = re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    documents = [document for block in blocks for document in yaml.safe_load_all(block)]
    return [found for found in documents if isinstance(found, dict) and found.get("kind") == "SpecDecodeDeployment"]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_resource_in_a_page_can_be_applied(page: Path) -> None:
    for body in resources(page):
        resource = parse(body)
        rungs = ladder(resource.spec)
        assert unknown_fields(body) == []
        assert children(resource, Layout(rungs.primary, rungs.primary.hash))


def test_the_readme_shows_the_resource() -> None:
    assert resources(REPOSITORY / "README.md")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_marker_is_left_for_later(page: Path) -> None:
    assert re.findall(r"<!--.*?-->", page.read_text()) == []


def test_the_field_reference_is_that_of_the_models() -> None:
    made = CliRunner().invoke(main, ["reference"])
    assert made.exit_code == 0
    assert (REPOSITORY / "docs" / "reference.md").read_text() == made.output


def test_the_source_root_is_no_package() -> None:
    assert not (REPOSITORY / "operator" / "__init__.py").exists()


def test_the_lock_files_record_no_addresses() -> None:
    for lock in (REPOSITORY / "requirements").glob("*.txt"):
        assert "://" not in lock.read_text(), lock.name


def test_nothing_tracked_names_the_machine() -> None:
    command = ["git", "-C", str(REPOSITORY), "grep", "-lIE", "/(root|home)/[a-z]"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    allowed = {"tests/devcluster/engine_image/entrypoint", "tests/unit/docs/test_docs.py"}
    assert set(found.stdout.split()) <= allowed
