"""Real kubelet, vLLM and Prometheus, and the operator in a pod with the chart's rights. The order matters."""

import time

from devcluster import prometheus
from support import stage
from support.observation import Watched
from support.traffic import Traffic
from support.waiting import always, eventually

OUTAGE_SECONDS = 120


def test_the_operator_runs_in_a_pod_of_the_chart(watched: Watched) -> None:
    assert watched.condition("Stalled")[0] == "False"
    pods = stage.read("pods", f"--namespace={stage.SYSTEM}")["items"]
    assert [pod["spec"]["serviceAccountName"] for pod in pods] == [stage.RELEASE]
    assert pods[0]["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


def test_the_pods_run_what_the_resource_says(watched: Watched) -> None:
    pods = stage.read("pods", f"--namespace={watched.namespace}", "--selector=specdecode.dev/name=chat")["items"]
    assert len(pods) == 2
    for pod in pods:
        container = pod["spec"]["containers"][0]
        assert container["image"] == "docker.io/vllm/vllm-openai:v0.32.0"
        assert container["args"][0] == "/models/target"
        assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_healthy_acceptance_keeps_speculation(watched: Watched, traffic: Traffic) -> None:
    eventually(lambda: watched.condition("ObjectivesMet")[0] == "True", seconds=240, what="a healthy verdict")
    assert watched.condition("MetricsAvailable") == ("True", "Available")
    assert (watched.acceptance(60) or 0) > 0.7
    assert watched.decisions() == []
    assert not any(one.failed for one in traffic.measured)


def test_an_outage_of_prometheus_is_reported_and_changes_nothing(watched: Watched, traffic: Traffic) -> None:
    before = watched.replica_sets()
    started = time.monotonic()
    prometheus.stop()
    try:
        eventually(lambda: watched.condition("MetricsAvailable")[0] == "False", seconds=90, what="the report")
        remaining = OUTAGE_SECONDS - (time.monotonic() - started)
        always(lambda: watched.replica_sets() == before, seconds=remaining, what="the one ReplicaSet")
    finally:
        prometheus.start()
    eventually(lambda: watched.condition("MetricsAvailable")[0] == "True", seconds=200, what="the recovery")
    assert watched.decisions() == []
    assert watched.condition("Ready")[0] == "True"
    assert not any(one.failed for one in traffic.measured)


def test_foreign_traffic_rolls_speculation_off_without_losing_a_request(
    watched: Watched, traffic: Traffic, kept_connections: Traffic, report: list[str]
) -> None:
    eventually(lambda: watched.condition("ObjectivesMet")[0] == "True", seconds=200, what="a healthy verdict")
    started = time.time()
    traffic.domain = kept_connections.domain = "B"
    eventually(watched.decisions, seconds=240, what="the decision")
    eventually(watched.rolled, seconds=600, what="the roll")
    time.sleep(20)
    during = traffic.between(started, time.time())
    assert len(during) > 20
    assert [one.error for one in during if one.failed] == []
    kept = kept_connections.between(started, time.time())
    failed = [one.error for one in kept if one.failed]
    report.append(f"new connections: 0 of {len(during)} requests failed during the roll")
    report.append(f"a kept connection: {len(failed)} of {len(kept)} failed: {sorted(set(map(str, failed)))}")
    assert not kept[-1].failed


def test_the_roll_is_explained(watched: Watched) -> None:
    decision = watched.decisions()[0]
    assert (decision["from"], decision["to"], decision["trigger"]) == ("primary", "no-speculation", "Acceptance")
    assert decision["outcome"] in ("Completed", "Verified")
    reasons = [reason for reason, _ in watched.events()]
    assert reasons.count("RemediationStarted") == 1
    assert reasons.count("RemediationCompleted") == 1
    assert "primary to no-speculation" in dict(watched.events())["RemediationStarted"]


def test_kubectl_shows_the_switch(watched: Watched) -> None:
    header, row = stage.kube("get", "sdd", f"--namespace={watched.namespace}").splitlines()
    assert header.split() == ["NAME", "READY", "VARIANT", "SPECULATION", "REPLICAS", "AGE", "REASON"]
    assert row.split()[:5] == ["chat", "True", "no-speculation", "None", "2"]


def test_one_roll_made_one_replica_set(watched: Watched) -> None:
    assert watched.replica_sets() == 2


def test_without_speculation_nothing_is_in_breach(watched: Watched, traffic: Traffic) -> None:
    assert traffic.domain == "B"
    assert watched.condition("SpeculationActive") == ("False", "SwitchedOff")
    assert watched.condition("Ready")[0] == "True"
    assert len(watched.decisions()) == 1


def test_deletion_leaves_nothing_but_the_namespace(watched: Watched, traffic: Traffic) -> None:
    traffic.__exit__()
    stage.kube("delete", "sdd", watched.name, f"--namespace={watched.namespace}", "--timeout=30s")
    kinds = "deployments,replicasets,services,poddisruptionbudgets,pods"
    eventually(
        lambda: stage.read(kinds, f"--namespace={watched.namespace}")["items"] == [],
        seconds=150,
        what="the end of every child",
    )
