"""The pod: vLLM's server as its maintainers and Kubernetes expect it.

Facts of vLLM 0.33 behind the fields: `/health` answers only once the engine is ready; `/dev/shm` must hold the workers'
rings; a Service called `vllm` would inject a broken `VLLM_PORT`; without `--shutdown-timeout` a SIGTERM aborts
requests, and while it drains, new requests get status 500, so the endpoint has to be gone before (`preStop`).
"""

from collections.abc import Mapping
from typing import Any, Final

from specdecode_operator.api.names import ENGINE_CONTAINER, ROLE_STABLE
from specdecode_operator.api.v1alpha1 import Scrape, SpecDecodeDeployment
from specdecode_operator.engine import PORT, Serving, arguments
from specdecode_operator.policy import Variant
from specdecode_operator.workload.errors import InvalidPodTemplate
from specdecode_operator.workload.labels import pod_labels
from specdecode_operator.workload.merge import merge
from specdecode_operator.workload.volumes import CACHE_FOLDER, Weights, mounts, volumes, weights

__all__ = ["pod_template", "progress_deadline"]

ENDPOINT_REMOVAL: Final = 15
"""Seconds between the end of a pod's readiness and its SIGTERM, for every proxy to forget its address."""

TEARDOWN: Final = 15
"""Seconds that the engine needs to stop after its last request (measured: about 6)."""

_PROBE_PERIOD: Final = 5


def pod_template(resource: SpecDecodeDeployment, variant: Variant, role: str = ROLE_STABLE) -> dict[str, Any]:
    """Return the pod template of `variant` in `role`, with `spec.podTemplate` merged over it.

    Raises `InvalidPodTemplate` where the merge fails.
    """
    found = weights(variant)
    base = {
        "metadata": {"labels": pod_labels(resource, variant, role), "annotations": _annotations(resource)},
        "spec": _pod_spec(resource, variant, found),
    }
    overlay = resource.spec.pod_template
    _check_overlay(overlay.spec)
    merged = merge(base, {"metadata": overlay.metadata, "spec": overlay.spec})
    merged["metadata"]["labels"] = merged["metadata"].get("labels", {}) | base["metadata"]["labels"]
    return merged


def _check_overlay(spec: Mapping[str, Any]) -> None:
    """The command line is the operator's: half of it replaced would run something that no field describes."""
    containers = spec.get("containers")
    for container in containers if isinstance(containers, list) else []:
        if isinstance(container, Mapping) and container.get("name") == ENGINE_CONTAINER:
            _check_engine(container)


def _check_engine(container: Mapping[str, Any]) -> None:
    field = f"podTemplate.spec.containers[{ENGINE_CONTAINER}]"
    taken = {"args", "command"} & set(container)
    if taken:
        message = "the operator renders it; use engine.extraArgs or engine.image"
        raise InvalidPodTemplate(f"{field}.{min(taken)}: {message}")
    env = container.get("env")
    names = [entry.get("name") for entry in env if isinstance(entry, Mapping)] if isinstance(env, list) else []
    if "VLLM_SERVER_DEV_MODE" in names:
        raise InvalidPodTemplate(
            f"{field}.env: VLLM_SERVER_DEV_MODE opens unauthenticated control endpoints; remove it"
        )


def progress_deadline(resource: SpecDecodeDeployment) -> int:
    """Return the Deployment's progress deadline in seconds: a pod's time to become ready, and a minute."""
    return round(resource.spec.rollout.ready_timeout.seconds) + 60


def _annotations(resource: SpecDecodeDeployment) -> dict[str, str]:
    if resource.spec.metrics.scrape is not Scrape.ANNOTATIONS:
        return {}
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(PORT),
        "prometheus.io/path": "/metrics",
    }


def _pod_spec(resource: SpecDecodeDeployment, variant: Variant, found: Weights) -> dict[str, Any]:
    drain = round(resource.spec.rollout.drain_timeout.seconds)
    return {
        "containers": [_container(resource, variant, found, drain)],
        "volumes": volumes(found),
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": ENDPOINT_REMOVAL + drain + TEARDOWN,
    }


def _container(resource: SpecDecodeDeployment, variant: Variant, found: Weights, drain: int) -> dict[str, Any]:
    serving = Serving(
        model=variant.model,
        model_path=found.target_path,
        speculation=variant.speculation,
        draft_path=found.draft_path,
        engine=resource.spec.engine,
        shutdown_timeout=drain,
    )
    return {
        "name": ENGINE_CONTAINER,
        "image": resource.spec.engine.image_reference,
        "args": arguments(serving),
        "env": _environment(resource, variant, found),
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "resources": _resources(resource),
        "volumeMounts": mounts(found),
        **_probes(resource),
        "lifecycle": {"preStop": {"sleep": {"seconds": ENDPOINT_REMOVAL}}},
        "securityContext": {"allowPrivilegeEscalation": False},
    }


def _environment(resource: SpecDecodeDeployment, variant: Variant, found: Weights) -> list[dict[str, Any]]:
    fixed = {
        "HF_HOME": f"{CACHE_FOLDER}/huggingface",
        "VLLM_CACHE_ROOT": f"{CACHE_FOLDER}/vllm",
        "VLLM_ENGINE_READY_TIMEOUT_S": str(round(resource.spec.rollout.ready_timeout.seconds)),
        "VLLM_NO_USAGE_STATS": "1",
    }
    if found.offline:
        fixed["HF_HUB_OFFLINE"] = "1"
    fixed |= {variable.name: variable.value for variable in resource.spec.engine.env}
    token = _token(variant)
    fixed = {name: value for name, value in fixed.items() if not token or name != "HF_TOKEN"}
    return [{"name": name, "value": value} for name, value in fixed.items()] + token


def _token(variant: Variant) -> list[dict[str, Any]]:
    secret = variant.model.token_secret_ref
    if secret is None:
        return []
    return [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": secret.name, "key": secret.key}}}]


def _resources(resource: SpecDecodeDeployment) -> dict[str, Any]:
    asked = resource.spec.resources
    count = asked.gpu.count or resource.spec.engine.tensor_parallel_size
    gpus = {asked.gpu.resource_name: str(count)}
    return {"requests": asked.requests | gpus, "limits": asked.limits | gpus}


def _probes(resource: SpecDecodeDeployment) -> dict[str, Any]:
    health = {"httpGet": {"path": "/health", "port": "http"}}
    attempts = -(-round(resource.spec.rollout.ready_timeout.seconds) // _PROBE_PERIOD)
    return {
        "startupProbe": health | {"periodSeconds": _PROBE_PERIOD, "timeoutSeconds": 5, "failureThreshold": attempts},
        "readinessProbe": health | {"periodSeconds": _PROBE_PERIOD, "timeoutSeconds": 5, "failureThreshold": 3},
        "livenessProbe": health | {"periodSeconds": 15, "timeoutSeconds": 10, "failureThreshold": 4},
    }
