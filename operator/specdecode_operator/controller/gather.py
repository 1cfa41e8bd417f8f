"""Manifests from the caches to the values that the policy understands."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from specdecode_operator.api.names import PRIMARY_HASH_ANNOTATION, VARIANT_HASH_LABEL, VARIANT_LABEL
from specdecode_operator.policy import ClusterState, PodFacts

__all__ = ["cluster_state", "pod_facts"]

Manifest = Mapping[str, Any]


def cluster_state(deployment: Manifest | None, pods: Iterable[PodFacts]) -> ClusterState:
    """Return what runs, as the Deployment and its pods report it."""
    if deployment is None:
        return ClusterState()
    metadata, spec, status = deployment["metadata"], deployment["spec"], deployment.get("status") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    conditions = {entry["type"]: entry for entry in status.get("conditions") or []}
    return ClusterState(
        exists=True,
        variant=labels.get(VARIANT_LABEL),
        variant_hash=labels.get(VARIANT_HASH_LABEL),
        primary_hash=annotations.get(PRIMARY_HASH_ANNOTATION),
        observed=status.get("observedGeneration", 0) >= metadata.get("generation", 0),
        desired=spec.get("replicas", 1),
        total=status.get("replicas", 0),
        updated=status.get("updatedReplicas", 0),
        ready=status.get("readyReplicas", 0),
        available=conditions.get("Available", {}).get("status") == "True",
        deadline_exceeded=conditions.get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded",
        unschedulable=any(pod.unschedulable for pod in pods),
        replacing=_surge(spec) in (0, "0", "0%"),
    )


def pod_facts(pod: Manifest) -> PodFacts:
    """Return what counts of one pod."""
    metadata = pod["metadata"]
    conditions = {entry["type"]: entry for entry in (pod.get("status") or {}).get("conditions") or []}
    ready = conditions.get("Ready", {})
    since = ready.get("lastTransitionTime") if ready.get("status") == "True" else None
    return PodFacts(
        namespace=metadata["namespace"],
        name=metadata["name"],
        variant_hash=(metadata.get("labels") or {}).get(VARIANT_HASH_LABEL, ""),
        ready_since=None if since is None else datetime.fromisoformat(since),
        terminating="deletionTimestamp" in metadata,
        unschedulable=conditions.get("PodScheduled", {}).get("reason") == "Unschedulable",
    )


def _surge(spec: Manifest) -> Any:  # noqa: ANN401 - an int or a percentage
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    return rolling.get("maxSurge")
