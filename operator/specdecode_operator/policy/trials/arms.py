"""The two arms of a trial: what the candidate's pod and the stable pods did over the same minutes."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import FAILED_REASONS, Counter
from specdecode_operator.policy.judging.evidence import PodFacts, Snapshot, add, distrust, older

__all__ = ["Arm", "Arms", "Batch", "Distribution", "Figure", "Part", "PodArm", "Tokens", "arm", "arms"]

PodKey = tuple[str, str]


class Tokens(StrEnum):
    """Which tokens of a finished request."""

    PROMPT = "Prompt"
    GENERATION = "Generation"


class Part(StrEnum):
    """Which series of a metric."""

    FINISHED = "finished"
    COUNTER = "counter"
    SUM = "sum"
    COUNT = "count"
    BUCKET = "bucket"


@dataclass(frozen=True)
class Figure:
    """The name of one number of one pod: the increase of a series over a window."""

    window: float
    """Seconds."""
    part: Part
    of: LatencyMetric | Tokens | Counter | None = None
    """None for finished requests."""
    label: str | float = ""
    """The finished reason, or a bucket's upper bound in seconds."""
    batch: int | None = None
    """Which part of the window, 0 for the latest; None for all of it."""


PodArm = Mapping[Figure, float]
"""What Prometheus has of one pod."""


@dataclass(frozen=True)
class Batch:
    """Observations of one part of the window: their sum and their number."""

    sum: float = math.nan
    count: float = math.nan


@dataclass(frozen=True)
class Distribution:
    """Observations of one kind: their sum in seconds or tokens, their number, and how they spread."""

    sum: float = math.nan
    count: float = math.nan
    buckets: Mapping[float, float] = field(default_factory=dict)
    """Cumulative counts by upper bound; empty where only the mean is asked for."""
    batches: Mapping[int, Batch] = field(default_factory=dict)
    """The same window in parts; empty where only the mean is asked for."""

    @property
    def mean(self) -> float:
        """The mean; NaN without observations."""
        return self.sum / self.count if self.count > 0 else math.nan


@dataclass(frozen=True)
class Arm:
    """One arm over one window, summed over its pods. NaN is what some pod did not have, or had twice."""

    window: float
    """Seconds."""
    pods: int
    finished: Mapping[str, float] = field(default_factory=dict)
    """Finished requests by reason."""
    latency: Mapping[LatencyMetric, Distribution] = field(default_factory=dict)
    """Only what the engine exposes."""
    prompt_tokens: Distribution = Distribution()
    generation_tokens: Distribution = Distribution()
    counters: Mapping[Counter, float] = field(default_factory=dict)
    """Speculation counters; absent while speculation is off."""

    @property
    def requests(self) -> float:
        """Finished requests."""
        return sum(self.finished.values())

    @property
    def failed(self) -> float:
        """Finished requests without the answer that was asked for."""
        return sum(count for reason, count in self.finished.items() if reason in FAILED_REASONS)


@dataclass(frozen=True)
class Arms:
    """What may be compared: both arms, or the reason why there is nothing to compare."""

    candidate: Arm | None = None
    stable: Arm | None = None
    unavailable: str | None = None
    """Why the metrics cannot be trusted."""
    waiting: str | None = None
    """Why there is not enough yet, though nothing is wrong."""


def arm(samples: Mapping[PodKey, PodArm], pods: Iterable[PodKey], window: float) -> Arm:
    """Return the sum over `pods` in the window of `window` seconds.

    What one pod lacks and another has becomes NaN: a sum over half the pods is a lie.
    """
    keys = list(pods)
    total = add(_over(samples.get(key, {}), window) for key in keys)
    return Arm(
        window=window,
        pods=len(keys),
        finished={str(figure.label): value for figure, value in total.items() if figure.part is Part.FINISHED},
        latency={metric: _distribution(total, metric) for metric in LatencyMetric if _has(total, metric)},
        prompt_tokens=_distribution(total, Tokens.PROMPT),
        generation_tokens=_distribution(total, Tokens.GENERATION),
        counters={figure.of: value for figure, value in total.items() if isinstance(figure.of, Counter)},
    )


def arms(
    snapshot: Snapshot | None,
    samples: Mapping[PodKey, PodArm],
    *,
    candidate: Iterable[PodFacts],
    stable: Iterable[PodFacts],
    window: float,
    warm_up: float,
) -> Arms:
    """Return both arms over the last `window` seconds, each of the given pods that count.

    Pods that are not ready, are going, or have not been ready for the window and `warm_up` seconds are left out.
    `snapshot` must hold the same window: whether a pod can be trusted is read there. A pod that should be seen and is
    not makes both arms unavailable.
    """
    if snapshot is None:
        return Arms(unavailable="EndpointUnavailable")
    sides = (_serving(candidate), _serving(stable))
    old = tuple(older(side, snapshot.at, window + warm_up) for side in sides)
    everyone = [pod for side in old for pod in side]
    warm = [pod for side in sides for pod in older(side, snapshot.at, warm_up)]
    unavailable = distrust(snapshot, warm, {window: everyone}) or _unseen(samples, everyone, window)
    if unavailable:
        return Arms(unavailable=unavailable)
    waiting = _waiting(sides, old)
    if waiting:
        return Arms(waiting=waiting)
    first, second = (arm(samples, map(_key, side), window) for side in old)
    return Arms(first, second)


def _serving(pods: Iterable[PodFacts]) -> list[PodFacts]:
    return [pod for pod in pods if pod.ready_since and not pod.terminating]


def _waiting(sides: tuple[list[PodFacts], ...], old: tuple[list[PodFacts], ...]) -> str | None:
    """Return why an arm has no pod that counts, or None; what the candidate lacks comes first."""
    for name, side, counting in zip(("Candidate", "Stable"), sides, old, strict=True):
        if not counting:
            return f"{name}TooYoung" if side else f"{name}NotReady"
    return None


def _unseen(samples: Mapping[PodKey, PodArm], pods: Iterable[PodFacts], window: float) -> str | None:
    """Return a reason where the queries of the arms found nothing at all of a pod."""
    missing = any(not _over(samples.get(_key(pod), {}), window) for pod in pods)
    return "SamplesMissing" if missing else None


def _key(pod: PodFacts) -> PodKey:
    return pod.namespace, pod.name


def _over(values: PodArm, window: float) -> PodArm:
    return {figure: value for figure, value in values.items() if figure.window == window}


def _has(values: PodArm, metric: LatencyMetric) -> bool:
    return any(figure.of is metric for figure in values)


def _distribution(values: PodArm, of: LatencyMetric | Tokens) -> Distribution:
    mine = {figure: value for figure, value in values.items() if figure.of is of}
    total = _sum_and_count(mine, None)
    return Distribution(
        sum=total.sum,
        count=total.count,
        buckets={float(figure.label): value for figure, value in mine.items() if figure.part is Part.BUCKET},
        batches={batch: _sum_and_count(mine, batch) for batch in sorted(_batches(mine))},
    )


def _batches(values: PodArm) -> frozenset[int]:
    return frozenset(figure.batch for figure in values if figure.batch is not None)


def _sum_and_count(values: PodArm, batch: int | None) -> Batch:
    parts = {figure.part: value for figure, value in values.items() if figure.batch == batch}
    return Batch(parts.get(Part.SUM, math.nan), parts.get(Part.COUNT, math.nan))
