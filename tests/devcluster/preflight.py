"""What the machine must have; missing Debian packages are installed."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from devcluster.commands import run
from devcluster.errors import CommandError, PreflightError
from devcluster.probes import can_listen
from devcluster.progress import step

PACKAGES = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "/usr/lib/cni/host-local": "containernetworking-plugins",
    "nft": "nftables",
    "ip": "iproute2",
    "conntrack": "conntrack",
    "buildah": "buildah",
    "debootstrap": "debootstrap",
}
"""Programs, and the Debian packages that they are in."""

SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
POLICY = Path("/usr/sbin/policy-rc.d")
PORTS = {6443: "the API server", 10250: "the kubelet", 10256: "kube-proxy"}


def refuse_where_impossible() -> None:
    """Refuse to go on where the cluster cannot run at all.

    Raises:
        PreflightError: this is not Linux, or the user is not root.

    """
    if sys.platform != "linux":
        message = f"the development cluster runs on Linux only, and this is {sys.platform}"
        raise PreflightError(message)
    if os.geteuid() != 0:
        message = "the development cluster needs root for containers and network; run the command as root"
        raise PreflightError(message)


def install_missing() -> None:
    """Install the Debian packages of the programs that are missing, without starting their services.

    Raises:
        PreflightError: something is missing and there is no apt, or apt failed.

    """
    _find_system_programs()
    missing = sorted({package for program, package in PACKAGES.items() if shutil.which(program) is None})
    if not missing:
        return
    if shutil.which("apt-get") is None:
        message = f"there is no apt-get on this machine to install what is missing: {', '.join(missing)}"
        raise PreflightError(message)
    with step(f"Installing {', '.join(missing)} with apt-get"), _services_stay_off():
        _install(missing)


def refuse_busy_ports() -> None:
    """Refuse to go on where another program has a port that the cluster needs.

    Raises:
        PreflightError: it names the port.

    """
    for port, user in PORTS.items():
        if not can_listen(port):
            message = f"port {port} is needed for {user}, and another program listens on it; stop that program"
            raise PreflightError(message)


def _find_system_programs() -> None:
    """A root shell that `su` made has no `sbin` on its PATH."""
    os.environ["PATH"] = f"{os.environ.get('PATH', '/usr/bin:/bin')}:{SYSTEM_PATH}"


def _install(packages: list[str]) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        run(["apt-get", "update", "--quiet"], env=env)
        run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages], env=env)
    except CommandError as error:
        message = f"apt-get could not install {', '.join(packages)}: {error}"
        raise PreflightError(message) from error


@contextlib.contextmanager
def _services_stay_off() -> Iterator[None]:
    """Debian starts a service when it is installed, unless this file says no; the cluster starts its own."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
