"""A rollout of which no pod starts: where it falls down to. This needs no metrics."""

from datetime import timedelta

from specdecode_operator.api.v1alpha1 import FailureReason
from specdecode_operator.policy.situation import ClusterState, Situation
from specdecode_operator.policy.standing import Standing
from specdecode_operator.policy.verification import failing

__all__ = ["stuck"]


def stuck(situation: Situation, standing: Standing) -> FailureReason | None:
    """Return why the rollout of the active variant has come to nothing, or None.

    It has where no pod of the variant was ever ready, and its pods crash or have had their time. A pod that finds no
    node says nothing about the variant.
    """
    cluster = situation.cluster
    if standing.operation is not None or cluster.completed or cluster.serving or cluster.unschedulable:
        return None
    reason = failing(cluster, standing.variant)
    if reason is FailureReason.NOT_READY and not _had_its_time(cluster, situation):
        return None
    return reason


def _had_its_time(cluster: ClusterState, situation: Situation) -> bool:
    """Whether the deadline is this rollout's: right after a change it may still be that of the one before."""
    ready_timeout = timedelta(seconds=situation.spec.rollout.ready_timeout.seconds)
    return cluster.since is not None and situation.now - cluster.since >= ready_timeout
