"""The Events that explain a change of status."""

from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import (
    Condition,
    ConditionStatus,
    FailureReason,
    Frozen,
    Outcome,
    Status,
)
from specdecode_operator.policy import (
    Note,
    Severity,
    notes,
)
from support.builders import (
    ENFORCE,
    NOW,
    condition,
    decision,
    spec_of,
    stamp,
    status_of,
)

SPEC = spec_of(replicas=3, **ENFORCE)
KEY = ("prod", "chat")
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
                    "a change of the spec or a pin overtook the step primary to no-speculation",
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
                    "rolling primary to no-speculation: specdecode.dev/pin asks for it",
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
