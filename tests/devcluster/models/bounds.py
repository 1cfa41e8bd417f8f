"""What the tests and the demo need of the models."""

import math
from dataclasses import dataclass

from devcluster.models.measure import Result


@dataclass(frozen=True)
class Bounds:
    """The bounds, both inclusive, of a domain's acceptance rate and of its TPOT relative to the plain server's."""

    acceptance_rate: tuple[float, float]
    ratio: tuple[float, float]


BOUNDS = {
    "A": Bounds(acceptance_rate=(0.75, 0.98), ratio=(0.0, 0.7)),
    "B": Bounds(acceptance_rate=(0.0, 0.1), ratio=(1.25, math.inf)),
}


def misses(result: Result) -> list[str]:
    """Say in one sentence each which bounds a result misses."""
    bounds = BOUNDS[result.domain]
    subject = f"on domain {result.domain} at concurrency {result.concurrency}"
    figures = [
        ("the ratio of TPOT with and without speculation", result.ratio, bounds.ratio),
        ("the acceptance rate", result.acceptance_rate, bounds.acceptance_rate),
        ("the share of answers that are the same with and without speculation", result.identical, (1.0, 1.0)),
    ]
    return [
        f"{subject} {name} is {value:.3f} and has to be {_words(low, high)}"
        for name, value, (low, high) in figures
        if not low <= value <= high
    ]


def _words(low: float, high: float) -> str:
    if low == high:
        return f"{low:g}"
    if high == math.inf:
        return f"at least {low:g}"
    return f"from {low:g} to {high:g}"
