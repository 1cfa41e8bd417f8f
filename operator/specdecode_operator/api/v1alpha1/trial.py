"""Trying a variant on one pod before anything is rolled: on a breach, and to switch speculation on again."""

from enum import StrEnum
from typing import Final, Self

from pydantic import ConfigDict, model_validator

from specdecode_operator.api.v1alpha1.base import ApiModel, Duration, rule

__all__ = ["Probe", "ProbeMode", "Trial", "TrialMode"]

_LONGEST: Final = 24 * 3600
_TRIAL_ORDERED = rule(
    "duration(self.maxDuration) >= duration(self.minDuration)",
    "policy.trial: maxDuration must be at least minDuration",
)
_TRIAL_SHORT_ENOUGH = rule(
    "duration(self.maxDuration) <= duration('24h')",
    "policy.trial: maxDuration must be at most 24h",
)
_PROBE_ORDERED = rule(
    "duration(self.maxBackoff) >= duration(self.minBackoff)",
    "policy.probe: maxBackoff must be at least minBackoff",
)


class TrialMode(StrEnum):
    """Whether a variant is tried before the pods are rolled to it."""

    AUTO = "Auto"
    ALWAYS = "Always"
    NEVER = "Never"


class ProbeMode(StrEnum):
    """Whether speculation is tried again after the operator switched it off."""

    AUTO = "Auto"
    NEVER = "Never"


class Trial(ApiModel):
    """One pod of the candidate beside the stable ones, behind the same Service, compared over the same minutes."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [_TRIAL_ORDERED, _TRIAL_SHORT_ENOUGH]})

    mode: TrialMode = TrialMode.AUTO
    """`Auto` rolls without a trial where there is no room for one, `Always` does nothing then, `Never` tries nothing.
    There is room where a GPU is free, or where the load leaves one of at least two pods to spare."""
    min_duration: Duration = Duration("10m")
    """Time of serving after which the trial is judged first; then after twice, four times ... that time."""
    max_duration: Duration = Duration("60m")
    """Time of serving after which an unclear trial ends and nothing is changed."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_duration.seconds < self.min_duration.seconds:
            raise ValueError(_TRIAL_ORDERED["message"])
        if self.max_duration.seconds > _LONGEST:
            raise ValueError(_TRIAL_SHORT_ENOUGH["message"])
        return self


class Probe(ApiModel):
    """A trial of `primary` after the operator left it for a variant without speculation."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [_PROBE_ORDERED]})

    mode: ProbeMode = ProbeMode.AUTO
    """`Auto` tries speculation again while latencies are well within their objectives, `Never` leaves it off."""
    min_backoff: Duration = Duration("30m")
    """Pause before the first probe; each further one waits twice as long."""
    max_backoff: Duration = Duration("24h")
    """The longest pause. Speculation that stays on for that long after a probe makes the next pause short again."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_backoff.seconds < self.min_backoff.seconds:
            raise ValueError(_PROBE_ORDERED["message"])
        return self
