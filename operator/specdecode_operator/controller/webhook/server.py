"""The webhook over HTTPS, in a thread and on a loop of its own, so that a busy operator still answers in time."""

import asyncio
import contextlib
import json
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

import structlog
from aiohttp import web

from specdecode_operator.clients import Manifest
from specdecode_operator.controller.errors import MalformedReview
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.webhook.identity import Identity
from specdecode_operator.controller.webhook.review import review

__all__ = ["PATH", "WebhookServer"]

PATH: Final = "/validate"

_LARGEST_BODY: Final = 8 * 2**20
"""A review holds two objects, and the API server takes none over 3 MiB (`MaxRequestBodyBytes`)."""

_TIMEOUT: Final = re.compile(r"([1-9][0-9]?)s")
_USUAL_TIMEOUT: Final = 10.0
_SHARE: Final = 0.8
"""How much of the webhook's timeout is ours: an answer that says why is better than none."""

_REVIEWERS: Final = 2
_SHUTDOWN: Final = 5.0

_logger = structlog.get_logger(__name__)


class WebhookServer:
    """Serves while it is entered. `address` is an IP address; port 0 picks a free one."""

    def __init__(self, address: str, port: int, identity: Identity, metrics: Metrics) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.create_server((address, port), family=family)
        self._identity = identity
        self._metrics = metrics
        self._reviewers = ThreadPoolExecutor(_REVIEWERS, "admission")
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="webhook")

    @property
    def port(self) -> int:
        """The port that is listened on."""
        found: int = self._socket.getsockname()[1]
        return found

    @property
    def alive(self) -> bool:
        """Whether it serves."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Let requests end, and close all connections."""
        with contextlib.suppress(RuntimeError):  # the loop ended by itself
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._reviewers.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.add_routes([web.post(PATH, self._handle)])
        runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=_SHUTDOWN)
        await runner.setup()
        try:
            await web.SockSite(runner, self._socket, ssl_context=self._identity.context).start()
            await self._stop.wait()
        finally:
            await _end(runner)

    async def _handle(self, request: web.Request) -> web.Response:
        """Answer, whatever was sent; no answer repeats any of it."""
        try:
            async with asyncio.timeout(_deadline(request.query.get("timeout", ""))):
                answer = await self._loop.run_in_executor(self._reviewers, _reviewed, await request.read())
        except web.HTTPRequestEntityTooLarge:
            return self._failed(413, f"the body is over {_LARGEST_BODY} bytes")
        except MalformedReview as error:
            return self._failed(400, str(error))
        except TimeoutError:
            return self._failed(504, "the review took too long")
        except Exception:
            _logger.exception("review failed")
            return self._failed(500, "the review failed; see the operator's log")
        self._metrics.reviews.labels(_outcome(answer["response"])).inc()
        return web.json_response(answer)

    def _failed(self, status: int, sentence: str) -> web.Response:
        self._metrics.reviews.labels("failed").inc()
        return web.Response(status=status, text=f"{sentence}\n")


async def _end(runner: web.AppRunner) -> None:
    """Let requests end, and close all connections: those of API servers stay open, and answer a farewell late."""
    server = runner.server
    transports = [] if server is None else [connection.transport for connection in server.connections]
    await runner.cleanup()
    for transport in transports:
        if transport is not None:
            transport.abort()
    await asyncio.sleep(0)


def _reviewed(body: bytes) -> Manifest:
    try:
        return review(json.loads(body))
    except ValueError:
        raise MalformedReview("the body is no JSON") from None
    except RecursionError:
        raise MalformedReview("the body is nested too deeply") from None


def _deadline(timeout: str) -> float:
    """Return the seconds for one review: the API server adds the webhook's `timeoutSeconds` to the address."""
    match = _TIMEOUT.fullmatch(timeout)
    return _SHARE * (float(match[1]) if match else _USUAL_TIMEOUT)


def _outcome(response: Manifest) -> str:
    if not response["allowed"]:
        return "denied"
    return "warned" if "warnings" in response else "allowed"
