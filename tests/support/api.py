"""A plain HTTP client of a real API server, with an administrator's certificate."""

import base64
import ssl
import tempfile
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

Manifest = dict[str, Any]

PATHS = {
    "SpecDecodeDeployment": "/apis/specdecode.dev/v1alpha1/namespaces/{}/specdecodedeployments",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "Namespace": "/api/v1/namespaces",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "Service": "/api/v1/namespaces/{}/services",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "Pod": "/api/v1/namespaces/{}/pods",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "Event": "/api/v1/namespaces/{}/events",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
}


class RefusedError(Exception):
    """The API server said no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Api:
    """One API server."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cadata=_text(cluster, "certificate-authority", kubeconfig))
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as pem:
            pem.write(_text(user, "client-certificate", kubeconfig) + "\n" + _text(user, "client-key", kubeconfig))
            pem.flush()
            context.load_cert_chain(pem.name)
        self.url: str = cluster["server"]
        self.context = context
        self._client = httpx.Client(base_url=self.url, verify=context, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(self, method: str, path: str, body: Any = None, *, kind: str = "application/json") -> Manifest:
        content = None if body is None else httpx.Request(method, self.url, json=body).content
        response = self._client.request(method, path, content=content, headers={"Content-Type": kind})
        found: Manifest = response.json()
        if response.is_error:
            raise RefusedError(response.status_code, found.get("message", ""))
        return found

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Create under strict validation: unknown fields are refused."""
        query = "?fieldValidation=Strict" + ("&dryRun=All" if dry_run else "")
        return self.call("POST", _collection(manifest) + query, manifest)

    def merge(self, kind: str, namespace: str, name: str, change: Manifest, *, sub: str = "") -> Manifest:
        path = f"{PATHS[kind].format(namespace)}/{name}{sub}?fieldValidation=Strict"
        return self.call("PATCH", path, change, kind="application/merge-patch+json")

    def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        try:
            return self.call("GET", f"{PATHS[kind].format(namespace)}/{name}")
        except RefusedError as error:
            if error.status != httpx.codes.NOT_FOUND:
                raise
            return None

    def list(self, kind: str, namespace: str) -> "list[Manifest]":
        found: list[Manifest] = self.call("GET", PATHS[kind].format(namespace))["items"]
        return found

    def delete(self, kind: str, namespace: str, name: str) -> None:
        self.call("DELETE", f"{PATHS[kind].format(namespace)}/{name}?propagationPolicy=Background")


def _collection(manifest: Manifest) -> str:
    return PATHS[manifest["kind"]].format(manifest["metadata"].get("namespace", ""))


def _text(entry: dict[str, str], field: str, kubeconfig: Path) -> str:
    if f"{field}-data" in entry:
        return base64.b64decode(entry[f"{field}-data"]).decode()
    return (kubeconfig.parent / entry[field]).read_text()
