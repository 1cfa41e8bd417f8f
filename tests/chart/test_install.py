"""The chart and the manifests on a real API server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart import helm
from chart.conftest import CRD
from chart.files import MANIFESTS, SAMPLES
from chart.helm import NAMESPACE, RELEASE, at
from chart.test_render import RIGHTS
from devcluster.controlplane import ControlPlane
from support.api import Api, Manifest
from support.operator_process import OperatorProcess
from support.waiting import eventually

pytestmark = pytest.mark.timeout(300)

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
UNSEEN = {
    ("deployments.apps", "create"),
    ("services", "create"),
    ("poddisruptionbudgets.policy", "create"),
    ("specdecodedeployments/finalizers.specdecode.dev", "update"),
}
"""Rights that are asked for inside another request: server-side apply creates, and a blocking owner is checked."""

CHAT = {
    "apiVersion": "specdecode.dev/v1alpha1",
    "kind": "SpecDecodeDeployment",
    "metadata": {"name": "chat", "namespace": "team-a"},
    "spec": {
        "replicas": 2,
        "model": {"name": "org/target"},
        "speculation": {"method": "DraftModel", "draft": {"name": "org/draft"}, "numSpeculativeTokens": 3},
    },
}


SELECTOR = {"matchLabels": {"app": "foreign"}}
POD = {"metadata": {"labels": {"app": "foreign"}}, "spec": {"containers": [{"name": "x", "image": "x"}]}}


def foreign(version: str, kind: str, **spec: Any) -> Manifest:
    metadata = {"name": f"taken-{kind.lower()}", "namespace": "team-a"}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


FOREIGN = [
    foreign("apps/v1", "Deployment", selector=SELECTOR, template=POD, replicas=0),
    foreign("v1", "Service", ports=[{"port": 80}]),
    foreign("policy/v1", "PodDisruptionBudget", selector=SELECTOR, minAvailable=1),
]
"""Objects of somebody else, each of a name that a resource wants: only then a child is asked for by name."""


def deployment(api: Api) -> Manifest | None:
    return api.get("Deployment", NAMESPACE, RELEASE)


def chat(api: Api, kind: str) -> Manifest | None:
    return api.get(kind, "team-a", "chat")


def trial_that_is_over(api: Api) -> Manifest:
    """Return the Deployment of a trial that no status knows of any more; it belongs to the resource."""
    owner = chat(api, "SpecDecodeDeployment")
    assert owner is not None
    reference = {name: owner[name] for name in ("apiVersion", "kind")} | {"name": "chat", "controller": True}
    found = foreign("apps/v1", "Deployment", selector=SELECTOR, template=POD, replicas=0)
    found["metadata"] = {
        "name": "chat-trial",
        "namespace": "team-a",
        "labels": {"specdecode.dev/name": "chat"},
        "ownerReferences": [reference | {"uid": owner["metadata"]["uid"]}],
    }
    return found


def explained(api: Api) -> set[str]:
    """The resources that have Events."""
    objects = (event["involvedObject"] for event in api.list("Event", "team-a"))
    return {found["name"] for found in objects if found["kind"] == "SpecDecodeDeployment"}


def create_chat(plane: ControlPlane, api: Api) -> None:
    plane.kubectl("wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=30s")
    eventually(lambda: "specdecodedeployments" in plane.kubectl("api-resources", "--api-group=specdecode.dev"))
    api.create(CHAT)


def test_a_release_is_installed_upgraded_and_removed_without_its_resources(empty: ControlPlane, api: Api) -> None:
    helm.install(empty.kubeconfig)
    empty.kubectl("create", "namespace", "team-a")
    create_chat(empty, api)
    before = deployment(api)
    helm.upgrade(empty.kubeconfig, {"settings": {"workers": 4}})
    after = deployment(api)
    checksum = "spec.template.metadata.annotations.checksum/settings"
    assert at(before, checksum) != at(after, checksum)

    helm.uninstall(empty.kubeconfig)
    assert deployment(api) is None
    assert chat(api, "SpecDecodeDeployment")

    helm.install(empty.kubeconfig)
    assert deployment(api)
    assert chat(api, "SpecDecodeDeployment")


@pytest.mark.parametrize("namespaces", [[], ["team-a"]], ids=["cluster", "namespaces"])
def test_the_operator_works_with_exactly_the_rights_of_its_service_account(
    empty: ControlPlane, api: Api, tmp_path: Path, namespaces: list[str]
) -> None:
    empty.kubectl("create", "namespace", "team-a")
    helm.install(empty.kubeconfig, {"settings": {"namespaces": namespaces, "resyncIntervalSeconds": 2}})
    with requests_of(empty, ACCOUNT) as requests, operator(empty, tmp_path):
        create_chat(empty, api)
        eventually(lambda: chat(api, "PodDisruptionBudget"), what="the children")
        api.create(trial_that_is_over(api))
        eventually(lambda: api.get("Deployment", "team-a", "chat-trial") is None, what="the end of the trial")
        api.merge("SpecDecodeDeployment", "team-a", "chat", {"spec": {"replicas": 1}})
        eventually(lambda: chat(api, "PodDisruptionBudget") is None, what="the removal of the budget")
        api.merge("SpecDecodeDeployment", "team-a", "chat", {"spec": {"speculation": {"config": {"unknown": 1}}}})
        eventually(lambda: "chat" in explained(api), what="an Event that explains the refusal")
        for owned in FOREIGN:
            api.create(owned)
            api.create(CHAT | {"metadata": owned["metadata"]})
        taken = {owned["metadata"]["name"] for owned in FOREIGN}
        eventually(lambda: taken <= explained(api), what="Events that explain that names are taken")
    assert [request for request in requests if request["responseStatus"]["code"] == 403] == []
    granted = {(resource, verb) for resource, verbs in RIGHTS.items() for verb in verbs}
    assert {used(request) for request in requests if "objectRef" in request} == granted - UNSEEN


def test_the_manifests_and_the_samples_are_accepted(empty: ControlPlane, api: Api) -> None:
    empty.kubectl("apply", "--server-side", "--validate=strict", "--kustomize", str(MANIFESTS))
    empty.kubectl("wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=30s")
    for sample in SAMPLES:
        eventually(lambda: "specdecodedeployments" in empty.kubectl("api-resources"))
        empty.kubectl("apply", "--dry-run=server", "--validate=strict", "--filename", str(sample))
    eventually(lambda: api.list("Pod", NAMESPACE), what="a pod that the namespace's restricted standard lets in")
    empty.kubectl("delete", "--kustomize", str(MANIFESTS))
    assert deployment(api) is None


@contextmanager
def operator(plane: ControlPlane, folder: Path) -> Iterator[None]:
    """The operator with the release's settings and the rights of its service account."""
    credential = plane.issue("operator", user=ACCOUNT, group="system:serviceaccounts")
    kubeconfig = plane.write_kubeconfig(folder / "kubeconfig", credential)
    text = plane.kubectl("get", "configmap", f"{RELEASE}-settings", f"--namespace={NAMESPACE}", "--output=json")
    settings = yaml.safe_load(json.loads(text)["data"]["settings.yaml"])
    with OperatorProcess(folder, kubeconfig, **settings | {"listenAddress": "127.0.0.1", "listenPort": 0}):
        yield


@contextmanager
def requests_of(plane: ControlPlane, user: str) -> Iterator[list[dict[str, Any]]]:
    """The audited requests of `user` while the context was open; the list is filled at its end."""
    found: list[dict[str, Any]] = []
    before = len(plane.audit_log.read_text().splitlines())
    yield found
    lines = map(json.loads, plane.audit_log.read_text().splitlines()[before:])
    found += [line for line in lines if line["user"]["username"] == user]


def used(request: dict[str, Any]) -> tuple[str, str]:
    """Resource, as kubectl writes it, and verb of a request."""
    reference = request["objectRef"]
    resource = "/".join(reference[name] for name in ("resource", "subresource") if name in reference)
    return f"{resource}.{reference.get('apiGroup', '')}".rstrip("."), request["verb"]
