"""The figures of several seeds as Markdown tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from montecarlo.outcome import Detection, actions_a_day, detections, percentile
from montecarlo.scenarios import CHANGES, STEADY, TRIALS, Steady
from montecarlo.trial import Conclusion, Trial, conclude, wrong
from specdecode_operator.policy.trials.comparison import ArmVerdict

__all__ = ["Effort", "lines"]

_VERDICTS = (ArmVerdict.BETTER, ArmVerdict.NOT_WORSE, ArmVerdict.UNCLEAR, ArmVerdict.WORSE)
_COLUMNS = ("wrong", "of the worst seed", *_VERDICTS, "minutes, median", "requests of the candidate, median")


@dataclass(frozen=True)
class Effort:
    """How much is simulated for each seed: `days` of every steady service, `onsets` of every change, and trials."""

    seeds: Sequence[int]
    days: int
    onsets: int
    trials: int
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
    yield ""
    trials = effort.trials * len(effort.seeds)
    yield f"| true ratio, requests a pod; {trials} trials | {' | '.join(_COLUMNS)} |"
    yield f"|{' --- |' * (len(_COLUMNS) + 1)}"
    yield from (_trial(effort, name, trial) for name, trial in TRIALS)


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


def _trial(effort: Effort, name: str, trial: Trial) -> str:
    generators = [np.random.default_rng(seed) for seed in effort.seeds]
    found = [[conclude(rng, trial) for _ in range(effort.trials)] for rng in generators]
    every = [conclusion for seed in found for conclusion in seed]
    wrongs = [_share([wrong(trial, one.verdict) for one in seed]) for seed in found]
    verdicts = [_counted(one) for one in every]
    shares = [
        sum(wrongs) / len(wrongs),
        max(wrongs),
        *(_share([one is kind for one in verdicts]) for kind in _VERDICTS),
    ]
    minutes, requests = np.median([(one.seconds / 60, one.requests) for one in every], axis=0)
    return f"| {name} | {' | '.join(f'{share * 100:.1f} %' for share in shares)} | {minutes:.1f} | {requests:.0f} |"


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found)


def _counted(found: Conclusion) -> ArmVerdict:
    """Nothing changes after a trial that cannot be compared, as after one that is unclear."""
    return ArmVerdict.UNCLEAR if found.verdict is ArmVerdict.INCOMPARABLE else found.verdict
