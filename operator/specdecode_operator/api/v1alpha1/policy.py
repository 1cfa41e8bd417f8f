"""When to act: objectives, acceptance, windows and brakes."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from specdecode_operator.api.v1alpha1.base import ApiModel, Duration, LatencyThreshold, rule
from specdecode_operator.api.v1alpha1.status import MAX_ACTIONS

__all__ = ["Acceptance", "Budget", "LatencyMetric", "Limit", "MinimumRequests", "Mode", "Objective", "Policy", "Window"]

_LONGEST = 24 * 3600
_LONG_ENOUGH = rule(
    "duration(self.long) >= duration(self.short) + duration(self.short)",
    "policy.window: long must be at least twice short",
)

_SHORT_ENOUGH = rule("duration(self.long) <= duration('24h')", "policy.window: long must be at most 24h")

_LONGEST_LIMIT = 7 * 24 * 3600
_LIMIT_SHORT_ENOUGH = rule(
    "duration(self.window) <= duration('168h')", "policy.budget.limits: window must be at most 168h"
)


class Mode(StrEnum):
    """Whether the operator may roll pods."""

    OBSERVE = "Observe"
    RECOMMEND = "Recommend"
    ENFORCE = "Enforce"


class LatencyMetric(StrEnum):
    """Which latency of a finished request."""

    TPOT = "Tpot"
    TTFT = "Ttft"
    E2E = "E2e"


class Percentile(StrEnum):
    """Share of requests that must stay under the threshold."""

    P50 = "50"
    P90 = "90"
    P95 = "95"
    P99 = "99"
    P999 = "99.9"


class Acceptance(ApiModel):
    """Threshold on accepted / drafted tokens. It asks the question; it is no proof (see the docs on deciding)."""

    disable_below_percent: Annotated[int, Field(ge=0, le=100)] = 50
    """Acceptance rate below which the variant is left, in percent; 0 never leaves it."""
    dry_run: bool = False
    """Evaluates it and writes down what would be done, in every mode; nothing is done about it."""


class Objective(ApiModel):
    """A latency that a share of all requests must keep."""

    metric: LatencyMetric
    """`Tpot` is time per output token after the first, `Ttft` time to first token, `E2e` the whole request."""
    percentile: Percentile = Percentile.P99
    """`99` means that at most 1 % of the requests may be slower."""
    threshold: LatencyThreshold
    """Moved up to the next bucket edge of vLLM's histogram; `status.effectiveThresholds` shows it."""
    dry_run: bool = False
    """Evaluates it and writes down what would be done, in every mode; nothing is done about it."""

    @property
    def budget(self) -> float:
        """Share of requests that may be slower, from 0 to 1."""
        return round(1 - float(self.percentile) / 100, 6)


class MinimumRequests(ApiModel):
    """Finished requests below which nothing is judged."""

    short: Annotated[int, Field(ge=1, le=1000000)] = 30
    """In the short window."""
    long: Annotated[int, Field(ge=1, le=1000000)] = 100
    """In the long window."""


class Window(ApiModel):
    """Both windows must breach before anything is done: the long one for proof, the short one for being current."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [_LONG_ENOUGH, _SHORT_ENOUGH]})

    short: Duration = Duration("5m")
    """At least four times the scrape interval."""
    long: Duration = Duration("30m")
    """At least twice the short one, and at most a day."""
    minimum_requests: MinimumRequests = MinimumRequests()
    """Finished requests below which nothing is judged."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.long.seconds < 2 * self.short.seconds:
            raise ValueError(_LONG_ENOUGH["message"])
        if self.long.seconds > _LONGEST:
            raise ValueError(_SHORT_ENOUGH["message"])
        return self


class Limit(ApiModel):
    """At most so many actions of the operator in any stretch of time of this length."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [_LIMIT_SHORT_ENOUGH]})

    count: Annotated[int, Field(ge=1, le=MAX_ACTIONS)]
    """Actions that may start within the window; reversals count, but are never held back."""
    window: Duration
    """At most seven days."""

    @model_validator(mode="after")
    def _remembered(self) -> Self:
        if self.window.seconds > _LONGEST_LIMIT:
            raise ValueError(_LIMIT_SHORT_ENOUGH["message"])
        return self


class Budget(ApiModel):
    """Brakes on the operator's own actions."""

    cooldown: Duration = Duration("15m")
    """Pause after an action of the operator."""
    limits: Annotated[list[Limit], Field(max_length=4)] = [
        Limit(count=4, window=Duration("6h")),
        Limit(count=6, window=Duration("24h")),
    ]
    """Actions of the operator that a stretch of time may hold; each limit holds for itself, and none with `[]`."""


class Policy(ApiModel):
    """When the operator acts. The default watches and says what it would do."""

    mode: Mode = Mode.OBSERVE
    """`Observe` writes what it would do; `Recommend` does it once a person approves; `Enforce` does it."""
    acceptance: Acceptance = Acceptance()
    """Threshold on the acceptance rate."""
    objectives: Annotated[
        list[Objective],
        Field(
            max_length=8,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["metric", "percentile"],
            },
        ),
    ] = []
    """Latencies to keep; a breach asks for the next rung that lists `Latency`."""
    window: Window = Window()
    """Over which time requests are judged."""
    budget: Budget = Budget()
    """Brakes on the operator's own actions."""
