"""Every kopf handler: each only fills a cache and marks a key."""

import os
from dataclasses import replace
from typing import Any, Final

import kopf

from specdecode_operator.api.names import KIND, NAME_LABEL
from specdecode_operator.clients import in_cluster, kind_path
from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.store import CHILD_KINDS, Store

__all__ = ["kopf_settings", "registry"]

_LABELLED: Final = (*CHILD_KINDS, "Pod")
"""Kinds of which only what carries our label is watched."""


def registry(store: Store, queue: WorkQueue) -> kopf.OperatorRegistry:
    """Return the handlers for our kind, for its children and for its pods."""
    found = kopf.OperatorRegistry()
    kopf.on.login(registry=found)(_login)
    _watch(found, KIND, store, queue)
    for kind in _LABELLED:
        _watch(found, kind, store, queue, labels={NAME_LABEL: kopf.PRESENT})
    return found


def kopf_settings() -> kopf.OperatorSettings:
    """Return kopf's settings: no finalizers, no peering, no annotations, watches that notice silence."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.watching.chunk_size = 500
    settings.watching.server_timeout = 290
    settings.watching.client_timeout = 300
    settings.networking.request_timeout = 15
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = (0.5, 1, 2, 4)
    settings.background.cancellation_polling = 1
    settings.persistence.diffbase_storage = _NoDiffBase()
    for kind in _LABELLED:
        settings.watching.label_selectors[kind_path(kind)] = NAME_LABEL
    return settings


class _NoDiffBase(kopf.DiffBaseStorage):
    """No handler of ours looks at differences; kopf would else copy every body of every event to find them."""

    def build(self, **_: Any) -> kopf.BodyEssence:  # noqa: ANN401 - kopf's own arguments
        """Return nothing to compare."""
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:  # noqa: ANN401 - kopf's own arguments
        """Return nothing to compare with."""
        return None

    def store(self, **_: Any) -> None:  # noqa: ANN401 - kopf's own arguments
        """Keep nothing."""


def _watch(
    found: kopf.OperatorRegistry,
    kind: str,
    store: Store,
    queue: WorkQueue,
    **filters: Any,  # noqa: ANN401 - kopf's own filters
) -> None:
    async def handle(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: ANN401 - kopf's names
        take = store.remove if type == "DELETED" else store.put
        key = take(kind, dict(body))
        if key is not None:
            queue.mark(key)

    kopf.on.event(*kind_path(kind), registry=found, id=kind, **filters)(handle)


def _login(**arguments: Any) -> kopf.ConnectionInfo | None:  # noqa: ANN401 - kopf's own arguments
    """Log in as the pod's service account, or with the kubeconfig outside a cluster.

    kopf asks for the API server by its DNS name; the address in the environment works without DNS too.
    """
    if not in_cluster():
        return kopf.login_with_kubeconfig(**arguments)
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    found = kopf.login_with_service_account(**arguments)
    address = f"[{host}]" if ":" in host else host
    return None if found is None else replace(found, server=f"https://{address}:{port}")
