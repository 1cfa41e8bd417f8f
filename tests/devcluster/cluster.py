"""The whole cluster: started, removed and looked at."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from devcluster import (
    binaries,
    containerd,
    controlplane,
    engine,
    images,
    leftovers,
    network,
    node,
    preflight,
    prometheus,
)
from devcluster.controlplane import ControlPlane, Exposure
from devcluster.errors import DevClusterError
from devcluster.kubectl import kubectl
from devcluster.locks import locked
from devcluster.operator_image import build_operator_image
from devcluster.paths import home, kubeconfig, run_directory
from devcluster.processes import Daemon
from devcluster.progress import say, step

API_PORT = 6443
RUNTIME_CLASS = f"""\
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: {containerd.ENGINE_HANDLER}
handler: {containerd.ENGINE_HANDLER}
"""


@dataclass(frozen=True)
class Check:
    """One line of the cluster's status."""

    part: str
    healthy: bool
    detail: str


def up() -> None:
    """Have a healthy cluster: leave one that is healthy alone, or remove what there is and start a new one.

    Raises:
        PreflightError: the cluster cannot work on this machine.
        DevClusterError: something failed; what was started stays for a look at its logs until `down` or `up`.

    """
    preflight.refuse_where_impossible()
    preflight.install_missing()
    with locked(home() / ".cluster.lock"):
        if is_healthy():
            say("the cluster is up and healthy")
        else:
            _replace()
    say(f"export KUBECONFIG={kubeconfig()}")


def down() -> None:
    """Remove the cluster and everything that it left on the machine, but for the caches.

    Raises:
        PreflightError: this is not Linux, or the user is not root.

    """
    preflight.refuse_where_impossible()
    with locked(home() / ".cluster.lock"), step("Removing the cluster"):
        leftovers.remove()


def load_operator(repo: Path) -> None:
    """Build the operator's image from the Dockerfile in `repo`, if need be, and give it to the node.

    Raises:
        CommandError: the build failed, or there is no cluster.

    """
    containerd.import_image(build_operator_image(repo, images.OPERATOR))


def is_healthy() -> bool:
    """Tell whether every part of the cluster works."""
    return all(check.healthy for check in status())


def status() -> list[Check]:
    """What works and what does not."""
    return [*_process_checks(), _node_check(), _gpu_check(), _engine_check(), _image_check(), _prometheus_check()]


def _replace() -> None:
    binaries.build_all()
    engine.environment()
    with step("Removing what an earlier cluster left"):
        leftovers.remove()
    preflight.refuse_busy_ports()
    _start()


def _start() -> None:
    with step("Starting the control plane"):
        network.create(run_directory() / "network")
        plane = _control_plane()
        plane.start()
    with step("Starting the container runtime"):
        containerd.start()
        for archive in (images.pause(), images.engine()):
            containerd.import_image(archive)
    with step("Starting the node"):
        node.start(plane)
        kubectl(kubeconfig(), "apply", "--filename=-", stdin=RUNTIME_CLASS)
    with step("Starting Prometheus"):
        prometheus.start()


def _control_plane() -> ControlPlane:
    exposure = Exposure(API_PORT, network.GATEWAY)
    return ControlPlane(kubeconfig().parent, controllers=True, scheduler=True, exposure=exposure)


def _process_checks() -> Iterator[Check]:
    places = dict.fromkeys(reversed(controlplane.DAEMONS), kubeconfig().parent)
    places |= {
        "containerd": containerd.directory(),
        "kubelet": node.directory(),
        "kube-proxy": node.directory(),
    }
    for name, directory in (places | {"prometheus": prometheus.directory()}).items():
        pid = Daemon(name, directory).pid()
        yield Check(name, pid is not None, f"process {pid}" if pid else f"not running (log: {directory / name}.log)")


def _node_check() -> Check:
    ready = node.is_ready()
    return Check("node", ready, "Ready" if ready else "not Ready")


def _gpu_check() -> Check:
    count = node.gpus()
    return Check("GPUs", count == node.GPUS, f"{count} of {node.GPUS} allocatable")


def _engine_check() -> Check:
    current = containerd.mounts_current_engine()
    detail = f"{engine.location()}{'' if current else ' is not what containers get'}"
    return Check("engine", current and engine.location().exists(), detail)


def _image_check() -> Check:
    try:
        names = containerd.image_names()
    except DevClusterError:
        return Check("images", healthy=False, detail="the container runtime does not answer")
    return Check("images", {images.PAUSE, images.ENGINE} <= set(names), ", ".join(names))


def _prometheus_check() -> Check:
    try:
        targets = prometheus.targets()
    except httpx.HTTPError as error:
        detail = f"{prometheus.URL} does not answer: {error}"
        return Check("Prometheus targets", healthy=False, detail=detail)
    described = [f"{pod} {health}" for pod, health in sorted(targets.items())]
    return Check("Prometheus targets", healthy=True, detail=", ".join(described) or "none")
