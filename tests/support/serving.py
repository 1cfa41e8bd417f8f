"""A resource that serves under a policy, and what its status says."""

from collections.abc import Callable, Sequence

from support.api import Api, Manifest
from support.prometheus_double import PrometheusDouble
from support.waiting import eventually

Make = Callable[..., Manifest]
ENFORCE = {
    "mode": "Enforce",
    "window": {"short": "20s", "long": "60s"},
    "objectives": [{"metric": "Tpot", "threshold": "50ms"}],
    "budget": {"cooldown": "1s", "limits": [{"count": 32, "window": "1h"}]},
    "trial": {"mode": "Never"},
}
"""Rolls at once: trials need an engine's metrics; the end-to-end layer has them."""

TPOT = "request_time_per_output_token_seconds"
SOON = ENFORCE | {"window": {"short": "1s", "long": "2s"}}
RUNGS = [
    {"name": "fp8", "triggers": ["Latency"], "model": {"name": "org/target-fp8"}},
    {"name": "int4", "triggers": ["Latency"], "model": {"name": "org/target-int4"}},
]


def settings(prometheus: PrometheusDouble) -> dict[str, object]:
    endpoint = {"name": "default", "url": prometheus.url, "scrapeIntervalSeconds": 2, "timeoutSeconds": 2}
    alone = {"holdAll": {"percent": 100}, "maxConcurrentRolls": 1000}  # what earlier tests left holds nobody
    return {"endpoints": [endpoint], "evaluationIntervalSeconds": 0.5, "fleet": alone}


def status(api: Api, namespace: str) -> Manifest:
    found = api.get("SpecDecodeDeployment", namespace, "chat") or {}
    return found.get("status") or {}


def condition(api: Api, namespace: str, kind: str) -> tuple[str, str]:
    conditions = status(api, namespace).get("conditions") or []
    return next(((entry["status"], entry["reason"]) for entry in conditions if entry["type"] == kind), ("", ""))


def serving(api: Api, manifest: Make, namespace: str, **spec: object) -> None:
    api.create(manifest(**({"policy": ENFORCE} | spec)))
    eventually(lambda: condition(api, namespace, "Ready")[0] == "True", what="Ready")
    eventually(lambda: condition(api, namespace, "MetricsAvailable")[0] == "True", what="MetricsAvailable")


def rolled(api: Api, namespace: str) -> bool:
    """Whether every pod runs what was decided last; the verification may still go on."""
    outcomes = [decision["outcome"] for decision in status(api, namespace).get("decisions") or []]
    return bool(outcomes) and outcomes[-1] != "Started"


def reasons(api: Api, namespace: str) -> list[str]:
    return [event["reason"] for event in api.list("Event", namespace) if event["involvedObject"]["name"] == "chat"]


def replica_sets(api: Api, namespace: str) -> int:
    return len(api.list("ReplicaSet", namespace))


def serve_and_breach(api: Api, prometheus: PrometheusDouble, manifest: Make, namespace: str) -> None:
    """Serve until it is judged, lose acceptance, and return when speculation is decided off."""
    serving(api, manifest, namespace)
    prometheus.traffic(namespace).acceptance = 0.1
    eventually(lambda: status(api, namespace)["activeVariant"] == "no-speculation", what="the decision")


def decisions(api: Api, namespace: str) -> list[tuple[str, str, str, str | None]]:
    found: list[Manifest] = status(api, namespace).get("decisions") or []
    return [(entry["to"], entry["trigger"], entry["outcome"], entry.get("reason")) for entry in found]


def until(api: Api, namespace: str, expected: Sequence[object], seconds: float = 30) -> None:
    eventually(lambda: decisions(api, namespace) == expected, seconds=seconds, what=str(expected))
