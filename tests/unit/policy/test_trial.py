"""One pod of the next rung beside the others: what becomes of it, and what it needs for that."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import FailureReason, Outcome, Phase, Spec
from specdecode_operator.policy import ClusterState, Compared, Plan, Pressure, Situation, TrialPod, decide
from specdecode_operator.policy.judging.verdicts import Verdict as Signal
from specdecode_operator.policy.trials.comparison import ArmVerdict as Verdict
from specdecode_operator.policy.trials.comparison import Comparison, Counts
from support.builders import (
    ENFORCE,
    LATENCY,
    NOW,
    TRYING,
    blocked,
    decision,
    finding,
    judgement,
    recorded,
    rung,
    running,
    situation,
    spec_of,
    stamp,
)

SPEC = spec_of(replicas=2, **TRYING)
LATER = NOW + timedelta(minutes=20)
RELAXED = Pressure(0.2, 0.3, 0.0, 4.0, 0.0)
OFF = rung(SPEC, "no-speculation")


def comparison(outcome: Verdict, **changes: Any) -> Comparison:
    found = Comparison(outcome, "Because", (), Counts(400, 800), Counts(0, 0), 0.7, 5000)
    return replace(found, **changes)


def compared(found: Situation, outcome: Verdict, *, repeated: bool = True, **changes: Any) -> Compared:
    operation = found.status.operation
    assert operation is not None
    return replace(Compared(operation.id, comparison(outcome), repeated=repeated), **changes)


def pod(spec: Spec = SPEC, name: str = "no-speculation", **changes: Any) -> TrialPod:
    """The pod on trial, which has been ready for a quarter of an hour."""
    since = NOW + timedelta(minutes=5)
    return replace(TrialPod(rung(spec, name).hash, 1, 1, NOW, since), **changes)


def begin(spec: Spec = SPEC, **changes: Any) -> tuple[Situation, Plan]:
    """A confirmed breach, and the trial that it leads to."""
    found = situation(spec, judgement=judgement(rung(spec), pressure=RELAXED), **changes)
    return found, decide(found)


def going_on(spec: Spec = SPEC, **changes: Any) -> Situation:
    """The trial twenty minutes later."""
    first, plan = begin(spec)
    cluster = running(spec, desired=spec.replicas - plan.spared, trial=pod(spec))
    return replace(first, status=recorded(first, plan), cluster=cluster, now=LATER, **changes)


def concluded(found: Situation, outcome: Verdict, **changes: Any) -> Plan:
    return decide(replace(found, compared=compared(found, outcome, **changes)))


def last(plan: Plan) -> tuple[Outcome, FailureReason | None]:
    return plan.decisions[-1].outcome, plan.decisions[-1].reason


class TestBeginning:
    def test_a_breach_puts_the_next_rung_on_one_pod_and_moves_no_other(self) -> None:
        _, plan = begin()
        assert plan.operation is not None
        assert (plan.variant.name, plan.trial, plan.spared) == ("primary", OFF, 0)
        assert (plan.operation.phase, plan.operation.to_variant) == (Phase.TRIAL, "no-speculation")
        assert last(plan) == (Outcome.TRIAL, None)
        assert plan.decisions[-1].value == "30% / 40%"

    @pytest.mark.parametrize("spec", [spec_of(**ENFORCE), spec_of(replicas=2, **ENFORCE)])
    def test_mode_never_rolls_at_once(self, spec: Spec) -> None:
        _, plan = begin(spec)
        assert (plan.variant.name, plan.trial, last(plan)) == ("no-speculation", None, (Outcome.STARTED, None))

    def test_a_rollout_that_does_not_start_is_left_without_a_trial(self) -> None:
        cluster = running(SPEC, ready=0, available=False, since=NOW, crash_looping=True)
        plan = decide(situation(SPEC, cluster=cluster, judgement=None))
        assert (plan.variant.name, plan.trial, plan.decisions[-1].trigger) == ("no-speculation", None, "Startup")

    def test_what_is_recorded_is_looked_at_again_and_stays(self) -> None:
        first, plan = begin()
        again = decide(replace(first, status=recorded(first, plan)))
        assert (again.operation, again.decisions, again.trial) == (plan.operation, plan.decisions, plan.trial)


class TestEvidence:
    def test_better_is_rolled_out(self) -> None:
        plan = concluded(going_on(), Verdict.BETTER)
        assert plan.operation is not None
        assert (plan.variant, plan.trial, plan.spared) == (OFF, None, 0)
        assert (plan.operation.phase, plan.operation.started_at) == (Phase.ROLLING, stamp(LATER))
        assert last(plan) == (Outcome.STARTED, None)
        assert plan.decisions[-1].comparison == "no latencies; 400 / 800 requests, 0 / 0 failed"
        assert plan.decisions[-1].concluded_at == stamp(LATER)

    def test_worse_is_dropped_and_not_tried_again_for_this_trigger(self) -> None:
        plan = concluded(going_on(), Verdict.WORSE)
        assert (plan.variant.name, plan.operation, plan.trial) == ("primary", None, None)
        assert last(plan) == (Outcome.DROPPED, FailureReason.WORSE)
        assert plan.blocked == (blocked(SPEC, "no-speculation", since=stamp(LATER)),)

    @pytest.mark.parametrize("outcome", [Verdict.NOT_WORSE, Verdict.UNCLEAR, Verdict.INCOMPARABLE])
    def test_anything_else_goes_on(self, outcome: Verdict) -> None:
        found = going_on()
        plan = concluded(found, outcome)
        assert (plan.operation, plan.trial, plan.blocked) == (found.status.operation, OFF, ())

    @pytest.mark.parametrize("outcome", [Verdict.NOT_WORSE, Verdict.UNCLEAR, Verdict.INCOMPARABLE])
    def test_and_changes_nothing_after_the_last_look(self, outcome: Verdict) -> None:
        plan = concluded(going_on(), outcome, last=True)
        assert (plan.variant.name, plan.operation, plan.trial, plan.blocked) == ("primary", None, None, ())
        assert last(plan) == (Outcome.UNCLEAR, None)

    @pytest.mark.parametrize("outcome", list(Verdict))
    def test_one_evaluation_alone_concludes_nothing(self, outcome: Verdict) -> None:
        found = going_on()
        assert concluded(found, outcome, repeated=False, last=True).operation == found.status.operation

    def test_a_comparison_of_an_earlier_trial_concludes_nothing(self) -> None:
        found = going_on()
        assert concluded(found, Verdict.BETTER, decision="earlier").operation == found.status.operation

    def test_metrics_that_cannot_be_trusted_hold_it(self) -> None:
        found = going_on(judgement=None)
        assert decide(found).operation == found.status.operation

    def test_but_not_for_ever(self) -> None:
        cap = NOW + timedelta(minutes=30 + 1 + 120)
        found = going_on()
        assert decide(replace(found, now=cap - timedelta(seconds=1))).trial == OFF
        plan = decide(replace(found, now=cap))
        assert (plan.variant.name, plan.trial, last(plan)) == (
            "primary",
            None,
            (Outcome.UNCLEAR, FailureReason.TIMED_OUT),
        )


class TestPod:
    def test_one_that_crashes_is_dropped(self) -> None:
        found = going_on()
        crashing = pod(ready=0, ready_since=None, crash_looping=True)
        plan = decide(replace(found, cluster=replace(found.cluster, trial=crashing)))
        assert last(plan) == (Outcome.DROPPED, FailureReason.CRASH_LOOP)
        assert [entry.reason for entry in plan.blocked] == [FailureReason.CRASH_LOOP]

    @pytest.mark.parametrize(
        ("minutes", "exceeded", "expected"),
        [(31, True, Outcome.DROPPED), (30, True, Outcome.TRIAL), (31, False, Outcome.TRIAL)],
    )
    def test_one_that_is_not_ready_in_time_is_dropped(self, minutes: int, *, exceeded: bool, expected: Outcome) -> None:
        found = going_on()
        slow = pod(ready=0, ready_since=None, deadline_exceeded=exceeded)
        now = NOW + timedelta(minutes=minutes)
        plan = decide(replace(found, now=now, cluster=replace(found.cluster, trial=slow)))
        assert last(plan)[0] is expected

    def test_one_of_another_variant_says_nothing(self) -> None:
        found = going_on()
        other = pod(variant_hash="another", crash_looping=True)
        assert decide(replace(found, cluster=replace(found.cluster, trial=other))).trial == OFF


def squeezed(spec: Spec = SPEC, *, seconds: int = 30, **changes: Any) -> Situation:
    """The pod on trial finds no node."""
    first, plan = begin(spec)
    waiting = pod(spec, ready=0, created=NOW, ready_since=None, unschedulable=True)
    found = replace(first, status=recorded(first, plan), cluster=running(spec, trial=waiting))
    return replace(found, now=NOW + timedelta(seconds=seconds), **changes)


class TestRoom:
    def test_a_stable_pod_makes_room_where_the_others_have_headroom(self) -> None:
        plan = decide(squeezed())
        assert plan.operation is not None
        assert (plan.operation.made_room, plan.spared, plan.trial) == (True, 1, OFF)

    def test_the_scheduler_is_given_a_moment(self) -> None:
        found = squeezed(seconds=29)
        plan = decide(found)
        assert (plan.operation, plan.again) == (found.status.operation, 1.0)

    @pytest.mark.parametrize(
        ("spec", "pressure"),
        [(spec_of(**TRYING), RELAXED), (SPEC, replace(RELAXED, waiting=0.5)), (SPEC, Pressure())],
        ids=["one replica", "a queue", "nothing known"],
    )
    def test_without_room_auto_rolls_without_a_trial(self, spec: Spec, pressure: Pressure) -> None:
        plan = decide(squeezed(spec, judgement=judgement(rung(spec), pressure=pressure)))
        assert (plan.variant.name, plan.trial, last(plan)) == ("no-speculation", None, (Outcome.STARTED, None))
        assert plan.decisions[-1].comparison == "no room for a trial"

    def test_and_always_leaves_everything_as_it_is(self) -> None:
        spec = spec_of(policy={"mode": "Enforce", "trial": {"mode": "Always"}})
        plan = decide(squeezed(spec))
        assert (plan.variant.name, plan.trial, last(plan)) == (
            "primary",
            None,
            (Outcome.UNCLEAR, FailureReason.NO_ROOM),
        )

    def test_room_that_was_made_in_vain_is_given_back(self) -> None:
        found = squeezed()
        plan = decide(found)
        still = replace(
            found, status=recorded(found, plan), cluster=replace(found.cluster, desired=1, total=1, updated=1)
        )
        assert decide(replace(still, now=NOW + timedelta(minutes=30))).spared == 1
        after = decide(replace(still, now=NOW + timedelta(minutes=31)))
        assert (after.spared, after.trial, after.variant.name) == (0, None, "no-speculation")


class TestOvertaken:
    @pytest.mark.parametrize(
        "changes",
        [
            {"policy": {"mode": "Observe"}},
            {"policy": {"mode": "Enforce", "budget": {"cooldown": "20m"}}},
            {"suspend": True, **TRYING},
        ],
        ids=["mode", "policy", "suspend"],
    )
    def test_a_change_of_the_policy_ends_it(self, changes: dict[str, Any]) -> None:
        spec = spec_of(replicas=2, **changes)
        found = going_on()
        plan = decide(replace(found, spec=spec, ladder=situation(spec).ladder))
        assert (plan.variant.name, plan.trial, last(plan)) == ("primary", None, (Outcome.SUPERSEDED, None))

    def test_so_does_another_primary(self) -> None:
        spec = spec_of(replicas=2, model={"name": "org/other"}, **TRYING)
        plan = decide(replace(going_on(), spec=spec, ladder=situation(spec).ladder))
        assert (plan.trial, last(plan)) == (None, (Outcome.SUPERSEDED, None))

    def test_another_number_of_replicas_does_not(self) -> None:
        spec = spec_of(replicas=5, **TRYING)
        plan = decide(replace(going_on(), spec=spec))
        assert (plan.trial, plan.spared) == (OFF, 0)


class TestAfterwards:
    def test_a_dropped_rung_is_passed_over_by_the_next_breach(self) -> None:
        spec = spec_of(
            replicas=2, fallbacks=[{"name": "ngram", "triggers": ["Acceptance"], "speculation": NGRAM}], **TRYING
        )
        first, plan = begin(spec)
        found = replace(first, status=recorded(first, plan), cluster=running(spec, trial=pod(spec, "ngram")), now=LATER)
        dropped = concluded(found, Verdict.WORSE)
        after = replace(
            found, status=recorded(found, dropped), cluster=running(spec), now=LATER + timedelta(minutes=15)
        )
        again = decide(replace(after, compared=None))
        assert again.trial is not None
        assert (plan.operation and plan.operation.to_variant, again.trial.name) == ("ngram", "no-speculation")

    def test_the_cooldown_counts_from_the_end_of_the_trial(self) -> None:
        unclear = decision(outcome=Outcome.UNCLEAR, concluded_at=stamp(NOW - timedelta(minutes=14)))
        status = replace_status(SPEC, [unclear])
        plan = decide(situation(SPEC, status=status))
        assert plan.hold is not None
        assert plan.hold.reason == "CoolingDown"

    def test_a_roll_after_a_trial_is_verified_and_taken_back_like_any_other(self) -> None:
        found = going_on()
        plan = concluded(found, Verdict.BETTER)
        status = recorded(found, plan)
        crashing = running(SPEC, "no-speculation", updated=0, crash_looping=True, since=LATER)
        back = decide(replace(found, status=status, cluster=crashing, compared=None))
        assert (back.variant.name, back.decisions[-1].trigger) == ("primary", "Revert")


NGRAM = {"method": "NGram", "numSpeculativeTokens": 2}


def replace_status(spec: Spec, decisions: list[Any]) -> Any:
    return situation(spec).status.model_copy(update={"decisions": decisions})


def test_a_trial_is_no_change_of_the_users() -> None:
    found = going_on()
    status = recorded(found)
    conditions = {entry.type: entry.status for entry in status.conditions}
    assert (conditions["Ready"], conditions["Reconciling"], conditions["Stalled"]) == ("True", "False", "False")
    assert (status.replicas, status.ready_replicas) == (3, 3)


def test_nothing_runs_beside_a_resource_that_nobody_judged() -> None:
    found = situation(SPEC, judgement=None, cluster=ClusterState())
    assert (decide(found).trial, decide(found).spared) == (None, 0)


def test_a_signal_that_is_not_in_breach_is_remembered_for_the_verification() -> None:
    findings = finding(Signal.BREACH), finding(Signal.HEALTHY, LATENCY)
    plan = decide(situation(SPEC, judgement=judgement(rung(SPEC), *findings)))
    assert plan.operation is not None
    assert plan.operation.sound == ["TpotP99: over 2% of the requests slower than 50ms"]
