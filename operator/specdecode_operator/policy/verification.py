"""Whether a roll of the operator's own is kept: its pods must start, and what they do must not be worse.

That pods do not start needs no metrics. Everything else is judged on what came after the roll, and where that is not
enough, nothing is concluded however long it takes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from specdecode_operator.api.v1alpha1 import FailureReason, Operation, Outcome, Phase, Window
from specdecode_operator.policy.judging.evidence import warm_up
from specdecode_operator.policy.judging.verdicts import Finding, Verdict, overall
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.record import label
from specdecode_operator.policy.situation import ClusterState, Judgement, Situation

__all__ = ["Failure", "conclusion", "due", "failing", "failure", "ready_by", "sound"]

_GRACE: Final = timedelta(seconds=60)
"""What the Deployment's progress deadline adds to `rollout.readyTimeout`."""

_SOUND: Final = (Verdict.HEALTHY, Verdict.RECOVERED, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class Failure:
    """Why a roll is taken back; `finding` is what became worse."""

    reason: FailureReason
    finding: Finding | None = None


def sound(judgement: Judgement) -> list[str]:
    """Return the signals, with their thresholds, of which it is known that they are not in breach."""
    return [label(finding.signal) for finding in judgement.findings if finding.verdict in _SOUND]


def failing(cluster: ClusterState, variant: Variant) -> FailureReason | None:
    """Return what is wrong with the pods of `variant`, by what Kubernetes says."""
    if not cluster.carries(variant.hash):
        return None
    if cluster.crash_looping:
        return FailureReason.CRASH_LOOP
    return FailureReason.NOT_READY if cluster.deadline_exceeded else None


def failure(situation: Situation, variant: Variant, operation: Operation) -> Failure | None:
    """Return why the roll to `variant` is to be taken back, or None."""
    reason = _unready(situation, variant, operation)
    if reason is not None:
        return Failure(reason)
    judgement = _evidence(situation, variant, operation)
    worse = _worse(judgement, operation) if judgement is not None else None
    return None if worse is None else Failure(FailureReason.WORSE, worse)


def conclusion(situation: Situation, variant: Variant, operation: Operation) -> Outcome | None:
    """Return what a verified roll has come to, or None while that is open or it is to be taken back."""
    judgement = _evidence(situation, variant, operation)
    if judgement is None or failure(situation, variant, operation) is not None:
        return None
    if judgement.breaches():
        return Outcome.NOT_IMPROVED
    kept = all(finding.verdict in _SOUND for finding in judgement.findings)
    return Outcome.VERIFIED if kept else None


def due(situation: Situation, operation: Operation) -> datetime:
    """Return when there may be something to conclude though nothing else has changed by then."""
    if operation.rolled_at is None:
        return ready_by(situation, operation)
    return datetime.fromisoformat(operation.rolled_at) + _settling(situation.spec.policy.window)


def _unready(situation: Situation, variant: Variant, operation: Operation) -> FailureReason | None:
    cluster = situation.cluster
    if failing(cluster, variant) is FailureReason.CRASH_LOOP:
        return FailureReason.CRASH_LOOP
    rolling = operation.phase is Phase.ROLLING and cluster.carries(variant.hash)
    late = rolling and not cluster.rolled_out(variant.hash) and _late(situation, operation)
    return FailureReason.NOT_READY if late else None


def _late(situation: Situation, operation: Operation) -> bool:
    """Whether the pods have had their time.

    The Deployment's deadline starts again with every pod that becomes ready, so that a long roll of many pods is not
    cut short; and it may still be that of the roll before, so that our own clock must have run out as well. Pods that
    become ready and unready in turns never exceed it: all of them together have as long as each one after the other.
    """
    cluster = situation.cluster
    began = max(cluster.since, _started(operation)) if cluster.since is not None else None
    over = began is not None and situation.now >= began + max(cluster.desired, 1) * _allowed(situation)
    return over or (cluster.deadline_exceeded and situation.now >= ready_by(situation, operation))


def ready_by(situation: Situation, operation: Operation) -> datetime:
    """Return when a pod of `operation` has had its time to become ready: as the Deployment's own deadline has it."""
    return _started(operation) + _allowed(situation)


def _started(operation: Operation) -> datetime:
    return datetime.fromisoformat(operation.started_at)


def _allowed(situation: Situation) -> timedelta:
    return timedelta(seconds=situation.spec.rollout.ready_timeout.seconds) + _GRACE


def _settling(window: Window) -> timedelta:
    """Return how long after a roll the windows hold nothing of what was before."""
    return timedelta(seconds=window.long.seconds + warm_up(window.short.seconds))


def _evidence(situation: Situation, variant: Variant, operation: Operation) -> Judgement | None:
    """Return the evaluation to conclude from, or None while there is none that may be trusted."""
    judgement = situation.judged(variant.hash)
    open_still = operation.phase is not Phase.VERIFYING or situation.now < due(situation, operation)
    if judgement is None or open_still or not situation.cluster.rolled_out(variant.hash):
        return None
    trusted = judgement.unavailable is None and judgement.waiting is None
    return judgement if trusted and overall(judgement.findings) is not Verdict.UNKNOWN else None


def _worse(judgement: Judgement, operation: Operation) -> Finding | None:
    return next((found for found in judgement.breaches() if label(found.signal) in operation.sound), None)
