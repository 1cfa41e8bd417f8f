"""The operator against a real API server: children, drift, deletion, lost status."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devcluster.controlplane import ControlPlane
from support.api import Api, Manifest
from support.kubelet_double import KubeletDouble
from support.operator_process import OperatorProcess
from support.waiting import always, eventually

Make = Callable[..., Manifest]
CHILDREN = ("Deployment", "Service", "PodDisruptionBudget")


@pytest.fixture(scope="module")
def operator(plane: ControlPlane, api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    assert api.url
    with OperatorProcess(tmp_path_factory.mktemp("operator"), plane.kubeconfig) as found:
        yield found


@pytest.fixture
def chat(api: Api, operator: OperatorProcess, kubelet: KubeletDouble, manifest: Make, namespace: str) -> str:
    """Return the namespace of a resource whose two pods are ready."""
    assert operator.pid
    assert kubelet.pods() is not None
    api.create(manifest())
    eventually(lambda: condition(api, namespace, "Reconciling").get("reason") == "UpToDate", what="two ready pods")
    return namespace


def engine(deployment: Manifest) -> Manifest:
    found: Manifest = deployment["spec"]["template"]["spec"]["containers"][0]
    return found


def get(api: Api, kind: str, namespace: str) -> Manifest:
    found = api.get(kind, namespace, "chat")
    assert found is not None
    return found


def condition(api: Api, namespace: str, kind: str) -> Manifest:
    conditions = (get(api, "SpecDecodeDeployment", namespace).get("status") or {}).get("conditions") or []
    return next((entry for entry in conditions if entry["type"] == kind), {})


def edit(api: Api, namespace: str, **spec: Any) -> Manifest:
    return api.merge("SpecDecodeDeployment", namespace, "chat", {"spec": spec})


def test_the_children_belong_to_the_resource(api: Api, chat: str) -> None:
    uid = get(api, "SpecDecodeDeployment", chat)["metadata"]["uid"]
    for kind in CHILDREN:
        owners = get(api, kind, chat)["metadata"]["ownerReferences"]
        assert [(owner["uid"], owner["controller"]) for owner in owners] == [(uid, True)]


def test_the_status_says_what_runs(api: Api, chat: str) -> None:
    status = get(api, "SpecDecodeDeployment", chat)["status"]
    assert status["activeVariant"] == "primary"
    assert status["speculation"] == "DraftModel"
    assert status["selector"] == "specdecode.dev/name=chat"
    assert status["observedGeneration"] == 1


def test_the_spec_is_never_written(api: Api, chat: str) -> None:
    managers = get(api, "SpecDecodeDeployment", chat)["metadata"]["managedFields"]
    ours = [entry for entry in managers if entry["manager"] == "specdecode-operator"]
    assert [entry["subresource"] for entry in ours] == ["status"]
    assert "finalizers" not in get(api, "SpecDecodeDeployment", chat)["metadata"]


@pytest.mark.parametrize("kind", CHILDREN)
def test_a_deleted_child_comes_back(api: Api, chat: str, kind: str) -> None:
    before = get(api, kind, chat)["metadata"]["uid"]
    api.delete(kind, chat, "chat")
    eventually(lambda: (api.get(kind, chat, "chat") or {"metadata": {"uid": before}})["metadata"]["uid"] != before)


def test_drift_in_the_arguments_is_repaired(api: Api, chat: str) -> None:
    wanted = engine(get(api, "Deployment", chat))["args"]
    drift = {"name": "engine", "image": "docker.io/vllm/vllm-openai:v0.33.0", "args": ["other"]}
    change = {"spec": {"template": {"spec": {"containers": [drift]}}}}
    api.merge("Deployment", chat, "chat", change)
    eventually(lambda: engine(get(api, "Deployment", chat))["args"] == wanted, what="the repair")


def test_drift_in_the_selector_of_the_service_is_repaired(api: Api, chat: str) -> None:
    api.merge("Service", chat, "chat", {"spec": {"selector": {"specdecode.dev/name": "elsewhere"}}})
    eventually(lambda: get(api, "Service", chat)["spec"]["selector"] == {"specdecode.dev/name": "chat"})


def test_an_edit_of_the_spec_rolls(api: Api, chat: str) -> None:
    before = get(api, "Deployment", chat)["spec"]["template"]["metadata"]["labels"]
    edit(api, chat, engine={"maxModelLen": 4096})
    eventually(lambda: "--max-model-len" in engine(get(api, "Deployment", chat))["args"], what="the roll")
    after = get(api, "Deployment", chat)["spec"]["template"]["metadata"]["labels"]
    assert before["specdecode.dev/variant-hash"] != after["specdecode.dev/variant-hash"]


def test_kubectl_scale_works_without_a_roll(api: Api, plane: ControlPlane, chat: str) -> None:
    before = get(api, "Deployment", chat)["spec"]["template"]
    plane.kubectl("scale", "sdd", "chat", f"--namespace={chat}", "--replicas=3")
    eventually(lambda: get(api, "Deployment", chat)["spec"]["replicas"] == 3, what="the third replica")
    assert get(api, "Deployment", chat)["spec"]["template"] == before


def test_an_autoscaler_sets_the_replicas(api: Api, chat: str) -> None:
    target = {"apiVersion": "specdecode.dev/v1alpha1", "kind": "SpecDecodeDeployment", "name": "chat"}
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "chat", "namespace": chat},
        "spec": {"scaleTargetRef": target, "minReplicas": 4, "maxReplicas": 6},
    }
    api.create(autoscaler)
    eventually(lambda: get(api, "Deployment", chat)["spec"]["replicas"] == 4, seconds=60, what="the least replicas")


def test_one_replica_needs_no_disruption_budget(api: Api, chat: str) -> None:
    edit(api, chat, replicas=1)
    eventually(lambda: api.get("PodDisruptionBudget", chat, "chat") is None, what="the end of the budget")


def test_an_invalid_change_leaves_what_runs_and_says_why(api: Api, chat: str) -> None:
    before = get(api, "Deployment", chat)
    edit(api, chat, speculation={"config": {"bogus_key": 1}})
    eventually(lambda: condition(api, chat, "Stalled").get("status") == "True", what="Stalled")
    stalled = condition(api, chat, "Stalled")
    assert stalled["reason"] == "ConfigKeyUnknown"
    assert stalled["message"].startswith("speculation.config.bogus_key: vLLM 0.33.0 does not know it")
    assert get(api, "Deployment", chat)["spec"] == before["spec"]
    edit(api, chat, speculation={"config": None})
    eventually(lambda: condition(api, chat, "Stalled").get("status") == "False", what="the recovery")


def test_a_pod_template_that_the_server_refuses_is_rehearsed(api: Api, chat: str) -> None:
    before = get(api, "SpecDecodeDeployment", chat)["status"]["variantHash"]
    edit(api, chat, podTemplate={"spec": {"restartPolicy": "Never"}})
    eventually(lambda: condition(api, chat, "Stalled").get("reason") == "Rejected", what="the refusal")
    assert "restartPolicy" in condition(api, chat, "Stalled")["message"]
    assert get(api, "SpecDecodeDeployment", chat)["status"]["variantHash"] == before


def test_a_foreign_service_of_the_same_name_is_left_alone(
    api: Api, operator: OperatorProcess, manifest: Make, namespace: str
) -> None:
    assert operator.pid
    port = {"port": 80, "targetPort": 80}
    foreign = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "chat", "namespace": namespace}}
    before = api.create({**foreign, "spec": {"ports": [port]}})
    api.create(manifest())
    eventually(lambda: condition(api, namespace, "Stalled").get("reason") == "NameTaken", what="the report")
    assert "a Service called chat exists" in condition(api, namespace, "Stalled")["message"]
    assert get(api, "Service", namespace)["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


def test_deletion_leaves_nothing(api: Api, chat: str) -> None:
    api.delete("SpecDecodeDeployment", chat, "chat")
    eventually(lambda: api.get("SpecDecodeDeployment", chat, "chat") is None, seconds=10, what="the deletion")
    eventually(
        lambda: not any(_ours(api.list(kind, chat)) for kind in (*CHILDREN, "ReplicaSet")),
        seconds=40,
        what="the end of every child",
    )


def test_a_lost_status_is_rebuilt_from_the_cluster(api: Api, chat: str) -> None:
    before = get(api, "SpecDecodeDeployment", chat)["status"]
    api.merge("SpecDecodeDeployment", chat, "chat", {"status": None}, sub="/status")
    eventually(lambda: condition(api, chat, "Ready"), what="the new status")
    after = get(api, "SpecDecodeDeployment", chat)["status"]
    fields = ("activeVariant", "variantHash", "primaryHash", "selector")
    assert {name: after[name] for name in fields} == {name: before[name] for name in fields}


def test_nothing_is_written_at_rest(api: Api, operator: OperatorProcess, chat: str) -> None:
    unknown = (None, "NotEvaluated")
    eventually(lambda: condition(api, chat, "MetricsAvailable").get("reason") not in unknown, what="an evaluation")
    applied = {kind: _applied(get(api, kind, chat)) for kind in CHILDREN}
    written = _writes(operator)
    always(lambda: _writes(operator) == written, seconds=5, what="rest")
    assert applied == {kind: _applied(get(api, kind, chat)) for kind in CHILDREN}


def _applied(child: Manifest) -> list[str]:
    entries = child["metadata"]["managedFields"]
    return [entry["time"] for entry in entries if entry["manager"] == "specdecode-operator"]


def _ours(items: list[Manifest]) -> list[Manifest]:
    return [item for item in items if item["metadata"].get("labels", {}).get("specdecode.dev/name") == "chat"]


def _writes(operator: OperatorProcess) -> float:
    lines = [line for line in operator.metrics().splitlines() if line.startswith("specdecode_api_writes_total")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def test_the_operator_can_be_uninstalled_before_its_resources(
    api: Api, plane: ControlPlane, manifest: Make, namespace: str, tmp_path: Path
) -> None:
    with OperatorProcess(tmp_path, plane.kubeconfig):
        api.create(manifest())
        eventually(lambda: api.get("Deployment", namespace, "chat"), what="the Deployment")
    api.delete("SpecDecodeDeployment", namespace, "chat")
    eventually(lambda: api.get("SpecDecodeDeployment", namespace, "chat") is None, seconds=10, what="the deletion")
