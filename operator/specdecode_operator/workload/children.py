"""The children of one resource, as they are applied."""

from typing import Any

from specdecode_operator.api.names import PRIMARY_HASH_ANNOTATION, ROLE_LABEL, ROLE_STABLE
from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment
from specdecode_operator.engine import PORT
from specdecode_operator.policy import Variant
from specdecode_operator.workload.labels import (
    common_labels,
    metadata,
    selector_labels,
    stable_selector,
    variant_labels,
)
from specdecode_operator.workload.pod import pod_template, progress_deadline

__all__ = ["children"]

Manifest = dict[str, Any]

_MIN_REPLICAS_FOR_BUDGET = 2


def children(resource: SpecDecodeDeployment, variant: Variant, *, primary_hash: str, replace: bool) -> list[Manifest]:
    """Return every child of `resource` when it runs `variant`, in the order in which they are applied.

    `replace` rolls one pod at a time instead of surging. The Deployment comes first: if the API server refuses it, the
    others have not changed either. Raises what `pod_template` raises.
    """
    found = [_deployment(resource, variant, primary_hash, replace=replace), _service(resource)]
    if resource.spec.replicas >= _MIN_REPLICAS_FOR_BUDGET:
        found.append(_disruption_budget(resource))
    return found


def _deployment(resource: SpecDecodeDeployment, variant: Variant, primary_hash: str, *, replace: bool) -> Manifest:
    labels = common_labels(resource) | {ROLE_LABEL: ROLE_STABLE} | variant_labels(variant)
    surge = {"maxSurge": 0, "maxUnavailable": 1} if replace else {"maxSurge": 1, "maxUnavailable": 0}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(resource, labels) | {"annotations": {PRIMARY_HASH_ANNOTATION: primary_hash}},
        "spec": {
            "replicas": resource.spec.replicas,
            "selector": {"matchLabels": stable_selector(resource)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": surge},
            "progressDeadlineSeconds": progress_deadline(resource),
            "revisionHistoryLimit": 3,
            "template": pod_template(resource, variant),
        },
    }


def _service(resource: SpecDecodeDeployment) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(resource, common_labels(resource)),
        "spec": {
            "selector": selector_labels(resource),
            "ports": [{"name": "http", "port": PORT, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def _disruption_budget(resource: SpecDecodeDeployment) -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(resource, common_labels(resource)),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": selector_labels(resource)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
