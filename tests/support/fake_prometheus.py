"""A Prometheus client in memory, for the metrics loop."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from specdecode_operator.clients import Prometheus, PrometheusError
from specdecode_operator.engine import Counter, Gauge
from specdecode_operator.policy import ArmQuery, Query, Row
from specdecode_operator.policy.judging.queries import Kind
from support.arms import arm_of, rows

Labels = dict[str, str]
Asked = TypeVar("Asked", Query, ArmQuery)


@dataclass
class Traffic:
    """What every pod reports."""

    acceptance: float = 0.9
    slow: float = 0.0
    requests: float = 1000.0
    edges: tuple[float, ...] = (0.05,)
    running: float = 8.0
    waiting: float = 0.0
    kv_cache: float = 0.3
    preemptions: float = 0.0


@dataclass
class FakePrometheus(Prometheus):
    """Answers for `pods` until it fails; `meanwhile` is called while an answer is awaited."""

    pods: list[Labels] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)
    failure: PrometheusError | None = None
    meanwhile: Callable[[], None] = lambda: None
    latency: dict[str, float] = field(default_factory=dict)
    """How much longer every latency of a pod is than usual, as a trial sees it."""
    refused: type | None = None
    """A kind of query that it refuses."""
    asked: list[list[Query | ArmQuery]] = field(default_factory=list)

    async def answer(self, queries: Sequence[Asked]) -> list[tuple[Asked, list[Row]]]:
        self.asked.append(list(queries))
        self.meanwhile()
        if self.failure is not None:
            raise self.failure
        if self.refused is not None and any(isinstance(query, self.refused) for query in queries):
            raise PrometheusError("status 422")
        return [(query, [row for pod in self.pods for row in self._rows(query, pod)]) for query in queries]

    def _rows(self, query: Query | ArmQuery, pod: Labels) -> list[Row]:
        if isinstance(query, ArmQuery):
            return rows(query, arm_of(self.latency.get(pod["pod"], 1.0)), pod["pod"])
        if query.kind is not Kind.BUCKETS:
            return [Row(pod, self._value(query))]
        total = self.traffic.requests
        fast = [Row(pod | {"le": str(edge)}, total * (1 - self.traffic.slow)) for edge in self.traffic.edges]
        return [*fast, Row(pod | {"le": "+Inf"}, total)]

    def _value(self, query: Query) -> float:
        if query.kind in (Kind.AGE, Kind.TARGETS):
            return 1.0
        if query.kind is Kind.SCRAPES:
            return math.ceil(query.window)
        if query.kind is Kind.REQUESTS:
            return self.traffic.requests
        return self._load(query.gauge) if query.gauge is not None else self._count(query.counter)

    def _load(self, gauge: Gauge) -> float:
        traffic = self.traffic
        return {Gauge.RUNNING: traffic.running, Gauge.WAITING: traffic.waiting}.get(gauge, traffic.kv_cache)

    def _count(self, counter: Counter | None) -> float:
        """Return what is counted of 10,000 drafts of one token each."""
        accepted = 10_000.0 * self.traffic.acceptance
        counts = {
            Counter.ACCEPTED_TOKENS: accepted,
            Counter.GENERATED_TOKENS: 10_000.0 + accepted + self.traffic.requests,
            Counter.FIRST_TOKENS: self.traffic.requests,
            Counter.PREEMPTIONS: self.traffic.preemptions,
        }
        return 10_000.0 if counter is None else counts.get(counter, 10_000.0)
