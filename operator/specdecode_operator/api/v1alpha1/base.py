"""What all models share: camelCase names in YAML, immutability, bounded strings and durations."""

import re
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict
from pydantic_core import CoreSchema, core_schema

__all__ = [
    "ApiModel",
    "BrokenRules",
    "ContainerName",
    "Duration",
    "EnvName",
    "FolderPath",
    "LatencyThreshold",
    "ModelName",
    "ObjectName",
    "Rule",
    "StepTime",
    "Trigger",
    "rule",
]

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


Rule = JsonDict
"""One entry of `x-kubernetes-validations`."""


class ApiModel(BaseModel):
    """A frozen value whose YAML names are camelCase; unknown fields are left to the API server."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )


class _Duration(str):
    """A number and a unit; `seconds` is its value in seconds."""

    __slots__ = ()
    pattern: ClassVar[str]

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", self)
        if match is None:  # pragma: no cover - the pattern above has already been checked
            raise ValueError(self)
        return float(match[1]) * _UNITS[match[2]]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(pattern=cls.pattern, max_length=9)
        return core_schema.no_info_after_validator_function(cls, text)

    def __new__(cls, value: str) -> Self:
        return super().__new__(cls, value)


class Duration(_Duration):
    """A duration from one second up, such as `90s`, `15m` or `2h`."""

    pattern = r"^[1-9][0-9]{0,5}(s|m|h)$"


class LatencyThreshold(_Duration):
    """A latency from one millisecond up, such as `50ms` or `2s`."""

    pattern = r"^[1-9][0-9]{0,5}(ms|s)$"


class StepTime(_Duration):
    """The time of one engine step from one millisecond up, such as `7ms` or `12.34ms`."""

    pattern = r"^[1-9][0-9]{0,3}(\.[0-9]{1,2})?ms$"


class Trigger(StrEnum):
    """What makes the operator leave a variant for the next rung."""

    ACCEPTANCE = "Acceptance"
    LATENCY = "Latency"
    STARTUP = "Startup"


ModelName = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9._/-]+$")]
ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
ContainerName = Annotated[str, Field(min_length=1, max_length=30, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
FolderPath = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^:\s]+$")]
EnvName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")]


class BrokenRules(ValueError):
    """All rules that a value breaks; each message names its field."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def rule(expression: str, message: str) -> Rule:
    """Return one entry of `x-kubernetes-validations`.

    `expression` is CEL over `self`; `message` names the field and the fix.
    """
    return {"rule": expression, "message": message}
