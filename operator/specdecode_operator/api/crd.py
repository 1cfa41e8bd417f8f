"""The CustomResourceDefinition, made from the models."""

from typing import Any, Final

from specdecode_operator.api.names import GROUP, KIND, PLURAL, SHORT_NAME, SINGULAR, VERSION
from specdecode_operator.api.schema import structural
from specdecode_operator.api.v1alpha1 import Spec, SpecDecodeDeployment, Status
from specdecode_operator.api.v1alpha1.spec import NAME_RULE, SUFFIX_RULE

__all__ = ["custom_resource_definition"]


def _condition(kind: str, field: str) -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{field}'


_COLUMNS: Final = [
    ("Ready", "string", _condition("Ready", "status"), 0),
    ("Variant", "string", ".status.activeVariant", 0),
    ("Speculation", "string", ".status.speculation", 0),
    ("Replicas", "integer", ".status.replicas", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Reason", "string", _condition("Ready", "reason"), 0),
    ("Mode", "string", ".spec.policy.mode", 1),
    ("Model", "string", ".spec.model.name", 1),
    ("Objectives", "string", _condition("ObjectivesMet", "status"), 1),
    ("Metrics", "string", _condition("MetricsAvailable", "status"), 1),
]


def custom_resource_definition() -> dict[str, Any]:
    """Return the CustomResourceDefinition as the API server takes it."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": SINGULAR,
                "shortNames": [SHORT_NAME],
            },
            "scope": "Namespaced",
            "versions": [_version()],
        },
    }


def _version() -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [_column(*column) for column in _COLUMNS],
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "schema": {"openAPIV3Schema": _root()},
    }


def _column(name: str, kind: str, path: str, priority: int) -> dict[str, Any]:
    return {"name": name, "type": kind, "jsonPath": path, "priority": priority}


def _root() -> dict[str, Any]:
    return {
        "type": "object",
        "description": SpecDecodeDeployment.__doc__,
        "required": ["spec"],
        "x-kubernetes-validations": [NAME_RULE, SUFFIX_RULE],
        "properties": {
            "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}"},
            "kind": {"type": "string", "description": KIND},
            "metadata": {"type": "object"},
            "spec": structural(Spec),
            "status": structural(Status),
        },
    }
