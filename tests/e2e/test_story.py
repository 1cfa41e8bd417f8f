"""Real kubelet, vLLM and Prometheus, and the operator in a pod with the chart's rights. The order matters."""

import time
from pathlib import Path

from devcluster import prometheus
from support import stage
from support.afterwards import replayed, route
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


def test_foreign_traffic_puts_the_target_alone_on_trial_until_it_is_better(watched: Watched, traffic: Traffic) -> None:
    """A client that keeps its connection would give one pod more work than another, which nothing is compared on."""
    eventually(lambda: watched.condition("ObjectivesMet")[0] == "True", seconds=200, what="a healthy verdict")
    before = watched.pods("stable")
    traffic.domain = "B"
    eventually(lambda: watched.phase() == "Trial", seconds=240, what="the trial")
    eventually(lambda: len(watched.pods("trial")) == 1, seconds=30, what="its pod")
    assert watched.pods("stable") == before
    assert watched.condition("Reconciling") == ("False", "UpToDate")
    eventually(lambda: watched.phase() != "Trial", seconds=420, what="the end of the trial")
    assert watched.outcomes() == [("Acceptance", "Started")]


def test_what_is_better_there_is_rolled_out_without_losing_a_request(
    watched: Watched, traffic: Traffic, kept_connections: Traffic, report: list[str]
) -> None:
    started = time.time()
    kept_connections.domain = "B"
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


def test_the_trial_and_the_roll_are_explained(watched: Watched, report: list[str]) -> None:
    decision = watched.decisions()[0]
    report.append(f"the trial: {decision['comparison']}")
    assert (decision["from"], decision["to"], decision["trigger"]) == ("primary", "no-speculation", "Acceptance")
    assert decision["outcome"] in ("Completed", "Verified")
    reasons = [reason for reason, _ in watched.events()]
    assert reasons.count("TrialStarted") == 1
    assert reasons.count("RemediationStarted") == 1
    assert decision["comparison"] in dict(watched.events())["RemediationStarted"]
    assert reasons.count("RemediationCompleted") == 1
    assert "primary to no-speculation" in dict(watched.events())["RemediationStarted"]


def test_kubectl_shows_the_switch(watched: Watched) -> None:
    header, row = stage.kube("get", "sdd", f"--namespace={watched.namespace}").splitlines()
    assert header.split() == ["NAME", "READY", "VARIANT", "SPECULATION", "REPLICAS", "AGE", "REASON"]
    assert row.split()[:5] == ["chat", "True", "no-speculation", "None", "2"]


def test_the_pod_on_trial_is_gone_and_one_roll_made_one_replica_set(watched: Watched) -> None:
    assert watched.pods("trial") == []
    assert watched.replica_sets() == 2


def test_without_speculation_nothing_is_in_breach(watched: Watched, traffic: Traffic) -> None:
    assert traffic.domain == "B"
    assert watched.condition("SpeculationActive") == ("False", "SwitchedOff")
    assert watched.condition("Ready")[0] == "True"
    assert len(watched.decisions()) == 1


def test_a_replay_decides_what_the_operator_decided(watched: Watched, tmp_path: Path) -> None:
    assert replayed(watched, tmp_path) == [route(decision) for decision in watched.decisions()]


def test_deletion_leaves_nothing_but_the_namespace(watched: Watched, traffic: Traffic) -> None:
    traffic.__exit__()
    stage.kube("delete", "sdd", watched.name, f"--namespace={watched.namespace}", "--timeout=30s")
    kinds = "deployments,replicasets,services,poddisruptionbudgets,pods"
    eventually(
        lambda: stage.read(kinds, f"--namespace={watched.namespace}")["items"] == [],
        seconds=150,
        what="the end of every child",
    )
