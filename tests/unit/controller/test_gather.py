"""Manifests to the values that the policy understands."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from specdecode_operator.controller.gather import cluster_state, pod_facts
from specdecode_operator.policy import ClusterState, PodFacts, TrialPod
from support.builders import NOW, pod

Manifest = dict[str, Any]


def deployment(*, spec: Manifest | None = None, status: Manifest | None = None, **metadata: Any) -> Manifest:
    labels = {"specdecode.dev/variant": "fp8", "specdecode.dev/variant-hash": "v1"}
    base = {"generation": 3, "labels": labels, "annotations": {"specdecode.dev/primary-hash": "p1"}}
    return {"metadata": base | metadata, "spec": {"replicas": 2} | (spec or {}), "status": status or {}}


def surging(value: Any) -> Manifest:
    return {"strategy": {"rollingUpdate": {"maxSurge": value}}}


class TestClusterState:
    def test_no_deployment_is_nothing(self) -> None:
        assert cluster_state(None, []) == ClusterState()

    def test_a_deployment_that_nobody_has_looked_at_yet(self) -> None:
        assert cluster_state(deployment(), []) == ClusterState(
            exists=True, variant="fp8", variant_hash="v1", primary_hash="p1", desired=2
        )

    def test_one_that_serves(self) -> None:
        status = {
            "observedGeneration": 3,
            "replicas": 3,
            "updatedReplicas": 2,
            "readyReplicas": 1,
            "conditions": [{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "True"}],
        }
        assert cluster_state(deployment(status=status), []) == ClusterState(
            exists=True,
            variant="fp8",
            variant_hash="v1",
            primary_hash="p1",
            observed=True,
            desired=2,
            total=3,
            updated=2,
            ready=1,
            available=True,
        )

    OURS = (
        pod(created=NOW - timedelta(hours=1)),
        pod("chat-2", created=NOW, ready_since=None, crash_looping=True),
    )

    def test_pods_of_the_variant_are_counted_apart(self) -> None:
        found = cluster_state(deployment(), self.OURS)
        assert (found.serving, found.since, found.crash_looping) == (1, NOW - timedelta(hours=1), True)

    @pytest.mark.parametrize("changes", [{"variant_hash": "v0"}, {"terminating": True}])
    def test_pods_of_another_variant_or_that_are_going_say_nothing_of_it(self, changes: Any) -> None:
        found = cluster_state(deployment(), [replace(one, **changes) for one in self.OURS])
        assert (found.serving, found.since, found.crash_looping) == (0, None, False)

    def test_a_pod_that_serves_does_not_crash(self) -> None:
        assert cluster_state(deployment(), [pod(crash_looping=True)]).crash_looping is False

    @pytest.mark.parametrize(
        ("reason", "completed"),
        [("NewReplicaSetAvailable", True), ("ReplicaSetUpdated", False), ("ProgressDeadlineExceeded", False)],
    )
    def test_a_rollout_has_come_to_its_end(self, reason: str, *, completed: bool) -> None:
        progress = {"type": "Progressing", "status": "True", "reason": reason}
        assert cluster_state(deployment(status={"conditions": [progress]}), []).completed is completed

    @pytest.mark.parametrize(("observed", "expected"), [(2, False), (3, True), (4, True)])
    def test_its_controller_has_seen_the_latest_spec(self, observed: int, *, expected: bool) -> None:
        assert cluster_state(deployment(status={"observedGeneration": observed}), []).observed is expected

    @pytest.mark.parametrize(
        ("conditions", "available", "exceeded"),
        [
            ([], False, False),
            (None, False, False),
            ([{"type": "Available", "status": "False"}], False, False),
            ([{"type": "Available", "status": "Unknown"}], False, False),
            ([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}], False, True),
            ([{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}], False, False),
        ],
    )
    def test_conditions(self, conditions: Any, *, available: bool, exceeded: bool) -> None:
        found = cluster_state(deployment(status={"conditions": conditions}), [])
        assert (found.available, found.deadline_exceeded) == (available, exceeded)

    @pytest.mark.parametrize(
        ("spec", "replacing"),
        [
            (surging(0), True),
            (surging("0"), True),
            (surging("0%"), True),
            (surging(1), False),
            (surging("25%"), False),
            (surging(None), False),
            ({"strategy": None}, False),
            ({"strategy": {"type": "Recreate", "rollingUpdate": None}}, False),
            ({}, False),
        ],
    )
    def test_whether_pods_are_replaced_one_at_a_time(self, spec: Manifest, *, replacing: bool) -> None:
        assert cluster_state(deployment(spec=spec), []).replacing is replacing

    @pytest.mark.parametrize(
        ("pods", "unschedulable"),
        [([], False), ([pod()], False), ([pod(), pod("chat-2", unschedulable=True)], True)],
    )
    def test_one_pod_without_a_node_is_enough(self, pods: list[PodFacts], *, unschedulable: bool) -> None:
        assert cluster_state(deployment(), pods).unschedulable is unschedulable

    def test_labels_that_were_removed_say_nothing(self) -> None:
        found = cluster_state(deployment(labels=None, annotations=None), [])
        assert (found.variant, found.variant_hash, found.primary_hash) == (None, None, None)

    def test_replicas_are_one_where_nobody_says(self) -> None:
        bare = deployment()
        del bare["spec"]["replicas"]
        assert cluster_state(bare, []).desired == 1


READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-01T11:00:00Z"}
SINCE = datetime(2026, 3, 1, 11, 0, tzinfo=UTC)


class TestTrialPod:
    DEPLOYMENT = deployment(labels={"specdecode.dev/variant-hash": "v2"}, status={"replicas": 1, "readyReplicas": 1})
    CREATED = NOW - timedelta(minutes=5)

    def found(self, *pods: PodFacts, trial: Manifest | None = None) -> TrialPod:
        return cluster_state(deployment(), pods, self.DEPLOYMENT if trial is None else trial).trial

    @staticmethod
    def tried(**changes: Any) -> PodFacts:
        return pod(
            "chat-trial-1", **({"variant_hash": "v2", "role": "trial", "created": TestTrialPod.CREATED} | changes)
        )

    def test_without_a_deployment_there_is_none(self) -> None:
        assert cluster_state(deployment(), [self.tried()]).trial == TrialPod()

    def test_one_that_serves(self) -> None:
        assert self.found(self.tried(), pod()) == TrialPod("v2", 1, 1, self.CREATED, NOW - timedelta(hours=2))

    @pytest.mark.parametrize("changes", [{"terminating": True}, {"variant_hash": "v1"}, {"role": "stable"}])
    def test_any_other_pod_says_nothing_of_it(self, changes: Any) -> None:
        troubled = self.tried(unschedulable=True, crash_looping=True, ready_since=None, **changes)
        assert self.found(troubled) == TrialPod("v2", 1, 1)

    def test_one_that_cannot_start(self) -> None:
        found = self.found(self.tried(ready_since=None, unschedulable=True, crash_looping=True))
        assert (found.ready_since, found.unschedulable, found.crash_looping) == (None, True, True)

    def test_one_that_is_late(self) -> None:
        progress = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
        late = self.DEPLOYMENT | {"status": {"conditions": [progress]}}
        assert self.found(trial=late) == TrialPod("v2", deadline_exceeded=True)

    def test_what_it_goes_through_says_nothing_of_the_stable_pods(self) -> None:
        troubled = self.tried(variant_hash="v1", ready_since=None, unschedulable=True, crash_looping=True)
        found = cluster_state(deployment(), [troubled])
        assert (found.unschedulable, found.crash_looping, found.serving, found.since) == (False, False, 0, None)


class TestPodFacts:
    @pytest.mark.parametrize(
        ("conditions", "since", "unschedulable"),
        [
            ([READY], SINCE, False),
            ([READY | {"status": "False"}], None, False),
            ([READY | {"status": "Unknown"}], None, False),
            ([], None, False),
            (None, None, False),
            ([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}], None, True),
            ([{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}], None, False),
        ],
    )
    def test_conditions(self, conditions: Any, since: datetime | None, *, unschedulable: bool) -> None:
        metadata = {"namespace": "prod", "name": "chat-1", "labels": {"specdecode.dev/variant-hash": "v1"}}
        assert pod_facts({"metadata": metadata, "status": {"conditions": conditions}}) == PodFacts(
            "prod", "chat-1", "v1", since, unschedulable=unschedulable
        )

    @pytest.mark.parametrize(
        ("containers", "expected"),
        [
            ([], False),
            (None, False),
            ([{"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}], True),
            ([{"restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}], False),
            ([{"restartCount": 9, "state": {"waiting": {"reason": "ImagePullBackOff"}}}], False),
            ([{"restartCount": 9, "state": {"running": {}}}], False),
            ([{"restartCount": 9, "state": {"waiting": None}}], False),
            ([{"restartCount": 9}], False),
            ([{}, {"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}], True),
        ],
    )
    @pytest.mark.parametrize("field", ["containerStatuses", "initContainerStatuses"])
    def test_containers_that_crash_again_and_again(self, field: str, containers: Any, *, expected: bool) -> None:
        metadata = {"namespace": "prod", "name": "chat-1", "creationTimestamp": "2026-03-01T11:00:00Z"}
        assert pod_facts({"metadata": metadata, "status": {field: containers}}) == PodFacts(
            "prod", "chat-1", "", None, created=SINCE, crash_looping=expected
        )

    def test_one_that_is_going(self) -> None:
        metadata = {"namespace": "prod", "name": "chat-1", "deletionTimestamp": "2026-03-01T12:00:00Z"}
        assert pod_facts({"metadata": metadata}) == PodFacts("prod", "chat-1", "", None, terminating=True)
