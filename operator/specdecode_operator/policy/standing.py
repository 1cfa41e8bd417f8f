"""Which variant is active before anything new is decided, and what became of the operation in flight."""

from dataclasses import dataclass, replace

from specdecode_operator.api.v1alpha1 import Decision, Operation, Outcome
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.situation import Situation

__all__ = ["Standing", "stand"]


@dataclass(frozen=True)
class Standing:
    """The active variant, the operation in flight, and the decisions so far."""

    variant: Variant
    operation: Operation | None
    decisions: tuple[Decision, ...]


def stand(situation: Situation) -> Standing:
    """Return where the resource stands.

    A changed primary starts the ladder anew, a vanished variant falls back to it, and a status that was lost is adopted
    from the Deployment's labels.
    """
    variant = _active(situation)
    standing = Standing(variant, situation.status.operation, tuple(situation.status.decisions))
    return _settle(standing, situation)


def _active(situation: Situation) -> Variant:
    rungs, status, cluster = situation.ladder, situation.status, situation.cluster
    name, chosen_for = status.active_variant, status.primary_hash
    if name is None:
        name, chosen_for = cluster.variant, cluster.primary_hash
    if chosen_for != rungs.primary.hash:
        return rungs.primary
    return rungs.find(name) or rungs.primary


def _settle(standing: Standing, situation: Situation) -> Standing:
    operation = standing.operation
    if operation is None:
        return standing
    hash_then = situation.status.variant_hash
    if operation.to_variant != standing.variant.name or hash_then != standing.variant.hash:
        return _close(standing, operation, Outcome.SUPERSEDED)
    if situation.cluster.rolled_out(standing.variant.hash):
        return _close(standing, operation, Outcome.COMPLETED)
    return standing


def _close(standing: Standing, operation: Operation, outcome: Outcome) -> Standing:
    decisions = tuple(
        decision.model_copy(update={"outcome": outcome}) if decision.id == operation.id else decision
        for decision in standing.decisions
    )
    return replace(standing, operation=None, decisions=decisions)
