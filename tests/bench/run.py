"""The measurement."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import psutil

from bench.audit import WRITES, Follower, Request, requests
from bench.cpu import CpuSeconds
from devcluster.controlplane import ControlPlane
from specdecode_operator.api.crd import custom_resource_definition
from support.api import Api, Manifest
from support.operator_process import OperatorProcess
from support.prometheus_double import PrometheusDouble
from support.waiting import eventually

NAMESPACE = "bench"
CHILDREN = ("deployments", "services", "poddisruptionbudgets")
FEW = 50
QUIET_SECONDS = 10
"""Two evaluations: what they change in a status has been written by then."""

OTHERS = ("python-httpx", "kube-apiserver")
"""How the agents of requests that are not the operator's begin."""


@dataclass(frozen=True)
class Conditions:
    """What is asked of the operator."""

    resources: int
    rest_seconds: int


@dataclass(frozen=True)
class Figures:
    """What was measured. Seconds, megabytes, counts; CPU and requests from the burst to its last write."""

    conditions: Conditions
    applied_p50: float
    applied_p99: float
    applied_max: float
    cpu_seconds: CpuSeconds
    requests_a_resource: dict[str, float]
    writes_at_rest_per_minute: float
    queries_a_tick_few: float
    queries_a_tick_all: float
    memory_megabytes: float


def measure(plane: ControlPlane, folder: Path, conditions: Conditions) -> Figures:
    """Run the whole benchmark against `plane`, which nothing else uses."""
    with Api(plane.kubeconfig) as api, PrometheusDouble(list) as prometheus:
        _prepare(api)
        endpoint = {"name": "default", "url": prometheus.url, "scrapeIntervalSeconds": 30}
        settings = {"endpoints": [endpoint], "evaluationIntervalSeconds": 5}
        with OperatorProcess(folder / "operator", plane.kubeconfig, **settings) as operator:
            _create(api, range(FEW))
            _wait_applied(plane, FEW)
            few = _queries_a_tick(operator, prometheus)
            started, before = datetime.now(UTC), CpuSeconds.now(operator.pid, plane)
            _create(api, range(FEW, FEW + conditions.resources))
            _wait_applied(plane, FEW + conditions.resources)
            _settle(plane)
            cpu = CpuSeconds.now(operator.pid, plane) - before
            asked = _asked(plane, started)
            writes = _writes_at_rest(plane, conditions.rest_seconds)
            every = _queries_a_tick(operator, prometheus)
            memory = psutil.Process(operator.pid).memory_info().rss / 1e6
    times = _created_to_applied(plane, conditions.resources)
    return Figures(
        conditions=conditions,
        applied_p50=_quantile(times, 0.50),
        applied_p99=_quantile(times, 0.99),
        applied_max=times[-1],
        cpu_seconds=cpu,
        requests_a_resource={what: count / conditions.resources for what, count in asked.most_common()},
        writes_at_rest_per_minute=writes,
        queries_a_tick_few=few,
        queries_a_tick_all=every,
        memory_megabytes=memory,
    )


def _prepare(api: Api) -> None:
    api.create(custom_resource_definition())
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    eventually(lambda: _served(api), what="the CRD")


def _served(api: Api) -> bool:
    try:
        return api.list("SpecDecodeDeployment", NAMESPACE) == []
    except Exception:  # noqa: BLE001 - a CRD that is not served yet answers in several ways
        return False


def _resource(number: int) -> Manifest:
    return {
        "apiVersion": "specdecode.dev/v1alpha1",
        "kind": "SpecDecodeDeployment",
        "metadata": {"name": f"model-{number:05}", "namespace": NAMESPACE},
        "spec": {
            "replicas": 2,
            "model": {"name": "org/target"},
            "speculation": {"method": "DraftModel", "draft": {"name": "org/draft"}, "numSpeculativeTokens": 4},
            "policy": {"objectives": [{"metric": "Tpot", "threshold": "50ms"}]},
        },
    }


def _create(api: Api, numbers: range) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: api.create(_resource(number)), numbers))


def _wait_applied(plane: ControlPlane, count: int) -> None:
    """Follow the audit log: asking the operator or the API server would take the time of what is measured."""
    log, done = Follower(plane.audit_log), set[tuple[str, str]]()
    deadline = time.monotonic() + 300
    while len(done) < count * len(CHILDREN):
        assert time.monotonic() < deadline, f"the children of {count} resources were not applied in five minutes"
        time.sleep(1)
        done |= {(request.resource, request.name) for request in log.new() if _applies_child(request)}


def _applies_child(request: Request) -> bool:
    return request.verb == "patch" and request.resource in CHILDREN and request.status < HTTPStatus.MULTIPLE_CHOICES


def _last_child(plane: ControlPlane) -> dict[str, Request]:
    """Return by resource the request that completed its children."""
    done: dict[str, dict[str, Request]] = {}
    for request in requests(plane.audit_log):
        if _applies_child(request):
            done.setdefault(request.name, {}).setdefault(request.resource, request)
    complete = {name: found for name, found in done.items() if len(found) == len(CHILDREN)}
    return {name: max(found.values(), key=lambda one: one.finished) for name, found in complete.items()}


def _created_to_applied(plane: ControlPlane, count: int) -> list[float]:
    """Return the ascending times of the last `count` resources, in seconds."""
    last = _last_child(plane)
    created = [
        request
        for request in requests(plane.audit_log)
        if request.verb == "create" and request.resource == "specdecodedeployments"
    ]
    return sorted((last[one.name].finished - one.received).total_seconds() for one in created[-count:])


def _settle(plane: ControlPlane) -> None:
    """Wait until nothing is written any more."""
    before = -1
    while before != (now := _writes(plane)):
        before = now
        time.sleep(QUIET_SECONDS)


def _asked(plane: ControlPlane, since: datetime) -> Counter[str]:
    """Return the operator's requests by verb and resource, such as `patch deployments`; watches and lists not."""
    return Counter(
        f"{request.verb} {request.resource}{'/' if request.subresource else ''}{request.subresource}"
        for request in requests(plane.audit_log)
        if request.received >= since and request.verb not in {"watch", "list"} and not request.agent.startswith(OTHERS)
    )


def _writes_at_rest(plane: ControlPlane, seconds: int) -> float:
    """Return writes a minute of anybody but the API server itself, no-op patches included and Leases not."""
    before = _writes(plane)
    time.sleep(seconds)
    return (_writes(plane) - before) * 60 / seconds


def _writes(plane: ControlPlane) -> int:
    return sum(
        request.verb in WRITES and request.resource != "leases" and "kube-apiserver" not in request.agent
        for request in requests(plane.audit_log)
    )


def _queries_a_tick(operator: OperatorProcess, prometheus: PrometheusDouble) -> float:
    """Return the queries of one evaluation, averaged over several."""
    ticks = 'specdecode_prometheus_seconds_count{endpoint="default"}'
    first_ticks, first_queries = operator.metric(ticks), len(prometheus.queries)
    eventually(lambda: operator.metric(ticks) >= first_ticks + 3, seconds=90, what="three evaluations")
    return (len(prometheus.queries) - first_queries) / (operator.metric(ticks) - first_ticks)


def _quantile(ascending: list[float], share: float) -> float:
    return ascending[min(len(ascending) - 1, round(share * len(ascending)))]
