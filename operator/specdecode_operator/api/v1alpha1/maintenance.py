"""When the operator may begin an action: cron schedules with a duration, in a time zone."""

from datetime import UTC, datetime
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, ConfigDict, Field, model_validator

from specdecode_operator.api.v1alpha1.base import ApiModel, Duration, rule

__all__ = ["MaintenanceWindow"]

_LONGEST = 24 * 3600
_SHORT_ENOUGH = rule("duration(self.duration) <= duration('24h')", "rollout.windows: duration must be at most 24h")
_ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def _schedule(text: str) -> str:
    """Return `text` if it is a schedule of five fields that comes at all; vixie cron's syntax, by cronsim."""
    try:
        comes = next(CronSim(text, _ANY_DAY), None) is not None
    except CronSimError as error:
        reason = str(error).lower()
        raise ValueError(f"{text} is no cron schedule ({reason}); 0 2 * * 1-5 is one") from None
    if not comes:
        raise ValueError(f"{text} names a day that never comes; correct day and month")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError(f"{name} is no time zone that is known here; Europe/Berlin is one") from None
    return name


class MaintenanceWindow(ApiModel):
    """A stretch of time that opens by a schedule."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [_SHORT_ENOUGH]})

    schedule: Annotated[
        str,
        Field(min_length=9, max_length=64, pattern=r"^[0-9A-Za-z*,/#-]+( [0-9A-Za-z*,/#-]+){4}$"),
        AfterValidator(_schedule),
    ]
    """When it opens, as five fields of cron: minute, hour, day of the month, month, day of the week."""
    duration: Duration
    """How long it stays open; at most 24h."""
    time_zone: Annotated[
        str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9+_/-]+$"), AfterValidator(_zone)
    ] = "UTC"
    """A name of the IANA time zone database, such as `Europe/Berlin`."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.duration.seconds > _LONGEST:
            raise ValueError(_SHORT_ENOUGH["message"])
        return self
