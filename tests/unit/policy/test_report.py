"""The status that records a plan, and its size."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from specdecode_operator.api.v1alpha1 import (
    MAX_ACTIONS,
    EffectiveThreshold,
    Outcome,
    Status,
)
from specdecode_operator.policy import (
    Observation,
    Plan,
    Problem,
    decide,
    report,
    report_unreadable,
)
from support.builders import (
    ENFORCE,
    NOW,
    TPOT,
    decision,
    recorded,
    rung,
    running,
    situation,
    spec_of,
    stamp,
)

SPEC = spec_of(replicas=3, **ENFORCE)
KEY = ("prod", "chat")
LONGEST_NAME = "a" * 30
KIB = 1024


class TestReport:
    def test_everything_but_the_conditions(self) -> None:
        before = situation(SPEC, judgement=None)
        found = recorded(before)
        assert found == Status(
            observed_generation=1,
            conditions=found.conditions,
            active_variant="primary",
            variant_hash=rung(SPEC).hash,
            primary_hash=rung(SPEC).hash,
            speculation="DraftModel",
            replicas=3,
            ready_replicas=3,
            selector="specdecode.dev/name=chat",
            operation=None,
            reversals=0,
            frozen=None,
            blocked=[],
            effective_thresholds=[EffectiveThreshold(signal="Acceptance", requested="50%", effective="50%")],
            decisions=[],
        )

    def test_the_plan_is_recorded_before_it_is_carried_out(self) -> None:
        before = situation(SPEC)
        plan = decide(before)
        found = recorded(before, plan)
        assert (found.active_variant, found.variant_hash, found.operation, found.decisions) == (
            "no-speculation",
            plan.variant.hash,
            plan.operation,
            list(plan.decisions),
        )

    def test_pods_are_counted_as_they_are(self) -> None:
        found = recorded(situation(SPEC, cluster=running(SPEC, total=5, ready=2)))
        assert (found.replicas, found.ready_replicas) == (5, 2)

    def test_thresholds_follow_the_policy(self) -> None:
        spec = spec_of(policy={"objectives": [TPOT], "acceptance": {"disableBelowPercent": 0}})
        assert recorded(situation(spec, judgement=None)).effective_thresholds == [
            EffectiveThreshold(signal="TpotP99", requested="50ms", effective="50ms")
        ]

    def test_nothing_in_it_ticks(self) -> None:
        before = situation(SPEC, judgement=None)
        first = recorded(before)
        later = replace(before, status=first, now=NOW + timedelta(days=30))
        assert recorded(later) == first


def test_ten_decisions_with_the_longest_names_fit_into_8_kib() -> None:
    spec = spec_of(**ENFORCE)
    entry = decision(
        from_variant=LONGEST_NAME,
        to_variant=LONGEST_NAME,
        trigger="Acceptance",
        signal="TpotP99.9",
        value="0.0123% / 0.0123%",
        threshold="over 0.2% of the requests slower than 7.68e+06ms",
        window="999999s / 999999s",
        samples="1000000000 / 1000000000",
        pressure="the KV cache is 100% full, 1.23e+04 requests were preempted and 1.23e+03 requests wait",
        outcome=Outcome.SUPERSEDED,
        generation=2**40,
        dry_run=True,
    )
    decisions = tuple(entry.model_copy(update={"id": f"{number:08x}-tpotp99.9"}) for number in range(10))
    before = situation(spec, judgement=None)
    plan = Plan(rung(spec), None, decisions, None, actions=(stamp(NOW),) * MAX_ACTIONS)
    found = report(before, plan, None, name="n" * 50)
    text = json.dumps(found.model_dump(mode="json", by_alias=True, exclude_none=True), separators=(",", ":"))
    assert len(text.encode()) <= 8 * KIB


class TestUnreadable:
    BEFORE = recorded(situation(SPEC, judgement=None))
    PROBLEM = Problem("InvalidSpec", "spec.model.name: Field required")

    def found(self, **changes: Any) -> Status:
        observation = Observation(generation=5, status=self.BEFORE, cluster=running(SPEC, ready=2), now=NOW)
        return report_unreadable(replace(observation, **changes), self.PROBLEM)

    def test_what_runs_is_kept(self) -> None:
        kept = {"active_variant", "variant_hash", "primary_hash", "decisions", "operation", "effective_thresholds"}
        assert self.found().model_dump(include=kept) == self.BEFORE.model_dump(include=kept)

    def test_generation_and_pods_are_new(self) -> None:
        found = self.found()
        assert (found.observed_generation, found.replicas, found.ready_replicas) == (5, 3, 2)

    def test_the_resource_stalls_with_the_sentence_and_keeps_serving(self) -> None:
        found = {entry.type: (entry.status, entry.reason, entry.message) for entry in self.found().conditions}
        assert {kind: found[kind] for kind in ("Ready", "Reconciling", "Stalled")} == {
            "Ready": ("True", "PodsReady", "enough pods are ready to serve"),
            "Reconciling": ("False", "Stalled", "waiting for the spec to be corrected"),
            "Stalled": ("True", "InvalidSpec", "spec.model.name: Field required"),
        }

    def test_conditions_about_metrics_stay_as_they_were(self) -> None:
        kinds = ("MetricsAvailable", "SpeculationActive", "ObjectivesMet", "RemediationBlocked")
        found = self.found()
        assert [found.condition(kind) for kind in kinds] == [self.BEFORE.condition(kind) for kind in kinds]

    def test_a_resource_that_was_never_readable_has_the_three_that_count(self) -> None:
        assert [entry.type for entry in self.found(status=Status()).conditions] == ["Ready", "Reconciling", "Stalled"]

    def test_the_same_problem_again_changes_nothing(self) -> None:
        first = self.found()
        assert self.found(status=first, now=NOW + timedelta(hours=1)) == first
