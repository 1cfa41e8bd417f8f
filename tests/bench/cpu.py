"""CPU time of the processes that share the machine."""

from dataclasses import dataclass
from typing import Self

import psutil

from devcluster.controlplane import ControlPlane
from devcluster.processes import Daemon


@dataclass(frozen=True)
class CpuSeconds:
    """Seconds in user and system mode, of all threads together."""

    operator: float
    api_server: float
    etcd: float

    @classmethod
    def now(cls, operator_pid: int, plane: ControlPlane) -> Self:
        """Return what the processes have used since they started."""
        api_server, etcd = (Daemon(name, plane.directory).pid() for name in ("kube-apiserver", "etcd"))
        return cls(_used(operator_pid), _used(api_server), _used(etcd))

    def __sub__(self, before: Self) -> Self:
        """Return what was used since `before`."""
        return type(self)(self.operator - before.operator, self.api_server - before.api_server, self.etcd - before.etcd)


def _used(pid: int | None) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
