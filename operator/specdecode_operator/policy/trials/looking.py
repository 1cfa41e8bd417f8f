"""A look at a trial: which pods are compared, over which window, and what the answers say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from specdecode_operator.api.names import ROLE_STABLE, ROLE_TRIAL
from specdecode_operator.api.v1alpha1 import Phase, Spec, Status
from specdecode_operator.policy.judging.evidence import PodFacts, Snapshot, warm_up
from specdecode_operator.policy.judging.signals import LatencySignal, signals
from specdecode_operator.policy.ladder import Ladder
from specdecode_operator.policy.situation import Compared
from specdecode_operator.policy.trials.arms import PodArm, arms
from specdecode_operator.policy.trials.comparison import MARGINS, compare
from specdecode_operator.policy.trials.looks import look

__all__ = ["Look", "compared", "look_at"]

PodKey = tuple[str, str]


@dataclass(frozen=True)
class Look:
    """One trial that is old enough to be judged."""

    decision: str
    """Id of the decision whose trial it is."""
    window: float
    """Seconds, the same for both arms."""
    last: bool
    """Whether there is no longer window."""
    candidate: tuple[PodFacts, ...]
    stable: tuple[PodFacts, ...]

    @property
    def pods(self) -> list[PodKey]:
        """Namespace and name of the pods of both arms."""
        return [(pod.namespace, pod.name) for pod in (*self.candidate, *self.stable)]


def look_at(spec: Spec, status: Status, rungs: Ladder, pods: Iterable[PodFacts], now: datetime) -> Look | None:
    """Return the look at the resource's trial that is due at `now`, or None without a trial or before the first."""
    operation, policy = status.operation, spec.policy
    candidate = rungs.find(operation.to_variant) if operation is not None else None
    if operation is None or candidate is None or operation.phase is not Phase.TRIAL:
        return None
    ready = [pod for pod in pods if pod.ready_since is not None and not pod.terminating]
    tried = tuple(pod for pod in ready if (pod.role, pod.variant_hash) == (ROLE_TRIAL, candidate.hash))
    since = min((pod.ready_since for pod in tried if pod.ready_since is not None), default=now)
    elapsed = (now - since).total_seconds() - warm_up(policy.window.short.seconds)
    longest = policy.trial.max_duration.seconds
    window = look(elapsed, policy.trial.min_duration.seconds, longest)
    if window is None:
        return None
    stable = tuple(pod for pod in ready if (pod.role, pod.variant_hash) == (ROLE_STABLE, status.variant_hash))
    return Look(operation.id, window, window == longest, tried, stable)


def compared(
    found: Look, spec: Spec, snapshot: Snapshot, samples: Mapping[PodKey, PodArm], before: Compared | None
) -> Compared | None:
    """Return what `found` shows, or None where the metrics cannot be trusted or are not enough yet.

    `before` is what the evaluation before found, which may confirm it.
    """
    sides = arms(
        snapshot,
        samples,
        candidate=found.candidate,
        stable=found.stable,
        window=found.window,
        warm_up=warm_up(spec.policy.window.short.seconds),
    )
    if sides.candidate is None or sides.stable is None:
        return None
    tails = tuple(signal for signal in signals(spec) if isinstance(signal, LatencySignal))
    margins = replace(MARGINS, requests=float(spec.policy.window.minimum_requests.long))
    comparison = compare(sides.candidate, sides.stable, tails, margins)
    same = before is not None and before.decision == found.decision
    agrees = before is not None and before.comparison.verdict is comparison.verdict and before.last == found.last
    return Compared(found.decision, comparison, repeated=same and agrees, last=found.last)
