"""`/metrics` and `/healthz`, in a thread of their own, so that a busy loop still answers."""

import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Final, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import make_wsgi_app

from specdecode_operator.controller.metrics import Metrics

__all__ = ["Server"]

Health = Callable[[], str | None]
"""Returns what is wrong, or None."""

_TEXT: Final = [("Content-Type", "text/plain; charset=utf-8")]


class Server:
    """Serves until it is closed."""

    def __init__(self, address: str, port: int, metrics: Metrics, health: Health) -> None:
        self._server = make_server(
            address, port, _application(metrics, health), server_class=_Threading, handler_class=_Quiet
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="http")

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Threading(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: a line a probe is noise."""


def _application(metrics: Metrics, health: Health) -> WSGIApplication:
    exposition = make_wsgi_app(metrics.registry)

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            found: Iterable[bytes] = exposition(environ, start)
            return found
        if path != "/healthz":
            start("404 Not Found", list(_TEXT))
            return [b"try /metrics or /healthz\n"]
        wrong = health()
        start("200 OK" if wrong is None else "503 Service Unavailable", list(_TEXT))
        return [f"{wrong or 'ok'}\n".encode()]

    return answer
