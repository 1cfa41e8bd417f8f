"""The conditions as kstatus reads them: Flux and Argo CD must not mistake healing for a failed deploy."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Condition, ConditionStatus, Frozen, Outcome, Phase, Status
from specdecode_operator.policy import ClusterState, Finding, Pressure, Problem, Situation, Verdict
from support.builders import (
    ENFORCE,
    LATENCY,
    NOW,
    condition,
    decision,
    finding,
    judgement,
    operation,
    recorded,
    rung,
    running,
    situation,
    spec_of,
    stamp,
    status_of,
)

SPEC = spec_of(**ENFORCE)
HEALTHY = judgement(rung(SPEC), finding(Verdict.RECOVERED))
TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"


def calm(**changes: Any) -> Situation:
    return situation(SPEC, **({"judgement": HEALTHY} | changes))


def of(found: Situation, kind: str, problem: Problem | None = None) -> Condition:
    result = recorded(found, problem=problem).condition(kind)
    assert result is not None
    return result


def state(found: Situation, kind: str, problem: Problem | None = None) -> tuple[str, str]:
    result = of(found, kind, problem)
    return result.status, result.reason


def states(found: Situation, problem: Problem | None = None) -> dict[str, tuple[str, str]]:
    return {entry.type: (entry.status, entry.reason) for entry in recorded(found, problem=problem).conditions}


def test_a_service_in_good_health() -> None:
    assert states(calm()) == {
        "Ready": (TRUE, "PodsReady"),
        "Reconciling": (FALSE, "UpToDate"),
        "Stalled": (FALSE, "Progressing"),
        "MetricsAvailable": (TRUE, "Available"),
        "SpeculationActive": (TRUE, "Speculating"),
        "ObjectivesMet": (TRUE, "WithinObjectives"),
        "RemediationBlocked": (FALSE, "NotBlocked"),
    }


def test_the_first_sight_of_a_resource() -> None:
    first = situation(SPEC, status=Status(), cluster=ClusterState(), judgement=None)
    assert states(first) == {
        "Ready": (FALSE, "Initializing"),
        "Reconciling": (TRUE, "RollingOut"),
        "Stalled": (FALSE, "Progressing"),
        "MetricsAvailable": (UNKNOWN, "NotEvaluated"),
        "SpeculationActive": (TRUE, "Speculating"),
        "ObjectivesMet": (UNKNOWN, "NotEvaluated"),
        "RemediationBlocked": (FALSE, "NotBlocked"),
    }


def test_every_condition_carries_the_generation_that_it_was_made_from() -> None:
    assert {entry.observed_generation for entry in recorded(calm(generation=7)).conditions} == {7}


class TestHealing:
    """A roll of our own, from the breach to its end."""

    def breach(self) -> Situation:
        return situation(SPEC, status=recorded(calm()))

    def surging(self) -> Situation:
        """The new pod loads while the old one serves; the Deployment's controller is a moment behind."""
        cluster = running(SPEC, "no-speculation", total=2, updated=1, ready=1, observed=False)
        return situation(SPEC, status=recorded(self.breach()), cluster=cluster)

    def healed(self) -> Situation:
        cluster = running(SPEC, "no-speculation")
        well = judgement(rung(SPEC, "no-speculation"), finding(Verdict.NOT_APPLICABLE))
        return situation(SPEC, status=recorded(self.surging()), cluster=cluster, judgement=well)

    def test_the_service_stays_ready_all_the_way(self) -> None:
        steps = (self.breach(), self.surging(), self.healed())
        assert [state(step, "Ready") for step in steps] == [(TRUE, "PodsReady")] * 3

    def test_it_is_never_reconciling(self) -> None:
        steps = (self.breach(), self.surging(), self.healed())
        assert [state(step, "Reconciling") for step in steps] == [
            (FALSE, "Remediating"),
            (FALSE, "Remediating"),
            (FALSE, "UpToDate"),
        ]

    def test_it_never_stalls_and_its_transition_times_stand_still(self) -> None:
        steps = (self.breach(), self.surging(), self.healed())
        found = [of(replace(step, now=NOW + timedelta(hours=1)), "Stalled") for step in steps]
        assert {(entry.status, entry.last_transition_time) for entry in found} == {(FALSE, stamp(NOW))}

    def test_speculation_is_reported_off_from_the_decision_on(self) -> None:
        steps = (self.breach(), self.surging(), self.healed())
        assert [state(step, "SpeculationActive") for step in steps] == [(FALSE, "SwitchedOff")] * 3

    def test_at_the_end_the_decision_is_completed(self) -> None:
        report = recorded(self.healed())
        phase = report.operation and report.operation.phase
        assert ([entry.outcome for entry in report.decisions], phase) == ([Outcome.COMPLETED], Phase.VERIFYING)


class TestReady:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, (TRUE, "PodsReady")),
            ({"ready": 0, "available": False}, (FALSE, "PodsNotReady")),
            ({"available": False}, (FALSE, "PodsNotReady")),
            ({"ready": 0}, (FALSE, "PodsNotReady")),
            ({"ready": 0, "available": False, "unschedulable": True}, (FALSE, "Unschedulable")),
            ({"unschedulable": True}, (TRUE, "PodsReady")),
            ({"observed": False}, (TRUE, "PodsReady")),
            ({"desired": 0, "ready": 0, "available": False}, (TRUE, "ScaledToZero")),
            ({"exists": False}, (FALSE, "Initializing")),
        ],
    )
    def test_it_follows_the_pods(self, changes: dict[str, Any], expected: tuple[str, str]) -> None:
        assert state(calm(cluster=running(SPEC, **changes)), "Ready") == expected

    def test_it_does_not_flap_while_the_deployment_controller_catches_up(self) -> None:
        found = calm(status=recorded(calm()), cluster=running(SPEC, observed=False))
        assert state(found, "Ready") == (TRUE, "PodsReady")


class TestReconciling:
    CHANGED = spec_of(engine={"maxNumSeqs": 64}, **ENFORCE)
    TWO = spec_of(replicas=2, **ENFORCE)

    def test_a_change_of_the_spec_is_being_rolled_out(self) -> None:
        found = situation(self.CHANGED, status=recorded(calm()), cluster=running(SPEC), generation=2)
        assert state(found, "Reconciling") == (TRUE, "RollingOut")

    def test_it_goes_on_until_every_pod_is_ready(self) -> None:
        before = recorded(situation(self.CHANGED, status=recorded(calm()), cluster=running(SPEC)))
        loading = running(self.CHANGED, ready=0, available=False)
        found = situation(self.CHANGED, status=before, cluster=loading, judgement=None)
        assert state(found, "Reconciling") == (TRUE, "RollingOut")

    def test_it_ends_when_every_pod_runs_the_spec(self) -> None:
        before = recorded(situation(self.CHANGED, status=recorded(calm()), cluster=running(SPEC)))
        found = situation(self.CHANGED, status=before, cluster=running(self.CHANGED), judgement=None)
        assert state(found, "Reconciling") == (FALSE, "UpToDate")

    def test_a_pod_that_dies_later_is_no_rollout(self) -> None:
        found = calm(status=recorded(calm()), cluster=running(SPEC, ready=0, available=False))
        assert (state(found, "Reconciling"), state(found, "Ready")) == ((FALSE, "UpToDate"), (FALSE, "PodsNotReady"))

    def test_a_resize_is_a_change_of_the_spec(self) -> None:
        resized = running(SPEC, desired=2, total=2, updated=2, ready=1)
        found = situation(self.TWO, status=recorded(calm()), cluster=replace(resized, observed=False), judgement=None)
        assert state(found, "Reconciling") == (TRUE, "RollingOut")

    def test_a_resize_that_the_deployment_does_not_have_yet(self) -> None:
        found = situation(self.TWO, status=recorded(calm()), cluster=running(SPEC), judgement=None)
        assert state(found, "Reconciling") == (TRUE, "RollingOut")

    def test_a_resize_ends_when_every_pod_is_there(self) -> None:
        before = recorded(situation(self.TWO, status=recorded(calm()), cluster=running(SPEC), judgement=None))
        found = situation(self.TWO, status=before, cluster=running(self.TWO), judgement=None)
        assert state(found, "Reconciling") == (FALSE, "UpToDate")

    def test_a_change_that_overtakes_our_own_roll_is_being_rolled_out(self) -> None:
        healing = recorded(situation(SPEC, status=recorded(calm())))
        found = situation(self.CHANGED, status=healing, cluster=running(SPEC, "no-speculation", updated=0))
        assert state(found, "Reconciling") == (TRUE, "RollingOut")

    def test_pods_that_are_not_ready_in_time_wait_for_a_person(self) -> None:
        late = running(self.CHANGED, deadline_exceeded=True, ready=0, available=False)
        before = recorded(situation(self.CHANGED, status=recorded(calm()), cluster=running(SPEC)))
        found = situation(self.CHANGED, status=before, cluster=late, judgement=None)
        assert state(found, "Reconciling") == (FALSE, "Stalled")

    def test_a_problem_waits_for_a_person(self) -> None:
        found = calm(cluster=running(SPEC, updated=0))
        assert state(found, "Reconciling", Problem("Forbidden", "quota")) == (FALSE, "Stalled")


class TestStalled:
    def test_a_problem_stalls_and_is_quoted(self) -> None:
        found = of(calm(), "Stalled", Problem("NameTaken", "a Service called chat exists"))
        assert found == condition(
            "Stalled",
            ConditionStatus.TRUE,
            "NameTaken",
            message="a Service called chat exists",
            last_transition_time=stamp(NOW),
        )

    def test_pods_that_do_not_become_ready_in_time(self) -> None:
        found = calm(cluster=running(SPEC, deadline_exceeded=True, ready=0, available=False))
        assert state(found, "Stalled") == (TRUE, "ProgressDeadlineExceeded")

    def test_a_long_sentence_is_cut_to_what_a_condition_may_hold(self) -> None:
        found = of(calm(), "Stalled", Problem("InvalidSpec", "x" * 5000))
        assert found.message == "x" * 1024

    LATE = running(SPEC, "no-speculation", deadline_exceeded=True, updated=1, total=2)

    def healing(self, spec: Any = SPEC) -> Situation:
        status = status_of(SPEC, "no-speculation", operation=operation(), decisions=[decision()])
        return situation(spec, status=status, cluster=self.LATE, judgement=None)

    def test_our_own_roll_is_taken_back_instead(self) -> None:
        assert (state(self.healing(), "Stalled"), state(self.healing(), "Reconciling")) == (
            (FALSE, "Progressing"),
            (FALSE, "Remediating"),
        )

    @pytest.mark.parametrize("fields", [{}, {"suspend": True, **ENFORCE}])
    def test_unless_we_may_not(self, fields: dict[str, Any]) -> None:
        assert state(self.healing(spec_of(**fields)), "Stalled") == (TRUE, "ProgressDeadlineExceeded")

    @pytest.mark.parametrize("changes", [{"observed": False}, {"variant_hash": "another"}])
    def test_a_deadline_of_the_rollout_before_says_nothing(self, changes: dict[str, Any]) -> None:
        found = calm(cluster=running(SPEC, deadline_exceeded=True, **changes))
        assert state(found, "Stalled") == (FALSE, "Progressing")

    def test_a_problem_outweighs_the_deadline(self) -> None:
        found = calm(cluster=running(SPEC, deadline_exceeded=True))
        assert state(found, "Stalled", Problem("Rejected", "no")) == (TRUE, "Rejected")


class TestMetricsAvailable:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, (TRUE, "Available")),
            ({"waiting": "PodsTooYoung"}, (UNKNOWN, "PodsTooYoung")),
            ({"waiting": "NoReadyPods"}, (UNKNOWN, "NoReadyPods")),
            ({"unavailable": "EndpointUnavailable"}, (FALSE, "EndpointUnavailable")),
            ({"unavailable": "EndpointUnknown"}, (FALSE, "EndpointUnknown")),
            ({"unavailable": "PodsNotScraped"}, (FALSE, "PodsNotScraped")),
            ({"unavailable": "PodsScrapedTwice"}, (FALSE, "PodsScrapedTwice")),
            ({"unavailable": "SamplesStale"}, (FALSE, "SamplesStale")),
            ({"unavailable": "SamplesMissing"}, (FALSE, "SamplesMissing")),
            ({"findings": (finding(Verdict.UNKNOWN, reason="ValuesImpossible"),)}, (FALSE, "ValuesImpossible")),
        ],
    )
    def test_it_names_what_is_wrong(self, changes: dict[str, Any], expected: tuple[str, str]) -> None:
        assert state(calm(judgement=replace(HEALTHY, **changes)), "MetricsAvailable") == expected

    @pytest.mark.parametrize(
        "reason",
        [
            "EndpointUnavailable",
            "EndpointUnknown",
            "PodsNotScraped",
            "PodsScrapedTwice",
            "SamplesStale",
            "SamplesMissing",
        ],
    )
    def test_every_reason_has_a_sentence_of_its_own(self, reason: str) -> None:
        found = of(calm(judgement=replace(HEALTHY, unavailable=reason)), "MetricsAvailable")
        assert found.message != "the metrics cannot be trusted"

    def test_a_reason_that_is_new_has_a_sentence_too(self) -> None:
        found = of(calm(judgement=replace(HEALTHY, unavailable="Novel")), "MetricsAvailable")
        assert (found.reason, found.message) == ("Novel", "the metrics cannot be trusted")

    def test_an_outage_does_not_touch_readiness(self) -> None:
        found = calm(judgement=replace(HEALTHY, unavailable="EndpointUnavailable"))
        assert [state(found, kind)[0] for kind in ("Ready", "Reconciling", "Stalled")] == [TRUE, FALSE, FALSE]


class TestSpeculationActive:
    @pytest.mark.parametrize(
        ("fields", "name", "expected"),
        [
            ({}, "primary", (TRUE, "Speculating", "variant primary speculates with method DraftModel")),
            ({}, "no-speculation", (FALSE, "SwitchedOff", "variant no-speculation serves the target alone")),
            (
                {"speculation": {"method": "None"}},
                "primary",
                (FALSE, "NotConfigured", "spec.speculation.method is None"),
            ),
        ],
    )
    def test_it_tells_off_by_us_from_off_by_the_user(
        self, fields: dict[str, Any], name: str, expected: tuple[str, str, str]
    ) -> None:
        found = of(situation(spec_of(**fields), name, judgement=None), "SpeculationActive")
        assert (found.status, found.reason, found.message) == expected


class TestObjectivesMet:
    @pytest.mark.parametrize(
        ("findings", "expected"),
        [
            ((finding(Verdict.HEALTHY),), (TRUE, "WithinObjectives")),
            ((finding(Verdict.RECOVERED), finding(Verdict.NOT_APPLICABLE, LATENCY)), (TRUE, "WithinObjectives")),
            ((finding(Verdict.INSUFFICIENT, reason="TooFewRequests"),), (UNKNOWN, "TooFewRequests")),
            (
                (finding(Verdict.UNKNOWN, reason="SamplesStale"), finding(Verdict.BREACH, LATENCY)),
                (UNKNOWN, "SamplesStale"),
            ),
            ((finding(Verdict.NOT_APPLICABLE),), (UNKNOWN, "NothingToJudge")),
            ((finding(Verdict.BREACH, reason="AcceptanceBelowThreshold"),), (FALSE, "AcceptanceBelowThreshold")),
        ],
    )
    def test_it_follows_the_worst_information(self, findings: Any, expected: tuple[str, str]) -> None:
        found = situation(spec_of(), judgement=judgement(rung(spec_of()), *findings))
        assert state(found, "ObjectivesMet") == expected

    @pytest.mark.parametrize(
        ("found", "message"),
        [
            (
                finding(Verdict.BREACH, LATENCY),
                "in breach: TpotP99, while the KV cache is nearly full and requests wait",
            ),
            (finding(Verdict.BREACH), "in breach: Acceptance"),
        ],
    )
    def test_what_the_pods_are_short_of_stands_beside_a_latency_in_words_that_do_not_tick(
        self, found: Finding, message: str
    ) -> None:
        for usage in (0.93, 0.97):
            load = Pressure(kv_cache_usage=usage, waiting=100 * usage)
            strained = judgement(rung(SPEC), found, confirmed=False, pressure=load)
            assert of(calm(judgement=strained), "ObjectivesMet").message == message

    def test_every_signal_in_breach_is_named(self) -> None:
        both = judgement(rung(SPEC), finding(Verdict.BREACH), finding(Verdict.BREACH, LATENCY), confirmed=False)
        assert of(calm(judgement=both), "ObjectivesMet").message == "in breach: Acceptance, TpotP99"

    def test_a_breach_that_is_not_confirmed_is_a_breach_all_the_same(self) -> None:
        once = judgement(rung(SPEC), confirmed=False)
        assert state(calm(judgement=once), "ObjectivesMet")[0] == FALSE


class TestRemediationBlocked:
    def test_a_breach_on_the_last_rung_needs_a_person(self) -> None:
        last = judgement(rung(SPEC, "no-speculation"), finding(Verdict.BREACH, LATENCY))
        found = situation(SPEC, "no-speculation", judgement=last)
        assert state(found, "RemediationBlocked") == (TRUE, "LadderExhausted")

    def test_a_breach_while_suspended(self) -> None:
        assert state(situation(spec_of(suspend=True, **ENFORCE)), "RemediationBlocked") == (TRUE, "Suspended")

    @pytest.mark.parametrize(
        ("reason", "sentence"),
        [
            ("SecondReversal", "two rolls of the operator were taken back"),
            (
                "ReversalFailed",
                "a roll of the operator was taken back, and the pods do not start on what ran before either",
            ),
            ("Novel", "a roll failed"),
        ],
    )
    def test_a_frozen_resource_names_the_command_however_well_it_is(self, reason: str, sentence: str) -> None:
        ice = Frozen(id="0123abcd", reason=reason, since=stamp(NOW))
        found = of(calm(status=status_of(SPEC, frozen=ice)), "RemediationBlocked")
        command = "kubectl annotate sdd NAME --overwrite specdecode.dev/unfreeze=0123abcd"
        assert (found.status, found.reason, found.message) == (
            TRUE,
            "Frozen",
            f"{sentence}; to let the operator go on: {command}",
        )

    def test_suspend_alone_blocks_nothing(self) -> None:
        spec = spec_of(suspend=True, **ENFORCE)
        found = situation(spec, judgement=HEALTHY)
        assert state(found, "RemediationBlocked") == (FALSE, "NotBlocked")

    @pytest.mark.parametrize("changes", [{"judgement": None}, {"cluster": running(SPEC, updated=0)}])
    def test_a_pause_is_no_block(self, changes: dict[str, Any]) -> None:
        assert state(situation(SPEC, **changes), "RemediationBlocked") == (FALSE, "NotBlocked")


class TestTransitionTimes:
    def test_they_stand_still_while_the_status_stays(self) -> None:
        before = recorded(calm())
        later = calm(status=before, now=NOW + timedelta(hours=2), generation=2)
        assert {entry.last_transition_time for entry in recorded(later).conditions} == {stamp(NOW)}

    def test_another_reason_is_no_transition(self) -> None:
        before = status_of(SPEC, conditions=[condition("Ready", ConditionStatus.FALSE, "Initializing")])
        found = of(calm(status=before, cluster=running(SPEC, available=False)), "Ready")
        assert (found.reason, found.last_transition_time) == ("PodsNotReady", stamp(NOW - timedelta(hours=1)))

    def test_a_flip_is_one(self) -> None:
        before = status_of(SPEC, conditions=[condition("Ready", ConditionStatus.FALSE)])
        assert of(calm(status=before), "Ready").last_transition_time == stamp(NOW)


class TestRestart:
    """After a restart of the operator nothing has been evaluated yet."""

    def test_nothing_in_the_status_changes(self) -> None:
        before = recorded(calm())
        assert recorded(calm(status=before, judgement=None, now=NOW + timedelta(minutes=5))) == before

    def test_an_outage_that_was_known_stays_known(self) -> None:
        before = recorded(calm(judgement=replace(HEALTHY, unavailable="EndpointUnavailable")))
        after = recorded(calm(status=before, judgement=None, now=NOW + timedelta(minutes=5)))
        assert after == before

    def test_what_was_found_of_another_variant_does_not_count(self) -> None:
        before = recorded(calm())
        changed = spec_of(engine={"maxNumSeqs": 64}, **ENFORCE)
        found = situation(changed, status=before, judgement=None)
        assert [state(found, kind) for kind in ("MetricsAvailable", "ObjectivesMet")] == [(UNKNOWN, "NotEvaluated")] * 2


def test_an_operation_in_flight_is_reported() -> None:
    roll = operation()
    status = status_of(SPEC, "no-speculation", operation=roll, decisions=[decision(outcome=Outcome.STARTED)])
    assert recorded(situation(SPEC, status=status, judgement=None)).operation == roll
