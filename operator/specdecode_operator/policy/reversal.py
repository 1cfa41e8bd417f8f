"""Taking back a roll of the operator's own that failed, and stopping where taking back does not help."""

from dataclasses import replace
from typing import Final

from specdecode_operator.api.v1alpha1 import (
    MAX_BLOCKED,
    PROBE,
    REVERT,
    Blocked,
    FailureReason,
    Frozen,
    Operation,
    Outcome,
    Trigger,
)
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.record import Cause, decision, identity, timestamp
from specdecode_operator.policy.situation import Situation
from specdecode_operator.policy.standing import Standing, closed, started
from specdecode_operator.policy.verification import Failure

__all__ = ["MAX_REVERSALS", "blocked", "taken_back"]

MAX_REVERSALS: Final = 2
"""The reversal after which the resource is frozen: whatever is wrong, the operator's rolls are no remedy for it."""


def taken_back(situation: Situation, standing: Standing, operation: Operation, failed: Failure) -> Standing:
    """Return `standing` after `operation` failed.

    Pods go back to the variant that was left. A roll that itself went back leads nowhere else, and freezes. A fall
    from pods that did not start is only closed, since there is nothing to go back to.
    """
    if operation.trigger == REVERT:
        return _frozen(situation, closed(standing, operation, Outcome.FAILED), operation, "ReversalFailed")
    if operation.trigger == Trigger.STARTUP:
        return closed(standing, operation, Outcome.FAILED)
    reverted = _reverted(situation, standing, operation, failed)
    if reverted.reversals < MAX_REVERSALS:
        return reverted
    return _frozen(situation, reverted, operation, "SecondReversal")


def _reverted(situation: Situation, standing: Standing, operation: Operation, failed: Failure) -> Standing:
    target = situation.ladder.find(operation.from_variant) or situation.ladder.primary
    cause = Cause(REVERT, failed.reason, failed.finding)
    record = decision(situation, standing.variant, target, cause, Outcome.STARTED)
    back = started(closed(standing, operation, Outcome.REVERTED), target, record, [])
    after = replace(back, reversals=standing.reversals + 1)
    if operation.trigger == PROBE:
        return replace(after, probes=standing.probes + 1)
    return replace(after, blocked=blocked(situation, standing, operation, standing.variant, failed.reason))


def blocked(
    situation: Situation, standing: Standing, operation: Operation, variant: Variant, reason: FailureReason
) -> tuple[Blocked, ...]:
    """Return the rungs that were taken back or dropped, `variant` now among them for the operation's trigger."""
    entry = Blocked(
        trigger=operation.trigger,
        variant=variant.name,
        variant_hash=variant.hash,
        reason=reason,
        since=timestamp(situation.now),
    )
    key = entry.trigger, entry.variant
    others = [known for known in standing.blocked if (known.trigger, known.variant) != key]
    return (*others, entry)[-MAX_BLOCKED:]


def _frozen(situation: Situation, standing: Standing, operation: Operation, reason: str) -> Standing:
    """Freeze under an id of its own, unless the resource is frozen already."""
    if standing.frozen is not None:
        return standing
    since = timestamp(situation.now)
    return replace(standing, frozen=Frozen(id=identity("freeze", operation.id, since), reason=reason, since=since))
