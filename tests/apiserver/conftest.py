"""A real etcd, kube-apiserver and kube-controller-manager, one for all tests of this layer."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from devcluster.controlplane import ControlPlane
from specdecode_operator.api.crd import custom_resource_definition
from support.api import Api, Manifest
from support.kubelet_double import KubeletDouble
from support.prometheus_double import PrometheusDouble
from support.waiting import eventually

_NAMES = (f"test-{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("plane"), controllers=True) as found:
        yield found


@pytest.fixture(scope="session")
def api(plane: ControlPlane) -> Iterator[Api]:
    with Api(plane.kubeconfig) as found:
        found.create(custom_resource_definition())
        eventually(lambda: _established(found), what="the CRD")
        yield found


@pytest.fixture(scope="session")
def kubelet(plane: ControlPlane, api: Api) -> Iterator[KubeletDouble]:
    assert api.url
    with Api(plane.kubeconfig) as own, KubeletDouble(own) as found:
        yield found


@pytest.fixture(scope="session")
def prometheus(kubelet: KubeletDouble) -> Iterator[PrometheusDouble]:
    with PrometheusDouble(kubelet.pods) as found:
        yield found


@pytest.fixture
def namespace(api: Api) -> str:
    name = next(_NAMES)
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    eventually(lambda: api.get("ServiceAccount", name, "default"), what="the default service account")
    return name


@pytest.fixture
def manifest(namespace: str) -> Callable[..., Manifest]:
    """Return a maker of resources: a draft-model pair with two replicas, and what is given over it."""

    def make(name: str = "chat", **spec: Any) -> Manifest:
        return {
            "apiVersion": "specdecode.dev/v1alpha1",
            "kind": "SpecDecodeDeployment",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "replicas": 2,
                "model": {"name": "org/target"},
                "speculation": {"method": "DraftModel", "draft": {"name": "org/draft"}, "numSpeculativeTokens": 4},
            }
            | spec,
        }

    return make


def _established(api: Api) -> bool:
    crd = api.get("CustomResourceDefinition", "", "specdecodedeployments.specdecode.dev")
    conditions = (crd or {}).get("status", {}).get("conditions") or []
    return any(entry["type"] == "Established" and entry["status"] == "True" for entry in conditions)
