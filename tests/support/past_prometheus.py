"""A Prometheus that remembers: pods come and go, traffic changes, and both can be asked about at any time."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from json import dumps
from typing import Any, TypeVar
from urllib.parse import parse_qs

from specdecode_operator.clients import Moments, Prometheus, PrometheusError, Series
from specdecode_operator.policy import ArmQuery, Query, Row
from specdecode_operator.policy.trials.arms import Arm
from support.arms import arm_of, rows
from support.builders import NOW, counters
from support.http_double import Answer, HttpDouble
from support.http_double import Asked as Request

Asked = TypeVar("Asked", Query, ArmQuery)
Recalled = TypeVar("Recalled", bound=Query | ArmQuery)

INTERVAL = 15.0
"""Seconds between scrapes."""

_TOKENS = 10_000.0
_CONSTANTS = {"_perc": 0.3, "waiting": 0.0, "preemptions": 0.0, "timestamp(": 1.0, "count by": 1.0}
"""What queries with these words are answered: load that leaves room, and samples that are fresh."""


@dataclass
class PastPod:
    """One pod, from its first sample to its last."""

    name: str
    ready: datetime
    gone: datetime | None = None
    speculating: bool = True
    namespace: str = "prod"
    silent: tuple[datetime, datetime] | None = None
    """A time in which it was not scraped."""

    def seen(self, at: datetime) -> bool:
        silent = self.silent is not None and self.silent[0] <= at < self.silent[1]
        return self.ready <= at and (self.gone is None or at < self.gone) and not silent


@dataclass
class Past(Prometheus):
    """Answers the operator's queries at any time; the figures are those of every pod and window then."""

    pods: list[PastPod] = field(default_factory=list)
    acceptance: Callable[[datetime], float] = lambda _: 0.9
    slow: Callable[[datetime], float] = lambda _: 0.0
    latency: Callable[[PastPod], float] = lambda _: 1.0
    """By which factor all latencies of a pod are longer, as a trial sees them."""
    requests: float = 1000.0
    failure: PrometheusError | None = None
    now: Callable[[], datetime] = lambda: NOW
    asked: list[Moments] = field(default_factory=list)

    async def answer(self, queries: Sequence[Asked]) -> list[tuple[Asked, list[Row]]]:
        self._fail()
        return [(query, self._answers(query, self.now())) for query in queries]

    async def history(self, queries: Sequence[Recalled], moments: Moments) -> list[tuple[Recalled, list[Series]]]:
        self._fail()
        self.asked.append(moments)
        return [(query, self._series(partial(self._answers, query), moments)) for query in queries]

    def series(self, text: str, moments: Moments) -> list[Series]:
        return self._series(partial(self.rows, text), moments)

    def _answers(self, query: Query | ArmQuery, at: datetime) -> list[Row]:
        if isinstance(query, Query):
            return self.rows(query.text, at)
        pods = [pod for pod in self.pods if pod.seen(at) and pod.name in query.text]
        return [row for pod in pods for row in rows(query, self._arm(pod, at), pod.name)]

    def _arm(self, pod: PastPod, at: datetime) -> Arm:
        drafted = counters(_TOKENS * self.acceptance(at), _TOKENS) if pod.speculating else {}
        return arm_of(self.latency(pod), counters=drafted)

    def _series(self, found_at: Callable[[datetime], list[Row]], moments: Moments) -> list[Series]:
        found: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
        at = moments.start
        while at <= moments.end:
            for row in found_at(at):
                found.setdefault(tuple(row.labels.items()), []).append((at.timestamp(), row.value))
            at += timedelta(seconds=moments.step)
        return [Series(dict(labels), tuple(points)) for labels, points in found.items()]

    def rows(self, text: str, at: datetime) -> list[Row]:
        namespace = re.search(r'[{,]namespace="([^"]*)"', text)
        return [
            row
            for pod in self.pods
            if pod.seen(at) and (namespace is None or namespace[1] == pod.namespace)
            for row in self._of(pod, text, at)
        ]

    def _of(self, pod: PastPod, text: str, at: datetime) -> list[Row]:
        labels = {"namespace": pod.namespace, "pod": pod.name}
        if "_bucket" in text:
            fast = self.requests * (1 - self.slow(at))
            return [Row(labels | {"le": edge}, fast) for edge in _edges(text)] + [
                Row(labels | {"le": "+Inf"}, self.requests)
            ]
        if "spec_decode" in text:
            share = self.acceptance(at) if "accepted" in text else 1.0
            return [Row(labels, _TOKENS * share)] if pod.speculating else []
        constant = next((value for word, value in _CONSTANTS.items() if word in text), None)
        if constant is not None:
            return [Row(labels, constant)]
        if "count_over_time" in text:
            window = re.search(r"\[(\d+)s\]", text)
            assert window is not None
            return [Row(labels, min(float(window[1]), (at - pod.ready).total_seconds()) // INTERVAL)]
        return [Row(labels, self.requests)]

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


def served(past: Past) -> HttpDouble:
    """Return an HTTP server of range queries about `past`."""

    def answers(asked: Request) -> Answer:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        start, end = (datetime.fromtimestamp(float(form[name]), UTC) for name in ("start", "end"))
        found = past.series(form["query"], Moments(start, end, int(form["step"])))
        body = dumps({"status": "success", "data": {"resultType": "matrix", "result": list(map(_entry, found))}})
        return Answer(chunks=[body.encode()], length=len(body))

    return HttpDouble(answers)


def _entry(series: Series) -> dict[str, Any]:
    return {"metric": series.labels, "values": [[at, str(value)] for at, value in series.points]}


def _edges(text: str) -> list[str]:
    """Return each edge once, as `0.05`."""
    pattern = re.search(r'le=~"([^"]*)"', text)
    assert pattern is not None
    words = [word.replace("[.]", ".") for word in pattern[1].split("|") if "Inf" not in word]
    return sorted({repr(float(word)) for word in words})
