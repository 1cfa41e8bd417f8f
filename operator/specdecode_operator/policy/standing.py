"""Where a resource stands before anything new is decided: the active variant, and what became of earlier decisions."""

from dataclasses import dataclass, replace

from specdecode_operator.api.v1alpha1 import REVERT, Blocked, Decision, Frozen, Operation, Outcome, Phase, Pin, Trigger
from specdecode_operator.policy.brakes.budget import acted
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.record import appended, timestamp
from specdecode_operator.policy.situation import Situation
from specdecode_operator.policy.verification import conclusion

__all__ = ["Standing", "closed", "stand", "started"]

_READY_IS_ALL = (REVERT, Trigger.STARTUP)
"""Triggers of rolls that have done what they were for once every pod is ready."""


@dataclass(frozen=True)
class Standing:
    """The active variant, the operation in flight, the decisions so far, and what they forbid."""

    variant: Variant
    operation: Operation | None
    decisions: tuple[Decision, ...]
    blocked: tuple[Blocked, ...] = ()
    """Rungs that were taken back."""
    frozen: Frozen | None = None
    """Why the operator takes no action of its own."""
    reversals: int = 0
    """Decisions taken back since `primary` changed or a person unfroze the resource."""
    probes: int = 0
    """Times that speculation was tried again without staying on."""
    actions: tuple[str, ...] = ()
    """When the operator's own actions began."""
    pin: Pin | None = None
    """The variant that a person holds."""

    def blocked_hashes(self, trigger: str) -> frozenset[str]:
        """Return the hashes of the variants that `trigger` must not lead to again."""
        return frozenset(entry.variant_hash for entry in self.blocked if entry.trigger == trigger)


def stand(situation: Situation) -> Standing:
    """Return where the resource stands.

    A changed primary starts the ladder anew and forgets what was blocked or frozen, a vanished variant falls back to
    it, and a status that was lost is adopted from the Deployment's labels.
    """
    variant, status = _active(situation), situation.status
    standing = Standing(
        variant, status.operation, tuple(status.decisions), actions=tuple(status.actions), pin=status.pin
    )
    if status.primary_hash == situation.ladder.primary.hash:
        standing = replace(
            standing,
            blocked=tuple(status.blocked),
            frozen=status.frozen,
            reversals=status.reversals,
            probes=status.probes,
        )
    return _settle(_thaw(standing, situation), situation)


def started(standing: Standing, variant: Variant, decision: Decision, sound: list[str]) -> Standing:
    """Return `standing` with `decision` under way, that leads to `variant`; `sound` are the signals not in breach."""
    operation = Operation(
        id=decision.id,
        from_variant=decision.from_variant,
        to_variant=decision.to_variant,
        trigger=decision.trigger,
        started_at=decision.at,
        sound=sound,
    )
    decisions, actions = appended(standing.decisions, decision), acted(standing.actions, decision.at)
    return replace(standing, variant=variant, operation=operation, decisions=decisions, actions=actions)


def closed(standing: Standing, operation: Operation, outcome: Outcome) -> Standing:
    """Return `standing` without `operation`, whose decision had `outcome`."""
    return replace(_marked(standing, operation, outcome), operation=None)


def _active(situation: Situation) -> Variant:
    rungs, status, cluster = situation.ladder, situation.status, situation.cluster
    name, chosen_for = status.active_variant, status.primary_hash
    if name is None:
        name, chosen_for = cluster.variant, cluster.primary_hash
    if chosen_for != rungs.primary.hash:
        return rungs.primary
    return rungs.find(name) or rungs.primary


def _thaw(standing: Standing, situation: Situation) -> Standing:
    """A person may say that the operator shall go on; what was taken back stays blocked."""
    if standing.frozen is None or situation.unfreeze != standing.frozen.id:
        return standing
    return replace(standing, frozen=None, reversals=0)


def _settle(standing: Standing, situation: Situation) -> Standing:
    operation = standing.operation
    if operation is None:
        return standing
    on_trial = operation.phase is Phase.TRIAL
    runs = operation.from_variant if on_trial else operation.to_variant
    if runs != standing.variant.name or situation.status.variant_hash != standing.variant.hash:
        return closed(standing, operation, Outcome.SUPERSEDED)
    if on_trial:
        return standing
    if operation.phase is Phase.ROLLING:
        return _rolled(standing, operation, situation)
    outcome = conclusion(situation, standing.variant, operation)
    return standing if outcome is None else closed(standing, operation, outcome)


def _rolled(standing: Standing, operation: Operation, situation: Situation) -> Standing:
    """Have a roll that has reached every pod completed, and verified where metrics were its reason."""
    if not situation.cluster.rolled_out(standing.variant.hash):
        return standing
    if operation.trigger in _READY_IS_ALL:
        return closed(standing, operation, Outcome.COMPLETED)
    changes = {"phase": Phase.VERIFYING, "rolled_at": timestamp(situation.now)}
    verifying = operation.model_copy(update=changes)
    return replace(_marked(standing, operation, Outcome.COMPLETED), operation=verifying)


def _marked(standing: Standing, operation: Operation, outcome: Outcome) -> Standing:
    decisions = tuple(
        decision.model_copy(update={"outcome": outcome}) if decision.id == operation.id else decision
        for decision in standing.decisions
    )
    return replace(standing, decisions=decisions)
