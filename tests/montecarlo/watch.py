"""The operator's view of simulated counters: windows as Prometheus extrapolates them, verdicts as the product gives."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from montecarlo.service import STEP, Counters, Floats
from specdecode_operator.api.v1alpha1 import Window
from specdecode_operator.engine import Counter
from specdecode_operator.policy import Evidence, Finding, LatencySignal, judge, repeated
from specdecode_operator.policy.judging.evidence import WARM_UP, WindowEvidence
from specdecode_operator.policy.judging.signals import AcceptanceSignal
from specdecode_operator.policy.judging.verdicts import MINIMUM_SLOW, burn_threshold

__all__ = ["WINDOW", "Watch", "steps"]

WINDOW: Final = Window()
"""The default policy."""

_SHORT: Final = WINDOW.short.seconds
_LONG: Final = WINDOW.long.seconds

Mask = NDArray[np.bool_]


def steps(seconds: float) -> int:
    """Return how many evaluations take place in `seconds`."""
    return round(seconds / STEP)


@dataclass(frozen=True)
class _Increases:
    """What one window holds at every step."""

    requests: Floats
    trials: Floats
    hits: Floats

    @property
    def share(self) -> Floats:
        """Hits among the trials; NaN without trials."""
        return np.divide(self.hits, self.trials, out=np.full_like(self.hits, math.nan), where=self.trials > 0)


class Watch:
    """One signal of one service, evaluated at every step with the default policy.

    Every verdict is the product's. Steps that are far from a breach are skipped unasked: `conceivable` says which are
    not. Its lines lie at half of the rule's, so that it is no second copy of the rule.
    """

    def __init__(self, signal: AcceptanceSignal | LatencySignal, counters: Counters, scrape_interval: float) -> None:
        self.signal = signal
        self._windows: Mapping[float, _Increases] = {
            window: _increases(counters, window, scrape_interval) for window in (_SHORT, _LONG)
        }
        self.first = steps(_LONG)
        """The first step whose windows are full."""

    @property
    def conceivable(self) -> Mask:
        """At which steps a breach is worth asking for."""
        short, long = self._windows[_SHORT], self._windows[_LONG]
        if isinstance(self.signal, LatencySignal):
            burning = np.minimum(short.share, long.share) > burn_threshold(self.signal.budget) / 2
            return burning & (long.hits > MINIMUM_SLOW / 2)
        return np.maximum(short.share, long.share) < self.signal.recovered

    def finding(self, step: int) -> Finding:
        """Return what the product finds at one step."""
        short, long = (self._evidence(step, window) for window in (_SHORT, _LONG))
        return judge(self.signal, Evidence(short, long), speculating=True, window=WINDOW)

    def actions(self, start: int) -> Iterator[int]:
        """Yield the steps from `start` on at which a breach is confirmed.

        After each the pods are others, and evidence starts anew: a long window and the warm-up.
        """
        blind = steps(_LONG + WARM_UP)
        before: tuple[Finding, ...] = ()
        last, ready = -1, start
        for step in map(int, np.flatnonzero(self.conceivable)):
            if step < ready:
                continue
            found = (self.finding(step),)
            if step == last + 1 and repeated(before, found):
                yield step
                ready = step + blind
            before, last = found, step

    def _evidence(self, step: int, seconds: float) -> WindowEvidence:
        window = self._windows[seconds]
        requests, trials, hits = (float(counts[step]) for counts in (window.requests, window.trials, window.hits))
        if isinstance(self.signal, LatencySignal):
            assert self.signal.edge is not None
            histogram = {self.signal.edge: trials - hits, math.inf: trials}
            return WindowEvidence(seconds, requests, buckets={self.signal.metric: histogram})
        return WindowEvidence(seconds, requests, {Counter.DRAFT_TOKENS: trials, Counter.ACCEPTED_TOKENS: hits})


def _increases(counters: Counters, seconds: float, scrape_interval: float) -> _Increases:
    counts = (counters.requests, counters.trials, counters.hits)
    return _Increases(*(_increase(count, steps(seconds), steps(scrape_interval)) for count in counts))


def _increase(cumulative: Floats, window: int, interval: int) -> Floats:
    """Return PromQL's `increase()` at every step, over `window` steps with a scrape every `interval` steps.

    It is the difference between the last and the first scrape in the window, stretched to all of the window. Before
    the window is full it is 0.
    """
    now = np.arange(len(cumulative))
    last = now // interval * interval
    first = -(-(now - window + 1) // interval) * interval
    full = (first >= 0) & (last > first)
    start = np.where(full, first, last)
    stretch = window / np.where(full, last - start, 1)
    return (cumulative[last] - cumulative[start]) * stretch
