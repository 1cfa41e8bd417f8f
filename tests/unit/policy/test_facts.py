"""When the first pods wait for a Job, for how long, and what is said where it failed."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from specdecode_operator.api.v1alpha1 import (
    MAX_WARNINGS,
    FactsReport,
    FactsStatus,
    ModelFound,
    PreflightStatus,
    PreflightWarning,
)
from specdecode_operator.policy import FactsStep, facts_ended, facts_known, facts_step, with_facts_failure
from support.builders import NOW, stamp

FOUND = ModelFound(name="org/target", config="{}")
REPORT = FactsReport(models=[FOUND])
FAILED = FactsReport(failure="no config.json")
LATE = FactsReport(failure="no answer within 120 seconds")


def begun(seconds: float = 0, sources: str = "a1") -> FactsStatus:
    return FactsStatus(sources=sources, started_at=stamp(NOW - timedelta(seconds=seconds)))


DONE = facts_ended(begun(30), REPORT)
BROKEN = facts_ended(begun(30), FAILED)


@dataclass(frozen=True)
class Case:
    """What is known, and the step that follows."""

    step: FactsStep
    sources: str | None = "a1"
    before: FactsStatus | None = None
    report: FactsReport | None = None
    serving: bool = False


CASES = {
    "nothing to read": Case(FactsStep(None), sources=None),
    "nothing to read any more": Case(FactsStep(None), sources=None, before=DONE),
    "something to read": Case(FactsStep(begun(), 5.0)),
    "other models than before": Case(FactsStep(begun(), 5.0), before=facts_ended(begun(30, "b2"), REPORT)),
    "other models while those before are read": Case(FactsStep(begun(), 5.0), before=begun(30, "b2")),
    "under way": Case(FactsStep(begun(30), 5.0), before=begun(30)),
    "nearly late": Case(FactsStep(begun(118), 2.0), before=begun(118)),
    "late": Case(FactsStep(facts_ended(begun(120), LATE), 0.0), before=begun(120)),
    "read": Case(FactsStep(DONE, 0.0), before=begun(30), report=REPORT),
    "read at the last moment": Case(FactsStep(facts_ended(begun(500), REPORT), 0.0), before=begun(500), report=REPORT),
    "failed": Case(FactsStep(BROKEN, 0.0), before=begun(30), report=FAILED),
    "read before": Case(FactsStep(DONE), before=DONE),
    "failed before": Case(FactsStep(BROKEN), before=BROKEN),
    "pods exist": Case(FactsStep(None), serving=True),
    "pods exist and facts too": Case(FactsStep(DONE), before=DONE, serving=True),
    "pods came while it was read": Case(FactsStep(begun(30)), before=begun(30), serving=True),
    "pods exist, and other models are asked for": Case(FactsStep(None), before=begun(30, "b2"), serving=True),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_step_follows(case: Case) -> None:
    found = facts_step(case.sources, case.before, case.report, serving=case.serving, now=NOW, deadline=120)
    assert found == case.step


def test_the_pods_never_wait_longer_than_the_deadline() -> None:
    facts, waited = None, 0.0
    for _ in range(100):
        now = NOW + timedelta(seconds=waited)
        step = facts_step("a1", facts, None, serving=False, now=now, deadline=33)
        if step.again is None:
            break
        facts, waited = step.facts, waited + step.again
    assert (waited, facts and facts.failure) == (33.0, "no answer within 33 seconds")


def test_facts_of_other_sources_are_not_known() -> None:
    assert [facts_known(sources, DONE) for sources in ("a1", "b2", None)] == [DONE, None, None]


class TestWarning:
    OLD = PreflightWarning(code="DraftLarge", field="speculation.draft.name", message="large")

    @pytest.mark.parametrize("facts", [None, begun(), DONE])
    @pytest.mark.parametrize("plan", [None, PreflightStatus(warnings=[OLD])])
    def test_nothing_is_added_where_nothing_failed(
        self, plan: PreflightStatus | None, facts: FactsStatus | None
    ) -> None:
        assert with_facts_failure(plan, facts) == plan

    @pytest.mark.parametrize(("before", "kept"), [([], []), ([OLD], [OLD]), ([OLD] * MAX_WARNINGS, [OLD] * 15)])
    def test_a_failure_is_said_in_front(self, before: list[PreflightWarning], kept: list[PreflightWarning]) -> None:
        found = with_facts_failure(PreflightStatus(warnings=before), BROKEN)
        message = (
            "the Job that reads config.json says: no config.json; the checks and the memory plan do without it: give"
            " model.facts and speculation.draft.facts, or correct the claim and change the revision or the path"
        )
        warning = PreflightWarning(code="FactsJobFailed", field="model.facts", message=message)
        assert found == PreflightStatus(warnings=[warning, *kept])
