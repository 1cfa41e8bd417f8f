"""The caches: what the watches and our own writes have shown of the cluster.

What a write returns enters here too, and anything older is dropped, so that nothing is decided twice on a stale view.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from specdecode_operator.api.names import KIND, NAME_LABEL
from specdecode_operator.api.v1alpha1 import Phase
from specdecode_operator.clients import Manifest

__all__ = ["CHILD_KINDS", "Key", "Store"]

Key = tuple[str, str]
"""Namespace and name of a resource."""

CHILD_KINDS: Final = ("Deployment", "Service", "PodDisruptionBudget")

_Name = tuple[str, str, str]


class Store:
    """Resources, children and pods, by name."""

    def __init__(self) -> None:
        self._objects: dict[_Name, Manifest] = {}
        self._pods: dict[Key, set[_Name]] = defaultdict(set)
        self.operating: set[Key] = set()
        """Resources whose status has an operation that moves pods, or may still; to be read only."""

    def put(self, kind: str, body: Mapping[str, Any]) -> Key | None:
        """Keep `body` unless something newer is known; return the resource it belongs to, or None then."""
        name = _name(kind, body)
        known = self._objects.get(name)
        if known is not None and _version(known) >= _version(body):
            return None
        if known is not None:
            self._unlink(name, known)
        self._objects[name] = _slim(kind, body)
        key = _owner(kind, body)
        if kind == "Pod" and key is not None:
            self._pods[key].add(name)
        if kind == KIND and key is not None and _operates(body):
            self.operating.add(key)
        return key

    def remove(self, kind: str, body: Mapping[str, Any]) -> Key | None:
        """Forget `body`, unless a successor of the same name is known; return the resource it belonged to."""
        name = _name(kind, body)
        known = self._objects.get(name)
        if known is not None and _uid(known) == _uid(body):
            self._unlink(name, known)
            del self._objects[name]
        return _owner(kind, body)

    def replace(self, kind: str, bodies: list[Manifest]) -> set[Key]:
        """Make a complete list the truth for `kind`; return the resources of what had vanished."""
        names = {_name(kind, body) for body in bodies}
        gone = [body for name, body in self._objects.items() if name[0] == kind and name not in names]
        keys = {key for body in gone if (key := self.remove(kind, body)) is not None}
        for body in bodies:
            self.put(kind, body)
        return keys

    def _unlink(self, name: _Name, known: Manifest) -> None:
        """Take a pod from the resource that it was counted under, and an operation from the count."""
        key = _owner(name[0], known)
        if name[0] == KIND and key is not None:
            self.operating.discard(key)
        if name[0] == "Pod" and key is not None:
            self._pods[key].discard(name)

    def resource(self, key: Key) -> Manifest | None:
        """Return the resource, if it exists."""
        return self._objects.get((KIND, *key))

    def keys(self) -> Iterator[Key]:
        """Yield every resource's key."""
        return (name[1:] for name in list(self._objects) if name[0] == KIND)

    def child(self, kind: str, name: Key) -> Manifest | None:
        """Return the child of that kind, namespace and name, if it exists."""
        return self._objects.get((kind, *name))

    def pods(self, key: Key) -> list[Manifest]:
        """Return the resource's pods."""
        return [self._objects[name] for name in self._pods.get(key, ())]


def _name(kind: str, body: Mapping[str, Any]) -> _Name:
    metadata = body["metadata"]
    return kind, metadata["namespace"], metadata["name"]


def _operates(body: Mapping[str, Any]) -> bool:
    """Whether an operation is under way; one that is only verified may be so for as long as nobody sends requests."""
    operation = (body.get("status") or {}).get("operation") or {}
    return bool(operation) and operation.get("phase") != Phase.VERIFYING


def _uid(body: Mapping[str, Any]) -> str:
    return str(body["metadata"].get("uid", ""))


def _version(body: Mapping[str, Any]) -> int:
    """Resource versions of one kind are ordered integers (guaranteed from Kubernetes 1.35, true before)."""
    text = str(body["metadata"].get("resourceVersion", "0"))
    return int(text) if text.isdigit() else 0


def _owner(kind: str, body: Mapping[str, Any]) -> Key | None:
    metadata = body["metadata"]
    if kind == KIND:
        return metadata["namespace"], metadata["name"]
    name = (metadata.get("labels") or {}).get(NAME_LABEL)
    return None if name is None else (metadata["namespace"], name)


def _slim(kind: str, body: Mapping[str, Any]) -> Manifest:
    """Drop what nothing reads: most of a body's bytes are bookkeeping."""
    metadata = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
    slim = {**body, "metadata": metadata}
    if kind == "Pod":
        slim["spec"] = {}
        slim["status"] = _slim_status(body.get("status") or {})
    return slim


def _slim_status(status: Mapping[str, Any]) -> Manifest:
    """Keep the conditions and the address of a pod, and of its containers those that were restarted."""
    slim: Manifest = {"conditions": status.get("conditions") or []}
    if "podIP" in status:
        slim["podIP"] = status["podIP"]
    for name in ("initContainerStatuses", "containerStatuses"):
        restarted = [entry for entry in status.get(name) or [] if entry.get("restartCount")]
        if restarted:
            slim[name] = [{word: entry.get(word) for word in ("restartCount", "state")} for entry in restarted]
    return slim
