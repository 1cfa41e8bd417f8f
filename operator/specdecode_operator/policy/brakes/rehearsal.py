"""Signals with `dryRun`: what would be done about them is written down, and nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from specdecode_operator.api.v1alpha1 import Decision, Outcome
from specdecode_operator.policy.judging.verdicts import Finding
from specdecode_operator.policy.record import Cause, appended, decision
from specdecode_operator.policy.situation import Situation
from specdecode_operator.policy.standing import Standing

__all__ = ["REPEATED_AFTER", "rehearsed"]

REPEATED_AFTER: Final = timedelta(days=1)
"""How long the same step about the same signal is not written down again."""


def rehearsed(situation: Situation, standing: Standing) -> Standing:
    """Return `standing` with what would be done about every such signal in confirmed breach, once a day."""
    judgement = situation.judged(standing.variant.hash)
    steady = situation.cluster.rolled_out(standing.variant.hash) and standing.operation is None
    for finding in judgement.dry_breaches() if judgement is not None and steady else ():
        standing = _written(situation, standing, finding)
    return standing


def _written(situation: Situation, standing: Standing, finding: Finding) -> Standing:
    trigger = finding.signal.trigger
    rung = situation.ladder.after(standing.variant, trigger, standing.blocked_hashes(trigger))
    if rung is None:
        return standing
    found = decision(situation, standing.variant, rung, Cause(trigger, finding=finding), Outcome.OBSERVED)
    record = found.model_copy(update={"id": f"{found.id}-{finding.signal.name.lower()}", "dry_run": True})
    if any(_same(record, known) for known in standing.decisions):
        return standing
    return replace(standing, decisions=appended(standing.decisions, record))


def _same(record: Decision, known: Decision) -> bool:
    fields = {"from_variant", "to_variant", "trigger", "signal", "threshold", "dry_run"}
    age = datetime.fromisoformat(record.at) - datetime.fromisoformat(known.at)
    return record.model_dump(include=fields) == known.model_dump(include=fields) and age < REPEATED_AFTER
