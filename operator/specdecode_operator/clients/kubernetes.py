"""The API server: server-side apply, status with optimistic locking, typed errors.

The kinds are fixed, so nothing is discovered, and manifests stay plain dicts.
"""

import json
import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, ApiException
from kubernetes.aio.dynamic import DynamicClient, Resource

from specdecode_operator.api.names import FIELD_MANAGER, GROUP, KIND, PLURAL, VERSION
from specdecode_operator.clients.errors import (
    Conflict,
    Forbidden,
    KubernetesError,
    NotFound,
    Rejected,
    Unavailable,
)

__all__ = ["Kubernetes", "Manifest", "in_cluster", "kind_path", "type_of"]

Manifest = dict[str, Any]

_TIMEOUT: Final = 15
_PAGE: Final = 500
_KINDS: Final = {
    KIND: ("apis", GROUP, VERSION, PLURAL),
    "Deployment": ("apis", "apps", "v1", "deployments"),
    "ReplicaSet": ("apis", "apps", "v1", "replicasets"),
    "Service": ("api", None, "v1", "services"),
    "PodDisruptionBudget": ("apis", "policy", "v1", "poddisruptionbudgets"),
    "Pod": ("api", None, "v1", "pods"),
    "Job": ("apis", "batch", "v1", "jobs"),
    "Event": ("api", None, "v1", "events"),
    "Secret": ("api", None, "v1", "secrets"),
    "ValidatingWebhookConfiguration": (
        "apis",
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
    ),
}
_ERRORS: Final[dict[int, type[KubernetesError]]] = {
    400: Rejected,
    401: Unavailable,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: Rejected,
}
_LONGEST_MESSAGE: Final = 600

_NO_VERSION: Final = str(2**63 - 1)
"""A resourceVersion that no object has: the server refuses to change one that exists, and does not ask when it creates
(`registry/generic/registry/store.go`, Kubernetes 1.34)."""


def in_cluster() -> bool:
    """Whether this process is to use its pod's service account; an explicit kubeconfig wins."""
    return "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ


def type_of(kind: str) -> dict[str, str]:
    """Return `apiVersion` and `kind`, which the items of a list lack."""
    group, version, _ = kind_path(kind)
    return {"apiVersion": f"{group}/{version}" if group else version, "kind": kind}


def kind_path(kind: str) -> tuple[str, str, str]:
    """Return group, version and plural of `kind`; the group of the core API is empty."""
    _, group, version, plural = _KINDS[kind]
    return group or "", version, plural


class Kubernetes:
    """A connection to the API server; close it, or use it as an async context manager."""

    def __init__(self, client: ApiClient) -> None:
        """Use `client`, which has made no request yet.

        Proxies and credentials of the environment are left alone, as kopf's watches leave them: looking for them costs
        a thread and a file a request.
        """
        client.configuration.client_session_kwargs = {"trust_env": False}
        self._client = client
        self._dynamic = DynamicClient(client)
        self._resources = {kind: _resource(kind, self._dynamic) for kind in _KINDS}

    @classmethod
    async def connect(cls) -> Self:
        """Return a connection with the pod's service account, or with the kubeconfig outside a cluster.

        Raises `Unavailable` where that cannot be read.
        """
        try:
            if in_cluster():
                config.load_incluster_config()
            else:
                await config.load_kube_config()
        except config.ConfigException as error:
            raise Unavailable(f"no cluster is configured: {error}") from None
        return cls(ApiClient())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """Return the object, or None where it does not exist; the namespace of a cluster's object is empty."""
        try:
            return await self._call("get", self._resources[kind].path(name=name, namespace=namespace))
        except NotFound:
            return None

    async def list(
        self, kind: str, namespace: str | None = None, *, label_selector: str | None = None
    ) -> "list[Manifest]":
        """Return all objects of `kind`, in all namespaces where none is given."""
        path = self._resources[kind].path(namespace=namespace)
        found: list[Manifest] = []
        token = None
        while True:
            page = await self._call("get", path, limit=_PAGE, _continue=token, label_selector=label_selector)
            found += page["items"]
            token = page["metadata"].get("continue")
            if not token:
                return found

    async def apply(
        self, manifest: Manifest, *, dry_run: bool = False, only_new: bool = False, manager: str = FIELD_MANAGER
    ) -> Manifest:
        """Apply `manifest` as the field manager `manager` and return the object as it now is.

        Conflicts of fields are forced: only ever call it for an object that the operator controls, or with `only_new`,
        which changes nothing where an object of that name exists: it raises `Conflict` where it would. With `dry_run`
        the server judges it and keeps nothing.
        """
        return await self._call(
            "patch",
            self._path(manifest),
            body=_only_new(manifest) if only_new else manifest,
            content_type="application/apply-patch+yaml",
            field_manager=manager,
            force_conflicts=True,
            dry_run="All" if dry_run else None,
        )

    async def write_status(self, manifest: Manifest) -> Manifest:
        """Write the status of `manifest`, which must carry the resourceVersion it was read with.

        Raises `Conflict` where the object has changed since.
        """
        path = f"{self._path(manifest)}/status"
        return await self._call("put", path, body=manifest, field_manager=FIELD_MANAGER)

    async def replace(self, manifest: Manifest) -> Manifest:
        """Write the whole object, which must carry the resourceVersion it was read with.

        Raises `Conflict` where the object has changed since.
        """
        return await self._call("put", self._path(manifest), body=manifest, field_manager=FIELD_MANAGER)

    async def delete(self, manifest: Mapping[str, Any]) -> None:
        """Delete exactly this object (by uid); one that is gone already is fine."""
        body = {"preconditions": {"uid": manifest["metadata"]["uid"]}, "propagationPolicy": "Background"}
        try:
            await self._call("delete", self._path(manifest), body=body)
        except (NotFound, Conflict):
            return

    async def create(self, manifest: Manifest) -> Manifest:
        """Create `manifest`."""
        namespace = manifest["metadata"]["namespace"]
        path = self._resources[manifest["kind"]].path(namespace=namespace)
        return await self._call("post", path, body=manifest, field_manager=FIELD_MANAGER)

    def _path(self, manifest: Mapping[str, Any]) -> str:
        metadata = manifest["metadata"]
        found: str = self._resources[manifest["kind"]].path(name=metadata["name"], namespace=metadata.get("namespace"))
        return found

    async def _call(self, method: str, path: str, **arguments: Any) -> Manifest:  # noqa: ANN401 - passed on
        try:
            response = await self._dynamic.request(
                method, path, serialize=False, _request_timeout=_TIMEOUT, **arguments
            )
            found: Manifest = await response.json()
        except ApiException as error:
            raise _translate(error) from None
        except ValueError as error:
            raise Unavailable("the API server's answer is no JSON") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"the API server cannot be reached: {type(error).__name__}") from error
        return found


def _resource(kind: str, client: DynamicClient) -> Resource:
    prefix, group, version, plural = _KINDS[kind]
    return Resource(
        prefix=prefix, group=group, api_version=version, kind=kind, name=plural, namespaced=True, client=client
    )


def _only_new(manifest: Manifest) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": _NO_VERSION}}


def _translate(error: ApiException) -> KubernetesError:
    kind = _ERRORS.get(error.status or 0, Unavailable)
    return kind(_message(error)[:_LONGEST_MESSAGE])


def _message(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return f"status {error.status} {error.reason}"
