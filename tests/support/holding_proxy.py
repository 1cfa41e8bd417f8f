"""A proxy in front of the API server that can hold chosen requests back, and let them go later."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import yaml
from aiohttp import ClientConnectionResetError, ClientSession, TCPConnector, web

from support.api import Api

Chooses = Callable[[str, str], bool]


class HoldingProxy:
    """Serves plain HTTP on loopback, in a thread of its own, with the administrator's rights."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._chooses: Chooses = lambda _method, _path: False
        self.held = threading.Event()
        """Set once a request is being held."""
        self._loop = asyncio.new_event_loop()
        self._release = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def hold(self, chooses: Chooses) -> None:
        """Hold every request from now on whose method and path, its query included, `chooses` picks."""
        self._chooses = chooses

    def let_go(self) -> None:
        """Send on what is held, and hold nothing any more."""
        self._chooses = lambda _method, _path: False
        self._loop.call_soon_threadsafe(self._release.set)

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig that leads through the proxy."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{self._port}"}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        path.write_text(yaml.safe_dump(config))
        return path

    async def _start(self) -> None:
        self._session = ClientSession(connector=TCPConnector(ssl=self._api.context, limit=0))
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(application, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        self._release.set()
        await self._runner.cleanup()
        await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if self._chooses(request.method, request.path_qs):
            self.held.set()
            await self._release.wait()
        headers = {name: request.headers[name] for name in ("Accept", "Content-Type") if name in request.headers}
        url = f"{self._api.url}{request.path_qs}"
        async with self._session.request(request.method, url, data=body or None, headers=headers) as answer:
            response = web.StreamResponse(status=answer.status)
            response.content_type = answer.content_type
            await response.prepare(request)
            with contextlib.suppress(ClientConnectionResetError):
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
        return response
