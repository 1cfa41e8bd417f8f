"""Our own certificate: how it is made, when it is renewed, and what may be trusted meanwhile. No clock, no I/O.

Each serving certificate comes with a certificate authority of its own, whose key is thrown away as soon as it has
signed: nobody can sign a second one. Renewing therefore always changes the authority too, in three stages, so that no
request fails: the new pair waits until the API servers trust both authorities, then it is shown, and the authority
before is trusted until it expires, since another replica may show its certificate for a while.
"""

import base64
import datetime as dt
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Holding", "Pair", "advance", "decoded", "encoded", "expiry", "issue"]

LIFE: Final = dt.timedelta(days=90)
RENEWAL: Final = LIFE / 3
"""How long before its end a certificate is renewed."""

OVERLAP: Final = dt.timedelta(hours=1)
"""How long both authorities are published before the new certificate is shown. API servers notice within seconds."""

_SKEW: Final = dt.timedelta(minutes=5)
"""How far the clocks of API servers may be behind ours."""


@dataclass(frozen=True)
class Pair:
    """A serving certificate, its key, and the authority that signed it, as PEM."""

    certificate: str
    key: str = field(repr=False)
    authority: str


@dataclass(frozen=True)
class Holding:
    """All that is kept between two steps."""

    serving: Pair
    waiting: Pair | None = None
    """Shown once the API servers trust its authority."""
    retired: tuple[str, ...] = ()
    """Authorities of certificates that are no longer shown and have not expired."""

    @property
    def bundle(self) -> str:
        """Every authority that the API servers are to trust, as PEM."""
        waiting = [] if self.waiting is None else [self.waiting.authority]
        return "".join([self.serving.authority, *waiting, *self.retired])


def advance(held: Holding | None, hosts: Sequence[str], now: dt.datetime, *, published: bool) -> Holding:
    """Return what is to be held from `now` on, for a server that is reached as any of `hosts`.

    `published` says whether the API servers are told to trust the pair that waits. A pair that is of no use any more
    (expired, or of other names) is replaced at once; all else takes one stage a call.
    """
    if held is None:
        return Holding(issue(hosts, now))
    waiting = held.waiting if held.waiting is not None and _usable(held.waiting, hosts, now) else None
    held = replace(held, waiting=waiting, retired=_living(held.retired, now))
    if not _usable(held.serving, hosts, now):
        return _succeeded(held, waiting or issue(hosts, now), now)
    if waiting is not None and published and now - _made(waiting) >= OVERLAP:
        return _succeeded(held, waiting, now)
    if waiting is None and expiry(held.serving.certificate) - now <= RENEWAL:
        return replace(held, waiting=issue(hosts, now))
    return held


def expiry(certificate: str) -> dt.datetime:
    """Return when `certificate` (PEM) expires."""
    return _parsed(certificate).not_valid_after_utc


def issue(hosts: Sequence[str], now: dt.datetime) -> Pair:
    """Return a new pair for a server that is reached as any of `hosts`: DNS names or IP addresses."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name(f"specdecode-operator webhook {now:%Y-%m-%dT%H:%M:%SZ}")
    authority = _authority(issuer, ca_key, now)
    serving = _serving(hosts, issuer, key, ca_key, now)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(_pem(serving), secret.decode(), _pem(authority))


def encoded(held: Holding) -> dict[str, str]:
    """Return the data of the Secret that holds `held`."""
    texts = {"tls.crt": held.serving.certificate, "tls.key": held.serving.key, "ca.crt": held.serving.authority}
    if held.waiting is not None:
        pair = held.waiting
        texts |= {"next-tls.crt": pair.certificate, "next-tls.key": pair.key, "next-ca.crt": pair.authority}
    if held.retired:
        texts["retired-ca.crt"] = "".join(held.retired)
    return {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}


def decoded(data: Mapping[str, str]) -> Holding | None:
    """Return what a Secret's data holds, or None where that cannot be used, as in a Secret that is still empty."""
    try:
        texts = {name: base64.b64decode(value, validate=True).decode() for name, value in data.items()}
        serving = _pair(texts, "")
        waiting = _pair(texts, "next-") if "next-tls.crt" in texts else None
        retired = x509.load_pem_x509_certificates(texts.get("retired-ca.crt", "").encode()) if _retired(texts) else []
    except (InvalidSignature, UnsupportedAlgorithm, KeyError, ValueError, TypeError):
        return None
    return Holding(serving, waiting, tuple(_pem(found) for found in retired))


def _succeeded(held: Holding, pair: Pair, now: dt.datetime) -> Holding:
    """Return a holding that serves `pair`, and trusts the authority before as long as that lives."""
    return Holding(pair, None, _living([held.serving.authority, *held.retired], now))


def _usable(pair: Pair, hosts: Sequence[str], now: dt.datetime) -> bool:
    found = _parsed(pair.certificate)
    try:
        names = list(found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return False
    return now < found.not_valid_after_utc and names == [_host(host) for host in hosts]


def _living(authorities: Iterable[str], now: dt.datetime) -> tuple[str, ...]:
    return tuple(found for found in authorities if now < expiry(found))


def _made(pair: Pair) -> dt.datetime:
    return _parsed(pair.certificate).not_valid_before_utc + _SKEW


def _retired(texts: Mapping[str, str]) -> bool:
    return bool(texts.get("retired-ca.crt"))


def _pair(texts: Mapping[str, str], prefix: str) -> Pair:
    """Return the pair under `prefix`; raise what `decoded` takes for unusable where it is none."""
    found = Pair(*(texts[prefix + name] for name in ("tls.crt", "tls.key", "ca.crt")))
    certificate, authority = _parsed(found.certificate), _parsed(found.authority)
    key = serialization.load_pem_private_key(found.key.encode(), password=None)
    if key.public_key() != certificate.public_key():
        raise ValueError("the key is of another certificate")
    certificate.verify_directly_issued_by(authority)
    return found


def _authority(name: x509.Name, key: ec.EllipticCurvePrivateKey, now: dt.datetime) -> x509.Certificate:
    usage = x509.KeyUsage(**_NO_USAGE | {"key_cert_sign": True})
    return (
        _builder(name, name, key, key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def _serving(
    hosts: Sequence[str],
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    ca_key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
) -> x509.Certificate:
    usage = x509.KeyUsage(**_NO_USAGE | {"digital_signature": True})
    return (
        _builder(_name("specdecode-operator webhook"), issuer, key, ca_key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    ca_key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
) -> x509.CertificateBuilder:
    """Return what both kinds have in common; the identifiers let a client find the issuer in a bundle."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    )


_NO_USAGE: Final = {
    "digital_signature": False,
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "key_cert_sign": False,
    "crl_sign": False,
    "encipher_only": False,
    "decipher_only": False,
}


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _parsed(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
