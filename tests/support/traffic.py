"""A client: a few requests in flight at any time, each measured from outside and none tried twice."""

import asyncio
import itertools
import json
import random
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

MAX_TOKENS = 32
_TIMEOUT = aiohttp.ClientTimeout(total=120)


@dataclass(frozen=True)
class Measured:
    """One request; times in seconds, `started` by the clock of the epoch."""

    domain: str
    started: float
    ttft: float
    tpot: float
    tokens: int
    error: str | None = None

    @property
    def failed(self) -> bool:
        return self.error is not None


@dataclass
class Traffic:
    """Sends prompts of one domain at a time until it is stopped; use it as a context manager."""

    url: str
    model: str
    prompts: dict[str, list[list[int]]]
    domain: str = "A"
    in_flight: int = 2
    keep_alive: bool = False
    """Whether connections are used again; without it every request opens one of its own."""
    measured: list[Measured] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(180)

    def between(self, start: float, end: float, domain: str | None = None) -> list[Measured]:
        """Return the requests that started in a span of time."""
        found = [one for one in list(self.measured) if start <= one.started < end]
        return [one for one in found if domain in (None, one.domain)]

    async def _run(self) -> None:
        connector = aiohttp.TCPConnector(force_close=not self.keep_alive)
        async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, trust_env=False) as session:
            await asyncio.gather(*(self._loop(session, number) for number in range(self.in_flight)))

    async def _loop(self, session: aiohttp.ClientSession, seed: int) -> None:
        order = {domain: itertools.cycle(_shuffled(found, seed)) for domain, found in self.prompts.items()}
        while not self._stop.is_set():
            domain = self.domain
            one = await self._measure(session, domain, next(order[domain]))
            self.measured.append(one)
            if one.failed:
                await asyncio.sleep(0.5)

    async def _measure(self, session: aiohttp.ClientSession, domain: str, prompt: list[int]) -> Measured:
        started, begun = time.time(), time.monotonic()
        try:
            first, last, tokens = await self._request(session, prompt)
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            return Measured(domain, started, 0.0, 0.0, 0, f"{type(error).__name__}: {error}")
        return Measured(domain, started, first - begun, (last - first) / max(1, tokens - 1), tokens)

    async def _request(self, session: aiohttp.ClientSession, prompt: list[int]) -> tuple[float, float, int]:
        body = {
            "model": self.model,
            "prompt": prompt,
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
            "ignore_eos": True,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        first = last = tokens = 0.0
        async with session.post(f"{self.url}/v1/completions", json=body) as response:
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            async for chunk in _chunks(response):
                if chunk.get("choices"):
                    last = time.monotonic()
                    first = first or last
                tokens = (chunk.get("usage") or {}).get("completion_tokens", tokens)
        if not tokens:
            raise ValueError("the answer ended early")
        return first, last, int(tokens)


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    async for line in response.content:
        text = line.decode().strip()
        if text.startswith("data: {"):
            chunk: dict[str, Any] = json.loads(text.removeprefix("data: "))
            if "error" in chunk:
                raise ValueError(str(chunk["error"])[:200])
            yield chunk


def _shuffled(prompts: list[list[int]], seed: int) -> list[list[int]]:
    found = list(prompts)
    random.Random(seed).shuffle(found)  # noqa: S311 - an order, no secret
    return found
