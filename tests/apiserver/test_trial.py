"""A trial on a real API server: beside the stable pods, to its end, and over the operator's death."""

from collections.abc import Iterator

import pytest

from devcluster.controlplane import ControlPlane
from support.api import Api, Manifest
from support.operator_process import OperatorProcess
from support.prometheus_double import PrometheusDouble
from support.serving import ENFORCE, Make, condition, decisions, reasons, serving, settings, status, until
from support.waiting import always, eventually

TRYING = ENFORCE | {"objectives": [], "trial": {"mode": "Always", "minDuration": "20s", "maxDuration": "40s"}}
FALLING = 0.1


@pytest.fixture(scope="module")
def operator(
    plane: ControlPlane, prometheus: PrometheusDouble, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    folder = tmp_path_factory.mktemp("operator")
    with OperatorProcess(folder, plane.kubeconfig, **settings(prometheus)) as found:
        yield found


def deployments(api: Api, namespace: str) -> dict[str, Manifest]:
    return {found["metadata"]["name"]: found for found in api.list("Deployment", namespace)}


def template(api: Api, namespace: str) -> Manifest:
    found: Manifest = deployments(api, namespace)["chat"]["spec"]["template"]
    return found


def test_better_is_rolled_out_and_the_trial_leaves(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    traffic = prometheus.traffic(namespace)
    traffic.trial = 0.5
    serving(api, manifest, namespace, policy=TRYING)
    traffic.acceptance = FALLING
    until(api, namespace, [("no-speculation", "Acceptance", "Completed", None)])
    assert list(deployments(api, namespace)) == ["chat"]
    assert "--speculative-config" not in template(api, namespace)["spec"]["containers"][0]["args"]
    assert status(api, namespace)["decisions"][0]["comparison"].startswith("TPOT 0.50 (0.43 to 0.58), ")
    assert {reason for reason in reasons(api, namespace) if reason.startswith(("Trial", "Remediation"))} == {
        "TrialStarted",
        "RemediationStarted",
        "RemediationCompleted",
    }


def test_worse_is_dropped_and_the_stable_pods_never_moved(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    traffic = prometheus.traffic(namespace)
    traffic.trial = 1.5
    serving(api, manifest, namespace, policy=TRYING)
    before = template(api, namespace)
    traffic.acceptance = FALLING
    until(api, namespace, [("no-speculation", "Acceptance", "Dropped", "Worse")])
    eventually(lambda: list(deployments(api, namespace)) == ["chat"], what="the end of the trial")
    assert template(api, namespace) == before
    eventually(lambda: condition(api, namespace, "RemediationBlocked") == ("True", "LadderExhausted"))
    always(lambda: len(decisions(api, namespace)) == 1, seconds=3, what="one decision")


def test_no_difference_changes_nothing(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    traffic = prometheus.traffic(namespace)
    serving(api, manifest, namespace, policy=TRYING | {"budget": {"cooldown": "1h"}})
    before = template(api, namespace)
    traffic.acceptance = FALLING
    until(api, namespace, [("no-speculation", "Acceptance", "Unclear", None)])
    eventually(lambda: list(deployments(api, namespace)) == ["chat"], what="the end of the trial")
    assert template(api, namespace) == before


def test_what_was_refused_elsewhere_is_never_named_like_a_trial(api: Api, manifest: Make) -> None:
    with pytest.raises(Exception, match="must not end in -trial"):
        api.create(manifest("chat-trial"))


def test_deletion_in_the_middle_leaves_nothing(
    api: Api, operator: OperatorProcess, prometheus: PrometheusDouble, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    traffic = prometheus.traffic(namespace)
    traffic.requests = 10
    serving(
        api, manifest, namespace, policy=TRYING | {"window": {"short": "20s", "long": "60s", "minimumRequests": FEW}}
    )
    traffic.acceptance = FALLING
    eventually(lambda: len(deployments(api, namespace)) == 2, what="the trial")
    api.delete("SpecDecodeDeployment", namespace, "chat")
    eventually(lambda: deployments(api, namespace) == {}, what="the end of both Deployments")


FEW = {"short": 1, "long": 1}
