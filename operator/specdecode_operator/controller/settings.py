"""The administrator's settings: a YAML file, overridden by `SPECDECODE_*` environment variables."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel, to_snake
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from specdecode_operator.clients import Connection
from specdecode_operator.controller.errors import InvalidSettings
from specdecode_operator.policy import FleetRules, Scope
from specdecode_operator.workload import FactsJobOptions

__all__ = [
    "Endpoint",
    "FactsJob",
    "FleetSettings",
    "HoldAll",
    "NotificationSettings",
    "Settings",
    "WebhookSettings",
    "load",
]

OptionalFile = Annotated[Path | None, BeforeValidator(lambda value: value or None)]
"""A file's path, or none where it is empty."""

Seconds = Annotated[float, Field(gt=0, le=86400)]
Port = Annotated[int, Field(ge=0, le=65535)]

_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "SelfSigned": ("namespace", "service_name", "configuration_name", "secret_name"),
    "Files": ("cert_file", "key_file"),
}
"""What a kind of certificate cannot do without."""


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


class Endpoint(_Part):
    """One Prometheus that resources may name in `metrics.endpoint`."""

    name: Annotated[str, Field(min_length=1, max_length=30)]
    url: Annotated[str, Field(pattern=r"^https?://[^\s?#@]+$")]
    scrape_interval_seconds: Seconds = 30.0
    timeout_seconds: Seconds = 10.0
    ca_file: Path | None = None
    bearer_token_file: Path | None = None
    headers: dict[str, str] = {}
    namespace_label: Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")] = "namespace"
    pod_label: Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")] = "pod"
    matchers: dict[str, str] = {}

    @property
    def connection(self) -> Connection:
        """Where the endpoint is, and how it is asked."""
        return Connection(
            url=self.url,
            timeout=self.timeout_seconds,
            ca_file=self.ca_file,
            bearer_token_file=self.bearer_token_file,
            headers=self.headers,
        )

    @property
    def scope(self) -> Scope:
        """How the endpoint names things."""
        return Scope(self.namespace_label, self.pod_label, self.matchers)


class HoldAll(_Part):
    """When so many resources behind one endpoint are in breach that a common cause is likely."""

    count: Annotated[int, Field(ge=1, le=10000)] = 3
    percent: Annotated[int, Field(ge=0, le=100)] = 20
    window_seconds: Seconds = 300.0


class FleetSettings(_Part):
    """What all resources may do together."""

    stop: bool = False
    max_concurrent_rolls: Annotated[int, Field(ge=1, le=10000)] = 5
    hold_all: HoldAll = HoldAll()

    @property
    def rules(self) -> FleetRules:
        """What decisions have to know of it."""
        return FleetRules(self.stop, self.max_concurrent_rolls, self.hold_all.count, self.hold_all.percent)


class NotificationSettings(_Part):
    """Where every decision is posted to; nowhere without an address."""

    url: Annotated[str, Field(pattern=r"^(https?://[^\s?#@]+)?$")] = ""
    bearer_token_file: OptionalFile = None
    ca_file: OptionalFile = None
    timeout_seconds: Seconds = 10.0


class FactsJob(_Part):
    """The Job that reads `config.json` of models that no catalog knows."""

    enabled: bool = False
    image: str = ""
    deadline_seconds: Annotated[int, Field(ge=10, le=3600)] = 120
    resources: dict[str, dict[str, str]] = {
        "requests": {"cpu": "50m", "memory": "128Mi"},
        "limits": {"cpu": "500m", "memory": "256Mi"},
    }

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.enabled and not self.image:
            raise ValueError("factsJob.image: it must have the command specdecode; name one")
        return self

    @property
    def options(self) -> FactsJobOptions | None:
        """What the Job is made with; None where there is to be none."""
        if not self.enabled:
            return None
        return FactsJobOptions(self.image, self.deadline_seconds, self.resources)


class WebhookSettings(_Part):
    """The validating webhook; the chart knows the names and files, and writes this itself."""

    enabled: bool = False
    listen_port: Port = 9443
    certificate: Literal["SelfSigned", "Files"] = "SelfSigned"
    cert_file: Path | None = None
    key_file: Path | None = None
    namespace: str = ""
    service_name: str = ""
    configuration_name: str = ""
    secret_name: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = _NEEDED[self.certificate] if self.enabled else ()
        missing = [name for name in needed if not getattr(self, name)]
        if missing:
            raise ValueError(f"certificate {self.certificate} needs {', '.join(map(to_camel, missing))}")
        return self


class Settings(BaseSettings):
    """What an administrator decides for all resources."""

    model_config = SettingsConfigDict(
        env_prefix="SPECDECODE_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
    )

    namespaces: tuple[str, ...] = ()
    """Namespaces to watch; all of them when empty."""
    endpoints: tuple[Endpoint, ...] = ()
    """Prometheus endpoints by name."""
    evaluation_interval_seconds: Seconds = 15.0
    """Pause between evaluations."""
    resync_interval_seconds: Seconds = 600.0
    """Pause between complete comparisons with the cluster."""
    fleet: FleetSettings = FleetSettings()
    """What all resources may do together."""
    check_engine_version: bool = True
    """Whether every engine is asked once which release it runs."""
    notifications: NotificationSettings = NotificationSettings()
    """Where every decision is posted to."""
    facts_job: FactsJob = FactsJob()
    """The Job that reads `config.json` of models that no catalog knows."""
    workers: Annotated[int, Field(ge=1, le=64)] = 8
    """Resources reconciled at the same time."""
    listen_address: str = "0.0.0.0"  # noqa: S104 - a pod's probes and scrapes come from outside
    """Address of `/metrics` and `/healthz`."""
    listen_port: Port = 8080
    """Port of `/metrics` and `/healthz`; 0 picks a free one."""
    log_format: Literal["json", "console"] = "json"
    """How log lines look."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe log lines to write."""
    webhook: WebhookSettings = WebhookSettings()
    """The validating webhook."""

    @field_validator("endpoints")
    @classmethod
    def _unique(cls, endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
        names = [endpoint.name for endpoint in endpoints]
        if len(set(names)) != len(names):
            raise ValueError("endpoints: two have the same name; names must differ")
        return endpoints

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file."""
        return env_settings, init_settings

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Self:
        """Return settings from a file's values; raise `InvalidSettings` with one sentence.

        The file's names are camelCase. They are no aliases of the fields, since an alias would be read from the
        environment without our prefix.
        """
        try:
            return cls(**{to_snake(name): value for name, value in values.items()})
        except (SettingsError, TypeError) as error:
            raise InvalidSettings(f"settings: {' '.join(str(error).split())[:200]}") from None
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            path = ".".join([to_camel(str(first["loc"][0])), *map(str, first["loc"][1:])])
            raise InvalidSettings(f"settings: {path}: {first['msg']}") from None


def load(path: Path | None) -> Settings:
    """Return the settings of the file at `path`, or those of the environment alone."""
    if path is None:
        return Settings.from_values({})
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidSettings(f"settings: {path} cannot be read: {type(error).__name__}") from None
    if not isinstance(values, dict | None):
        raise InvalidSettings(f"settings: {path} must hold a mapping")
    return Settings.from_values(values or {})
