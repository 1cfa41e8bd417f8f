"""An API server in memory: it completes what is applied, counts versions, and remembers what it was asked."""

import copy
import itertools
from collections.abc import Mapping
from typing import Any

from specdecode_operator.api.names import FIELD_MANAGER
from specdecode_operator.clients import Conflict, Kubernetes, KubernetesError, Manifest, NotFound

Name = tuple[str, str, str]

_TYPE = ("apiVersion", "kind")
"""What the items of a list lack."""


class FakeKubernetes(Kubernetes):
    """Behaves like the real client as far as the controller can see."""

    def __init__(self) -> None:
        self.objects: dict[Name, Manifest] = {}
        self.calls: list[tuple[str, str]] = []
        """Verb and kind of every write, in order."""
        self.got: list[str] = []
        """Kind of every object that was asked for by name."""
        self.listed: list[tuple[str, str | None, str | None]] = []
        """Kind, namespace and selector of every list."""
        self.managers: list[str] = []
        """Field manager of every apply that is no rehearsal."""
        self.events: list[Manifest] = []
        self.failures: dict[tuple[str, str], KubernetesError] = {}
        """What a verb on a kind fails with."""
        self._numbers = itertools.count(1)

    def put(self, manifest: Mapping[str, Any]) -> Manifest:
        """Have an object that somebody else made, or the resource itself."""
        found = copy.deepcopy(dict(manifest))
        self._stamp(found)
        self.objects[_name(found)] = found
        return copy.deepcopy(found)

    def writes(self) -> list[tuple[str, str]]:
        """Return the writes since the last call."""
        found, self.calls = self.calls, []
        return found

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        self.got.append(kind)
        self._fail("get", kind)
        return copy.deepcopy(self.objects.get((kind, namespace, name)))

    async def list(
        self, kind: str, namespace: str | None = None, *, label_selector: str | None = None
    ) -> "list[Manifest]":
        self.listed.append((kind, namespace, label_selector))
        self._fail("list", kind)
        found = [
            body
            for name, body in self.objects.items()
            if name[0] == kind and namespace in (None, name[1]) and _selected(body, label_selector)
        ]
        return [{name: value for name, value in copy.deepcopy(body).items() if name not in _TYPE} for body in found]

    async def apply(
        self, manifest: Manifest, *, dry_run: bool = False, only_new: bool = False, manager: str = FIELD_MANAGER
    ) -> Manifest:
        verb = "rehearse" if dry_run else "apply"
        self.calls.append((verb, manifest["kind"]))
        self.managers += [] if dry_run else [manager]
        self._fail(verb, manifest["kind"])
        live = self.objects.get(_name(manifest), {})
        if only_new and live:
            raise Conflict("exists")
        found = _completed(_merged(live, manifest))
        if found == live:
            return copy.deepcopy(live)
        self._stamp(found)
        if not dry_run:
            self.objects[_name(manifest)] = found
        return copy.deepcopy(found)

    async def write_status(self, manifest: Manifest) -> Manifest:
        live = self._unchanged("status", manifest)
        return self.put({**live, "status": manifest["status"]})

    async def replace(self, manifest: Manifest) -> Manifest:
        self._unchanged("replace", manifest)
        return self.put(manifest)

    async def delete(self, manifest: Mapping[str, Any]) -> None:
        self.calls.append(("delete", manifest["kind"]))
        self._fail("delete", manifest["kind"])
        self.objects.pop(_name(manifest), None)

    async def create(self, manifest: Manifest) -> Manifest:
        self._fail("create", manifest["kind"])
        self.events.append(manifest)
        return manifest

    def _unchanged(self, verb: str, manifest: Manifest) -> Manifest:
        """Return the object that `manifest` was read from."""
        self.calls.append((verb, manifest["kind"]))
        self._fail(verb, manifest["kind"])
        live = self.objects.get(_name(manifest))
        if live is None:
            raise NotFound("gone")
        if live["metadata"]["resourceVersion"] != manifest["metadata"]["resourceVersion"]:
            raise Conflict("changed")
        return live

    def _fail(self, verb: str, kind: str) -> None:
        if (verb, kind) in self.failures:
            raise self.failures[verb, kind]

    def _stamp(self, manifest: Manifest) -> None:
        number = next(self._numbers)
        metadata = manifest["metadata"]
        metadata.setdefault("uid", f"uid-{number}")
        metadata.setdefault("generation", 1)
        metadata["resourceVersion"] = str(number)


def _selected(manifest: Mapping[str, Any], selector: str | None) -> bool:
    labels = manifest["metadata"].get("labels") or {}
    wanted = (part.partition("=") for part in selector.split(",")) if selector else ()
    return all(name in labels and (not equals or labels[name] == value) for name, equals, value in wanted)


def _name(manifest: Mapping[str, Any]) -> Name:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def _merged(live: Mapping[str, Any], manifest: Mapping[str, Any]) -> Manifest:
    found = copy.deepcopy(dict(live))
    for name, value in manifest.items():
        old = found.get(name)
        if name == "webhooks":
            found[name] = _merged_by_name(old or [], value)
        elif isinstance(value, Mapping) and isinstance(old, Mapping):
            found[name] = _merged(old, value)
        else:
            found[name] = copy.deepcopy(value)
    return found


def _merged_by_name(live: list[Manifest], applied: list[Manifest]) -> list[Manifest]:
    """Merge a list of which the entries are told apart by name."""
    changes = {entry["name"]: entry for entry in applied}
    return [_merged(entry, changes.get(entry["name"], {})) for entry in live]


def _completed(manifest: Manifest) -> Manifest:
    """Fill in a few defaults of the real server, inside and beside what is applied."""
    spec = manifest.get("spec", {})
    if manifest["kind"] == "Service":
        spec.setdefault("clusterIP", "10.0.0.1")
        spec.setdefault("type", "ClusterIP")
    if manifest["kind"] == "Deployment":
        pod = spec["template"]["spec"]
        pod.setdefault("restartPolicy", "Always")
        for container in pod["containers"]:
            container.setdefault("imagePullPolicy", "IfNotPresent")
    return manifest
