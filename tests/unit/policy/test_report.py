"""The status that records a plan, its size, and the Events that explain a change."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import (
    MAX_ACTIONS,
    Condition,
    ConditionStatus,
    EffectiveThreshold,
    FailureReason,
    Frozen,
    Outcome,
    Status,
)
from specdecode_operator.policy import (
    Note,
    Observation,
    Plan,
    Problem,
    Severity,
    decide,
    notes,
    report,
    report_unreadable,
)
from support.builders import (
    ENFORCE,
    NOW,
    TPOT,
    condition,
    decision,
    recorded,
    rung,
    running,
    situation,
    spec_of,
    stamp,
    status_of,
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


TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN


def with_conditions(*found: Condition) -> Status:
    return status_of(SPEC, conditions=list(found))


def with_decisions(*outcomes: Outcome) -> Status:
    return status_of(SPEC, decisions=[decision(f"d{index}", outcome=outcome) for index, outcome in enumerate(outcomes)])


class TestDecisionNotes:
    @pytest.mark.parametrize(
        ("outcome", "note"),
        [
            (
                Outcome.STARTED,
                Note(
                    Severity.WARNING,
                    "RemediationStarted",
                    "rolling primary to no-speculation: Acceptance 30% / 40% over 5m / 30m (300 / 900 requests) is"
                    " below 50% of the draft tokens accepted",
                ),
            ),
            (
                Outcome.OBSERVED,
                Note(
                    Severity.WARNING,
                    "RemediationSuggested",
                    "Enforce would roll primary to no-speculation: Acceptance 30% / 40% over 5m / 30m"
                    " (300 / 900 requests) is below 50% of the draft tokens accepted",
                ),
            ),
            (
                Outcome.PROPOSED,
                Note(
                    Severity.WARNING,
                    "RemediationProposed",
                    "proposes to roll primary to no-speculation: Acceptance 30% / 40% over 5m / 30m"
                    " (300 / 900 requests) is below 50% of the draft tokens accepted; to approve it within 30 minutes:"
                    " kubectl annotate sdd chat -n prod --overwrite specdecode.dev/approve=d0",
                ),
            ),
            (
                Outcome.EXPIRED,
                Note(
                    Severity.NORMAL,
                    "RemediationExpired",
                    "nobody approved in time to roll primary to no-speculation",
                ),
            ),
            (
                Outcome.COMPLETED,
                Note(Severity.NORMAL, "RemediationCompleted", "every pod was rolled primary to no-speculation"),
            ),
            (
                Outcome.VERIFIED,
                Note(
                    Severity.NORMAL,
                    "RemediationVerified",
                    "no signal is in breach since the roll primary to no-speculation",
                ),
            ),
            (
                Outcome.NOT_IMPROVED,
                Note(
                    Severity.WARNING,
                    "RemediationNotImproved",
                    "still in breach since the roll primary to no-speculation",
                ),
            ),
            (
                Outcome.FAILED,
                Note(
                    Severity.WARNING,
                    "RemediationFailed",
                    "the pods of no-speculation do not start after the roll primary to no-speculation",
                ),
            ),
            (
                Outcome.SUPERSEDED,
                Note(
                    Severity.NORMAL,
                    "RemediationSuperseded",
                    "a change of the spec or a pin overtook the roll primary to no-speculation",
                ),
            ),
        ],
    )
    def test_each_outcome_has_its_sentence(self, outcome: Outcome, note: Note) -> None:
        assert notes(Status(), with_decisions(outcome), KEY) == (note,)

    def test_every_outcome_has_one_but_that_a_decision_was_taken_back_which_the_reversal_says(self) -> None:
        assert len(notes(Status(), with_decisions(*Outcome), KEY)) == len(Outcome) - 1
        assert notes(Status(), with_decisions(Outcome.REVERTED), KEY) == ()

    @pytest.mark.parametrize(
        ("changes", "note"),
        [
            (
                {"trigger": "Revert", "reason": FailureReason.WORSE},
                Note(
                    Severity.WARNING,
                    "RemediationReverted",
                    "rolling back primary to no-speculation: Acceptance 30% / 40% over 5m / 30m (300 / 900 requests) is"
                    " below 50% of the draft tokens accepted",
                ),
            ),
            (
                {"trigger": "Revert", "reason": FailureReason.CRASH_LOOP, "signal": None},
                Note(
                    Severity.WARNING,
                    "RemediationReverted",
                    "rolling back primary to no-speculation: the pods of primary crash again and again",
                ),
            ),
            (
                {"trigger": "Pin", "signal": None},
                Note(
                    Severity.NORMAL,
                    "PinStarted",
                    "rolling primary to no-speculation: the annotation specdecode.dev/pin asks for it",
                ),
            ),
            (
                {"trigger": "Unpin", "signal": None},
                Note(Severity.NORMAL, "PinEnded", "rolling primary to no-speculation: the pin is over"),
            ),
            (
                {"trigger": "Startup", "reason": FailureReason.NOT_READY, "signal": None},
                Note(
                    Severity.WARNING,
                    "RemediationStarted",
                    "rolling primary to no-speculation: the pods of primary were not ready within rollout.readyTimeout",
                ),
            ),
        ],
    )
    def test_pods_that_failed_are_a_reason_without_figures(self, changes: dict[str, Any], note: Note) -> None:
        entry = decision(outcome=Outcome.STARTED, **changes)
        assert notes(Status(), status_of(SPEC, decisions=[entry]), KEY) == (note,)

    def test_a_thaw_is_news(self) -> None:
        ice = Frozen(id="f1", reason="SecondReversal", since=stamp(NOW))
        assert notes(status_of(SPEC, frozen=ice), status_of(SPEC), KEY) == (
            Note(Severity.NORMAL, "RemediationUnfrozen", "the operator may act again"),
        )

    def test_a_decision_that_was_known_is_not_repeated(self) -> None:
        before = with_decisions(Outcome.COMPLETED)
        after = with_decisions(Outcome.COMPLETED, Outcome.STARTED)
        assert [note.reason for note in notes(before, after, KEY)] == ["RemediationStarted"]

    def test_a_decision_that_is_closed_is_news(self) -> None:
        found = notes(with_decisions(Outcome.STARTED), with_decisions(Outcome.COMPLETED), KEY)
        assert [note.reason for note in found] == ["RemediationCompleted"]

    def test_one_that_is_no_longer_kept_is_not(self) -> None:
        assert notes(with_decisions(Outcome.COMPLETED), with_decisions(), KEY) == ()


class TestConditionNotes:
    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            (None, condition("Ready", TRUE, "PodsReady"), ("Normal", "Ready")),
            (condition("Ready", FALSE), condition("Ready", TRUE, "PodsReady"), ("Normal", "Ready")),
            (condition("Ready", TRUE), condition("Ready", TRUE, "ScaledToZero"), None),
            (condition("Ready", TRUE), condition("Ready", FALSE), None),
            (None, condition("Stalled", FALSE), None),
            (None, condition("RemediationBlocked", TRUE, "AwaitingApproval"), None),
            (None, condition("RemediationBlocked", TRUE, "Pinned"), ("Warning", "Pinned")),
            (None, condition("RemediationBlocked", FALSE, "PinIgnored"), ("Warning", "PinIgnored")),
            (None, condition("Stalled", TRUE, "NameTaken"), ("Warning", "NameTaken")),
            (condition("Stalled", TRUE, "A"), condition("Stalled", TRUE, "B"), ("Warning", "B")),
            (condition("Stalled", TRUE, "A"), condition("Stalled", FALSE, "Progressing"), None),
            (None, condition("RemediationBlocked", TRUE, "LadderExhausted"), ("Warning", "LadderExhausted")),
            (condition("RemediationBlocked", TRUE, "X"), condition("RemediationBlocked", FALSE, "NotBlocked"), None),
            (None, condition("MetricsAvailable", FALSE, "SamplesStale"), ("Warning", "MetricsUnavailable")),
            (
                condition("MetricsAvailable", TRUE),
                condition("MetricsAvailable", FALSE, "SamplesStale"),
                ("Warning", "MetricsUnavailable"),
            ),
            (condition("MetricsAvailable", FALSE, "A"), condition("MetricsAvailable", FALSE, "B"), None),
            (
                condition("MetricsAvailable", FALSE),
                condition("MetricsAvailable", TRUE, "OK"),
                ("Normal", "MetricsRecovered"),
            ),
            (condition("MetricsAvailable", UNKNOWN), condition("MetricsAvailable", TRUE, "OK"), None),
            (None, condition("MetricsAvailable", TRUE, "OK"), None),
            (None, condition("ObjectivesMet", FALSE), None),
            (None, condition("Reconciling", TRUE), None),
            (None, condition("SpeculationActive", FALSE), None),
        ],
    )
    def test_transitions_that_people_want_to_know(
        self, before: Condition | None, after: Condition, expected: tuple[str, str] | None
    ) -> None:
        first = with_conditions(*([] if before is None else [before]))
        found = [(note.severity, note.reason) for note in notes(first, with_conditions(after), KEY)]
        assert found == ([] if expected is None else [expected])

    def test_lost_metrics_say_how(self) -> None:
        lost = condition("MetricsAvailable", FALSE, "SamplesStale", message="the newest samples are too old")
        assert notes(Status(), with_conditions(lost), KEY) == (
            Note(Severity.WARNING, "MetricsUnavailable", "SamplesStale: the newest samples are too old"),
        )

    @pytest.mark.parametrize("kind", ["Ready", "Stalled", "RemediationBlocked", "MetricsAvailable"])
    @pytest.mark.parametrize("status", ConditionStatus)
    def test_what_has_not_changed_is_not_said_again(self, kind: str, status: ConditionStatus) -> None:
        same = with_conditions(condition(kind, status))
        later = with_conditions(condition(kind, status, message="other words", last_transition_time=stamp(NOW)))
        assert notes(same, later, KEY) == ()
