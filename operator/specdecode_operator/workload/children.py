"""The children of one resource, as they are applied."""

from dataclasses import dataclass
from typing import Any

from specdecode_operator.api.names import PRIMARY_HASH_ANNOTATION, ROLE_LABEL, ROLE_STABLE, ROLE_TRIAL
from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment
from specdecode_operator.engine import PORT
from specdecode_operator.policy import Variant
from specdecode_operator.workload.labels import (
    child_name,
    common_labels,
    metadata,
    role_selector,
    selector_labels,
    variant_labels,
)
from specdecode_operator.workload.pod import pod_template, progress_deadline

__all__ = ["Layout", "children"]

Manifest = dict[str, Any]

_MIN_REPLICAS_FOR_BUDGET = 2


@dataclass(frozen=True)
class Layout:
    """What runs where: the variant of the stable pods, and the one on trial beside them."""

    variant: Variant
    primary_hash: str
    """Hash of `primary` when `variant` was chosen; kept on the Deployment, from which a lost status is adopted."""
    replace: bool = False
    """Rolls one pod at a time instead of surging."""
    trial: Variant | None = None
    """Runs on one pod."""
    spared: int = 0
    """Stable pods that make room for it."""


def children(resource: SpecDecodeDeployment, layout: Layout) -> list[Manifest]:
    """Return every child of `resource`, in the order in which they are applied.

    The Deployment comes first: if the API server refuses it, the others have not changed either. Raises what
    `pod_template` raises.
    """
    found = [_stable(resource, layout), _service(resource)]
    if resource.spec.replicas >= _MIN_REPLICAS_FOR_BUDGET:
        found.append(_disruption_budget(resource))
    if layout.trial is not None:
        found.append(_trial(resource, layout.trial))
    return found


def _stable(resource: SpecDecodeDeployment, layout: Layout) -> Manifest:
    surge = {"maxSurge": 0, "maxUnavailable": 1} if layout.replace else {"maxSurge": 1, "maxUnavailable": 0}
    found = _deployment(resource, layout.variant, ROLE_STABLE)
    found["metadata"]["annotations"] = {PRIMARY_HASH_ANNOTATION: layout.primary_hash}
    return found | {
        "spec": {
            "replicas": resource.spec.replicas - layout.spared,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": surge},
            "revisionHistoryLimit": 3,
        }
        | found["spec"],
    }


def _trial(resource: SpecDecodeDeployment, variant: Variant) -> Manifest:
    """Return the Deployment of the candidate: one pod, that takes its share of the Service's requests."""
    found = _deployment(resource, variant, ROLE_TRIAL)
    fixed = {"replicas": 1, "strategy": {"type": "Recreate"}, "revisionHistoryLimit": 0}
    return found | {"spec": fixed | found["spec"]}


def _deployment(resource: SpecDecodeDeployment, variant: Variant, role: str) -> Manifest:
    labels = common_labels(resource) | {ROLE_LABEL: role} | variant_labels(variant)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(resource, labels) | {"name": child_name(resource, role)},
        "spec": {
            "selector": {"matchLabels": role_selector(resource, role)},
            "progressDeadlineSeconds": progress_deadline(resource),
            "template": pod_template(resource, variant, role),
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
