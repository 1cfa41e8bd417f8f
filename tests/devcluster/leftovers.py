"""Removing what a cluster leaves on the machine, also a killed one: processes, mounts, network, files."""

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

from devcluster import containerd, controlplane, network, node
from devcluster.commands import run
from devcluster.errors import DevClusterError
from devcluster.paths import run_directory
from devcluster.processes import Daemon, kill
from devcluster.prometheus import stop as stop_prometheus
from devcluster.waiting import wait_until

SHIM = b"containerd-shim-runc-v2"
POD_GROUP = "kubepods"
GROUPS = Path("/sys/fs/cgroup")
POD_LOG_LINKS = Path("/var/log/containers")
GONE_SECONDS = 30.0


def remove() -> None:
    """Remove everything of the running cluster, or of what is left of one; the caches stay.

    Raises:
        DevClusterError: something is still mounted below the cluster's folder, so nothing there was deleted.

    """
    _stop_daemons()
    _unmount()
    network.remove(run_directory() / "network")
    _remove_groups()
    _remove_log_links()
    shutil.rmtree(run_directory(), ignore_errors=True)


def _stop_daemons() -> None:
    for name in ("kubelet", "kube-proxy"):
        Daemon(name, node.directory()).stop()
    stop_prometheus()
    containerd.daemon().stop()
    _kill_containers()
    controlplane.stop(run_directory() / "controlplane")


def _kill_containers() -> None:
    """A container's first process is the first of its process namespace and takes all others with it."""
    for pid in _container_processes():
        kill(pid, signal.SIGKILL)
    for pid in _shims():
        kill(pid, signal.SIGKILL)
    wait_until(lambda: not _shims(), seconds=GONE_SECONDS, what="all containers gone")
    for file in (*_shim_sockets(), *_network_records()):
        file.unlink(missing_ok=True)


def _container_processes() -> Iterator[int]:
    for task in containerd.tasks():
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int((task / "init.pid").read_text())
            if POD_GROUP in Path(f"/proc/{pid}/cgroup").read_text():
                yield pid


def _shim_sockets() -> Iterator[Path]:
    for task in containerd.tasks():
        with contextlib.suppress(FileNotFoundError):
            yield Path((task / "address").read_text().removeprefix("unix://"))


def _network_records() -> Iterator[Path]:
    for task in containerd.tasks():
        yield from network.CNI_RECORDS.glob(f"*-{task.name}-*")


def _shims() -> list[int]:
    socket = str(containerd.socket()).encode()
    return [pid for pid, argv in _processes() if SHIM in argv[0] and socket in argv]


def _processes() -> Iterator[tuple[int, list[bytes]]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(folder.name), (folder / "cmdline").read_bytes().split(b"\0")


def _unmount() -> None:
    for place in sorted(_mounts(), key=len, reverse=True):
        run(["umount", "--lazy", place])
    left = _mounts()
    if left:
        message = f"{left[0]} is still mounted; unmount it and try again"
        raise DevClusterError(message)


def _mounts() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    places = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return [place for place in places if Path(place).is_relative_to(run_directory())]


def _remove_groups() -> None:
    for top in (*GROUPS.glob(f"*/{POD_GROUP}"), *GROUPS.glob(POD_GROUP)):
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()


def _remove_log_links() -> None:
    for link in POD_LOG_LINKS.glob("*"):
        if link.is_symlink() and link.readlink().is_relative_to(run_directory()):
            link.unlink()
