"""Evidence to verdicts: one for each signal, never a guess.

The two-window rule is that of error-budget alerts: both windows must exceed twice the budget, so that a short spike and
an old wound both leave the pods alone.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from specdecode_operator.api.v1alpha1 import Window
from specdecode_operator.engine import Counter
from specdecode_operator.policy.judging.evidence import Evidence, WindowEvidence
from specdecode_operator.policy.judging.lengths import BreakEven, length
from specdecode_operator.policy.judging.signals import AcceptanceSignal, LatencySignal, LengthSignal, Signal

__all__ = [
    "BURN_FACTOR",
    "MINIMUM_SLOW",
    "RECOVERED_LENGTH",
    "Finding",
    "Verdict",
    "burn_threshold",
    "judge",
    "overall",
    "repeated",
]

BURN_FACTOR: Final = 2.0
"""Multiple of the error budget that both windows must exceed."""

MINIMUM_SLOW: Final = 10.0
"""Slow requests in the long window below which a share over the line may be chance: see docs/deciding.md."""

RECOVERED_FACTOR: Final = 0.5
"""Multiple of the error budget under which both windows must lie to count as recovered."""

_EXTRAPOLATION: Final = 0.01
"""How far the increases of two counters of one pod may disagree: `increase()` extrapolates every series alone."""

RECOVERED_LENGTH: Final = 1.03
"""Multiple of the line that an acceptance length must reach to count as recovered: the same pair differs by nearly as
much from run to run (see docs/deciding.md)."""


def burn_threshold(budget: float) -> float:
    """Return the share of slow requests above which `budget` burns; halfway to all where the factor leaves no room."""
    return min(BURN_FACTOR * budget, (1 + budget) / 2)


class Verdict(StrEnum):
    """What the evidence says about one signal."""

    HEALTHY = "Healthy"
    RECOVERED = "Recovered"
    BREACH = "Breach"
    INSUFFICIENT = "Insufficient"
    UNKNOWN = "Unknown"
    NOT_APPLICABLE = "NotApplicable"


@dataclass(frozen=True)
class Finding:
    """A signal's verdict and the figures behind it; figures are NaN where there are none."""

    signal: Signal
    verdict: Verdict
    reason: str
    short: float = math.nan
    """In the short window: acceptance rate or share of requests over the edge (0 to 1), or tokens of a step."""
    long: float = math.nan
    """The same in the long window."""
    samples_short: float = 0.0
    """Finished requests in the short window."""
    samples_long: float = 0.0
    """Finished requests in the long window."""
    line_short: float = math.nan
    """What `short` was compared with."""
    line_long: float = math.nan
    """What `long` was compared with."""


@dataclass(frozen=True)
class _Measure:
    value: float
    valid: bool
    part: float = math.nan
    """What is counted in the numerator."""
    line: float = math.nan
    """What the value is compared with."""


def judge(signal: Signal, evidence: Evidence, *, speculating: bool, window: Window) -> Finding:
    """Return the finding for `signal`; `speculating` says whether the judged variant proposes tokens at all."""
    reason = _inapplicable(signal, speculating=speculating)
    if reason is not None:
        return Finding(signal, Verdict.NOT_APPLICABLE, reason)
    if evidence.unavailable is not None:
        return Finding(signal, Verdict.UNKNOWN, evidence.unavailable)
    if evidence.short is None or evidence.long is None:
        return Finding(signal, Verdict.INSUFFICIENT, evidence.waiting or "NoData")
    return _compare(signal, evidence.short, evidence.long, window)


def overall(findings: tuple[Finding, ...]) -> Verdict:
    """Return one verdict for all: Unknown holds everything, then a breach counts, then the worst information."""
    verdicts = {finding.verdict for finding in findings}
    for verdict in (Verdict.UNKNOWN, Verdict.BREACH, Verdict.INSUFFICIENT, Verdict.HEALTHY, Verdict.RECOVERED):
        if verdict in verdicts:
            return verdict
    return Verdict.NOT_APPLICABLE


def repeated(before: tuple[Finding, ...], now: tuple[Finding, ...]) -> frozenset[str]:
    """Return the signals in breach `now` that were in breach in the evaluation `before` as well."""
    return _breaching(before) & _breaching(now)


def _breaching(findings: tuple[Finding, ...]) -> frozenset[str]:
    return frozenset(finding.signal.name for finding in findings if finding.verdict is Verdict.BREACH)


def _inapplicable(signal: Signal, *, speculating: bool) -> str | None:
    if isinstance(signal, LatencySignal):
        return "AboveHistogram" if signal.edge is None else None
    if not speculating:
        return "SpeculationOff"
    return "StepCostsUnknown" if isinstance(signal, LengthSignal) and not signal.measured else None


def _compare(signal: Signal, short: WindowEvidence, long: WindowEvidence, window: Window) -> Finding:
    near, far = _measure(signal, short), _measure(signal, long)
    verdict, reason = _classify(signal, near, far, short, long, window)
    figures = near.value, far.value, short.requests, long.requests
    return Finding(signal, verdict, reason, *figures, near.line, far.line)


def _classify(
    signal: Signal, near: _Measure, far: _Measure, short: WindowEvidence, long: WindowEvidence, window: Window
) -> tuple[Verdict, str]:
    if not (near.valid and far.valid) or math.inf in (short.requests, long.requests):
        return Verdict.UNKNOWN, "ValuesImpossible"
    minimum = window.minimum_requests
    if not (short.requests >= minimum.short and long.requests >= minimum.long):
        return Verdict.INSUFFICIENT, "TooFewRequests"
    if any(map(math.isnan, (near.value, far.value, near.line, far.line))):
        return Verdict.INSUFFICIENT, "NoSamples"
    if isinstance(signal, AcceptanceSignal):
        return _acceptance_verdict(signal, near.value, far.value)
    if isinstance(signal, LengthSignal):
        return _length_verdict(signal, near, far)
    return _latency_verdict(signal, near.value, far.value, far.part)


def _acceptance_verdict(signal: AcceptanceSignal, near: float, far: float) -> tuple[Verdict, str]:
    if max(near, far) < signal.threshold:
        return Verdict.BREACH, signal.reason
    if min(near, far) >= signal.recovered:
        return Verdict.RECOVERED, "AcceptanceWell"
    return Verdict.HEALTHY, "WithinThreshold"


def _length_verdict(signal: LengthSignal, near: _Measure, far: _Measure) -> tuple[Verdict, str]:
    if max(near.value / near.line, far.value / far.line) < 1:
        breaks_even = isinstance(signal.line, BreakEven)
        return Verdict.BREACH, "BelowBreakEven" if breaks_even else "LengthBelowMinimum"
    if all(measure.value >= RECOVERED_LENGTH * measure.line for measure in (near, far)):
        return Verdict.RECOVERED, "LengthWell"
    return Verdict.HEALTHY, "WithinThreshold"


def _latency_verdict(signal: LatencySignal, near: float, far: float, slow: float) -> tuple[Verdict, str]:
    if min(near, far) > burn_threshold(signal.budget):
        if slow < MINIMUM_SLOW:
            return Verdict.INSUFFICIENT, "TooFewSlowRequests"
        return Verdict.BREACH, "LatencyBudgetBurn"
    if max(near, far) <= RECOVERED_FACTOR * signal.budget:
        return Verdict.RECOVERED, "WellWithinBudget"
    return Verdict.HEALTHY, "WithinBudget"


def _measure(signal: Signal, window: WindowEvidence) -> _Measure:
    if isinstance(signal, AcceptanceSignal):
        return replace(_accepted(window), line=signal.threshold)
    if isinstance(signal, LengthSignal):
        return _tokens_of_a_step(signal, window)
    counts = window.buckets.get(signal.metric, {})
    share = _slow_share(counts.get(signal.edge or math.nan, math.nan), counts.get(math.inf, math.nan))
    return replace(share, line=burn_threshold(signal.budget))


def _accepted(window: WindowEvidence) -> _Measure:
    accepted = window.counters.get(Counter.ACCEPTED_TOKENS, math.nan)
    return _share(accepted, window.counters.get(Counter.DRAFT_TOKENS, math.nan))


def _tokens_of_a_step(signal: LengthSignal, window: WindowEvidence) -> _Measure:
    """Return the acceptance length; counts that lack or cannot be are those of the rate, and drafts without a token."""
    drafts, tokens = (window.counters.get(key, math.nan) for key in (Counter.DRAFTS, Counter.DRAFT_TOKENS))
    found = length(window.counters, every_step_drafts=signal.every_step_drafts)
    line = signal.line.at(window.running) if isinstance(signal.line, BreakEven) else signal.line
    impossible = drafts < 0 or drafts > (1 + _EXTRAPOLATION) * tokens or math.isinf(found)
    valid = _accepted(window).valid and not impossible
    return _Measure(found if valid and tokens > 0 else math.nan, valid=valid, line=line)


def _slow_share(fast: float, total: float) -> _Measure:
    """Return the share of requests over the edge; up to 1 % more under it than in all is extrapolation."""
    if fast < 0 or math.isinf(total):
        return _Measure(math.nan, valid=False)
    slow = total - fast
    return _share(0.0 if -_EXTRAPOLATION * total <= slow < 0 else slow, total)


def _share(part: float, whole: float) -> _Measure:
    """Return part / whole; NaN without data, and invalid where such counts cannot be.

    A little is left above for extrapolation.
    """
    if math.isnan(part) or math.isnan(whole) or part == whole == 0:
        return _Measure(math.nan, valid=True)
    if not (math.isfinite(whole) and 0 <= part <= (1 + _EXTRAPOLATION) * whole):
        return _Measure(math.nan, valid=False)
    return _Measure(min(part / whole, 1.0), valid=True, part=part)
