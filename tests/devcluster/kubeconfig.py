"""Kubeconfig files that hold their certificates inside."""

import base64
from pathlib import Path

import yaml

from devcluster.pki import Credential


def write(path: Path, *, url: str, authority: Path, credential: Credential) -> Path:
    """Write a kubeconfig for the API server at `url` to `path`, for its owner's eyes only; return `path`."""
    cluster = {"server": url, "certificate-authority-data": _encoded(authority)}
    user = {
        "client-certificate-data": _encoded(credential.certificate),
        "client-key-data": _encoded(credential.key),
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "devcluster", "cluster": cluster}],
        "users": [{"name": "devcluster", "user": user}],
        "contexts": [{"name": "devcluster", "context": {"cluster": "devcluster", "user": "devcluster"}}],
        "current-context": "devcluster",
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
