"""Asking a server whether it is ready."""

import socket
import ssl

import httpx

from devcluster.pki import Credential

TIMEOUT_SECONDS = 5.0


def answers(url: str, credential: Credential | None = None) -> bool:
    """Tell whether a GET of `url` is answered with status 200, with a client certificate if one is given.

    The server's own certificate is not checked: a readiness probe sends no secret.
    """
    try:
        response = httpx.get(url, verify=_context(credential), timeout=TIMEOUT_SECONDS, trust_env=False)
    except httpx.TransportError:
        return False
    return response.status_code == httpx.codes.OK


def free_ports(count: int) -> list[int]:
    """Different TCP ports of 127.0.0.1 that nothing listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


def can_listen(port: int) -> bool:
    """Tell whether a TCP port of all interfaces is free."""
    try:
        socket.create_server(("", port)).close()
    except OSError:
        return False
    return True


def _context(credential: Credential | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if credential:
        context.load_cert_chain(credential.certificate, credential.key)
    return context
