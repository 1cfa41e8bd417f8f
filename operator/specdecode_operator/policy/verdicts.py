"""Evidence to verdicts: one for each signal, never a guess.

The two-window rule is that of error-budget alerts: both windows must exceed twice the budget, so that a short spike and
an old wound both leave the pods alone.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from specdecode_operator.api.v1alpha1 import Window
from specdecode_operator.engine import Counter
from specdecode_operator.policy.evidence import Evidence, WindowEvidence
from specdecode_operator.policy.signals import AcceptanceSignal, LatencySignal, Signal

__all__ = [
    "BURN_FACTOR",
    "MINIMUM_SLOW",
    "REENABLE_MARGIN",
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

REENABLE_MARGIN: Final = 0.05
"""Acceptance above the threshold that counts as recovered, from 0 to 1."""


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
    """Acceptance rate, or share of requests over the edge, in the short window (0 to 1)."""
    long: float = math.nan
    """The same in the long window."""
    samples_short: float = 0.0
    """Finished requests in the short window."""
    samples_long: float = 0.0
    """Finished requests in the long window."""


@dataclass(frozen=True)
class _Ratio:
    value: float
    valid: bool
    part: float = math.nan
    """What is counted in the numerator."""


def judge(signal: Signal, evidence: Evidence, *, speculating: bool, window: Window) -> Finding:
    """Return the finding for `signal`; `speculating` says whether the judged variant proposes tokens at all."""
    if isinstance(signal, AcceptanceSignal) and not speculating:
        return Finding(signal, Verdict.NOT_APPLICABLE, "SpeculationOff")
    if isinstance(signal, LatencySignal) and signal.edge is None:
        return Finding(signal, Verdict.NOT_APPLICABLE, "AboveHistogram")
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


def _compare(signal: Signal, short: WindowEvidence, long: WindowEvidence, window: Window) -> Finding:
    near, far = _ratio(signal, short), _ratio(signal, long)
    verdict, reason = _classify(signal, near, far, short, long, window)
    return Finding(signal, verdict, reason, near.value, far.value, short.requests, long.requests)


def _classify(
    signal: Signal, near: _Ratio, far: _Ratio, short: WindowEvidence, long: WindowEvidence, window: Window
) -> tuple[Verdict, str]:
    if not (near.valid and far.valid) or math.inf in (short.requests, long.requests):
        return Verdict.UNKNOWN, "ValuesImpossible"
    minimum = window.minimum_requests
    if not (short.requests >= minimum.short and long.requests >= minimum.long):
        return Verdict.INSUFFICIENT, "TooFewRequests"
    if math.isnan(near.value) or math.isnan(far.value):
        return Verdict.INSUFFICIENT, "NoSamples"
    if isinstance(signal, AcceptanceSignal):
        return _acceptance_verdict(signal, near.value, far.value)
    return _latency_verdict(signal, near.value, far.value, far.part)


def _acceptance_verdict(signal: AcceptanceSignal, near: float, far: float) -> tuple[Verdict, str]:
    if max(near, far) < signal.threshold:
        return Verdict.BREACH, "AcceptanceBelowThreshold"
    if min(near, far) >= signal.threshold + REENABLE_MARGIN:
        return Verdict.RECOVERED, "AcceptanceWell"
    return Verdict.HEALTHY, "WithinThreshold"


def _latency_verdict(signal: LatencySignal, near: float, far: float, slow: float) -> tuple[Verdict, str]:
    if min(near, far) > burn_threshold(signal.budget):
        if slow < MINIMUM_SLOW:
            return Verdict.INSUFFICIENT, "TooFewSlowRequests"
        return Verdict.BREACH, "LatencyBudgetBurn"
    if max(near, far) <= RECOVERED_FACTOR * signal.budget:
        return Verdict.RECOVERED, "WellWithinBudget"
    return Verdict.HEALTHY, "WithinBudget"


def _ratio(signal: Signal, window: WindowEvidence) -> _Ratio:
    if isinstance(signal, AcceptanceSignal):
        accepted = window.counters.get(Counter.ACCEPTED_TOKENS, math.nan)
        return _share(accepted, window.counters.get(Counter.DRAFT_TOKENS, math.nan))
    counts = window.buckets.get(signal.metric, {})
    return _slow_share(counts.get(signal.edge or math.nan, math.nan), counts.get(math.inf, math.nan))


def _slow_share(fast: float, total: float) -> _Ratio:
    """Return the share of requests over the edge; up to 1 % more under it than in all is extrapolation."""
    if fast < 0 or math.isinf(total):
        return _Ratio(math.nan, valid=False)
    slow = total - fast
    return _share(0.0 if -_EXTRAPOLATION * total <= slow < 0 else slow, total)


def _share(part: float, whole: float) -> _Ratio:
    """Return part / whole; NaN without data, and invalid where such counts cannot be.

    A little is left above for extrapolation.
    """
    if math.isnan(part) or math.isnan(whole) or part == whole == 0:
        return _Ratio(math.nan, valid=True)
    if not (math.isfinite(whole) and 0 <= part <= (1 + _EXTRAPOLATION) * whole):
        return _Ratio(math.nan, valid=False)
    return _Ratio(min(part / whole, 1.0), valid=True, part=part)
