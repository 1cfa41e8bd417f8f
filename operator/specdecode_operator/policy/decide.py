"""One situation to one plan. No clock, no I/O, no kopf.

First what is under way is settled; a roll of our own that failed is taken back; a rollout of which no pod starts falls
down; and only then does a breach lead to the next rung.
"""

from dataclasses import dataclass, replace

from specdecode_operator.api.v1alpha1 import Blocked, Decision, Frozen, Mode, Operation, Outcome, Pin, Trigger
from specdecode_operator.policy.approval import awaiting, expiry, requested, settled
from specdecode_operator.policy.checks import Case, Hold, braked, first_objection, halted
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.pin import followed, over_at, overridden
from specdecode_operator.policy.record import Cause, appended, decision
from specdecode_operator.policy.rehearsal import rehearsed
from specdecode_operator.policy.reversal import taken_back
from specdecode_operator.policy.situation import Situation
from specdecode_operator.policy.standing import Standing, stand, started
from specdecode_operator.policy.startup import stuck
from specdecode_operator.policy.verification import due, failure, sound
from specdecode_operator.policy.waking import seconds_until

__all__ = ["Plan", "decide"]


@dataclass(frozen=True)
class Plan:
    """The variant that shall run, and what to remember."""

    variant: Variant
    operation: Operation | None
    decisions: tuple[Decision, ...]
    hold: Hold | None
    """Why nothing new was decided; None where this plan holds a new decision."""
    blocked: tuple[Blocked, ...] = ()
    frozen: Frozen | None = None
    reversals: int = 0
    actions: tuple[str, ...] = ()
    """When the operator's own actions began."""
    pin: Pin | None = None
    """The variant that a person holds."""
    again: float | None = None
    """Seconds after which time alone may change the plan."""


def decide(situation: Situation) -> Plan:
    """Return what shall run. The plan is to be recorded in the status before it is carried out."""
    standing = rehearsed(situation, settled(situation, overridden(situation, stand(situation))))
    operation = standing.operation
    failed = failure(situation, standing.variant, operation) if operation is not None else None
    if operation is None or failed is None:
        return _go_on(situation, standing)
    hold = _held_back(situation, standing)
    if hold is not None:
        return _plan(situation, standing, hold)
    after = taken_back(situation, standing, operation, failed)
    return _go_on(situation, after) if after.operation is None else _plan(situation, after, None)


def _held_back(situation: Situation, standing: Standing) -> Hold | None:
    """Return what keeps even a failed roll where it is."""
    if situation.spec.policy.mode is Mode.OBSERVE:
        return Hold("ModeObserve", "policy.mode is Observe; Enforce would take the failed roll back")
    return halted(Case(situation, standing))


def _go_on(situation: Situation, standing: Standing) -> Plan:
    reason = stuck(situation, standing)
    below = situation.ladder.after(standing.variant, Trigger.STARTUP)
    if reason is not None and below is not None:
        return _fall(situation, standing, Cause(Trigger.STARTUP, reason), below)
    case = Case(situation, standing)
    hold = first_objection(case)
    if hold is not None or case.next_rung is None:
        return _plan(situation, standing, hold)
    finding, rung = case.next_rung
    return _leave(situation, standing, Cause(finding.signal.trigger, finding=finding), rung)


def _fall(situation: Situation, standing: Standing, cause: Cause, rung: Variant) -> Plan:
    hold = braked(Case(situation, standing))
    return _leave(situation, standing, cause, rung) if hold is None else _plan(situation, standing, hold)


def _leave(situation: Situation, standing: Standing, cause: Cause, rung: Variant) -> Plan:
    """Roll to `rung`, in mode Recommend once it is approved; in mode Observe only write it down."""
    mode = situation.spec.policy.mode
    if mode is Mode.OBSERVE:
        return _observe(situation, standing, cause, rung)
    record = decision(situation, standing.variant, rung, cause, Outcome.STARTED)
    if mode is Mode.RECOMMEND:
        standing, approved = requested(situation, standing, record)
        if approved is None:
            return _plan(situation, standing, awaiting(standing))
        record = approved
    judgement = situation.judged(standing.variant.hash)
    well = sound(judgement) if judgement is not None and cause.finding is not None else []
    return _plan(situation, started(standing, rung, record, well), None)


def _observe(situation: Situation, standing: Standing, cause: Cause, rung: Variant) -> Plan:
    hold = Hold("ModeObserve", "policy.mode is Observe; Enforce would roll to the next rung")
    record = decision(situation, standing.variant, rung, cause, Outcome.OBSERVED)
    if not _already_observed(situation, standing, record):
        standing = replace(standing, decisions=appended(standing.decisions, record))
    return _plan(situation, standing, hold)


def _already_observed(situation: Situation, standing: Standing, record: Decision) -> bool:
    """One entry an episode: a rollout that does not start, or the time in which `ObjectivesMet` stays false."""
    if not standing.decisions:
        return False
    fields = {"generation", "from_variant", "to_variant", "trigger", "outcome"}
    same = standing.decisions[-1].model_dump(include=fields) == record.model_dump(include=fields)
    met = situation.status.condition("ObjectivesMet")
    return same and (record.reason is not None or (met is not None and met.status != "True"))


def _plan(situation: Situation, standing: Standing, hold: Hold | None) -> Plan:
    standing = followed(situation, standing)
    operation = standing.operation
    moments = [
        due(situation, operation) if operation else None,
        hold.until if hold else None,
        expiry(standing),
        over_at(standing),
    ]
    return Plan(
        variant=standing.variant,
        operation=operation,
        decisions=standing.decisions,
        hold=hold,
        blocked=standing.blocked,
        frozen=standing.frozen,
        reversals=standing.reversals,
        actions=standing.actions,
        pin=standing.pin,
        again=seconds_until(moments, situation.now),
    )
