"""How the pods are placed and rolled: resources, pod template, rollout, metrics scraping."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from specdecode_operator.api.v1alpha1.base import ApiModel, ContainerName, Duration
from specdecode_operator.api.v1alpha1.maintenance import MaintenanceWindow

__all__ = ["Gpu", "Metrics", "PodTemplate", "Quantity", "Resources", "Rollout", "RolloutStrategy", "Scrape"]

Quantity = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    Field(max_length=32, pattern=r"^[0-9.]+([eE][0-9]+|[numkMGTPE]i?)?$"),
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "pattern": r"^[0-9.]+([eE][0-9]+|[numkMGTPE]i?)?$",
            "maxLength": 32,
        }
    ),
]


class RolloutStrategy(StrEnum):
    """How old pods make room for new ones."""

    AUTO = "Auto"
    SURGE = "Surge"
    REPLACE = "Replace"


class Scrape(StrEnum):
    """How Prometheus is told about the pods."""

    NONE = "None"
    ANNOTATIONS = "Annotations"


class Gpu(ApiModel):
    """GPUs of one pod."""

    resource_name: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9./-]+$")] = "nvidia.com/gpu"
    """Extended resource to request."""
    count: Annotated[int, Field(ge=1, le=64)] | None = None
    """GPUs a pod; `engine.tensorParallelSize` when left out."""
    product: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9 ._-]+$")] | None = None
    """The GPU's name in the catalog of the memory plan, such as `H100`, or its node label `nvidia.com/gpu.product`."""


class Resources(ApiModel):
    """What one pod requests and may use, GPUs included."""

    gpu: Gpu = Gpu()
    """GPUs of one pod."""
    requests: Annotated[dict[str, Quantity], Field(max_length=16)] = {}
    """Requests of the engine's container, without the GPUs."""
    limits: Annotated[dict[str, Quantity], Field(max_length=16)] = {}
    """Limits of the engine's container, without the GPUs."""


class PodTemplate(ApiModel):
    """Parts of a pod template, merged over the rendered one by Kubernetes' own list keys."""

    metadata: dict[str, Any] = {}
    """Labels and annotations to add."""
    spec: dict[str, Any] = {}
    """Fields of a PodSpec; the server's container is named `engine`."""


class Rollout(ApiModel):
    """How a change reaches the pods."""

    strategy: RolloutStrategy = RolloutStrategy.AUTO
    """`Surge` needs a spare GPU, `Replace` goes one pod at a time; `Auto` surges and replaces when no GPU is free."""
    allow_downtime: bool = False
    """Whether a single replica may be stopped before its successor is ready."""
    ready_timeout: Duration = Duration("30m")
    """Longest time from a pod's start to its readiness, model download included."""
    drain_timeout: Duration = Duration("5m")
    """Longest time that a stopping pod may finish the requests it has."""
    windows: Annotated[list[MaintenanceWindow], Field(max_length=8)] = []
    """When the operator may begin an action of its own; always when empty. Changes of the spec roll at any time."""


class Metrics(ApiModel):
    """Where the pods' metrics are read."""

    endpoint: ContainerName = "default"
    """Name of a Prometheus endpoint in the operator's own settings; never a URL."""
    scrape: Scrape = Scrape.ANNOTATIONS
    """`Annotations` puts `prometheus.io/scrape` and its companions on the pods."""
