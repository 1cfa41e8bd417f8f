"""Whether a candidate is better, not worse or worse than what serves beside it, or whether that cannot be said.

Means decide, since a histogram's sum and count are exact; buckets give the spread, and the tails of the objectives.
Whatever is missing or cannot be is never a conclusion.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import FAILED_REASONS, Counter
from specdecode_operator.policy.judging.signals import LatencySignal
from specdecode_operator.policy.trials.arms import Arm, Distribution
from specdecode_operator.policy.trials.intervals import (
    EXTRAPOLATION,
    Estimate,
    Moments,
    Share,
    design_effect,
    moments,
    ratio_of_means,
    share,
)

__all__ = ["MARGINS", "ArmVerdict", "Comparison", "Counts", "Effect", "Margins", "compare", "summary"]

_PRIMARY: Final = (LatencyMetric.TPOT, LatencyMetric.E2E)
"""What must improve for a candidate to be better."""

_NEEDED: Final = (LatencyMetric.TTFT, LatencyMetric.E2E)
"""What every release of vLLM exposes."""

_DISAGREEMENT: Final = 0.05
"""How far the finished requests and the latencies of finished requests may differ: they are series of two metrics."""

_LONG: Final = 1e9
"""From where on numbers are written with an exponent."""


class ArmVerdict(StrEnum):
    """What a comparison comes to."""

    BETTER = "Better"
    NOT_WORSE = "NotWorse"
    WORSE = "Worse"
    UNCLEAR = "Unclear"
    INCOMPARABLE = "Incomparable"


@dataclass(frozen=True)
class Margins:
    """What counts as a difference. The table in docs/deciding.md is this one."""

    requests: float = 100
    """Finished requests that each arm needs."""
    match: float = 1.25
    """Factor by which request rates a pod, and mean prompt and generation lengths, may differ."""
    latency: Mapping[LatencyMetric, float] = field(
        default_factory=lambda: {LatencyMetric.TPOT: 0.05, LatencyMetric.TTFT: 0.5, LatencyMetric.E2E: 0.05}
    )
    """By how much a mean must be longer to be worse, as a part of the shorter one."""
    ttft_seconds: float = 0.025
    """Or the TTFT by so much, if that is more: a few milliseconds are a large part of nearly nothing."""
    failed: float = 0.01
    """By how much the share of failed requests must be greater to be worse."""
    slow_factor: float = 1.25
    """By which factor the share of requests over an objective's edge must be greater,"""
    slow_share: float = 0.005
    """and by how much more."""
    correlation: float = 0.02
    """That of two requests in the same 30 seconds of a pod."""


MARGINS: Final = Margins()


@dataclass(frozen=True)
class Counts:
    """A number of requests in each arm."""

    candidate: float
    stable: float


@dataclass(frozen=True)
class Effect:
    """Mean latency of the candidate by that of the stable pods, with its 95 % interval; under 1 is better.

    NaN where it cannot be told.
    """

    metric: LatencyMetric
    ratio: float = math.nan
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Comparison:
    """The verdict, one word why, and the figures."""

    verdict: ArmVerdict
    reason: str
    effects: tuple[Effect, ...]
    """In the order TPOT, TTFT, E2E; only of what an arm has."""
    requests: Counts
    failed: Counts
    acceptance: float
    """Accepted / drafted tokens of the candidate; NaN where nothing was drafted."""
    draft_tokens: float


@dataclass(frozen=True)
class _Case:
    """What the checks look at."""

    candidate: Arm
    stable: Arm
    tails: tuple[LatencySignal, ...]
    margins: Margins

    @property
    def both(self) -> tuple[Arm, Arm]:
        return self.candidate, self.stable

    @cached_property
    def metrics(self) -> tuple[LatencyMetric, ...]:
        """The latencies that an arm has."""
        return tuple(metric for metric in LatencyMetric if any(metric in one.latency for one in self.both))

    @cached_property
    def moments(self) -> Mapping[LatencyMetric, tuple[Moments | None, Moments | None]]:
        found = {metric: [one.latency.get(metric, Distribution()) for one in self.both] for metric in self.metrics}
        return {metric: (moments(first), moments(second)) for metric, (first, second) in found.items()}

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        return tuple(_effect(self, metric) for metric in self.metrics)

    def margin(self, metric: LatencyMetric) -> float:
        """Return how much longer a mean must be, as a part of the shorter one."""
        margin = self.margins.latency[metric]
        means = [found.mean for found in self.moments[metric] if found is not None]
        if metric is not LatencyMetric.TTFT or not means:
            return margin
        return max(margin, self.margins.ttft_seconds / min(means))


@dataclass(frozen=True)
class _Ruling:
    verdict: ArmVerdict
    reason: str


_Check = Callable[[_Case], _Ruling | None]


def compare(
    candidate: Arm, stable: Arm, tails: tuple[LatencySignal, ...] = (), margins: Margins = MARGINS
) -> Comparison:
    """Return what `candidate` is beside `stable`, over the same window; `tails` are the policy's objectives."""
    case = _Case(candidate, stable, tails, margins)
    ruling = next(found for check in _CHAIN if (found := check(case)) is not None)
    rate, drafted = _acceptance(candidate)
    return Comparison(
        verdict=ruling.verdict,
        reason=ruling.reason,
        effects=case.effects,
        requests=Counts(candidate.requests, stable.requests),
        failed=Counts(candidate.failed, stable.failed),
        acceptance=rate,
        draft_tokens=drafted,
    )


def summary(comparison: Comparison) -> str:
    """Return the figures in at most 256 characters; the same figures always give the same text."""
    effects = ", ".join(map(_effect_text, comparison.effects)) or "no latencies"
    requests, failed = (_counts_text(counts) for counts in (comparison.requests, comparison.failed))
    return f"{effects}; {requests} requests, {failed} failed"[:256]


def _missing(case: _Case) -> _Ruling | None:
    """Something that the other arm, another pod or every release has was not found, or was found twice."""
    parts = {frozenset((key, *found.batches) for key, found in one.latency.items()) for one in case.both}
    empty = any(not (found.buckets and found.batches) for one in case.both for found in one.latency.values())
    reasons = {frozenset(one.finished) for one in case.both}
    unnamed = any(not FAILED_REASONS & found for found in reasons)
    unsure = any(math.isnan(number) for one in case.both for number in _numbers(one))
    uneven = len(parts) > 1 or len(reasons) > 1 or not all(_edge_known(case, tail) for tail in case.tails)
    lost = uneven or empty or unnamed or unsure or set(_NEEDED) - set(case.metrics)
    return _incomparable("SeriesMissing") if lost else None


def _impossible(case: _Case) -> _Ruling | None:
    """Counts are finite and not negative, and both arms cover the same minutes."""
    numbers = [number for one in case.both for number in (one.requests, *_numbers(one))]
    arms = case.candidate.window == case.stable.window > 0 and min(one.pods for one in case.both) > 0
    return None if arms and all(0 <= number < math.inf for number in numbers) else _incomparable("ValuesImpossible")


def _too_few(case: _Case) -> _Ruling | None:
    counts = [found.count for one in case.both for found in one.latency.values()]
    fewest = min(*counts, *(one.requests for one in case.both))
    return _incomparable("TooFewRequests") if fewest < case.margins.requests else None


def _implausible(case: _Case) -> _Ruling | None:
    """The histograms must be such, and count the requests that have finished."""
    if any(None in pair for pair in case.moments.values()):
        return _incomparable("HistogramImpossible")
    return None if all(map(_agrees, case.both)) else _incomparable("CountsDisagree")


def _failures(case: _Case) -> _Ruling | None:
    """Failed requests are judged before lengths are compared: a request that fails generates less."""
    candidate, stable = (share(Share(one.failed, one.requests), _widening(case, one)) for one in case.both)
    worse = candidate.low > stable.high and candidate.value > stable.value + case.margins.failed
    return _Ruling(ArmVerdict.WORSE, "FailuresWorse") if worse else None


def _unmatched(case: _Case) -> _Ruling | None:
    """Arms with different load or different requests say nothing about each other."""
    pairs = {
        "RatesDiffer": [one.requests / one.pods for one in case.both],
        "PromptLengthsDiffer": [one.prompt_tokens.mean for one in case.both],
        "GenerationLengthsDiffer": [one.generation_tokens.mean for one in case.both],
    }
    match = case.margins.match
    apart = (reason for reason, (first, second) in pairs.items() if not first / match <= second <= match * first)
    reason = next(apart, None)
    return _incomparable(reason) if reason else None


def _slower(case: _Case) -> _Ruling | None:
    worse = (one for one in case.effects if one.low > 1 and one.ratio > 1 + case.margin(one.metric))
    found = next((one for one in worse if not _repaid(case, one)), None)
    return _Ruling(ArmVerdict.WORSE, f"{found.metric}Worse") if found else None


def _repaid(case: _Case, slower: Effect) -> bool:
    """Whether a later first token is made up for by the whole request; where an objective is about it, never.

    A draft model reads the prompt as well, so with speculation the first token comes later and the last one earlier.
    """
    asked_for = any(tail.metric is LatencyMetric.TTFT for tail in case.tails)
    whole = next((one for one in case.effects if one.metric is LatencyMetric.E2E), None)
    return slower.metric is LatencyMetric.TTFT and not asked_for and whole is not None and _improves(case, whole)


def _improves(case: _Case, effect: Effect) -> bool:
    return effect.high < 1 and effect.ratio * (1 + case.margin(effect.metric)) < 1


def _longer_tail(case: _Case) -> _Ruling | None:
    found = next((tail for tail in case.tails if tail.edge is not None and _tail_worse(case, tail)), None)
    return _Ruling(ArmVerdict.WORSE, f"{found.name}Worse") if found else None


def _faster(case: _Case) -> _Ruling | None:
    found = next((one for one in case.effects if one.metric in _PRIMARY and _improves(case, one)), None)
    return _Ruling(ArmVerdict.BETTER, f"{found.metric}Better") if found else None


def _alike(case: _Case) -> _Ruling | None:
    within = all(one.high < 1 + case.margin(one.metric) for one in case.effects)
    return _Ruling(ArmVerdict.NOT_WORSE, "WithinMargins") if within else None


def _unclear(_: _Case) -> _Ruling | None:
    return _Ruling(ArmVerdict.UNCLEAR, "IntervalsTooWide")


_CHAIN: Final[tuple[_Check, ...]] = (
    _missing,
    _impossible,
    _too_few,
    _implausible,
    _failures,
    _unmatched,
    _slower,
    _longer_tail,
    _faster,
    _alike,
    _unclear,
)
"""The first that has something to say rules: what cannot be compared, then what is worse, then what is better."""


def _incomparable(reason: str) -> _Ruling:
    return _Ruling(ArmVerdict.INCOMPARABLE, reason)


def _numbers(one: Arm) -> Iterator[float]:
    """Yield all that a verdict rests on."""
    yield from one.finished.values()
    for found in (*one.latency.values(), one.prompt_tokens, one.generation_tokens):
        yield from (found.sum, found.count, *found.buckets.values())
        yield from (number for batch in found.batches.values() for number in (batch.sum, batch.count))
        yield from (bound for bound in found.buckets if math.isnan(bound))


def _edge_known(case: _Case, tail: LatencySignal) -> bool:
    found = [one.latency.get(tail.metric, Distribution()).buckets for one in case.both]
    return tail.edge is None or all(tail.edge in buckets and math.inf in buckets for buckets in found)


def _agrees(one: Arm) -> bool:
    """Whether what is counted once a finished request is counted as often as requests have finished."""
    counted = [found.count for metric, found in one.latency.items() if metric is not LatencyMetric.TTFT]
    counted += [one.prompt_tokens.count, one.generation_tokens.count]
    return all(abs(count - one.requests) <= _DISAGREEMENT * one.requests for count in counted)


def _widening(case: _Case, one: Arm) -> float:
    if not (one.pods > 0 and one.window > 0 and math.isfinite(one.requests)):
        return math.nan
    return design_effect(one.requests / one.pods, one.window, case.margins.correlation)


def _effects_of(case: _Case, metric: LatencyMetric) -> list[float]:
    """Return the design effects of a tail: the one that is assumed, or that of the batches of `metric` if greater."""
    measured = [1.0 if found is None else found.effect for found in case.moments[metric]]
    return [max(_widening(case, one), effect) for one, effect in zip(case.both, measured, strict=True)]


def _effect(case: _Case, metric: LatencyMetric) -> Effect:
    candidate, stable = case.moments[metric]
    if candidate is None or stable is None:
        return Effect(metric)
    first, second = (_widening(case, one) for one in case.both)
    found = ratio_of_means(candidate, stable, part_effect=first, base_effect=second)
    return Effect(metric, found.value, found.low, found.high)


def _tail_worse(case: _Case, tail: LatencySignal) -> bool:
    effects = _effects_of(case, tail.metric)
    candidate, stable = (_slow(one, tail, effect) for one, effect in zip(case.both, effects, strict=True))
    allowed = case.margins.slow_factor * stable.value + case.margins.slow_share
    return candidate.low > stable.high and candidate.value > allowed


def _slow(one: Arm, tail: LatencySignal, effect: float) -> Estimate:
    """Return the share of requests over the edge; a little more under it than in all is extrapolation."""
    buckets = one.latency[tail.metric].buckets
    total = buckets[math.inf]
    return share(Share(max(0.0, total - buckets[tail.edge or math.nan]), total), effect)


def _acceptance(one: Arm) -> tuple[float, float]:
    """Return accepted / drafted tokens, and the drafted ones; NaN where there are none or they cannot be."""
    accepted, drafted = (one.counters.get(key, math.nan) for key in (Counter.ACCEPTED_TOKENS, Counter.DRAFT_TOKENS))
    possible = 0 < drafted < math.inf and 0 <= accepted <= (1 + EXTRAPOLATION) * drafted
    return (min(accepted / drafted, 1.0), drafted) if possible else (math.nan, drafted)


def _effect_text(effect: Effect) -> str:
    name = effect.metric.upper()
    if math.isnan(effect.ratio):
        return f"{name} unknown"
    return f"{name} {_figure(effect.ratio, 2)} ({_figure(effect.low, 2)} to {_figure(effect.high, 2)})"


def _counts_text(counts: Counts) -> str:
    return f"{_figure(counts.candidate, 0)} / {_figure(counts.stable, 0)}"


def _figure(value: float, digits: int) -> str:
    """Return a number of bounded length."""
    return f"{value:.{digits}f}" if abs(value) < _LONG else f"{value:.3g}"
