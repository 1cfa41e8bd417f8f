"""Engines, asked for their release: one short request a pod, to an address that the cluster gave it."""

import asyncio
from types import TracebackType
from typing import Final, Self

import aiohttp

from specdecode_operator.clients.errors import EngineUnreachable
from specdecode_operator.engine import VERSION_PATH, Version, told_release

__all__ = ["Engines"]

_OK: Final = 200
_PARALLEL: Final = 16
_MAX_BODY: Final = 1024


class Engines:
    """Asks at most 16 engines at a time; close it, or use it as an async context manager.

    Nothing of the environment is read, redirects are not followed, cookies not kept, and bodies over 1 KiB are refused.
    """

    def __init__(self, timeout: float = 2.0) -> None:
        """Give every question `timeout` seconds."""
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._slots = asyncio.Semaphore(_PARALLEL)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def release(self, host: str, port: int) -> Version | None:
        """Return the release that the engine at an IP address says it is, or None where it names none.

        Raises `EngineUnreachable` where there is no answer.
        """
        url = f"http://[{host}]:{port}{VERSION_PATH}" if ":" in host else f"http://{host}:{port}{VERSION_PATH}"
        async with self._slots:
            try:
                return told_release(await self._get(url))
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise EngineUnreachable(f"the engine cannot be asked: {type(error).__name__}") from None

    async def _get(self, url: str) -> bytes:
        async with self._connected().get(url, allow_redirects=False) as response:
            if response.status != _OK:
                raise EngineUnreachable(f"status {response.status}")
            body = bytearray()
            async for chunk in response.content.iter_chunked(_MAX_BODY):
                body += chunk
                if len(body) > _MAX_BODY:
                    raise EngineUnreachable("the answer is larger than 1 KiB")
            return bytes(body)

    def _connected(self) -> aiohttp.ClientSession:
        """Return the session, which needs a running loop to be made."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(limit=_PARALLEL, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session
