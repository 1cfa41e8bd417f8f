"""Decisions to an address of the administrator's: posted beside the work, never in its way.

What waits is bounded, and what cannot be delivered is dropped and counted. The status keeps every decision anyway, so a
notification is a convenience and no record.
"""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
import structlog

from specdecode_operator.api.v1alpha1 import Decision
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.settings import NotificationSettings
from specdecode_operator.controller.store import Key

__all__ = ["ATTEMPTS", "WAITING", "Notifier"]

WAITING: Final = 1000
"""Notifications that may wait; one that comes on top is dropped."""

ATTEMPTS: Final = 8
"""How often one is tried, which takes about two minutes."""

_LONGEST_PAUSE: Final = 60.0
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500
_REDIRECT: Final = 300

Payload = dict[str, Any]

_logger = structlog.get_logger(__name__)


class Notifier:
    """Posts decisions in their order, one at a time."""

    def __init__(
        self,
        settings: NotificationSettings,
        metrics: Metrics,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._pause = pause
        self._chance = chance
        self._waiting: asyncio.Queue[Payload] = asyncio.Queue(WAITING)

    def tell(self, key: Key, decision: Decision) -> None:
        """Have `decision` posted some time; return at once."""
        if not self._settings.url:
            return
        namespace, name = key
        payload = {"namespace": namespace, "name": name}
        payload |= decision.model_dump(mode="json", by_alias=True, exclude_none=True)
        try:
            self._waiting.put_nowait(payload)
        except asyncio.QueueFull:
            self._count("full")

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            self._count(await self._deliver(await self._waiting.get()))
            self._waiting.task_done()

    async def _deliver(self, payload: Payload) -> str:
        """Return what became of `payload`: `delivered`, `refused`, or `failed` after the last attempt."""
        for attempt in range(ATTEMPTS):
            if attempt:
                await self._pause(self._backoff(attempt))
            outcome = await self._try(payload)
            if outcome is not None:
                return outcome
        _logger.warning("notification dropped", id=payload["id"], attempts=ATTEMPTS)
        return "failed"

    async def _try(self, payload: Payload) -> str | None:
        """Return what became of one attempt, or None where another may help."""
        try:
            status = await self._post(payload)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            _logger.info("notification not delivered", id=payload["id"], error=type(error).__name__)
            return None
        if status < _REDIRECT:
            return "delivered"
        if status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR:
            return None
        _logger.warning("notification refused", id=payload["id"], status=status)
        return "refused"

    async def _post(self, payload: Payload) -> int:
        """Return the status of the answer; redirects are not followed, and the answer's body is not read."""
        timeout = aiohttp.ClientTimeout(total=self._settings.timeout_seconds)
        headers, trust = await asyncio.to_thread(self._credentials)
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.post(self._settings.url, json=payload, allow_redirects=False, ssl=trust) as answer,
        ):
            return answer.status

    def _credentials(self) -> tuple[dict[str, str], ssl.SSLContext]:
        """Read the files anew, since both may be rotated."""
        token, bundle = self._settings.bearer_token_file, self._settings.ca_file
        headers = {} if token is None else {"Authorization": f"Bearer {token.read_text().strip()}"}
        return headers, ssl.create_default_context(cafile=bundle)

    def _backoff(self, attempt: int) -> float:
        """Return the pause before an attempt: doubled each time, half of it by chance."""
        longest: float = min(_LONGEST_PAUSE, 2.0 ** (attempt - 1))
        return longest * (1 + self._chance()) / 2

    def _count(self, outcome: str) -> None:
        self._metrics.notifications.labels(outcome).inc()
