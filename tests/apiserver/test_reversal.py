"""Rolls whose pods fail, on a real API server and Deployment controller; kubelet and Prometheus are doubles."""

from collections import Counter
from collections.abc import Iterator

import pytest

from devcluster.controlplane import ControlPlane
from support.api import Api, Manifest
from support.kubelet_double import KubeletDouble
from support.operator_process import OperatorProcess
from support.prometheus_double import PrometheusDouble
from support.serving import (
    ENFORCE,
    RUNGS,
    SOON,
    TPOT,
    Make,
    condition,
    decisions,
    reasons,
    replica_sets,
    rolled,
    serving,
    settings,
    status,
    until,
)
from support.waiting import always, eventually

SPECULATING = "--speculative-config"


@pytest.fixture(scope="module")
def operator(
    plane: ControlPlane, prometheus: PrometheusDouble, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    folder = tmp_path_factory.mktemp("operator")
    with OperatorProcess(folder, plane.kubeconfig, **settings(prometheus)) as found:
        yield found


def healthy(api: Api, namespace: str) -> bool:
    """Whether Flux, Argo CD and kubectl wait would find nothing wrong."""
    found = [condition(api, namespace, kind)[0] for kind in ("Ready", "Reconciling", "Stalled")]
    return found == ["True", "False", "False"]


def test_rungs_whose_pods_crash_are_taken_back_and_the_second_time_a_person_has_to_thaw(
    api: Api,
    operator: OperatorProcess,
    kubelet: KubeletDouble,
    prometheus: PrometheusDouble,
    manifest: Make,
    namespace: str,
) -> None:
    for name in ("org/target-fp8", "org/target-int4"):
        kubelet.crash(namespace, name)
    serving(api, manifest, namespace, fallbacks=RUNGS, policy=SOON)
    prometheus.traffic(namespace).slow[TPOT] = 0.05
    first = [("fp8", "Latency", "Reverted", None), ("primary", "Revert", "Completed", "CrashLoop")]
    second = [("int4", "Latency", "Reverted", None), ("primary", "Revert", "Completed", "CrashLoop")]
    until(api, namespace, first + second)
    ice = status(api, namespace)["frozen"]
    assert ice["reason"] == "SecondReversal"
    assert [entry["variant"] for entry in status(api, namespace)["blocked"]] == ["fp8", "int4"]
    assert condition(api, namespace, "RemediationBlocked") == ("True", "Frozen")
    said = Counter(reasons(api, namespace))
    assert (said["RemediationReverted"], said["Frozen"]) == (2, 1)
    assert operator.metric(f'specdecode_frozen{{name="chat",namespace="{namespace}"}}') == 1.0
    annotate(api, namespace, "0" * 8)
    always(lambda: frozen_as(api, namespace, ice) and healthy(api, namespace), seconds=4, what="the freeze")
    assert replica_sets(api, namespace) == 3
    annotate(api, namespace, ice["id"])
    eventually(lambda: status(api, namespace)["activeVariant"] == "no-speculation", what="the rung that is left")
    eventually(lambda: rolled(api, namespace), what="the end of the roll")
    assert "frozen" not in status(api, namespace)
    assert operator.metric(f'specdecode_frozen{{name="chat",namespace="{namespace}"}}') == 0.0
    assert "RemediationUnfrozen" in reasons(api, namespace)


def annotate(api: Api, namespace: str, identity: str) -> None:
    annotations = {"specdecode.dev/unfreeze": identity}
    api.merge("SpecDecodeDeployment", namespace, "chat", {"metadata": {"annotations": annotations}})


def frozen_as(api: Api, namespace: str, ice: Manifest) -> bool:
    found = status(api, namespace)
    return bool(found["activeVariant"] == "primary" and found.get("frozen") == ice)


@pytest.mark.timeout(240)
def test_pods_that_are_never_ready_are_taken_back_after_the_deadline_and_nothing_stalls(
    api: Api,
    operator: OperatorProcess,
    kubelet: KubeletDouble,
    prometheus: PrometheusDouble,
    manifest: Make,
    namespace: str,
) -> None:
    assert operator.pid
    kubelet.keep_unready(namespace, "org/target-fp8")
    rollout = {"readyTimeout": "1s"}
    serving(api, manifest, namespace, fallbacks=RUNGS[:1], policy=SOON, rollout=rollout)
    prometheus.traffic(namespace).slow[TPOT] = 0.05
    until(api, namespace, [("fp8", "Latency", "Started", None)])
    prometheus.traffic(namespace).slow.clear()
    seen: list[bool] = []
    taken_back = [("fp8", "Latency", "Reverted", None), ("primary", "Revert", "Completed", "NotReady")]
    eventually(lambda: observed(api, namespace, seen) == taken_back, seconds=100, what="the way back")
    assert all(seen)
    eventually(lambda: len(running_pods(api, namespace)) == 2, what="the two pods of primary")
    assert "frozen" not in status(api, namespace)


def observed(api: Api, namespace: str, seen: list[bool]) -> list[tuple[str, str, str, str | None]]:
    """Return the decisions, and note whether the service was in good health all the while."""
    seen.append(healthy(api, namespace))
    return decisions(api, namespace)


def running_pods(api: Api, namespace: str) -> list[Manifest]:
    return [pod for pod in api.list("Pod", namespace) if "deletionTimestamp" not in pod["metadata"]]


def test_a_rung_that_made_another_signal_worse_is_taken_back_with_its_figures(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    serving(api, manifest, namespace, policy=SOON)
    prometheus.traffic(namespace).acceptance = 0.1
    until(api, namespace, [("no-speculation", "Acceptance", "Completed", None)])
    prometheus.traffic(namespace).slow[TPOT] = 0.05
    taken_back = [("no-speculation", "Acceptance", "Reverted", None), ("primary", "Revert", "Completed", "Worse")]
    eventually(lambda: status(api, namespace)["activeVariant"] == "primary", what="the reversal")
    prometheus.traffic(namespace).slow.clear()
    until(api, namespace, taken_back)
    decision = status(api, namespace)["decisions"][-1]
    assert (decision["signal"], decision["value"]) == ("TpotP99", "5% / 5%")
    eventually(lambda: condition(api, namespace, "RemediationBlocked") == ("True", "LadderExhausted"), what="the end")
    always(lambda: decisions(api, namespace) == taken_back, seconds=3, what="the one reversal")


def test_a_rung_that_did_not_help_is_kept_and_the_next_one_proves_itself(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    serving(api, manifest, namespace, fallbacks=RUNGS[:1], policy=SOON)
    prometheus.traffic(namespace).slow[TPOT] = 0.05
    eventually(lambda: status(api, namespace)["activeVariant"] == "no-speculation", seconds=40, what="the last rung")
    prometheus.traffic(namespace).slow.clear()
    until(
        api,
        namespace,
        [("fp8", "Latency", "NotImproved", None), ("no-speculation", "Latency", "Verified", None)],
    )
    assert "operation" not in status(api, namespace)
    assert {"RemediationNotImproved", "RemediationVerified"} <= set(reasons(api, namespace))


def test_a_first_rollout_that_crashes_falls_to_the_rung_that_answers_startup(
    api: Api, operator: OperatorProcess, kubelet: KubeletDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    kubelet.crash(namespace, SPECULATING)
    api.create(manifest(policy=ENFORCE))
    until(api, namespace, [("no-speculation", "Startup", "Completed", "CrashLoop")])
    eventually(lambda: healthy(api, namespace), what="a healthy service")
    assert status(api, namespace)["activeVariant"] == "no-speculation"


def test_in_observe_it_is_written_down_and_stays(
    api: Api, operator: OperatorProcess, kubelet: KubeletDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    kubelet.crash(namespace, SPECULATING)
    api.create(manifest(policy=ENFORCE | {"mode": "Observe"}))
    suggested = [("no-speculation", "Startup", "Observed", "CrashLoop")]
    until(api, namespace, suggested)
    always(lambda: decisions(api, namespace) == suggested, seconds=3, what="one suggestion")
    assert replica_sets(api, namespace) == 1
