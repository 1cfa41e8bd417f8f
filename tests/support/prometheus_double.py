"""A stand-in for Prometheus, to inject what a real one does only on bad days.

It answers the operator's own queries from a table by pod. Proofs use the real Prometheus; see tests/e2e.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from json import dumps
from typing import Any
from urllib.parse import parse_qs

from support.http_double import Answer, Asked, HttpDouble

Pods = Callable[[], list[tuple[str, str]]]


@dataclass
class Traffic:
    """What every pod reports for every window."""

    acceptance: float = 0.9
    requests: float = 1000.0
    slow: dict[str, float] = field(default_factory=dict)
    """Share of requests over the threshold, by histogram."""
    scrapes: float = 1e6
    trial: float = 1.0
    """How long requests of the pod on trial take, as a multiple of the others'."""
    load: float = 0.0
    """Of every gauge, and preemptions."""


class PrometheusDouble(HttpDouble):
    """Serves on loopback until it is closed."""

    def __init__(self, pods: Pods) -> None:
        self._traffic: dict[str, Traffic] = defaultdict(Traffic)
        self.queries: list[str] = []
        self.broken: bytes | None = None
        """A body to answer with instead, as it is."""
        self._pods = pods
        super().__init__(self._answer)

    def traffic(self, namespace: str) -> Traffic:
        """Return what the pods of `namespace` report; change it at will."""
        return self._traffic[namespace]

    def _answer(self, asked: Asked) -> Answer:
        query = parse_qs(asked.body.decode())["query"][0]
        self.queries.append(query)
        body = self._vector(query) if self.broken is None else self.broken
        return Answer(chunks=[body], length=len(body))

    def _vector(self, query: str) -> bytes:
        rows = [row for namespace, pod in self._pods() for row in self._rows(query, namespace, pod)]
        return dumps({"status": "success", "data": {"resultType": "vector", "result": rows}}).encode()

    def _rows(self, query: str, namespace: str, pod: str) -> list[dict[str, Any]]:
        labels, traffic = {"namespace": namespace, "pod": pod}, self._traffic[namespace]
        if "pod=~" in query:
            return _arm_rows(query, labels, traffic.requests, 0.02 * (traffic.trial if "-trial-" in pod else 1.0))
        if "_bucket" in query:
            return [_row(labels | {"le": edge}, value) for edge, value in _buckets(query, traffic).items()]
        return [_row(labels, _scalar(query, traffic))]


def _arm_rows(query: str, labels: dict[str, str], requests: float, latency: float) -> list[dict[str, Any]]:
    """Return what a pod answers to a trial: `requests` of 100 tokens each, whose latencies lie around `latency`."""
    if "specdecode_batch" in query:
        total = len(re.findall(r"label_replace", query))
        part = requests / total * (latency if "_sum" in query else 1.0)
        return [_row(labels | {"specdecode_batch": str(number)}, part) for number in range(total)]
    if "finished_reason" in query:
        counts = {"stop": requests, "abort": 0.0, "error": 0.0}
        return [_row(labels | {"finished_reason": reason}, count) for reason, count in counts.items()]
    if "_bucket" in query:
        return [_row(labels | {"le": edge}, requests * (float(edge) >= latency)) for edge in _EDGES]
    if "_sum" in query:
        return [_row(labels, requests * (100.0 if "_tokens" in query.split("{", maxsplit=1)[0] else latency))]
    return [_row(labels, requests)]


_EDGES = ("0.01", "0.015", "0.02", "0.025", "0.03", "0.04", "0.05", "0.1", "+Inf")


def _scalar(query: str, traffic: Traffic) -> float:
    if "timestamp(" in query:
        return 1.0
    if query.startswith("count by"):
        return 1.0
    if "count_over_time" in query:
        return traffic.scrapes
    if "over_time" in query or "preemptions" in query:
        return traffic.load
    if "accepted" in query:
        return traffic.acceptance * 10000
    return 10000.0 if "spec_decode" in query else traffic.requests


def _buckets(query: str, traffic: Traffic) -> dict[str, float]:
    name = re.search(r"vllm:(\w+)_bucket", query)
    pattern = re.search(r'le=~"([^"]*)"', query)
    assert name is not None
    assert pattern is not None
    slow = traffic.slow.get(name[1], 0.0)
    edges = [edge.replace("[.]", ".") for edge in pattern[1].split("|") if "Inf" not in edge]
    decimal = {repr(float(edge)) for edge in edges}
    return dict.fromkeys(decimal, traffic.requests * (1 - slow)) | {"+Inf": traffic.requests}


def _row(labels: dict[str, str], value: float) -> dict[str, Any]:
    return {"metric": labels, "value": [0, str(value)]}
