"""The resource as it is read from the API server or from a file."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from specdecode_operator.api.errors import InvalidResource
from specdecode_operator.api.names import API_VERSION, KIND, MAX_NAME_LENGTH, TRIAL_SUFFIX
from specdecode_operator.api.v1alpha1.base import ApiModel
from specdecode_operator.api.v1alpha1.spec import NAME_RULE, SUFFIX_RULE, Spec
from specdecode_operator.api.v1alpha1.status import Status

__all__ = ["Metadata", "SpecDecodeDeployment", "check_name", "check_type", "parse"]


class Metadata(ApiModel):
    """The parts of ObjectMeta that the operator uses."""

    name: str
    """The object's name."""
    namespace: str = "default"
    """The object's namespace."""
    uid: str = ""
    """The object's uid; empty for an object from a file."""
    generation: int = 0
    """Counts changes of the spec."""
    resource_version: str = ""
    """Version of the whole object, for optimistic locking."""
    deletion_timestamp: str | None = None
    """When deletion was asked for."""


class SpecDecodeDeployment(ApiModel):
    """vLLM pods with speculative decoding that is switched off when it stops paying."""

    metadata: Metadata
    """Name and identity."""
    spec: Spec
    """What to serve, how to speculate, and when to stop speculating."""
    status: Status = Field(default_factory=Status)
    """What runs, why, and what was decided."""

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.metadata.namespace, self.metadata.name


def parse(body: Mapping[str, Any]) -> SpecDecodeDeployment:
    """Return the resource in `body`; raise `InvalidResource` with one sentence where the models refuse it."""
    check_type(body)
    try:
        resource = SpecDecodeDeployment.model_validate(body)
    except ValidationError as error:
        raise InvalidResource(_sentence(error)) from None
    if (message := check_name(resource)) is not None:
        raise InvalidResource(message)
    return resource


def check_type(body: Mapping[str, Any]) -> None:
    """Raise `InvalidResource` where `body` is of another apiVersion or kind."""
    found = (body.get("apiVersion"), body.get("kind"))
    if found != (API_VERSION, KIND):
        raise InvalidResource(f"apiVersion and kind are {found[0]} and {found[1]}; expected {API_VERSION} and {KIND}")


def check_name(resource: SpecDecodeDeployment) -> str | None:
    """Return what is wrong with the resource's name, if anything is."""
    name = resource.metadata.name
    if len(name) > MAX_NAME_LENGTH:
        return str(NAME_RULE["message"])
    return str(SUFFIX_RULE["message"]) if name.endswith(TRIAL_SUFFIX) else None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    more = error.error_count() - 1
    return f"{path}: {message}" + (f" (and {more} more)" if more else "")
