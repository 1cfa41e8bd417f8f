"""Whether the first pods wait for what a Job reads of unknown models, and what is said where it reads nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from specdecode_operator.api.v1alpha1 import MAX_WARNINGS, FactsReport, FactsStatus, PreflightStatus, PreflightWarning
from specdecode_operator.policy.record import timestamp

__all__ = ["FactsStep", "facts_ended", "facts_known", "facts_step", "with_facts_failure"]

_POLL: Final = 5.0


@dataclass(frozen=True)
class FactsStep:
    """What is to be done about unknown models."""

    facts: FactsStatus | None
    """What the status is to say."""
    again: float | None = None
    """Seconds after which to look again, with no pod made until then; None where nothing stands in the pods' way."""


def facts_step(
    sources: str | None,
    before: FactsStatus | None,
    report: FactsReport | None,
    *,
    serving: bool,
    now: datetime,
    deadline: float,
) -> FactsStep:
    """Return the next step for the models of the digest `sources`; None where nothing has to be read.

    `report` is what the Job has said by now. Where engine pods exist already (`serving`), nothing is begun. After
    `deadline` seconds the pods are made without the facts.
    """
    known = facts_known(sources, before)
    if sources is None or serving or (known is not None and known.finished):
        return FactsStep(known)
    if known is None:
        return FactsStep(FactsStatus(sources=sources, started_at=timestamp(now)), _POLL)
    left = (datetime.fromisoformat(known.started_at) + timedelta(seconds=deadline) - now).total_seconds()
    if report is not None:
        return FactsStep(facts_ended(known, report), 0.0)
    if left <= 0:
        return FactsStep(facts_ended(known, FactsReport(failure=f"no answer within {deadline:g} seconds")), 0.0)
    return FactsStep(known, min(_POLL, left))


def with_facts_failure(plan: PreflightStatus | None, facts: FactsStatus | None) -> PreflightStatus | None:
    """Return `plan` with a warning where the Job did not read every model."""
    if facts is None or facts.failure is None:
        return plan
    warning = PreflightWarning(
        code="FactsJobFailed",
        field="model.facts",
        message=(
            f"the Job that reads config.json says: {facts.failure}; the checks and the memory plan do without it: give"
            " model.facts and speculation.draft.facts, or correct the claim and change the revision or the path"
        ),
    )
    found = plan or PreflightStatus()
    return found.model_copy(update={"warnings": [warning, *found.warnings][:MAX_WARNINGS]})


def facts_known(sources: str | None, before: FactsStatus | None) -> FactsStatus | None:
    """Return what `before` says of the same sources; what it says of others is out of date."""
    return before if before is not None and before.sources == sources else None


def facts_ended(known: FactsStatus, report: FactsReport) -> FactsStatus:
    """Return `known` with the Job's last word."""
    changes = {"models": report.models, "failure": report.failure, "finished": True}
    return known.model_copy(update=changes)
