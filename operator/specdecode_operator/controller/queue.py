"""Keys to work on: each at most once at a time, several keys side by side."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from specdecode_operator.controller.store import Key

__all__ = ["WorkQueue"]

Handler = Callable[[Key], Awaitable[float | None]]


class WorkQueue:
    """Marked keys wait here; a key that is marked while it is worked on is worked on once more."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Key] = asyncio.Queue()
        self._marked: set[Key] = set()
        self._running: dict[Key, float] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}

    def mark(self, key: Key) -> None:
        """Have `key` worked on soon."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if key in self._marked:
            return
        self._marked.add(key)
        if key not in self._running:
            self._waiting.put_nowait(key)

    def mark_later(self, key: Key, seconds: float) -> None:
        """Have `key` worked on after `seconds`, unless it is marked before."""
        if key not in self._marked and key not in self._timers:
            self._timers[key] = asyncio.get_running_loop().call_later(seconds, self.mark, key)

    def __len__(self) -> int:
        return len(self._marked)

    def longest_run(self) -> float:
        """Return for how many seconds the oldest piece of work has been under way."""
        now = time.monotonic()
        return max((now - started for started in list(self._running.values())), default=0.0)

    async def work(self, handler: Handler) -> None:
        """Hand out keys for ever; `handler` returns seconds after which it wants the key again, or None."""
        while True:
            key = await self._waiting.get()
            self._marked.discard(key)
            self._running[key] = time.monotonic()
            try:
                again = await handler(key)
            finally:
                del self._running[key]
            if key in self._marked:
                self._waiting.put_nowait(key)
            elif again is not None:
                self.mark_later(key, again)
