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
    GAUGES,
    NEWEST,
    RUNNING_REQUESTS,
    SPECULATION_COUNTERS,
    Counter,
    Gauge,
    Version,
    latency_histograms,
)
from specdecode_operator.policy.judging.evidence import PodSamples, PodWindow, Snapshot

__all__ = ["Demand", "Query", "Row", "Scope", "bucket_bound", "label_matchers", "queries", "quoted", "snapshot"]

PodKey = tuple[str, str]
Name = TypeVar("Name", Counter, Gauge, float)


class Kind(StrEnum):
    """What a query asks for."""

    AGE = "age"
    TARGETS = "targets"
    SCRAPES = "scrapes"
    REQUESTS = "requests"
    COUNTER = "counter"
    MEAN = "mean"
    """Of a gauge, over the window."""
    PEAK = "peak"
    """Of a gauge, in the window."""
    BUCKETS = "buckets"


@dataclass(frozen=True)
class Scope:
    """How an endpoint names things: two labels, and a fixed matcher such as a cluster's name."""

    namespace_label: str = "namespace"
    pod_label: str = "pod"
    matchers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Demand:
    """What the resources behind one endpoint need."""

    windows: frozenset[float] = frozenset()
    """In seconds."""
    edges: Mapping[LatencyMetric, frozenset[float]] = field(default_factory=dict)
    """Bucket edges in seconds, by metric."""
    covered: frozenset[float] = frozenset()
    """Further windows of which only the number of scrapes is asked."""
    loads: frozenset[float] = frozenset()
    """Windows over which load is asked as well: queues, KV cache, preemptions."""
    lengths: bool = False
    """Whether anything compares acceptance lengths: at the running requests, and over steps without a draft too."""
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
    gauge: Gauge | None = None


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
        self.gauges: dict[tuple[Kind, float], dict[Gauge, float]] = defaultdict(dict)
        self.buckets: dict[float, dict[LatencyMetric, dict[float, float]]] = defaultdict(lambda: defaultdict(dict))


def queries(demand: Demand, scope: Scope) -> tuple[Query, ...]:
    """Return the queries for `demand`; none where nothing is asked."""
    if not demand.windows:
        return ()
    by = f"{scope.namespace_label}, {scope.pod_label}"
    running = f"{RUNNING_REQUESTS}{{{label_matchers(scope)}}}"
    found = [
        Query(f"max by ({by}) (time() - timestamp({running}))", Kind.AGE),
        Query(f"count by ({by}) (count by ({by}, job, instance) ({running}))", Kind.TARGETS),
    ]
    for window in sorted(demand.windows):
        found += [_coverage(window, scope, by), *_window_queries(window, demand, scope, by)]
    found += [_coverage(window, scope, by) for window in sorted(demand.covered)]
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


def _coverage(window: float, scope: Scope, by: str) -> Query:
    text = f"max by ({by}) (count_over_time({RUNNING_REQUESTS}{{{label_matchers(scope)}}}[{round(window)}s]))"
    return Query(text, Kind.SCRAPES, window)


def _window_queries(window: float, demand: Demand, scope: Scope, by: str) -> list[Query]:
    matchers = label_matchers(scope)
    span = f"{round(window)}s"
    found = [
        Query(f"sum by ({by}) (increase({FINISHED_REQUESTS}{{{matchers}}}[{span}]))", Kind.REQUESTS, window),
    ]
    for counter in _counters(window, demand):
        text = f"sum by ({by}) (increase({COUNTERS[counter]}{{{matchers}}}[{span}]))"
        found.append(Query(text, Kind.COUNTER, window, counter=counter))
    found += [_gauge_query(gauge, kind, window, scope, by) for gauge, kind in _gauges(window, demand)]
    for metric, edges in sorted(demand.edges.items()):
        selector = label_matchers(scope, f'le=~"{_edges(edges)}"')
        for name in latency_histograms(metric, demand.versions):
            text = f"sum by ({by}, le) (increase({name}_bucket{{{selector}}}[{span}]))"
            found.append(Query(text, Kind.BUCKETS, window, metric=metric))
    return found


def _counters(window: float, demand: Demand) -> tuple[Counter, ...]:
    lengths = (Counter.GENERATED_TOKENS, Counter.FIRST_TOKENS) if demand.lengths else ()
    loads = (Counter.PREEMPTIONS,) if window in demand.loads else ()
    return (*SPECULATION_COUNTERS, *lengths, *loads)


def _gauges(window: float, demand: Demand) -> tuple[tuple[Gauge, Kind], ...]:
    if window in demand.loads:
        return (*((gauge, Kind.MEAN) for gauge in Gauge), (Gauge.KV_CACHE_USAGE, Kind.PEAK))
    return ((Gauge.RUNNING, Kind.MEAN),) if demand.lengths else ()


def _gauge_query(gauge: Gauge, kind: Kind, window: float, scope: Scope, by: str) -> Query:
    """Requests of several engines in one pod are added up; of their caches, the fullest counts.

    A release that exposes two names of one gauge gives the same labels to both, of which `or` takes the first.
    """
    fold = "max" if gauge is Gauge.KV_CACHE_USAGE else "sum"
    over = "avg_over_time" if kind is Kind.MEAN else "max_over_time"
    selector = f"{{{label_matchers(scope)}}}[{round(window)}s]"
    names = " or ".join(f"{over}({name}{selector})" for name in GAUGES[gauge])
    return Query(f"{fold} by ({by}) ({names})", kind, window, gauge=gauge)


def label_matchers(scope: Scope, *more: str) -> str:
    """Return what selects the series of an endpoint's pods, with `more` matchers behind."""
    fixed = [f'{label}="{quoted(value)}"' for label, value in sorted(scope.matchers.items())]
    return ",".join([f'{scope.pod_label}!=""', *fixed, *more])


def quoted(value: str) -> str:
    """Return `value` as it is written between double quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _edges(edges: frozenset[float]) -> str:
    """Return a regular expression for `le`; a whole number is written as `1` or `1.0`, depending on the version."""
    words = {word for edge in edges for word in (f"{edge:g}", repr(edge))}
    return "|".join([*sorted(word.replace(".", "[.]") for word in words), "[+]Inf"])


def _take(pod: _Pod, query: Query, row: Row) -> None:
    if query.counter is not None:
        _once(pod.counters[query.window], query.counter, row.value)
    elif query.metric is not None:
        _once(pod.buckets[query.window][query.metric], bucket_bound(row), row.value)
    elif query.gauge is not None:
        _once(pod.gauges[query.kind, query.window], query.gauge, row.value)
    else:
        _once(pod.plain[query.kind], query.window, row.value)


def _once(values: dict[Name, float], key: Name, value: float) -> None:
    """Keep `value`, or NaN where there is one already: a series that comes twice says nothing."""
    values[key] = math.nan if key in values else value


def bucket_bound(row: Row) -> float:
    """Return the upper bound of a row's bucket; NaN where it names none."""
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
            gauges=pod.gauges.get((Kind.MEAN, window), {}),
            peaks=pod.gauges.get((Kind.PEAK, window), {}),
            buckets=pod.buckets.get(window, {}),
        )
        for window, scrapes in pod.plain[Kind.SCRAPES].items()
    }
    age, targets = pod.plain[Kind.AGE].get(0.0, math.inf), pod.plain[Kind.TARGETS].get(0.0, 0.0)
    return PodSamples(age, targets, windows)
