"""The chart through the real helm."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from chart.files import CHART
from devcluster.binaries import binary
from devcluster.commands import run

Manifest = dict[str, Any]
Values = dict[str, Any]

RELEASE = "specdecode-operator"
NAMESPACE = "specdecode-system"
_VERSION = "--kube-version=1.34.0"
"""Without it, helm renders for the Kubernetes that it was built with, which a plain build does not know."""


def lint() -> str:
    return run([binary("helm"), "lint", "--strict", _VERSION, CHART])


def template(values: Values | None = None, *, name: str = RELEASE) -> str:
    return _template(yaml.safe_dump(values or {}), name)


def render(values: Values | None = None, *, name: str = RELEASE) -> list[Manifest]:
    return list(yaml.load_all(template(values, name=name), Loader=yaml.CSafeLoader))


def install(kubeconfig: Path, values: Values | None = None) -> None:
    _release(kubeconfig, "install", RELEASE, CHART, "--create-namespace", values=values or {})


def upgrade(kubeconfig: Path, values: Values | None = None) -> None:
    _release(kubeconfig, "upgrade", RELEASE, CHART, values=values or {})


def uninstall(kubeconfig: Path) -> None:
    _release(kubeconfig, "uninstall", RELEASE, "--wait", "--ignore-not-found")


def find(manifests: list[Manifest], kind: str) -> Manifest:
    """The one object of that kind."""
    [found] = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


def at(manifest: Any, path: str) -> Any:
    """What is at a dotted path, in which a number is a list's index and a missing field is None."""
    for step in path.split("."):
        manifest = manifest[int(step)] if isinstance(manifest, list) else (manifest or {}).get(step)
    return manifest


@cache
def _template(values: str, name: str) -> str:
    return _with_values(values, "template", name, CHART, f"--namespace={NAMESPACE}", _VERSION)


def _release(kubeconfig: Path, verb: str, *arguments: str | Path, values: Values | None = None) -> None:
    place = (f"--namespace={NAMESPACE}", f"--kubeconfig={kubeconfig}")
    if values is None:
        run([binary("helm"), verb, *arguments, *place])
    else:
        _with_values(yaml.safe_dump(values), verb, *arguments, *place)


def _with_values(values: str, *arguments: str | Path) -> str:
    return run([binary("helm"), *arguments, "--values=-"], stdin=values)
