"""Operators that die or meet another one: what is decided is carried out once."""

from pathlib import Path

from devcluster.controlplane import ControlPlane
from support.api import Api
from support.holding_proxy import HoldingProxy
from support.kubelet_double import KubeletDouble
from support.operator_process import OperatorProcess
from support.prometheus_double import PrometheusDouble
from support.serving import (
    RUNGS,
    SOON,
    TPOT,
    Make,
    decisions,
    replica_sets,
    rolled,
    serve_and_breach,
    serving,
    settings,
    status,
    until,
)
from support.waiting import always, eventually


def is_roll(method: str, path: str) -> bool:
    """Whether a request changes the Deployment; its rehearsal comes before the decision is recorded."""
    return method == "PATCH" and "/deployments/chat?" in path and "dryRun" not in path


def test_killed_between_decision_and_roll_it_rolls_exactly_once(
    api: Api, prometheus: PrometheusDouble, manifest: Make, namespace: str, tmp_path: Path
) -> None:
    with HoldingProxy(api) as proxy:
        kubeconfig = proxy.kubeconfig(tmp_path / "kubeconfig")
        first = OperatorProcess(tmp_path / "first", kubeconfig, **settings(prometheus))
        with first:
            serving(api, manifest, namespace)
            proxy.hold(is_roll)
            prometheus.traffic(namespace).acceptance = 0.1
            assert proxy.held.wait(30), "the operator never patched the Deployment"
            first.kill()
        assert (status(api, namespace)["activeVariant"], replica_sets(api, namespace)) == ("no-speculation", 1)
        proxy.let_go()
        with OperatorProcess(tmp_path / "second", kubeconfig, **settings(prometheus)):
            eventually(lambda: status(api, namespace)["activeVariant"] == "no-speculation", what="the decision")
            eventually(lambda: rolled(api, namespace), what="the end of the roll")
            always(lambda: replica_sets(api, namespace) == 2, seconds=3, what="exactly one new ReplicaSet")


def test_killed_between_the_reversal_and_its_roll_it_goes_back_exactly_once(
    api: Api,
    kubelet: KubeletDouble,
    prometheus: PrometheusDouble,
    manifest: Make,
    namespace: str,
    tmp_path: Path,
) -> None:
    kubelet.keep_unready(namespace, "org/target-fp8")
    with HoldingProxy(api) as proxy:
        kubeconfig = proxy.kubeconfig(tmp_path / "kubeconfig")
        first = OperatorProcess(tmp_path / "first", kubeconfig, **settings(prometheus))
        with first:
            serving(api, manifest, namespace, fallbacks=RUNGS[:1], policy=SOON)
            prometheus.traffic(namespace).slow[TPOT] = 0.05
            eventually(lambda: replica_sets(api, namespace) == 2, what="the roll")
            prometheus.traffic(namespace).slow.clear()
            proxy.hold(is_roll)
            kubelet.crash(namespace, "org/target-fp8")
            assert proxy.held.wait(30), "the operator never patched the Deployment"
            first.kill()
        assert decisions(api, namespace)[0] == ("fp8", "Latency", "Reverted", None)
        proxy.let_go()
        with OperatorProcess(tmp_path / "second", kubeconfig, **settings(prometheus)):
            until(
                api,
                namespace,
                [("fp8", "Latency", "Reverted", None), ("primary", "Revert", "Completed", "CrashLoop")],
            )
            always(lambda: replica_sets(api, namespace) == 2, seconds=3, what="no further ReplicaSet")
    assert status(api, namespace)["reversals"] == 1


def test_two_operators_at_once_roll_exactly_once(
    api: Api,
    plane: ControlPlane,
    prometheus: PrometheusDouble,
    manifest: Make,
    namespace: str,
    tmp_path: Path,
) -> None:
    first = OperatorProcess(tmp_path / "first", plane.kubeconfig, **settings(prometheus))
    second = OperatorProcess(tmp_path / "second", plane.kubeconfig, **settings(prometheus))
    with first, second:
        serve_and_breach(api, prometheus, manifest, namespace)
        eventually(lambda: rolled(api, namespace), what="the end of the roll")
        always(lambda: replica_sets(api, namespace) == 2, seconds=3, what="exactly one new ReplicaSet")
    assert len(status(api, namespace)["decisions"]) == 1
