"""Which weights are served: the target, its storage and its credentials."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from specdecode_operator.api.v1alpha1.base import ApiModel, FolderPath, ModelName, ObjectName, rule
from specdecode_operator.api.v1alpha1.facts import Facts

__all__ = ["Model", "ModelOverlay", "SecretKeyRef", "Storage"]

_ONE_SOURCE = rule(
    "has(self.claim) != has(self.hostPath)",
    "storage: set exactly one of claim and hostPath, or leave storage out to download from the hub",
)
_SERVED_NAME_STAYS = rule(
    "(has(self.servedName) ? self.servedName : self.name)"
    " == (has(oldSelf.servedName) ? oldSelf.servedName : oldSelf.name)",
    "model.servedName: the name that clients use cannot change, since old and new pods answer side by side during a"
    " roll; set servedName to the old name, or create a second resource",
)

Quantization = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9_-]+$")]
Revision = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._/-]+$")]


class Storage(ApiModel):
    """A volume that already holds the weights, mounted read-only."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [_ONE_SOURCE]})

    claim: ObjectName | None = None
    """PersistentVolumeClaim in the resource's own namespace."""
    host_path: FolderPath | None = None
    """Folder on every node that may run the pods."""
    path: FolderPath | None = None
    """Folder of the weights inside the volume; the model's name when left out."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.claim is None) == (self.host_path is None):
            raise ValueError(_ONE_SOURCE["message"])
        return self


class SecretKeyRef(ApiModel):
    """One key of a Secret in the resource's own namespace."""

    name: ObjectName
    """The Secret's name."""
    key: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")] = "token"
    """The key that holds the value."""


class Model(ApiModel):
    """The target model: the one whose answers clients get."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [_SERVED_NAME_STAYS]})

    name: ModelName
    """Hub name, such as `meta-llama/Llama-3.1-70B-Instruct`, or the name of a folder in `storage`."""
    revision: Revision | None = None
    """Branch, tag or commit on the hub; pin it, so that a restarted pod serves the same weights."""
    served_name: ModelName | None = None
    """The model name that clients send; `name` when left out. It cannot change later."""
    quantization: Quantization | None = None
    """Value of vLLM's `--quantization`; leave it out for weights that are already quantized."""
    storage: Storage | None = None
    """Where the weights lie; the hub when left out."""
    token_secret_ref: SecretKeyRef | None = None
    """Hub token, given to the pods as `HF_TOKEN`; the operator never reads it."""
    facts: Facts | None = None
    """Figures of its `config.json`, where it is in no catalog; for checks and the memory plan alone."""

    @property
    def served(self) -> str:
        """The model name that clients send."""
        return self.served_name or self.name


class ModelOverlay(ApiModel):
    """Other weights for one variant; what is left out stays as in `spec.model`."""

    name: ModelName | None = None
    """Other weights, usually the same model in another quantization."""
    revision: Revision | None = None
    """Revision of `name`; not inherited when `name` is set."""
    quantization: Quantization | None = None
    """Value of vLLM's `--quantization` for these weights; not inherited when `name` is set."""
    storage: Storage | None = None
    """Where these weights lie."""
    facts: Facts | None = None
    """Figures of its `config.json`; not inherited when `name` is set."""
