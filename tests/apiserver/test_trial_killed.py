"""An operator that dies in the middle of a trial: the next one goes on with the same trial, and ends it once."""

from pathlib import Path

from devcluster.controlplane import ControlPlane
from support.api import Api
from support.operator_process import OperatorProcess
from support.prometheus_double import PrometheusDouble
from support.serving import ENFORCE, Make, decisions, serving, settings, status, until
from support.waiting import eventually

TRYING = ENFORCE | {"objectives": [], "trial": {"mode": "Always", "minDuration": "20s", "maxDuration": "40s"}}


def trials(api: Api, namespace: str) -> list[str]:
    return [
        found["metadata"]["uid"]
        for found in api.list("Deployment", namespace)
        if found["metadata"]["name"] == "chat-trial"
    ]


def test_killed_in_the_middle_of_a_trial_it_is_gone_on_with(
    api: Api,
    plane: ControlPlane,
    prometheus: PrometheusDouble,
    manifest: Make,
    namespace: str,
    tmp_path: Path,
) -> None:
    traffic = prometheus.traffic(namespace)
    first = OperatorProcess(tmp_path / "first", plane.kubeconfig, **settings(prometheus))
    with first:
        serving(api, manifest, namespace, policy=TRYING)
        prometheus.broken = None
        traffic.acceptance, traffic.trial, traffic.scrapes = 0.1, 0.5, 1e6
        eventually(lambda: trials(api, namespace), what="the trial")
        first.kill()
    before = trials(api, namespace)
    operation = status(api, namespace)["operation"]
    assert (len(before), operation["phase"]) == (1, "Trial")
    with OperatorProcess(tmp_path / "second", plane.kubeconfig, **settings(prometheus)):
        until(api, namespace, [("no-speculation", "Acceptance", "Completed", None)])
        eventually(lambda: trials(api, namespace) == [], what="the end of the trial")
    assert [entry[:2] for entry in decisions(api, namespace)] == [("no-speculation", "Acceptance")]
    assert status(api, namespace)["decisions"][0]["id"] == operation["id"]
