"""Manifests from the caches to the values that the policy understands."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from specdecode_operator.api.names import (
    PRIMARY_HASH_ANNOTATION,
    ROLE_LABEL,
    ROLE_STABLE,
    ROLE_TRIAL,
    VARIANT_HASH_LABEL,
    VARIANT_LABEL,
)
from specdecode_operator.policy import ClusterState, PodFacts, TrialPod

__all__ = ["cluster_state", "pod_facts"]

Manifest = Mapping[str, Any]


_CRASHES: Final = 3
"""Restarts after which a pod that is to be restarted once more counts as crash-looping."""


def cluster_state(
    deployment: Manifest | None, everyone: Sequence[PodFacts], trial: Manifest | None = None
) -> ClusterState:
    """Return what runs, as the Deployments of both roles and their pods report it."""
    if deployment is None:
        return ClusterState()
    pods = [pod for pod in everyone if pod.role == ROLE_STABLE]
    metadata, spec, status = deployment["metadata"], deployment["spec"], deployment.get("status") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    conditions = {entry["type"]: entry for entry in status.get("conditions") or []}
    variant_hash, progress = labels.get(VARIANT_HASH_LABEL), _progress(status)
    current = [pod for pod in pods if pod.variant_hash == variant_hash and not pod.terminating]
    return ClusterState(
        exists=True,
        variant=labels.get(VARIANT_LABEL),
        variant_hash=variant_hash,
        primary_hash=annotations.get(PRIMARY_HASH_ANNOTATION),
        observed=status.get("observedGeneration", 0) >= metadata.get("generation", 0),
        desired=spec.get("replicas", 1),
        total=status.get("replicas", 0),
        updated=status.get("updatedReplicas", 0),
        ready=status.get("readyReplicas", 0),
        available=conditions.get("Available", {}).get("status") == "True",
        deadline_exceeded=progress == "ProgressDeadlineExceeded",
        unschedulable=any(pod.unschedulable for pod in pods),
        replacing=_surge(spec) in (0, "0", "0%"),
        completed=progress == "NewReplicaSetAvailable",
        serving=sum(pod.ready_since is not None for pod in current),
        since=min((pod.created for pod in current if pod.created is not None), default=None),
        crash_looping=any(pod.crash_looping and pod.ready_since is None for pod in current),
        trial=_trial_pod(trial, everyone),
    )


def _trial_pod(deployment: Manifest | None, everyone: Sequence[PodFacts]) -> TrialPod:
    if deployment is None:
        return TrialPod()
    status = deployment.get("status") or {}
    variant_hash = (deployment["metadata"].get("labels") or {}).get(VARIANT_HASH_LABEL)
    mine = [pod for pod in everyone if pod.role == ROLE_TRIAL and pod.variant_hash == variant_hash]
    pods = [pod for pod in mine if not pod.terminating]
    return TrialPod(
        variant_hash=variant_hash,
        total=status.get("replicas", 0),
        ready=status.get("readyReplicas", 0),
        created=min((pod.created for pod in pods if pod.created is not None), default=None),
        ready_since=min((pod.ready_since for pod in pods if pod.ready_since is not None), default=None),
        unschedulable=any(pod.unschedulable for pod in pods),
        deadline_exceeded=_progress(status) == "ProgressDeadlineExceeded",
        crash_looping=any(pod.crash_looping and pod.ready_since is None for pod in pods),
    )


def _progress(status: Manifest) -> str | None:
    conditions = {entry["type"]: entry for entry in status.get("conditions") or []}
    found: str | None = conditions.get("Progressing", {}).get("reason")
    return found


def pod_facts(pod: Manifest) -> PodFacts:
    """Return what counts of one pod."""
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    conditions = {entry["type"]: entry for entry in (pod.get("status") or {}).get("conditions") or []}
    ready = conditions.get("Ready", {})
    since = ready.get("lastTransitionTime") if ready.get("status") == "True" else None
    created = metadata.get("creationTimestamp")
    return PodFacts(
        namespace=metadata["namespace"],
        name=metadata["name"],
        variant_hash=labels.get(VARIANT_HASH_LABEL, ""),
        role=labels.get(ROLE_LABEL, ROLE_STABLE),
        ready_since=None if since is None else datetime.fromisoformat(since),
        terminating="deletionTimestamp" in metadata,
        unschedulable=conditions.get("PodScheduled", {}).get("reason") == "Unschedulable",
        created=None if created is None else datetime.fromisoformat(created),
        crash_looping=any(map(_crash_loops, _containers(pod))),
    )


def _containers(pod: Manifest) -> Iterator[Manifest]:
    status = pod.get("status") or {}
    for name in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(name) or []


def _crash_loops(container: Manifest) -> bool:
    """Whether the kubelet waits before it restarts the container: it died again soon after its last start."""
    waiting = (container.get("state") or {}).get("waiting") or {}
    return container.get("restartCount", 0) >= _CRASHES and waiting.get("reason") == "CrashLoopBackOff"


def _surge(spec: Manifest) -> Any:  # noqa: ANN401 - an int or a percentage
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    return rolling.get("maxSurge")
