"""Acceptance length: how many tokens a step yields, and from how many on it pays for its own time.

A step of speculation takes longer than one without, and yields more tokens: it pays where `tokens > time / time`. What
the steps take depends on the running requests, so the break-even length does.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from specdecode_operator.api.v1alpha1 import StepCost
from specdecode_operator.engine import Counter

__all__ = ["BreakEven", "length"]


@dataclass(frozen=True)
class BreakEven:
    """The break-even length at every load, from times of one step that were measured at some."""

    points: tuple[tuple[float, float, float], ...]
    """Running requests of one pod, and seconds of a step there without and with speculation; by running requests."""

    @classmethod
    def of(cls, costs: Iterable[StepCost]) -> Self:
        """Return that of a policy's `stepCosts`."""
        points = ((float(cost.concurrency), cost.target.seconds, cost.speculative.seconds) for cost in costs)
        return cls(tuple(sorted(points)))

    def at(self, running: float) -> float:
        """Return the length at a mean of `running` requests; NaN where that is no such number.

        Both times grow nearly linearly with the requests, so each is interpolated linearly. Nothing is concluded from
        beyond what was measured: the nearest point counts there.
        """
        if not 0 <= running < math.inf:
            return math.nan
        first, last = self.points[0], self.points[-1]
        held = min(max(running, first[0]), last[0])
        lower = max(point for point in self.points if point[0] <= held)
        upper = min(point for point in self.points if point[0] >= held)
        part = (held - lower[0]) / (upper[0] - lower[0]) if upper[0] > lower[0] else 0.0
        target, speculative = (low + part * (high - low) for low, high in zip(lower[1:], upper[1:], strict=True))
        return speculative / target

    def __str__(self) -> str:
        """Return the length at every point, such as `1.31 at 1, 1.64 at 64 running requests`."""
        lengths = ", ".join(f"{speculative / target:.3g} at {at:g}" for at, target, speculative in self.points)
        return f"{lengths} running requests"


def length(counters: Mapping[Counter, float], *, every_step_drafts: bool) -> float:
    """Return the mean number of tokens of a step; NaN where nothing was drafted or a counter is missing.

    Where every step drafts it is 1 + accepted tokens / drafts: the definition of vLLM
    (`vllm/v1/spec_decode/metrics.py`). Elsewhere the steps without a draft count too. A step yields its accepted tokens
    and one more; so those tokens that were not accepted number the steps, once the first of each request is taken
    off, which the prompt's step yields. Infinite where there are tokens but no steps.
    """
    drafts = counters.get(Counter.DRAFTS, math.nan)
    accepted = counters.get(Counter.ACCEPTED_TOKENS, math.nan)
    if not drafts > 0:
        return math.nan
    if every_step_drafts:
        return 1 + accepted / drafts
    first = counters.get(Counter.FIRST_TOKENS, math.nan)
    tokens = counters.get(Counter.GENERATED_TOKENS, math.nan) - first
    steps = tokens - accepted
    if math.isnan(steps):
        return math.nan
    return tokens / steps if steps > 0 else math.inf
