"""An apply that creates and never changes, on a real API server: the way to a child that the cache lacks."""

from collections.abc import AsyncIterator

import pytest
from kubernetes.aio import config

from devcluster.controlplane import ControlPlane
from specdecode_operator.clients import Conflict, Kubernetes
from specdecode_operator.policy import ladder
from specdecode_operator.workload import children
from support.api import Api, Manifest
from support.builders import resource

KINDS = ("Deployment", "Service", "PodDisruptionBudget")


@pytest.fixture
async def kubernetes(plane: ControlPlane) -> AsyncIterator[Kubernetes]:
    client = await config.new_client_from_config(str(plane.kubeconfig))  # type: ignore[no-untyped-call] # no types there
    async with Kubernetes(client) as found:
        yield found


@pytest.fixture(params=KINDS)
def child(request: pytest.FixtureRequest, namespace: str) -> Manifest:
    found = resource(metadata={"uid": "owner", "namespace": namespace}, replicas=2)
    primary = ladder(found.spec).primary
    rendered = children(found, primary, primary_hash=primary.hash, replace=False)
    return next(one for one in rendered if one["kind"] == request.param)


def managers(manifest: Manifest) -> list[tuple[str, str]]:
    return [(entry["manager"], entry["operation"]) for entry in manifest["metadata"]["managedFields"]]


async def test_it_creates_what_does_not_exist_as_an_apply(kubernetes: Kubernetes, child: Manifest) -> None:
    assert managers(await kubernetes.apply(child, only_new=True)) == [("specdecode-operator", "Apply")]


async def test_a_later_apply_removes_what_is_no_longer_rendered(kubernetes: Kubernetes, child: Manifest) -> None:
    labels = child["metadata"]["labels"]
    await kubernetes.apply({**child, "metadata": {**child["metadata"], "labels": labels | {"x": "y"}}}, only_new=True)
    assert (await kubernetes.apply(child))["metadata"]["labels"] == labels


async def test_it_leaves_what_exists_as_it_is(
    kubernetes: Kubernetes, api: Api, child: Manifest, namespace: str
) -> None:
    foreign = {**child, "metadata": {"name": child["metadata"]["name"], "namespace": namespace}}
    before = api.create(foreign)
    with pytest.raises(Conflict):
        await kubernetes.apply(child, only_new=True)
    assert api.get(child["kind"], namespace, child["metadata"]["name"]) == before


async def test_it_leaves_its_own_work_as_it_is_too(kubernetes: Kubernetes, child: Manifest) -> None:
    before = await kubernetes.apply(child, only_new=True)
    with pytest.raises(Conflict):
        await kubernetes.apply(child, only_new=True)
    assert await kubernetes.get(child["kind"], *(before["metadata"][name] for name in ("namespace", "name"))) == before
