"""A real API server with its controllers, and releases of the chart on it."""

from collections.abc import Iterator

import pytest

from chart import helm
from devcluster.controlplane import ControlPlane
from support.api import Api

CRD = "specdecodedeployments.specdecode.dev"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("plane"), controllers=True, audit=True) as found:
        yield found


@pytest.fixture(scope="module")
def api(plane: ControlPlane) -> Iterator[Api]:
    with Api(plane.kubeconfig) as found:
        yield found


@pytest.fixture
def empty(plane: ControlPlane) -> Iterator[ControlPlane]:
    """The API server without a release, our definition and our namespaces, also after the test."""
    yield plane
    helm.uninstall(plane.kubeconfig)
    plane.kubectl("delete", "crd", CRD, "--ignore-not-found")
    plane.kubectl("delete", "namespace", helm.NAMESPACE, "team-a", "--ignore-not-found")
