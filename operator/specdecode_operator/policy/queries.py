"""The PromQL for all resources behind one endpoint, and the way back from its answers.

One query a series and window, grouped by namespace and pod: their number grows with the signals, never with the
resources. Numerators and denominators come apart, so that nothing is divided by Prometheus.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import COUNTERS, FINISHED_REQUESTS, LATENCY_HISTOGRAMS, RUNNING_REQUESTS, Counter
from specdecode_operator.policy.evidence import PodSamples, PodWindow, Snapshot

__all__ = ["Demand", "Query", "Row", "Scope", "queries", "snapshot"]

PodKey = tuple[str, str]


class Kind(StrEnum):
    """What a query asks for."""

    AGE = "age"
    TARGETS = "targets"
    SCRAPES = "scrapes"
    REQUESTS = "requests"
    COUNTER = "counter"
    BUCKETS = "buckets"


@dataclass(frozen=True)
class Scope:
    """How an endpoint names things: two labels, and a fixed matcher such as a cluster's name."""

    namespace_label: str = "namespace"
    pod_label: str = "pod"
    matchers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Demand:
    """What the resources behind one endpoint need: windows in seconds, and bucket edges by metric."""

    windows: frozenset[float] = frozenset()
    edges: Mapping[LatencyMetric, frozenset[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Query:
    """One instant query, and what its answer means."""

    text: str
    kind: Kind
    window: float = 0.0
    counter: Counter | None = None
    metric: LatencyMetric | None = None


@dataclass(frozen=True)
class Row:
    """One series of an answer."""

    labels: Mapping[str, str]
    value: float


class _Pod:
    """One pod's answers while they are collected."""

    def __init__(self) -> None:
        self.age = math.inf
        self.targets = 0
        self.scrapes: dict[float, float] = {}
        self.requests: dict[float, float] = {}
        self.counters: dict[float, dict[Counter, float]] = defaultdict(dict)
        self.buckets: dict[float, dict[LatencyMetric, dict[float, float]]] = defaultdict(lambda: defaultdict(dict))


_SECONDS: Final = "{:g}s"


def queries(demand: Demand, scope: Scope) -> tuple[Query, ...]:
    """Return the queries for `demand`; none where nothing is asked."""
    if not demand.windows:
        return ()
    by = f"{scope.namespace_label}, {scope.pod_label}"
    running = f"{RUNNING_REQUESTS}{{{_matchers(scope)}}}"
    found = [
        Query(f"max by ({by}) (time() - timestamp({running}))", Kind.AGE),
        Query(f"count by ({by}) (count by ({by}, job, instance) ({running}))", Kind.TARGETS),
    ]
    for window in sorted(demand.windows):
        found += _window_queries(window, demand, scope, by)
    return tuple(found)


def snapshot(
    answers: Iterable[tuple[Query, Iterable[Row]]], *, scope: Scope, at: datetime, scrape_interval: float
) -> Snapshot:
    """Return the answers joined by pod. A series that comes twice becomes NaN, which nothing is decided on."""
    pods: dict[PodKey, _Pod] = defaultdict(_Pod)
    for query, rows in answers:
        for row in rows:
            key = (row.labels.get(scope.namespace_label, ""), row.labels.get(scope.pod_label, ""))
            _take(pods[key], query, row)
    return Snapshot(at, {key: _samples(pod) for key, pod in pods.items()}, scrape_interval)


def _window_queries(window: float, demand: Demand, scope: Scope, by: str) -> list[Query]:
    matchers = _matchers(scope)
    span = _SECONDS.format(window)
    found = [
        Query(f"max by ({by}) (count_over_time({RUNNING_REQUESTS}{{{matchers}}}[{span}]))", Kind.SCRAPES, window),
        Query(f"sum by ({by}) (increase({FINISHED_REQUESTS}{{{matchers}}}[{span}]))", Kind.REQUESTS, window),
    ]
    for counter, series in COUNTERS.items():
        text = f"sum by ({by}) (increase({series}{{{matchers}}}[{span}]))"
        found.append(Query(text, Kind.COUNTER, window, counter=counter))
    for metric, edges in sorted(demand.edges.items()):
        selector = _matchers(scope, f'le=~"{_edges(edges)}"')
        text = f"sum by ({by}, le) (increase({LATENCY_HISTOGRAMS[metric]}_bucket{{{selector}}}[{span}]))"
        found.append(Query(text, Kind.BUCKETS, window, metric=metric))
    return found


def _matchers(scope: Scope, *more: str) -> str:
    fixed = [f'{label}="{_escape(value)}"' for label, value in sorted(scope.matchers.items())]
    return ",".join([f'{scope.pod_label}!=""', *fixed, *more])


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _edges(edges: frozenset[float]) -> str:
    """Return a regular expression for `le`; a whole number is written as `1` or `1.0`, depending on the version."""
    words = {word for edge in edges for word in (f"{edge:g}", repr(edge))}
    return "|".join([*sorted(word.replace(".", "[.]") for word in words), "[+]Inf"])


def _take(pod: _Pod, query: Query, row: Row) -> None:
    if query.kind is Kind.AGE:
        pod.age = row.value
    elif query.kind is Kind.TARGETS:
        pod.targets = int(row.value) if math.isfinite(row.value) else 0
    elif query.kind is Kind.SCRAPES:
        pod.scrapes[query.window] = row.value
    elif query.kind is Kind.REQUESTS:
        pod.requests[query.window] = row.value
    else:
        _take_series(pod, query, row)


def _take_series(pod: _Pod, query: Query, row: Row) -> None:
    if query.counter is not None:
        _once(pod.counters[query.window], query.counter, row.value)
    elif query.metric is not None:
        _once(pod.buckets[query.window][query.metric], _bound(row), row.value)


def _once(values: dict[Counter, float] | dict[float, float], key: Counter | float, value: float) -> None:
    known: dict[Counter | float, float] = values  # type: ignore[assignment]
    known[key] = math.nan if key in known else value


def _bound(row: Row) -> float:
    try:
        return float(row.labels.get("le", "nan"))
    except ValueError:
        return math.nan


def _samples(pod: _Pod) -> PodSamples:
    windows = {
        window: PodWindow(
            scrapes=scrapes,
            requests=pod.requests.get(window),
            counters=pod.counters.get(window, {}),
            buckets=pod.buckets.get(window, {}),
        )
        for window, scrapes in pod.scrapes.items()
    }
    return PodSamples(pod.age, pod.targets, windows)
