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
from typing import TypeVar

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import (
    COUNTERS,
    FINISHED_REQUESTS,
    NEWEST,
    RUNNING_REQUESTS,
    Counter,
    Version,
    latency_histograms,
)
from specdecode_operator.policy.evidence import PodSamples, PodWindow, Snapshot

__all__ = ["Demand", "Query", "Row", "Scope", "queries", "snapshot"]

PodKey = tuple[str, str]
Name = TypeVar("Name", Counter, float)


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
    """What the resources behind one endpoint need: windows in seconds, bucket edges by metric, and their releases."""

    windows: frozenset[float] = frozenset()
    edges: Mapping[LatencyMetric, frozenset[float]] = field(default_factory=dict)
    versions: frozenset[Version] = frozenset({NEWEST})
    """Series are asked for by every name that they have in these releases, and not at all where they have none."""


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
        self.plain: dict[Kind, dict[float, float]] = defaultdict(dict)
        self.counters: dict[float, dict[Counter, float]] = defaultdict(dict)
        self.buckets: dict[float, dict[LatencyMetric, dict[float, float]]] = defaultdict(lambda: defaultdict(dict))


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
    span = f"{round(window)}s"
    found = [
        Query(f"max by ({by}) (count_over_time({RUNNING_REQUESTS}{{{matchers}}}[{span}]))", Kind.SCRAPES, window),
        Query(f"sum by ({by}) (increase({FINISHED_REQUESTS}{{{matchers}}}[{span}]))", Kind.REQUESTS, window),
    ]
    for counter, series in COUNTERS.items():
        text = f"sum by ({by}) (increase({series}{{{matchers}}}[{span}]))"
        found.append(Query(text, Kind.COUNTER, window, counter=counter))
    for metric, edges in sorted(demand.edges.items()):
        selector = _matchers(scope, f'le=~"{_edges(edges)}"')
        for name in latency_histograms(metric, demand.versions):
            text = f"sum by ({by}, le) (increase({name}_bucket{{{selector}}}[{span}]))"
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
    if query.counter is not None:
        _once(pod.counters[query.window], query.counter, row.value)
    elif query.metric is not None:
        _once(pod.buckets[query.window][query.metric], _bound(row), row.value)
    else:
        _once(pod.plain[query.kind], query.window, row.value)


def _once(values: dict[Name, float], key: Name, value: float) -> None:
    """Keep `value`, or NaN where there is one already: a series that comes twice says nothing."""
    values[key] = math.nan if key in values else value


def _bound(row: Row) -> float:
    try:
        return float(row.labels.get("le", "nan"))
    except ValueError:
        return math.nan


def _samples(pod: _Pod) -> PodSamples:
    windows = {
        window: PodWindow(
            scrapes=scrapes,
            requests=pod.plain[Kind.REQUESTS].get(window),
            counters=pod.counters.get(window, {}),
            buckets=pod.buckets.get(window, {}),
        )
        for window, scrapes in pod.plain[Kind.SCRAPES].items()
    }
    age, targets = pod.plain[Kind.AGE].get(0.0, math.inf), pod.plain[Kind.TARGETS].get(0.0, 0.0)
    return PodSamples(age, targets, windows)
