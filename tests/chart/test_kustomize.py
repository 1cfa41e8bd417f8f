"""`kubectl apply -k manifests/`: the chart's objects, with the settings of a file."""

from typing import Any

import kubernetes_validate
import yaml

from chart.files import MANIFESTS
from chart.helm import NAMESPACE, Manifest, at, find, render
from devcluster.binaries import binary
from devcluster.commands import run
from specdecode_operator.controller.settings import load


def built() -> list[Manifest]:
    return list(yaml.safe_load_all(run([binary("kubectl"), "kustomize", MANIFESTS])))


def names(manifests: list[Manifest]) -> set[tuple[str, str]]:
    return {(found["kind"], found["metadata"]["name"]) for found in manifests if found["kind"] != "ConfigMap"}


def test_it_holds_what_the_chart_holds_and_the_namespace() -> None:
    assert names(built()) == names(render()) | {("Namespace", NAMESPACE)}


def test_every_object_is_valid_and_in_the_namespace() -> None:
    for manifest in built():
        kubernetes_validate.validate(manifest, "1.34", strict=True)
        assert manifest["metadata"].get("namespace") in {None, NAMESPACE}


def test_the_pod_mounts_the_settings_file_under_a_name_that_changes_with_it() -> None:
    found = built()
    settings = find(found, "ConfigMap")
    [volume] = at(find(found, "Deployment"), "spec.template.spec.volumes")
    assert settings["data"]["settings.yaml"] == (MANIFESTS / "settings.yaml").read_text()
    assert volume["configMap"]["name"] == settings["metadata"]["name"]
    assert settings["metadata"]["name"].startswith("specdecode-settings-")


def test_the_operator_accepts_the_settings_file_which_says_what_the_chart_says() -> None:
    theirs: dict[str, Any] = yaml.safe_load(find(render(), "ConfigMap")["data"]["settings.yaml"])
    assert [endpoint.url for endpoint in load(MANIFESTS / "settings.yaml").endpoints] == [
        endpoint["url"] for endpoint in theirs["endpoints"]
    ]
