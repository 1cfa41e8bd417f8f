"""The figures of several seeds as two Markdown tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from montecarlo.outcome import Detection, actions_a_day, detections, percentile
from montecarlo.scenarios import CHANGES, STEADY, Steady

__all__ = ["Effort", "lines"]


@dataclass(frozen=True)
class Effort:
    """How much is simulated: each seed has `days` of every steady service and `onsets` of every change."""

    seeds: Sequence[int]
    days: int
    onsets: int
    scrape: float
    """Seconds between two scrapes."""


def lines(effort: Effort) -> Iterator[str]:
    """Yield the tables line by line, as their figures are found."""
    days = effort.days * len(effort.seeds)
    yield f"| service that does not change, {days} days | actions a day | of the worst seed |"
    yield "| --- | --- | --- |"
    yield from (_steady(effort, steady) for steady in STEADY)
    yield ""
    onsets = effort.onsets * len(effort.seeds)
    yield f"| service that changes, {onsets} times | minutes to the action, median | P90 | median of the worst seed |"
    yield "| --- | --- | --- | --- |"
    yield from (_change(effort, name, change) for name, change in CHANGES)


def _steady(effort: Effort, steady: Steady) -> str:
    name, service, share = steady
    found = [
        actions_a_day(np.random.default_rng(seed), service, share, days=effort.days, scrape=effort.scrape)
        for seed in effort.seeds
    ]
    return f"| {name} | {sum(found) / len(found):.3f} | {max(found):.3f} |"


def _change(effort: Effort, name: str, change: Detection) -> str:
    found = [
        detections(np.random.default_rng(seed), change, onsets=effort.onsets, scrape=effort.scrape)
        for seed in effort.seeds
    ]
    every = [minutes for seed in found for minutes in seed]
    worst = max(percentile(seed, 50) for seed in found)
    return f"| {name} | {percentile(every, 50):.1f} | {percentile(every, 90):.1f} | {worst:.1f} |"
