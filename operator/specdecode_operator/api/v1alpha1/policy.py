"""When to act: objectives, acceptance, windows and brakes."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from specdecode_operator.api.v1alpha1.base import ApiModel, BrokenRules, Duration, LatencyThreshold, StepTime, rule
from specdecode_operator.api.v1alpha1.status import MAX_ACTIONS
from specdecode_operator.api.v1alpha1.trial import Probe, Trial

__all__ = [
    "Acceptance",
    "AcceptanceRule",
    "Budget",
    "LatencyMetric",
    "Limit",
    "MinimumRequests",
    "Mode",
    "Objective",
    "Policy",
    "StepCost",
    "Window",
]

_LONGEST = 24 * 3600
_LONG_ENOUGH = rule(
    "duration(self.long) >= duration(self.short) + duration(self.short)",
    "policy.window: long must be at least twice short",
)

_SHORT_ENOUGH = rule("duration(self.long) <= duration('24h')", "policy.window: long must be at most 24h")

_REENABLE_STEP = 5
_ACCEPTANCE_RULES = {
    "reenable_above": rule(
        "!has(self.reenableAbovePercent) || self.reenableAbovePercent >= self.disableBelowPercent",
        "policy.acceptance.reenableAbovePercent: must be at least disableBelowPercent; raise it, or leave it out for"
        f" {_REENABLE_STEP} more",
    ),
    "costs_needed": rule(
        "self.rule != 'BreakEven' || has(self.stepCosts)",
        "policy.acceptance.stepCosts: rule BreakEven needs them; add what you have measured, or set rule to FixedRate",
    ),
    "costs_unused": rule(
        "self.rule == 'BreakEven' || !has(self.stepCosts)",
        "policy.acceptance.stepCosts: only rule BreakEven uses them; set rule to BreakEven, or remove them",
    ),
}
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


class AcceptanceRule(StrEnum):
    """What acceptance is compared with."""

    FIXED_RATE = "FixedRate"
    BREAK_EVEN = "BreakEven"


class StepCost(ApiModel):
    """What one engine step takes at one load, measured by you without and with the speculation of the spec."""

    concurrency: Annotated[int, Field(ge=1, le=65536)]
    """Running requests of one pod."""
    target: StepTime
    """Mean time of a step without speculation: the time per output token there."""
    speculative: StepTime
    """Mean time of a step with it, drafting included: `vllm:inter_token_latency_seconds`, sum by count."""


class Acceptance(ApiModel):
    """Thresholds on what is accepted. They ask the question; they are no proof (see the docs on deciding)."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": list(_ACCEPTANCE_RULES.values())})

    rule: AcceptanceRule = AcceptanceRule.FIXED_RATE
    """`FixedRate` compares accepted / drafted tokens with `disableBelowPercent`; `BreakEven` the tokens of a step with
    those that pay for the time of a step, from `stepCosts`."""
    disable_below_percent: Annotated[int, Field(ge=0, le=100)] = 50
    """Acceptance rate below which the variant is left, in percent; 0 never leaves it. For rule `FixedRate`."""
    reenable_above_percent: Annotated[int, Field(ge=0, le=100)] | None = None
    """Acceptance rate from which it counts as recovered, in percent; 5 above `disableBelowPercent` when left out."""
    min_acceptance_length: Annotated[str, Field(max_length=6, pattern=r"^[1-9][0-9]?(\.[0-9]{1,3})?$")] | None = None
    """Tokens of a step (1 + accepted tokens / drafts), such as `"1.8"`, below which it is left, by any rule."""
    max_drop_points: Annotated[int, Field(ge=0, le=100)] = 5
    """Points by which the acceptance rate may fall when only the quantization changes; 100 lets it fall."""
    step_costs: (
        Annotated[
            list[StepCost],
            Field(
                min_length=1,
                max_length=8,
                json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["concurrency"]},
            ),
        ]
        | None
    ) = None
    """What a step takes at some loads, for rule `BreakEven`; between two it is interpolated."""
    dry_run: bool = False
    """Evaluates it and writes down what would be done, in every mode; nothing is done about it."""

    @property
    def recovered_percent(self) -> int:
        """Acceptance rate from which it counts as recovered, in percent."""
        above = self.reenable_above_percent
        return min(self.disable_below_percent + _REENABLE_STEP, 100) if above is None else above

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        above, costs = self.reenable_above_percent, self.step_costs
        breaks_even = self.rule is AcceptanceRule.BREAK_EVEN
        checks = {
            "reenable_above": above is None or above >= self.disable_below_percent,
            "costs_needed": not breaks_even or costs is not None,
            "costs_unused": breaks_even or costs is None,
        }
        broken = [str(_ACCEPTANCE_RULES[name]["message"]) for name, holds in checks.items() if not holds]
        if len({cost.concurrency for cost in costs or ()}) < len(costs or ()):
            broken.append("policy.acceptance.stepCosts: each concurrency only once")
        if broken:
            raise BrokenRules(broken)
        return self


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
    """Thresholds on what is accepted."""
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
    trial: Trial = Trial()
    """Proof before a roll: one pod of the next rung beside the others."""
    probe: Probe = Probe()
    """The way back to speculation."""
    budget: Budget = Budget()
    """Brakes on the operator's own actions."""
