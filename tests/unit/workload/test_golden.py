"""Whole children of three resources, against the files in `golden/`.

A change there rolls pods at the next upgrade of the operator: it must be wanted. Each file holds the resource, the
variant and the children.
"""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from specdecode_operator.api.v1alpha1 import parse
from specdecode_operator.policy import ladder
from specdecode_operator.workload import Layout, children

FILES = sorted((Path(__file__).parent / "golden").glob("*.yaml"))
SCHEMA = "1.34"


def load(file: Path) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    case, manifest, *expected = yaml.safe_load_all(file.read_text())
    return case, manifest, expected


def render(case: dict[str, Any], manifest: dict[str, Any]) -> list[dict[str, Any]]:
    resource = parse(manifest)
    rungs = ladder(resource.spec)
    variant = rungs.find(case["variant"])
    assert variant is not None
    return children(resource, Layout(variant, rungs.primary.hash, replace=case["replace"]))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_children_are_rendered_as_they_were(file: Path) -> None:
    case, manifest, expected = load(file)
    assert render(case, manifest) == expected


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_kubernetes_would_take_them(file: Path) -> None:
    case, manifest, _ = load(file)
    for child in render(case, manifest):
        kubernetes_validate.validate(child, SCHEMA, strict=True)


def test_there_are_golden_files() -> None:
    assert [file.stem for file in FILES] == ["draft-model-claim", "fp8-fallback-replace", "minimal-hub"]
