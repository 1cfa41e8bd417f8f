"""kopf's handlers: each only fills a cache and marks a key."""

from typing import Any

import kopf
import pytest

from specdecode_operator.clients import in_cluster
from specdecode_operator.controller.handlers import kopf_settings, registry
from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.store import Store

KEY = ("prod", "chat")
KINDS = ("SpecDecodeDeployment", "Deployment", "Service", "PodDisruptionBudget", "Pod")


class Watches:
    """The handlers as kopf would call them."""

    def __init__(self) -> None:
        self.store, self.queue = Store(), WorkQueue()
        found = registry(self.store, self.queue)._watching.get_all_handlers()
        self.handlers: dict[str, Any] = {handler.id: handler for handler in found}

    async def event(self, kind: str, change: str | None, version: str = "5") -> set[tuple[str, str]]:
        """Deliver an event and return the keys that it marks."""
        metadata = {
            "name": "chat",
            "namespace": "prod",
            "uid": "u1",
            "resourceVersion": version,
            "labels": {"specdecode.dev/name": "chat"},
        }
        await self.handlers[kind].fn(type=change, body={"kind": kind, "metadata": metadata}, event={}, memo=None)
        found = set(self.queue._marked)
        self.queue._marked.clear()
        return found


@pytest.fixture
def watches() -> Watches:
    return Watches()


def test_our_kind_its_children_and_its_pods_are_watched(watches: Watches) -> None:
    assert tuple(watches.handlers) == KINDS


def test_children_and_pods_only_with_our_label(watches: Watches) -> None:
    assert {kind: handler.labels for kind, handler in watches.handlers.items()} == {
        kind: None if kind == KINDS[0] else {"specdecode.dev/name": kopf.PRESENT} for kind in KINDS
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [None, "ADDED", "MODIFIED"])
async def test_what_appears_or_changes_is_kept_and_marked(watches: Watches, kind: str, change: str | None) -> None:
    assert (await watches.event(kind, change), (kind, *KEY) in watches.store._objects) == ({KEY}, True)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_goes_is_forgotten_and_marked(watches: Watches, kind: str) -> None:
    await watches.event(kind, "ADDED")
    assert (await watches.event(kind, "DELETED", "6"), watches.store._objects) == ({KEY}, {})


async def test_what_is_known_already_marks_nobody(watches: Watches) -> None:
    await watches.event("Deployment", "ADDED", "7")
    assert [await watches.event("Deployment", "MODIFIED", version) for version in ("7", "6")] == [set(), set()]


def test_kopf_leaves_no_trace_in_the_cluster() -> None:
    settings = kopf_settings()
    assert (settings.posting.enabled, settings.peering.standalone, settings.scanning.disabled) == (False, True, True)


def test_a_watch_that_has_fallen_silent_is_noticed() -> None:
    watching = kopf_settings().watching
    assert watching.server_timeout is not None
    assert watching.client_timeout is not None
    assert watching.server_timeout < watching.client_timeout


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, True),
        ({"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBECONFIG": "/root/.kube/config"}, False),
        ({"KUBECONFIG": "/root/.kube/config"}, False),
    ],
)
def test_a_kubeconfig_that_is_named_wins_over_the_pod(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, expected: bool
) -> None:
    for name in ("KUBERNETES_SERVICE_HOST", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert in_cluster() is expected
