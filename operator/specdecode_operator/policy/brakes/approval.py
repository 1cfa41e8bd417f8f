"""Mode Recommend: a decision is proposed, and carried out once a person approves it.

At the approval everything is judged again: what is approved is carried out only while the operator would still do the
same by itself. A reversal needs no approval.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from specdecode_operator.api.names import APPROVE_ANNOTATION
from specdecode_operator.api.v1alpha1 import PROBE, Decision, Mode, Outcome
from specdecode_operator.policy.brakes.checks import Hold
from specdecode_operator.policy.record import appended, timestamp
from specdecode_operator.policy.situation import Situation
from specdecode_operator.policy.standing import Standing

__all__ = ["PROPOSAL_LIFETIME", "awaiting", "expiry", "pending", "requested", "settled"]

PROPOSAL_LIFETIME: Final = timedelta(minutes=30)
"""How long a proposal may be approved: what was judged longer ago says little about now."""


def pending(standing: Standing) -> Decision | None:
    """Return the proposal that may be approved, if there is one; there is never more than one."""
    return next((one for one in standing.decisions if one.outcome is Outcome.PROPOSED), None)


def expiry(standing: Standing) -> datetime | None:
    """Return when the proposal expires, if there is one."""
    proposal = pending(standing)
    return None if proposal is None else _expires(proposal)


def awaiting(standing: Standing) -> Hold:
    """Return why nothing is done while a proposal waits."""
    proposal = pending(standing)
    if proposal is None:
        return Hold("AwaitingApproval", "policy.mode is Recommend; a decision has to be approved")
    command = f"kubectl annotate sdd NAME --overwrite {APPROVE_ANNOTATION}={proposal.id}"
    return Hold(
        "AwaitingApproval", f"to have {proposal.to_variant} rolled out, by {timestamp(_expires(proposal))}: {command}"
    )


def settled(situation: Situation, standing: Standing) -> Standing:
    """Return `standing` with a proposal closed that is too old, or that something has overtaken."""
    proposal = pending(standing)
    if proposal is None:
        return standing
    if _overtaken(situation, standing, proposal):
        return _marked(standing, proposal, Outcome.SUPERSEDED)
    if situation.now >= _expires(proposal):
        return _marked(standing, proposal, Outcome.EXPIRED)
    return standing


def requested(situation: Situation, standing: Standing, record: Decision) -> tuple[Standing, Decision | None]:
    """Return the decision to carry out, or None where it is yet to be approved.

    `record` is what the operator would do by itself. The one that is carried out has the id of its proposal, in whose
    place it stands. A breach overtakes the proposal of a probe.
    """
    proposal = pending(standing)
    if proposal is not None and PROBE == proposal.trigger != record.trigger:
        standing, proposal = _marked(standing, proposal, Outcome.SUPERSEDED), None
    if proposal is None:
        return _proposed(standing, record.model_copy(update={"outcome": Outcome.PROPOSED})), None
    if situation.approve != proposal.id or _route(proposal) != _route(record):
        return standing, None
    others = tuple(one for one in standing.decisions if one.id != proposal.id)
    return replace(standing, decisions=others), record.model_copy(update={"id": proposal.id})


def _proposed(standing: Standing, proposal: Decision) -> Standing:
    """Append `proposal`; it takes the place of one before it that expired, or nights would fill the whole list."""
    decisions = standing.decisions
    if decisions and decisions[-1].outcome is Outcome.EXPIRED and _route(decisions[-1]) == _route(proposal):
        decisions = decisions[:-1]
    return replace(standing, decisions=appended(decisions, proposal))


def _overtaken(situation: Situation, standing: Standing, proposal: Decision) -> bool:
    same_primary = situation.status.primary_hash == situation.ladder.primary.hash
    same_place = same_primary and proposal.from_variant == standing.variant.name
    return not same_place or situation.spec.policy.mode is not Mode.RECOMMEND


def _expires(proposal: Decision) -> datetime:
    return datetime.fromisoformat(proposal.at) + PROPOSAL_LIFETIME


def _route(decision: Decision) -> tuple[str, str, str]:
    return decision.from_variant, decision.to_variant, decision.trigger


def _marked(standing: Standing, proposal: Decision, outcome: Outcome) -> Standing:
    closed = proposal.model_copy(update={"outcome": outcome})
    return replace(standing, decisions=tuple(closed if one is proposal else one for one in standing.decisions))
