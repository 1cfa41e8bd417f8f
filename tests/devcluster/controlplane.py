"""A Kubernetes control plane: etcd and the API server, and the controllers and the scheduler on request.

It needs neither root nor a container runtime, so a test fixture can start one of its own in a few seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from devcluster import kubeconfig, pki
from devcluster.binaries import binary
from devcluster.kubectl import kubectl
from devcluster.pki import CertificateAuthority, Credential
from devcluster.probes import answers, free_ports
from devcluster.processes import Daemon

SERVICE_ADDRESS = "10.96.0.1"
SERVICE_RANGE = "10.96.0.0/16"
LOOPBACK = "127.0.0.1"
DAEMONS = ("kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")
"""In the order in which they are stopped."""


@dataclass(frozen=True)
class Exposure:
    """How a kubelet and pods reach an API server that is not only for the loopback interface."""

    port: int
    advertised: str
    """The address behind the `kubernetes` Service."""


class ControlPlane:
    """A control plane whose data, certificates, logs and pid files lie in `directory`.

    Use it as a context manager, or call `start` and `stop`. All ports are free ones of the loopback
    interface, unless `exposure` is given. Role-based access control is on. Without `controllers` nothing
    creates service accounts, so the admission plugin that asks for them is off, and deleted owners leave
    their dependents behind.
    """

    def __init__(
        self,
        directory: Path,
        *,
        controllers: bool = False,
        scheduler: bool = False,
        audit: bool = False,
        exposure: Exposure | None = None,
    ) -> None:
        """Describe a control plane; nothing is started yet.

        Args:
            directory: made if it does not exist.
            controllers: run kube-controller-manager, which garbage-collects and runs Deployments.
            scheduler: run kube-scheduler.
            audit: write one line a request to `directory/audit.log`, at level Metadata.
            exposure: listen on all interfaces on a fixed port.

        """
        self.directory = directory
        self.controllers = controllers
        self.scheduler = scheduler
        self.audit = audit
        self.exposure = exposure
        self._ports = dict(zip(("etcd", "etcd peer", "api", "controllers", "scheduler"), free_ports(5), strict=True))

    @property
    def url(self) -> str:
        """The API server's address on the loopback interface."""
        return f"https://{LOOPBACK}:{self.exposure.port if self.exposure else self._ports['api']}"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of an administrator; it exists after `start`."""
        return self.directory / "admin.kubeconfig"

    @property
    def audit_log(self) -> Path:
        """Where the audit log is, if one is written."""
        return self.directory / "audit.log"

    def start(self) -> None:
        """Start everything and return when the API server answers and the namespace `default` exists.

        Raises:
            NotReadyError: a part did not become ready in a minute.

        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._make_credentials()
        etcd = f"http://{LOOPBACK}:{self._ports['etcd']}"
        self._daemon("etcd", self._etcd_flags(etcd)).start(lambda: answers(f"{etcd}/readyz"))
        self._daemon("kube-apiserver", self._api_flags(etcd)).start(self._has_default_namespace)
        if self.controllers:
            self._start_client("kube-controller-manager", "controllers", self._controller_flags())
        if self.scheduler:
            self._start_client("kube-scheduler", "scheduler", [])

    def stop(self) -> None:
        """Stop everything that `start` started; the data stay."""
        stop(self.directory)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as the administrator and return what it prints.

        Raises:
            CommandError: kubectl ended with an error.

        """
        return kubectl(self.kubeconfig, *arguments, stdin=stdin)

    def issue(self, file: str, *, user: str, group: str | None = None, hosts: tuple[str, ...] = ()) -> Credential:
        """Sign a certificate that this control plane accepts, also as the server of `hosts`."""
        return self._authority.issue(file, user=user, group=group, hosts=hosts)

    def write_kubeconfig(self, path: Path, credential: Credential) -> Path:
        """Write a kubeconfig with a certificate of `issue` to `path`, and return `path`."""
        authority = self._authority.credential.certificate
        return kubeconfig.write(path, url=self.url, authority=authority, credential=credential)

    @property
    def authority(self) -> Path:
        """The certificate of the authority that signs the cluster's certificates."""
        return self._authority.credential.certificate

    def __enter__(self) -> Self:
        """Start the control plane; what was started is stopped again if a part of it fails."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the control plane."""
        self.stop()

    def _make_credentials(self) -> None:
        self._authority = CertificateAuthority(self.directory / "pki")
        self._signing_key = pki.signing_key(self.directory / "pki" / "service-accounts.key")
        advertised = [self.exposure.advertised] if self.exposure else []
        hosts = (
            LOOPBACK,
            SERVICE_ADDRESS,
            *advertised,
            "localhost",
            "kubernetes.default.svc",
            "kubernetes.default",
        )
        self._serving = self.issue("apiserver", user="kube-apiserver", hosts=hosts)
        self._admin = self.issue("admin", user="admin", group="system:masters")
        self.write_kubeconfig(self.kubeconfig, self._admin)

    def _daemon(self, name: str, flags: list[str]) -> Daemon:
        return Daemon(name, self.directory, (str(binary(name)), *flags))

    def _has_default_namespace(self) -> bool:
        paths = ("/readyz", "/api/v1/namespaces/default")
        return all(answers(self.url + path, self._admin) for path in paths)

    def _etcd_flags(self, url: str) -> list[str]:
        peer = f"http://{LOOPBACK}:{self._ports['etcd peer']}"
        return [
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]

    def _api_flags(self, etcd: str) -> list[str]:
        authority = self._authority.credential.certificate
        return [
            f"--etcd-servers={etcd}",
            f"--cert-dir={self.directory / 'pki'}",
            f"--tls-cert-file={self._serving.certificate}",
            f"--tls-private-key-file={self._serving.key}",
            f"--client-ca-file={authority}",
            f"--kubelet-client-certificate={self._admin.certificate}",
            f"--kubelet-client-key={self._admin.key}",
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._signing_key}",
            f"--service-account-signing-key-file={self._signing_key}",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged",
            *self._address_flags(),
            *self._admission_flags(),
            *self._audit_flags(),
        ]

    def _address_flags(self) -> Iterator[str]:
        if self.exposure:
            yield f"--secure-port={self.exposure.port}"
            yield "--bind-address=0.0.0.0"
            yield f"--advertise-address={self.exposure.advertised}"
        else:
            yield f"--secure-port={self._ports['api']}"
            yield f"--bind-address={LOOPBACK}"
            yield f"--advertise-address={LOOPBACK}"
            yield "--endpoint-reconciler-type=none"

    def _admission_flags(self) -> Iterator[str]:
        if not self.controllers:
            yield "--disable-admission-plugins=ServiceAccount"

    def _audit_flags(self) -> Iterator[str]:
        if self.audit:
            policy = self.directory / "audit-policy.yaml"
            rules = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"]}
            policy.write_text(yaml.safe_dump(rules | {"rules": [{"level": "Metadata"}]}))
            yield f"--audit-policy-file={policy}"
            yield f"--audit-log-path={self.audit_log}"

    def _controller_flags(self) -> list[str]:
        authority = self._authority.credential
        return [
            f"--root-ca-file={authority.certificate}",
            f"--cluster-signing-cert-file={authority.certificate}",
            f"--cluster-signing-key-file={authority.key}",
            f"--service-account-private-key-file={self._signing_key}",
            "--use-service-account-credentials",
            "--node-monitor-grace-period=3m",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ]

    def _start_client(self, name: str, port: str, flags: list[str]) -> None:
        credential = self.issue(name, user=f"system:{name}", hosts=(LOOPBACK,))
        config = self.write_kubeconfig(self.directory / f"{name}.kubeconfig", credential)
        common = [
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            f"--bind-address={LOOPBACK}",
            f"--secure-port={self._ports[port]}",
            f"--tls-cert-file={credential.certificate}",
            f"--tls-private-key-file={credential.key}",
            "--leader-elect=false",
        ]
        url = f"https://{LOOPBACK}:{self._ports[port]}/healthz"
        self._daemon(name, [*common, *flags]).start(lambda: answers(url))


def stop(directory: Path) -> None:
    """Stop what a control plane with this directory started, also one of an earlier process."""
    for name in DAEMONS:
        Daemon(name, directory).stop()
