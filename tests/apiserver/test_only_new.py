"""An apply that creates and never changes, on a real API server: the way to a child that the cache lacks."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from kubernetes.aio import config

from devcluster.controlplane import ControlPlane
from specdecode_operator.clients import Conflict, Kubernetes
from specdecode_operator.policy import ladder
from specdecode_operator.workload import Layout, children
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
    owner = resource(metadata={"uid": "owner", "namespace": namespace}, replicas=2)
    primary = ladder(owner.spec).primary
    rendered = children(owner, Layout(primary, primary.hash))
    found = next(one for one in rendered if one["kind"] == request.param)
    del found["metadata"]["ownerReferences"]  # the garbage collector takes what an unknown owner has
    return found


def managers(manifest: Manifest) -> list[tuple[str, str]]:
    return [(entry["manager"], entry["operation"]) for entry in manifest["metadata"]["managedFields"]]


def asked(manifest: Manifest) -> tuple[object, ...]:
    """What writers ask for, without what the controllers of Kubernetes add."""
    metadata = manifest["metadata"]
    writers = [entry for entry in managers(manifest) if entry[0] != "kube-controller-manager"]
    return metadata["uid"], metadata.get("labels"), metadata.get("ownerReferences"), manifest["spec"], writers


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
    found = api.get(child["kind"], namespace, child["metadata"]["name"])
    assert found is not None
    assert asked(found) == asked(before)


async def test_it_leaves_its_own_work_as_it_is_too(kubernetes: Kubernetes, child: Manifest) -> None:
    """The server may take an apply that changes nothing for one that succeeded, whatever its version."""
    before = await kubernetes.apply(child, only_new=True)
    with contextlib.suppress(Conflict):
        await kubernetes.apply(child, only_new=True)
    found = await kubernetes.get(child["kind"], *(before["metadata"][name] for name in ("namespace", "name")))
    assert found is not None
    assert asked(found) == asked(before)


async def test_it_does_not_change_its_own_work_either(kubernetes: Kubernetes, child: Manifest) -> None:
    await kubernetes.apply(child, only_new=True)
    labels = child["metadata"]["labels"] | {"x": "y"}
    with pytest.raises(Conflict):
        await kubernetes.apply({**child, "metadata": {**child["metadata"], "labels": labels}}, only_new=True)
