"""Load that a latency suffers from, whatever the speculation: a full KV cache, preemptions, queues.

It is no verdict. It stands beside a latency breach, so that a person sees why the tail grew, and says whether other
pods could take over when one makes room.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from specdecode_operator.engine import Counter, Gauge
from specdecode_operator.policy.judging.evidence import PodWindow, WindowEvidence

__all__ = ["HEADROOM_USAGE", "Pressure", "Strain", "pressure", "words"]

FULL: Final = 0.9
"""Mean share of the KV cache in use above which requests soon wait for it. A convention."""

QUEUE: Final = 1.0
"""Mean number of waiting requests from which a queue stands, rather than comes and goes. A convention."""

HEADROOM_USAGE: Final = 0.9
"""Share of the KV cache that the pods which stay may come to use. A convention."""


class Strain(StrEnum):
    """What a pod is short of."""

    KV_CACHE_FULL = "KvCacheFull"
    PREEMPTING = "Preempting"
    QUEUEING = "Queueing"


@dataclass(frozen=True)
class Pressure:
    """The load of a resource's pods over the short window; NaN where it is not known of every pod."""

    kv_cache_usage: float = math.nan
    """Mean share of the KV cache in use, of the fullest pod (0 to 1)."""
    kv_cache_peak: float = math.nan
    """Highest share in the window, of any pod (0 to 1)."""
    waiting: float = math.nan
    """Mean number of requests that wait, of the pod with the longest queue."""
    running: float = math.nan
    """Mean number of running requests of one pod."""
    preemptions: float = math.nan
    """Preemptions of all pods."""

    def reasons(self) -> tuple[Strain, ...]:
        """Return what the pods are short of; what is not known is no reason."""
        found = {
            Strain.KV_CACHE_FULL: self.kv_cache_usage > FULL,
            Strain.PREEMPTING: self.preemptions > 0,
            Strain.QUEUEING: self.waiting >= QUEUE,
        }
        return tuple(strain for strain, holds in found.items() if holds)

    def figures(self) -> str | None:
        """Return the reasons with their figures, or None where there is none."""
        figures = {
            Strain.KV_CACHE_FULL: f"the KV cache is {self.kv_cache_usage:.0%} full",
            Strain.PREEMPTING: f"{self.preemptions:.3g} requests were preempted",
            Strain.QUEUEING: f"{self.waiting:.3g} requests wait",
        }
        return _listed(figures[strain] for strain in self.reasons())

    def headroom(self, pods: int) -> bool:
        """Whether the others can carry the load when one of `pods` pods makes room; what is not known is no headroom.

        The fullest pod at its fullest moment counts, with an even share of the load of the one that goes.
        """
        if pods <= 1:
            return False
        grown = self.kv_cache_peak * pods / (pods - 1)
        return self.waiting == self.preemptions == 0 and 0 <= grown <= HEADROOM_USAGE


def words(strains: Iterable[Strain]) -> str | None:
    """Return `strains` as part of a sentence, without figures that tick; None where there are none."""
    return _listed(_WORDS[strain] for strain in strains)


_WORDS: Final = {
    Strain.KV_CACHE_FULL: "the KV cache is nearly full",
    Strain.PREEMPTING: "requests are preempted",
    Strain.QUEUEING: "requests wait",
}


def _listed(parts: Iterable[str]) -> str | None:
    *first, last = [*parts] or [""]
    return " and ".join([", ".join(first), last]) if first else last or None


def pressure(window: WindowEvidence | None) -> Pressure:
    """Return the load in `window`, which is the short one, or nothing known where there is none."""
    if window is None or not window.pods:
        return Pressure()
    pods = window.pods
    return Pressure(
        kv_cache_usage=_worst(pod.gauges.get(Gauge.KV_CACHE_USAGE, math.nan) for pod in pods),
        kv_cache_peak=_worst(pod.peaks.get(Gauge.KV_CACHE_USAGE, math.nan) for pod in pods),
        waiting=_worst(pod.gauges.get(Gauge.WAITING, math.nan) for pod in pods),
        running=window.running,
        preemptions=_preemptions(pods),
    )


def _preemptions(pods: tuple[PodWindow, ...]) -> float:
    return sum(pod.counters.get(Counter.PREEMPTIONS, math.nan) for pod in pods)


def _worst(values: Iterable[float]) -> float:
    """Return the highest value; NaN where any cannot be or is not known."""
    known = list(values)
    return max(known) if all(0 <= value < math.inf for value in known) else math.nan
