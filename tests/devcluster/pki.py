"""Certificates: a certificate authority of the cluster's own and what it signs."""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = dt.timedelta(days=365)
CLOCK_SKEW = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class Credential:
    """The PEM files of a certificate and its private key."""

    certificate: Path
    key: Path


class CertificateAuthority:
    """A new certificate authority that keeps its files, and those of what it signs, in `directory`."""

    def __init__(self, directory: Path) -> None:
        """Make the authority's own key and certificate."""
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("devcluster", None)
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = _builder(self._name, self._name, self._key).add_extension(constraints, critical=True)
        self.credential = self._written("ca", builder, self._key)

    def issue(self, file: str, *, user: str, group: str | None = None, hosts: Sequence[str] = ()) -> Credential:
        """Sign a certificate for a client named `user` of `group` that may also serve as any of `hosts`.

        `hosts` are DNS names or IP addresses; the files are named after `file`.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(user, group), self._name, key).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
            critical=False,
        )
        if hosts:
            names = x509.SubjectAlternativeName([_host(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return self._written(file, builder, key)

    def _written(self, file: str, builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> Credential:
        credential = Credential(self._directory / f"{file}.crt", self._directory / f"{file}.key")
        certificate = builder.sign(self._key, hashes.SHA256())
        credential.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        _write_key(credential.key, key)
        return credential


def signing_key(path: Path) -> Path:
    """Write a new private key to `path`, for the API server to sign service account tokens with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_key(path, ec.generate_private_key(ec.SECP256R1()))
    return path


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
    )


def _name(user: str, group: str | None) -> x509.Name:
    organisation = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*organisation, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
