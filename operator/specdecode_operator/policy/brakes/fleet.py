"""What all resources of one operator share: a stop, a number of rolls at a time, and a suspicion of a common cause."""

from dataclasses import dataclass

__all__ = ["FleetRules", "FleetState"]


@dataclass(frozen=True)
class FleetRules:
    """What an administrator allows all resources together."""

    stop: bool = False
    """Whether the operator takes no action of its own at all."""
    slots: int = 5
    """Operations that may move pods at once."""
    count: int = 3
    """Resources in breach from which on a common cause is suspected."""
    percent: int = 20
    """And the share of those watched, in percent, that they must exceed."""


@dataclass(frozen=True)
class FleetState:
    """The other resources at the moment of a decision.

    The figures of an endpoint are those of one whole evaluation, so that they are the same for each of its resources,
    in whatever order these are worked on.
    """

    rules: FleetRules = FleetRules()
    rolling: int = 0
    """Operations of other resources that move pods, those included that were decided and are not recorded yet."""
    breaching: int = 0
    """Resources behind the same endpoint that have lately been in confirmed breach."""
    watched: int = 0
    """Resources behind the same endpoint."""

    @property
    def stopped(self) -> bool:
        """Whether an administrator has stopped all actions."""
        return self.rules.stop

    @property
    def full(self) -> bool:
        """Whether as many resources are being rolled as may be."""
        return self.rolling >= self.rules.slots

    @property
    def common_cause(self) -> bool:
        """Whether so many resources are in breach that what is wrong is hardly their own configuration."""
        many = self.breaching >= self.rules.count
        return many and 100 * self.breaching > self.rules.percent * self.watched
