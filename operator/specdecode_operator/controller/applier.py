"""Children to the API server: only what differs, only what is ours."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from specdecode_operator.api.names import GROUP, TRIAL_SUFFIX
from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment
from specdecode_operator.clients import Conflict, Kubernetes, Manifest, Rejected
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.store import CHILD_KINDS, Key, Store

__all__ = ["Applier", "NotOurs"]

_DIGEST_ANNOTATION: Final = f"{GROUP}/rendered"
_LIST_KEYS: Final = ("name", "mountPath", "containerPort")

_Name = tuple[str, Key]
"""Kind of a child, and its namespace and name."""


class NotOurs(Rejected):
    """An object of a child's name belongs to somebody else; it is left alone."""


class Applier:
    """Applies rendered children, and remembers how the server completed them."""

    def __init__(self, kubernetes: Kubernetes, store: Store, metrics: Metrics) -> None:
        self._kubernetes = kubernetes
        self._store = store
        self._metrics = metrics
        self._applied: dict[_Name, tuple[str, str]] = {}
        """uid, and digest of the live object seen through the rendered one after the last apply."""
        self._equal: dict[_Name, tuple[str, str | None]] = {}
        """resourceVersion of the live object that was last found to be as rendered, and the digest of the latter."""
        self._taken: set[_Name] = set()
        """What could not be created: these are asked for first."""

    async def apply(self, resource: SpecDecodeDeployment, children: list[Manifest]) -> None:
        """Bring the cluster to `children`. Raises `NotOurs`, `Rejected` and other `KubernetesError`."""
        for child in children:
            await self._apply_one(resource, stamped(child))
        await self._prune(resource, {_name(child) for child in children})

    async def rehearse(self, child: Manifest) -> None:
        """Have the server judge `child` without keeping it, where it would change something."""
        live = self._store.child(*_name(child))
        if live is None or self._differs(stamped(child), live):
            await self._kubernetes.apply(stamped(child), dry_run=True)

    def forget(self, key: Key) -> None:
        """Drop what is remembered of one resource's children."""
        for name in _possible(key):
            self._applied.pop(name, None)
            self._equal.pop(name, None)
            self._taken.discard(name)

    async def _apply_one(self, resource: SpecDecodeDeployment, child: Manifest) -> None:
        name = _name(child)
        live = self._store.child(*name)
        if live is None and name not in self._taken and await self._created(name, child):
            return
        live = live or await self._kubernetes.get(child["kind"], *name[1])
        if live is not None:
            _check_owner(resource, live)
            if not self._differs(child, live):
                return
        self._keep(name, child, await self._kubernetes.apply(child))

    async def _created(self, name: _Name, child: Manifest) -> bool:
        """Create `child`, unless an object of its name exists: the cache only knows those with our label.

        This takes one request where looking first takes two, and nobody can come in between.
        """
        try:
            result = await self._kubernetes.apply(child, only_new=True)
        except Conflict:
            self._taken.add(name)
            return False
        self._keep(name, child, result)
        return True

    def _keep(self, name: _Name, child: Manifest, result: Manifest) -> None:
        self._metrics.writes.labels(kind=name[0], verb="apply").inc()
        self._store.put(name[0], result)
        self._applied[name] = (result["metadata"]["uid"], _digest(_seen(result, child)))
        self._equal[name] = _versions(child, result)
        self._taken.discard(name)

    def _differs(self, child: Manifest, live: Manifest) -> bool:
        """Whether `live` is not what applying `child` makes of it; the same two are compared once."""
        name = _name(child)
        versions = _versions(child, live)
        if self._equal.get(name) == versions:
            return False
        if _rendered(live) != _rendered(child):
            return True
        seen = _seen(live, child)
        if seen != child and self._applied.get(name) != (live["metadata"]["uid"], _digest(seen)):
            return True
        self._equal[name] = versions
        return False

    async def _prune(self, resource: SpecDecodeDeployment, kept: set[_Name]) -> None:
        for name in _possible(resource.key):
            live, kind = self._store.child(*name), name[0]
            if name in kept or live is None or not _controlled(resource, live):
                continue
            await self._kubernetes.delete({"kind": kind, **live})
            self._metrics.writes.labels(kind=kind, verb="delete").inc()
            self._store.remove(kind, live)


def _name(child: Manifest) -> _Name:
    return child["kind"], (child["metadata"]["namespace"], child["metadata"]["name"])


def _possible(key: Key) -> list[_Name]:
    """Return the names of all children that a resource can have."""
    namespace, name = key
    return [*((kind, key) for kind in CHILD_KINDS), ("Deployment", (namespace, name + TRIAL_SUFFIX))]


def stamped(child: Manifest) -> Manifest:
    """Return `child` with a digest of itself, by which a later process knows whether it rendered the same."""
    metadata = child["metadata"]
    annotations = {**metadata.get("annotations", {}), _DIGEST_ANNOTATION: _digest(child)[:16]}
    return {**child, "metadata": {**metadata, "annotations": annotations}}


def _versions(child: Manifest, live: Manifest) -> tuple[str, str | None]:
    return live["metadata"]["resourceVersion"], _rendered(child)


def _rendered(manifest: Mapping[str, Any]) -> str | None:
    found: str | None = (manifest["metadata"].get("annotations") or {}).get(_DIGEST_ANNOTATION)
    return found


def _check_owner(resource: SpecDecodeDeployment, live: Manifest) -> None:
    if not _controlled(resource, live):
        kind, name = live.get("kind", "object"), live["metadata"]["name"]
        raise NotOurs(f"a {kind} called {name} exists and belongs to somebody else; delete it or rename this resource")


def _controlled(resource: SpecDecodeDeployment, live: Mapping[str, Any]) -> bool:
    owners = live["metadata"].get("ownerReferences") or []
    return any(owner.get("controller") and owner["uid"] == resource.metadata.uid for owner in owners)


def _digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _seen(live: Any, rendered: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the part of `live` at the places that `rendered` fills; what others add elsewhere is not looked at."""
    if isinstance(live, dict) and isinstance(rendered, dict):
        return {name: _seen(live.get(name), value) for name, value in rendered.items()}
    if isinstance(live, list) and isinstance(rendered, list):
        return _seen_list(live, rendered)
    return live


def _seen_list(live: list[Any], rendered: list[Any]) -> list[Any]:
    key = _list_key(rendered)
    if key is None or _list_key(live) != key:
        return live
    known = {entry[key]: entry for entry in live}
    return [_seen(known.get(entry[key]), entry) for entry in rendered]


def _list_key(entries: list[Any]) -> str | None:
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        return None
    return next((key for key in _LIST_KEYS if all(key in entry for entry in entries)), None)
