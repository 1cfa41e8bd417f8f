"""Names, labels and owner of every child."""

from typing import Any

from specdecode_operator.api.names import (
    API_VERSION,
    FIELD_MANAGER,
    KIND,
    NAME_LABEL,
    ROLE_LABEL,
    ROLE_STABLE,
    ROLE_TRIAL,
    TRIAL_SUFFIX,
    VARIANT_HASH_LABEL,
    VARIANT_LABEL,
)
from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment
from specdecode_operator.policy import Variant

__all__ = [
    "child_name",
    "common_labels",
    "metadata",
    "pod_labels",
    "role_selector",
    "selector_labels",
    "variant_labels",
]

Labels = dict[str, str]


def selector_labels(resource: SpecDecodeDeployment) -> Labels:
    """Return what selects every pod of the resource, whatever its role."""
    return {NAME_LABEL: resource.metadata.name}


def role_selector(resource: SpecDecodeDeployment, role: str = ROLE_STABLE) -> Labels:
    """Return what selects the pods of one role alone."""
    return selector_labels(resource) | {ROLE_LABEL: role}


def child_name(resource: SpecDecodeDeployment, role: str = ROLE_STABLE) -> str:
    """Return the name of the Deployment of `role`."""
    return resource.metadata.name + (TRIAL_SUFFIX if role == ROLE_TRIAL else "")


def common_labels(resource: SpecDecodeDeployment) -> Labels:
    """Return what every child carries."""
    return selector_labels(resource) | {
        "app.kubernetes.io/name": "vllm",
        "app.kubernetes.io/instance": resource.metadata.name,
        "app.kubernetes.io/component": "engine",
        "app.kubernetes.io/managed-by": FIELD_MANAGER,
    }


def variant_labels(variant: Variant) -> Labels:
    """Return which variant runs, by name and by hash."""
    return {VARIANT_LABEL: variant.name, VARIANT_HASH_LABEL: variant.hash}


def pod_labels(resource: SpecDecodeDeployment, variant: Variant, role: str = ROLE_STABLE) -> Labels:
    """Return what the pods carry: the hash, and no name, since a new name alone is no reason to roll."""
    return common_labels(resource) | {ROLE_LABEL: role, VARIANT_HASH_LABEL: variant.hash}


def metadata(resource: SpecDecodeDeployment, labels: Labels) -> dict[str, Any]:
    """Return the metadata of a child; without an owner where the resource comes from a file."""
    found: dict[str, Any] = {
        "name": resource.metadata.name,
        "namespace": resource.metadata.namespace,
        "labels": labels,
    }
    if resource.metadata.uid:
        found["ownerReferences"] = [_owner(resource)]
    return found


def _owner(resource: SpecDecodeDeployment) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": resource.metadata.name,
        "uid": resource.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
