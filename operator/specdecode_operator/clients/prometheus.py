"""Prometheus, through prometheus-api-client with a session that trusts nothing.

The library is synchronous, follows redirects, puts queries into the URL, echoes bodies into exceptions and drops
warnings. So it runs in a worker thread under a deadline, on a `Session` that posts forms, refuses redirects, caps the
body and checks the envelope before the library sees it.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.util.retry import Retry

from specdecode_operator.clients.errors import PrometheusError
from specdecode_operator.policy import ArmQuery, Query, Row

__all__ = ["Connection", "Moments", "Prometheus", "Series"]

Found = TypeVar("Found")
Asked = TypeVar("Asked", Query, ArmQuery)
Recalled = TypeVar("Recalled", bound=Query | ArmQuery)

_OK: Final = 200
_PARALLEL: Final = 4
_MAX_BODY: Final = 64 * 1024 * 1024
_CHUNK: Final = 256 * 1024
_UNREADABLE: Final = "the answer holds a sample that cannot be read"


@dataclass(frozen=True)
class Connection:
    """Where an endpoint is, and how it is asked. Files are read anew for every query, since they rotate."""

    url: str
    timeout: float = 10.0
    ca_file: Path | None = None
    bearer_token_file: Path | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Moments:
    """Times `step` seconds apart, from `start` to `end` and both of them where the last step ends there.

    All are whole seconds. Prometheus refuses more than 11,000 moments in one query.
    """

    start: datetime
    end: datetime
    step: int


@dataclass(frozen=True)
class Series:
    """One series of an answer about the past: seconds of the epoch and values, where there were any."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


class Prometheus:
    """One endpoint."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="prometheus")
        self._session = _StrictSession(connection)
        self._client = PrometheusConnect(
            url=connection.url.rstrip("/"), session=self._session, method="POST", retry=Retry(total=0)
        )

    async def answer(self, queries: Sequence[Asked]) -> list[tuple[Asked, list[Row]]]:
        """Return the rows of every query. Raises `PrometheusError` where any of them gives no complete answer."""
        answers = await self._all([partial(self._query, query.text) for query in queries])
        return list(zip(queries, answers, strict=True))

    async def history(self, queries: Sequence[Recalled], moments: Moments) -> list[tuple[Recalled, list[Series]]]:
        """Return what every query would have been answered at each of `moments`.

        A range query evaluates its expression at every step as an instant query of that time does (Prometheus'
        documentation, "HTTP API", range queries). Raises `PrometheusError` as `answer` does.
        """
        answers = await self._all([partial(self._range, query.text, moments) for query in queries])
        return list(zip(queries, answers, strict=True))

    def close(self) -> None:
        """Stop the threads; a query that is under way ends by its own timeout."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._session.close()

    async def _all(self, calls: Sequence[Callable[[], Found]]) -> list[Found]:
        """Return what the calls return, a few at a time, under one deadline."""
        loop = asyncio.get_running_loop()
        running = [loop.run_in_executor(self._pool, call) for call in calls]
        try:
            async with asyncio.timeout(self._connection.timeout * max(1, -(-len(running) // _PARALLEL))):
                return await asyncio.gather(*running)
        except TimeoutError:
            raise PrometheusError("no answer within the deadline") from None

    def _query(self, text: str) -> list[Row]:
        timeout = self._connection.timeout
        return [_row(entry) for entry in _asked(lambda: self._client.custom_query(text, timeout=timeout))]

    def _range(self, text: str, moments: Moments) -> list[Series]:
        start, end, step = moments.start, moments.end, str(moments.step)
        timeout = self._connection.timeout
        found = _asked(lambda: self._client.custom_query_range(text, start, end, step, timeout=timeout))
        return [_series(entry) for entry in found]


class _StrictSession(requests.Session):
    """Posts the query as a form and lets only a complete, well-formed vector through."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self.trust_env = False
        self.verify = str(connection.ca_file) if connection.ca_file else True

    def request(  # type: ignore[override]
        self, method: str, url: str, *, params: dict[str, str], timeout: float, **_: object
    ) -> requests.Response:
        """Send one query."""
        response = super().request(
            method,
            url,
            data=params | {"timeout": f"{timeout:g}s"},
            headers=self._headers(),
            timeout=timeout,
            allow_redirects=False,
            stream=True,
            verify=self.verify,
        )
        with response:
            return _checked(response, "matrix" if url.endswith("_range") else "vector")

    def _headers(self) -> dict[str, str]:
        token = self._connection.bearer_token_file
        if token is None:
            return dict(self._connection.headers)
        return self._connection.headers | {"Authorization": f"Bearer {token.read_text().strip()}"}


def _asked(call: Callable[[], Any]) -> Any:  # noqa: ANN401 - untrusted JSON
    try:
        return call()
    except PrometheusError:
        raise
    except (requests.RequestException, PrometheusApiClientException, OSError, ValueError) as error:
        raise PrometheusError(f"the endpoint cannot be asked: {type(error).__name__}") from None


def _checked(response: requests.Response, kind: str) -> requests.Response:
    """Return a response whose body is a complete result of that kind, or raise `PrometheusError`."""
    if response.status_code != _OK:
        raise PrometheusError(f"status {response.status_code}")
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > _MAX_BODY:
            raise PrometheusError("the answer is larger than 64 MiB")
    _check_envelope(bytes(body), kind)
    response._content = bytes(body)  # noqa: SLF001 - the only way to hand a read body back to the library
    return response


def _check_envelope(body: bytes, expected: str) -> None:
    try:
        envelope = json.loads(body, object_pairs_hook=_unique)
        status, data = envelope["status"], envelope["data"]
        kind, result = data["resultType"], data["result"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise PrometheusError("the answer is not Prometheus' JSON") from None
    if status != "success" or kind != expected or not isinstance(result, list):
        raise PrometheusError(f"the answer is not a {expected}")
    if envelope.get("warnings") or envelope.get("isPartial"):
        raise PrometheusError("the answer is partial: it came with warnings")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of `pairs`; of a key that comes twice nobody knows which value is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    return found


def _row(entry: Any) -> Row:  # noqa: ANN401 - untrusted JSON
    try:
        return Row(_labels(entry), float(entry["value"][1]))
    except (KeyError, IndexError, TypeError, ValueError):
        raise PrometheusError(_UNREADABLE) from None


def _series(entry: Any) -> Series:  # noqa: ANN401 - untrusted JSON
    try:
        return Series(_labels(entry), tuple((float(at), float(value)) for at, value in entry["values"]))
    except (KeyError, IndexError, TypeError, ValueError):
        raise PrometheusError(_UNREADABLE) from None


def _labels(entry: Any) -> dict[str, str]:  # noqa: ANN401 - untrusted JSON
    labels = entry["metric"]
    if not isinstance(labels, dict) or not all(isinstance(text, str) for text in labels.values()):
        raise PrometheusError(_UNREADABLE)
    return labels
