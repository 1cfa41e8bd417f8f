"""From a breach to a roll, on a real API server; Prometheus and kubelet are doubles, so that they can misbehave."""

from collections.abc import Iterator

import pytest

from devcluster.controlplane import ControlPlane
from support.api import Api
from support.operator_process import OperatorProcess
from support.prometheus_double import PrometheusDouble
from support.serving import (
    ENFORCE,
    TPOT,
    Make,
    condition,
    reasons,
    replica_sets,
    rolled,
    serve_and_breach,
    serving,
    settings,
    status,
)
from support.waiting import always, eventually


@pytest.fixture(scope="module")
def operator(
    plane: ControlPlane, prometheus: PrometheusDouble, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    folder = tmp_path_factory.mktemp("operator")
    with OperatorProcess(folder, plane.kubeconfig, **settings(prometheus)) as found:
        yield found


def test_healthy_acceptance_changes_nothing(
    api: Api, operator: OperatorProcess, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    serving(api, manifest, namespace)
    eventually(lambda: condition(api, namespace, "ObjectivesMet") == ("True", "WithinObjectives"))
    always(lambda: replica_sets(api, namespace) == 1, seconds=3, what="one ReplicaSet")


def test_low_acceptance_rolls_speculation_off_and_says_why(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    serving(api, manifest, namespace)
    prometheus.traffic(namespace).acceptance = 0.123
    eventually(lambda: status(api, namespace)["activeVariant"] == "no-speculation", what="the decision")
    eventually(lambda: rolled(api, namespace), what="the end of the roll")
    decision = status(api, namespace)["decisions"][0]
    assert {name: decision[name] for name in ("from", "to", "trigger", "value", "window", "samples", "outcome")} == {
        "from": "primary",
        "to": "no-speculation",
        "trigger": "Acceptance",
        "value": "12.3% / 12.3%",
        "window": "20s / 60s",
        "samples": "2000 / 2000",
        "outcome": "Completed",
    }
    assert condition(api, namespace, "Ready") == ("True", "PodsReady")
    assert condition(api, namespace, "SpeculationActive") == ("False", "SwitchedOff")
    assert {"RemediationStarted", "RemediationCompleted"} <= set(reasons(api, namespace))
    deployment = api.get("Deployment", namespace, "chat") or {}
    assert "--speculative-config" not in deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    eventually(lambda: operator.metric(_decision_metric(namespace, "Completed")) == 1.0, what="the metric")


def _decision_metric(namespace: str, outcome: str) -> str:
    return (
        f'specdecode_decisions_total{{name="chat",namespace="{namespace}",outcome="{outcome}",'
        'to="no-speculation",trigger="Acceptance"}'
    )


def test_slow_tokens_go_to_the_rung_that_names_latency(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    rungs = [
        {"name": "int8", "triggers": ["Acceptance"], "model": {"name": "org/target-int8"}},
        {"name": "fp8", "triggers": ["Latency"], "model": {"name": "org/target-fp8"}},
    ]
    soon = ENFORCE | {"window": {"short": "1s", "long": "2s"}}
    serving(api, manifest, namespace, fallbacks=rungs, policy=soon)
    prometheus.traffic(namespace).slow[TPOT] = 0.05
    eventually(lambda: status(api, namespace)["activeVariant"] == "fp8", what="the first rung")
    eventually(lambda: status(api, namespace)["activeVariant"] == "no-speculation", seconds=40, what="the last rung")
    eventually(lambda: condition(api, namespace, "RemediationBlocked") == ("True", "LadderExhausted"), what="the end")
    assert replica_sets(api, namespace) == 3


def test_observe_only_says_what_it_would_do(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    serving(api, manifest, namespace, policy=ENFORCE | {"mode": "Observe"})
    prometheus.traffic(namespace).acceptance = 0.1
    eventually(lambda: status(api, namespace).get("decisions"), what="the suggestion")
    always(lambda: len(status(api, namespace)["decisions"]) == 1, seconds=3, what="one suggestion an episode")
    assert status(api, namespace)["decisions"][0]["outcome"] == "Observed"
    assert replica_sets(api, namespace) == 1


def test_suspend_stops_the_action_and_not_the_evaluation(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    serving(api, manifest, namespace, suspend=True)
    prometheus.traffic(namespace).acceptance = 0.1
    eventually(lambda: condition(api, namespace, "RemediationBlocked") == ("True", "Suspended"), what="the hold")
    assert condition(api, namespace, "ObjectivesMet")[0] == "False"
    assert replica_sets(api, namespace) == 1


HOSTILE = {
    "garbage": b"<html>login</html>",
    "empty": b'{"status":"success","data":{"resultType":"vector","result":[]}}',
    "partial": b'{"status":"success","warnings":["partial"],"data":{"resultType":"vector","result":[]}}',
    "scalar": b'{"status":"success","data":{"resultType":"scalar","result":[0,"0"]}}',
    "error": b'{"status":"error","error":"x"}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_unusable_answers_never_cause_a_roll(
    api: Api,
    operator: OperatorProcess,
    prometheus: PrometheusDouble,
    manifest: Make,
    namespace: str,
    body: bytes,
) -> None:
    assert operator.pid
    serving(api, manifest, namespace)
    prometheus.traffic(namespace).acceptance = 0.1
    prometheus.broken = body
    asked = len(prometheus.queries)
    eventually(lambda: len(prometheus.queries) > asked + 40, what="several evaluations")
    prometheus.broken = None
    prometheus.traffic(namespace).acceptance = 0.9
    assert status(api, namespace)["activeVariant"] == "primary"
    assert replica_sets(api, namespace) == 1


@pytest.mark.parametrize("value", ["NaN", "+Inf"])
def test_values_that_are_no_numbers_never_cause_a_roll(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str, value: str
) -> None:
    assert operator.pid
    serving(api, manifest, namespace)
    prometheus.traffic(namespace).acceptance = float(value)
    asked = len(prometheus.queries)
    eventually(lambda: len(prometheus.queries) > asked + 40, what="several evaluations")
    assert status(api, namespace)["activeVariant"] == "primary"


def test_a_change_of_the_spec_starts_the_ladder_anew(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    serve_and_breach(api, prometheus, manifest, namespace)
    prometheus.traffic(namespace).acceptance = 0.9
    change = {"spec": {"speculation": {"numSpeculativeTokens": 2}}}
    api.merge("SpecDecodeDeployment", namespace, "chat", change)
    eventually(lambda: status(api, namespace)["activeVariant"] == "primary", what="the new start")


def test_a_change_of_replicas_keeps_the_fallback(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    serve_and_breach(api, prometheus, manifest, namespace)
    api.merge("SpecDecodeDeployment", namespace, "chat", {"spec": {"replicas": 3}})
    eventually(lambda: status(api, namespace).get("readyReplicas") == 3, what="the third pod")
    assert status(api, namespace)["activeVariant"] == "no-speculation"


def test_a_status_lost_after_a_fallback_is_adopted_from_the_deployment(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    serving(api, manifest, namespace)
    prometheus.traffic(namespace).acceptance = 0.1
    eventually(lambda: condition(api, namespace, "SpeculationActive")[0] == "False", what="the roll")
    eventually(lambda: rolled(api, namespace), what="the end of the roll")
    api.merge("SpecDecodeDeployment", namespace, "chat", {"status": None}, sub="/status")
    eventually(lambda: status(api, namespace).get("activeVariant"), what="the new status")
    assert status(api, namespace)["activeVariant"] == "no-speculation"
    assert replica_sets(api, namespace) == 2
