"""What Prometheus said about pods, and the part of it that counts for one variant."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from specdecode_operator.api.names import ROLE_STABLE
from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import Counter, Gauge

__all__ = [
    "MAX_SAMPLE_AGE",
    "MIN_COVERAGE",
    "Evidence",
    "PodFacts",
    "PodSamples",
    "PodWindow",
    "Snapshot",
    "WindowEvidence",
    "add",
    "distrust",
    "gather",
    "older",
    "warm_up",
]

PodKey = tuple[str, str]
Key = TypeVar("Key")

MIN_COVERAGE: Final = 0.8
"""Share of the expected scrapes that a window must hold; fewer are a hole in the data, not a low rate."""

MAX_SAMPLE_AGE: Final = 90.0
"""Seconds after which a pod's newest sample is stale."""

WARM_UP: Final = 60.0
"""Seconds at the start of a pod that are left out (at most the short window)."""


@dataclass(frozen=True)
class PodWindow:
    """One pod over one window: increases of its counters, and its load."""

    scrapes: float = 0.0
    """Samples of a gauge in the window."""
    requests: float | None = None
    """Finished requests."""
    counters: Mapping[Counter, float] = field(default_factory=dict)
    """Speculation counters; absent while speculation is off."""
    buckets: Mapping[LatencyMetric, Mapping[float, float]] = field(default_factory=dict)
    """Cumulative counts by upper bound in seconds; `inf` is the number of all."""
    gauges: Mapping[Gauge, float] = field(default_factory=dict)
    """Means over the window."""
    peaks: Mapping[Gauge, float] = field(default_factory=dict)
    """Highest values in the window."""


@dataclass(frozen=True)
class PodSamples:
    """One pod: age of its newest sample in seconds, scrape targets that found it, and its windows by seconds."""

    age: float = math.inf
    targets: float = 0
    windows: Mapping[float, PodWindow] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """One endpoint's answers at one moment."""

    at: datetime
    pods: Mapping[PodKey, PodSamples]
    scrape_interval: float
    """Seconds between scrapes, from the endpoint's settings."""


@dataclass(frozen=True)
class PodFacts:
    """What the cluster says about one pod."""

    namespace: str
    name: str
    variant_hash: str
    ready_since: datetime | None
    role: str = ROLE_STABLE
    terminating: bool = False
    unschedulable: bool = False
    created: datetime | None = None
    crash_looping: bool = False
    """Whether one of its containers has been restarted three times and waits for the next."""


@dataclass(frozen=True)
class WindowEvidence:
    """One window, summed over the pods that count."""

    seconds: float
    requests: float = 0.0
    counters: Mapping[Counter, float] = field(default_factory=dict)
    buckets: Mapping[LatencyMetric, Mapping[float, float]] = field(default_factory=dict)
    pods: tuple[PodWindow, ...] = ()
    """What was summed."""

    @property
    def running(self) -> float:
        """Mean number of running requests of one pod; NaN where it is not known of every one."""
        known = [pod.gauges.get(Gauge.RUNNING, math.nan) for pod in self.pods]
        return sum(known) / len(known) if known else math.nan


@dataclass(frozen=True)
class Evidence:
    """What may be judged: both windows, or the reason why there is nothing to judge."""

    short: WindowEvidence | None = None
    long: WindowEvidence | None = None
    unavailable: str | None = None
    """Why the metrics cannot be trusted: a reason word for the condition `MetricsAvailable`."""
    waiting: str | None = None
    """Why there is not enough yet, though nothing is wrong."""


def gather(
    snapshot: Snapshot | None, pods: Iterable[PodFacts], *, variant_hash: str, short: float, long: float
) -> Evidence:
    """Return the evidence of the pods of one variant over the windows of `short` and `long` seconds.

    Pods that are not ready, are going, belong to another variant or are younger than a window and the warm-up are left
    out of that window. A pod that should be seen and is not makes the whole evidence unavailable.
    """
    if snapshot is None:
        return Evidence(unavailable="EndpointUnavailable")
    now = snapshot.at
    stable = [pod for pod in pods if pod.role == ROLE_STABLE and pod.variant_hash == variant_hash]
    serving = [pod for pod in stable if not pod.terminating and pod.ready_since]
    if not serving:
        return Evidence(waiting="NoReadyPods")
    old = {seconds: older(serving, now, seconds + warm_up(short)) for seconds in (short, long)}
    unavailable = distrust(snapshot, older(serving, now, warm_up(short)), old)
    if unavailable:
        return Evidence(unavailable=unavailable)
    if not old[long]:
        return Evidence(waiting="PodsTooYoung")
    return Evidence(
        short=_sum(snapshot, old[short], short),
        long=_sum(snapshot, old[long], long),
    )


def warm_up(short: float) -> float:
    """Return the seconds at the start of a pod that are left out, for a short window of `short` seconds."""
    return min(WARM_UP, short)


def older(pods: Iterable[PodFacts], now: datetime, seconds: float) -> list[PodFacts]:
    """Return those of `pods` that have been ready for `seconds`."""
    limit = now - timedelta(seconds=seconds)
    return [pod for pod in pods if pod.ready_since is not None and pod.ready_since <= limit]


def distrust(snapshot: Snapshot, warm: list[PodFacts], old: Mapping[float, list[PodFacts]]) -> str | None:
    """Return why the samples of pods that are `warm`, or `old` enough for a window, cannot be trusted, or None."""
    stale = max(MAX_SAMPLE_AGE, 3 * snapshot.scrape_interval)
    samples = [_samples(snapshot, pod) for pod in warm]
    if any(sample.targets == 0 for sample in samples):
        return "PodsNotScraped"
    if any(sample.targets != 1 for sample in samples):
        return "PodsScrapedTwice"
    if any(not sample.age <= stale for sample in samples):
        return "SamplesStale"
    if any(_holes(snapshot, pods, seconds) for seconds, pods in old.items()):
        return "SamplesMissing"
    return None


def _holes(snapshot: Snapshot, pods: list[PodFacts], seconds: float) -> bool:
    expected = seconds / snapshot.scrape_interval
    windows = (_samples(snapshot, pod).windows.get(seconds, PodWindow()) for pod in pods)
    return any(not window.scrapes >= MIN_COVERAGE * expected for window in windows)


def _samples(snapshot: Snapshot, pod: PodFacts) -> PodSamples:
    return snapshot.pods.get((pod.namespace, pod.name), PodSamples())


def _sum(snapshot: Snapshot, pods: list[PodFacts], seconds: float) -> WindowEvidence:
    windows = [_samples(snapshot, pod).windows[seconds] for pod in pods]
    return WindowEvidence(
        seconds=seconds,
        requests=sum(window.requests or 0.0 for window in windows),
        counters=add(window.counters for window in windows),
        buckets={metric: add(window.buckets.get(metric, {}) for window in windows) for metric in LatencyMetric},
        pods=tuple(windows),
    )


def add(parts: Iterable[Mapping[Key, float]]) -> dict[Key, float]:
    """Add up by key; a key that one part lacks and another has becomes NaN: a sum over half the pods is a lie."""
    maps = list(parts)
    keys = {key for part in maps for key in part}
    return {key: sum(part.get(key, math.nan) for part in maps) for key in keys}
