"""What the server shows of itself in a handshake, exchangeable while it serves."""

import contextlib
import os
import ssl
from collections.abc import Iterator
from typing import Final

from specdecode_operator.controller.errors import UnusableCertificate

__all__ = ["Identity"]

_NONE_YET: Final = ssl.AlertDescription.ALERT_DESCRIPTION_INTERNAL_ERROR


class Identity:
    """The server's TLS context. Connections that are open keep the certificate that they began with.

    Each certificate has a context of its own, since one context keeps a certificate for every kind of key: an RSA
    certificate loaded after an ECDSA one would stand beside it, and the old one would go on being shown.
    """

    def __init__(self) -> None:
        self.context = _context()
        self.context.sni_callback = self._choose
        self._current: ssl.SSLContext | None = None

    def show(self, certificate: bytes, key: bytes) -> None:
        """Show `certificate` (PEM, with its chain) from the next handshake on; raise `UnusableCertificate`."""
        found = _context()
        try:
            with _readable(certificate + b"\n" + key) as path:
                found.load_cert_chain(path)
        except (ssl.SSLError, OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or type(error).__name__
            raise UnusableCertificate(f"certificate and key cannot be used: {reason}") from None
        self._current = found

    def _choose(
        self,
        connection: ssl.SSLObject | ssl.SSLSocket,
        name: str | None,  # noqa: ARG002 - ssl's own arguments
        context: ssl.SSLContext,  # noqa: ARG002
    ) -> int | None:
        if self._current is None:
            return _NONE_YET
        connection.context = self._current
        return None


def _context() -> ssl.SSLContext:
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.minimum_version = ssl.TLSVersion.TLSv1_2
    return found


@contextlib.contextmanager
def _readable(pem: bytes) -> Iterator[str]:
    """Give a path that ssl can load `pem` from: in memory, since the pod's file system is read-only."""
    number = os.memfd_create("certificate")
    try:
        os.write(number, pem)
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)
