"""The Job that reads `config.json` of unknown models, from the claims that hold them: no GPU, no network, no rights."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from specdecode_operator.api.names import FACTS_LABEL, FIELD_MANAGER, ROLE_FACTS, ROLE_LABEL
from specdecode_operator.api.v1alpha1 import Model, SpecDecodeDeployment
from specdecode_operator.api.v1alpha1.speculation import Draft
from specdecode_operator.policy import Variant
from specdecode_operator.workload.labels import metadata
from specdecode_operator.workload.volumes import Weights, volumes, weights

__all__ = ["FactsJobOptions", "Source", "digest", "facts_job", "facts_labels", "sources"]

Known = Callable[[str], object | None]
"""What is known of the model of a name, None where nothing is."""

_KEPT_AFTER_END: Final = 600
_DIGEST_LENGTH: Final = 6
_PLACEMENT: Final = ("nodeSelector", "tolerations", "affinity", "imagePullSecrets")
"""Fields of `podTemplate.spec` that hold for the Job as well: where the engine can run, its volumes can be mounted."""


@dataclass(frozen=True)
class FactsJobOptions:
    """What an administrator says of the Job."""

    image: str
    """The operator's own image, or one that has the same command."""
    deadline: int = 120
    """Seconds that the first pods wait for it at most."""
    resources: Mapping[str, Any] = field(default_factory=dict)
    """Requests and limits of its container."""


@dataclass(frozen=True)
class Source:
    """One model whose `config.json` is to be read."""

    name: str
    revision: str | None
    claim: str
    folder: str
    """Where it lies in the pod."""


def sources(variant: Variant, known: Known) -> tuple[Source, ...]:
    """Return the models of `variant` that only a claim can tell about: neither given nor `known`."""
    found, draft = weights(variant), variant.speculation.draft
    asked: list[tuple[Model | Draft, str | None]] = [(variant.model, found.target_path)]
    if draft is not None:
        asked.append((draft, found.draft_path))
    unknown = [(model, path) for model, path in asked if model.facts is None and known(model.name) is None]
    claims = [(model, path, _claim(found, path)) for model, path in unknown]
    return tuple(Source(model.name, model.revision, claim, path) for model, path, claim in claims if claim and path)


def digest(wanted: tuple[Source, ...]) -> str | None:
    """Return what changes with anything that the Job would read; None where there is nothing to read."""
    if not wanted:
        return None
    text = json.dumps([[source.name, source.revision, source.claim, source.folder] for source in wanted])
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LENGTH]


def facts_labels(resource: SpecDecodeDeployment, wanted: tuple[Source, ...]) -> dict[str, str]:
    """Return what the Job's pods carry.

    The resource's name stands under a label of its own: Service, disruption budget and scale select by the other one.
    """
    return {FACTS_LABEL: resource.metadata.name, ROLE_LABEL: ROLE_FACTS, f"{FACTS_LABEL}-digest": digest(wanted) or ""}


def facts_job(
    resource: SpecDecodeDeployment, variant: Variant, wanted: tuple[Source, ...], options: FactsJobOptions
) -> dict[str, Any]:
    """Return the Job that reads `wanted`, models of `variant`."""
    labels = facts_labels(resource, wanted) | {"app.kubernetes.io/managed-by": FIELD_MANAGER}
    name = f"{resource.metadata.name}-facts-{digest(wanted)}"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(resource, labels) | {"name": name},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": options.deadline,
            "ttlSecondsAfterFinished": _KEPT_AFTER_END,
            "template": {"metadata": {"labels": labels}, "spec": _pod(resource, variant, wanted, options)},
        },
    }


def _pod(
    resource: SpecDecodeDeployment, variant: Variant, wanted: tuple[Source, ...], options: FactsJobOptions
) -> dict[str, Any]:
    placement = {key: value for key, value in resource.spec.pod_template.spec.items() if key in _PLACEMENT}
    mounted = _mounted(weights(variant), wanted)
    names = {mount["name"] for mount in mounted}
    return placement | {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(wanted, options, mounted)],
        "volumes": [volume for volume in volumes(weights(variant)) if volume["name"] in names],
    }


def _container(wanted: tuple[Source, ...], options: FactsJobOptions, mounted: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "facts",
        "image": options.image,
        "args": ["facts", "--output=/dev/termination-log", *(f"{one.name}={one.folder}" for one in wanted)],
        "resources": dict(options.resources),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounted,
    }


def _mounted(found: Weights, wanted: tuple[Source, ...]) -> list[dict[str, Any]]:
    claims = {source.claim for source in wanted}
    return [
        {"name": name, "mountPath": folder, "readOnly": True}
        for name, folder, storage in found.sources
        if storage.claim in claims
    ]


def _claim(found: Weights, path: str | None) -> str | None:
    """Return the claim behind a folder of the pod."""
    mounted = ((folder, storage.claim) for _, folder, storage in found.sources)
    return next((claim for folder, claim in mounted if path is not None and path.startswith(f"{folder}/")), None)
