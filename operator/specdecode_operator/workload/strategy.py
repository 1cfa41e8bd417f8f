"""Whether a roll surges or replaces one pod at a time."""

from specdecode_operator.api.v1alpha1 import Rollout, RolloutStrategy
from specdecode_operator.policy import ClusterState

__all__ = ["replaces"]


def replaces(rollout: Rollout, cluster: ClusterState, *, replicas: int, rolled_out: bool) -> bool:
    """Return whether pods are replaced one at a time.

    A single replica is only replaced with `allowDowntime`. `Auto` surges until a new pod finds no node, and then stays
    with replacing until the roll is over.
    """
    if replicas == 1 and not rollout.allow_downtime:
        return False
    if rollout.strategy is RolloutStrategy.AUTO:
        return not rolled_out and (cluster.unschedulable or cluster.replacing)
    return rollout.strategy is RolloutStrategy.REPLACE
