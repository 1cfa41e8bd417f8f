"""Mode Recommend: proposed, approved by a person, judged again, and carried out once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Decision, FailureReason, Mode, Outcome, Phase, Spec
from specdecode_operator.policy import Plan, Situation, Verdict, decide
from specdecode_operator.policy.brakes.approval import PROPOSAL_LIFETIME
from support.builders import (
    LATENCY,
    NOW,
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
    verifying,
)

FP8 = {"name": "fp8", "triggers": ["Latency"], "model": {"quantization": "fp8"}}
SPEC = spec_of(policy={"mode": "Recommend", "trial": {"mode": "Never"}}, fallbacks=[FP8])
OFF = "no-speculation"
MINUTE = timedelta(minutes=1)
COMMAND = "kubectl annotate sdd NAME --overwrite specdecode.dev/approve"


def proposal(identity: str = "", **changes: Any) -> Decision:
    return decision(identity, at=stamp(NOW), outcome=Outcome.PROPOSED, **changes)


def following(before: Situation, after: timedelta = MINUTE, **changes: Any) -> Situation:
    """Return what is found after the plan for `before` was recorded."""
    return replace(before, status=recorded(before), now=before.now + after, **changes)


def approved(before: Situation, after: timedelta = MINUTE, **changes: Any) -> Situation:
    """Return the same with the proposal approved."""
    found = following(before, after, **changes)
    return replace(found, approve=found.status.decisions[-1].id)


def outcomes(plan: Plan) -> list[str]:
    return [entry.outcome for entry in plan.decisions]


class TestProposal:
    def test_a_breach_that_enforce_would_act_on_is_proposed(self) -> None:
        plan = decide(situation(SPEC))
        identity = plan.decisions[0].id
        assert plan == Plan(rung(SPEC), None, (proposal(identity),), plan.hold, again=PROPOSAL_LIFETIME.total_seconds())
        assert plan.hold is not None
        assert (plan.hold.reason, plan.hold.message) == (
            "AwaitingApproval",
            f"to have no-speculation rolled out, by 2026-03-01T12:30:00Z: {COMMAND}={identity}",
        )

    def test_pods_that_do_not_start_are_too(self) -> None:
        crashing = running(SPEC, updated=0, serving=0, ready=0, crash_looping=True)
        [found] = decide(situation(SPEC, cluster=crashing, judgement=None)).decisions
        assert (found.trigger, found.reason, found.outcome) == ("Startup", FailureReason.CRASH_LOOP, "Proposed")

    def test_one_at_a_time(self) -> None:
        first = situation(SPEC)
        slow = judgement(rung(SPEC), finding(Verdict.BREACH, LATENCY))
        plan = decide(following(first, judgement=slow))
        assert plan.decisions == decide(first).decisions
        assert plan.hold is not None
        assert plan.hold.reason == "AwaitingApproval"

    def test_it_outlives_its_breach(self) -> None:
        well = judgement(rung(SPEC), finding(Verdict.HEALTHY))
        plan = decide(following(situation(SPEC), judgement=well))
        assert (outcomes(plan), plan.again) == (["Proposed"], 29 * 60.0)

    @pytest.mark.parametrize(
        "changes",
        [
            {"judgement": judgement(rung(SPEC), confirmed=False)},
            {"status": status_of(SPEC, actions=[stamp(NOW)])},
            {"cluster": running(SPEC, updated=0)},
            {"spec": SPEC.model_copy(update={"suspend": True})},
        ],
    )
    def test_what_holds_an_action_holds_a_proposal(self, changes: dict[str, Any]) -> None:
        assert decide(replace(situation(SPEC), **changes)).decisions == ()

    def test_a_proposal_is_no_action(self) -> None:
        assert decide(situation(SPEC)).actions == ()


class TestExpiry:
    def test_it_expires_after_thirty_minutes_and_is_followed_by_another_in_its_place(self) -> None:
        before = situation(SPEC)
        late = decide(following(before, PROPOSAL_LIFETIME))
        assert outcomes(late) == ["Proposed"]
        assert late.decisions[0].id != decide(before).decisions[0].id

    def test_without_a_breach_it_stays_expired(self) -> None:
        well = judgement(rung(SPEC), finding(Verdict.HEALTHY))
        late = decide(following(situation(SPEC), PROPOSAL_LIFETIME, judgement=well))
        assert (outcomes(late), late.again) == (["Expired"], None)

    def test_another_step_does_not_take_the_place_of_one_that_expired(self) -> None:
        slow = judgement(rung(SPEC), finding(Verdict.BREACH, LATENCY))
        late = decide(following(situation(SPEC), PROPOSAL_LIFETIME, judgement=slow))
        assert [(entry.to_variant, entry.outcome) for entry in late.decisions] == [
            (OFF, "Expired"),
            ("fp8", "Proposed"),
        ]

    def test_it_can_be_approved_until_the_last_second(self) -> None:
        second = timedelta(seconds=1)
        for after, expected in ((PROPOSAL_LIFETIME - second, OFF), (PROPOSAL_LIFETIME, "primary")):
            assert decide(approved(situation(SPEC), after)).variant.name == expected

    @pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.ENFORCE])
    def test_another_mode_supersedes_it(self, mode: Mode) -> None:
        policy = SPEC.policy.model_copy(update={"mode": mode})
        plan = decide(following(situation(SPEC), spec=SPEC.model_copy(update={"policy": policy})))
        assert outcomes(plan) == ["Superseded", "Observed" if mode is Mode.OBSERVE else "Started"]

    def test_a_change_of_primary_supersedes_it(self) -> None:
        changed: Spec = spec_of(policy={"mode": "Recommend"}, engine={"maxNumSeqs": 8})
        other = situation(changed)
        after = following(situation(SPEC), spec=changed, ladder=other.ladder, judgement=None)
        assert outcomes(decide(after)) == ["Superseded"]

    def test_a_resize_leaves_it(self) -> None:
        after = following(situation(SPEC), spec=SPEC.model_copy(update={"replicas": 3}), generation=2)
        assert outcomes(decide(after)) == ["Proposed"]


class TestApproval:
    def test_what_is_approved_runs_as_in_enforce_under_the_id_that_was_approved(self) -> None:
        before = approved(situation(SPEC))
        plan, at = decide(before), stamp(NOW + MINUTE)
        identity = before.approve
        assert identity is not None
        assert plan == Plan(
            variant=rung(SPEC, OFF),
            operation=operation(id=identity, started_at=at),
            decisions=(decision(identity, at=at, outcome=Outcome.STARTED),),
            hold=None,
            actions=(at,),
            again=31 * 60.0,
        )

    def test_another_id_approves_nothing(self) -> None:
        found = replace(following(situation(SPEC)), approve="00000000")
        assert (decide(found).variant.name, outcomes(decide(found))) == ("primary", ["Proposed"])

    def test_an_id_counts_once(self) -> None:
        """The annotation stays; the roll was taken back, and the breach is there again."""
        first = approved(situation(SPEC))
        ran = recorded(first)
        back = situation(SPEC, status=ran.model_copy(update={"active_variant": "primary", "operation": None}))
        later = replace(back, now=NOW + timedelta(hours=1), approve=first.approve)
        assert decide(later).operation is None

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"judgement": judgement(rung(SPEC), finding(Verdict.HEALTHY))}, "NoBreach"),
            ({"judgement": judgement(rung(SPEC), confirmed=False)}, "BreachUnconfirmed"),
            ({"judgement": judgement(rung(SPEC), finding(Verdict.UNKNOWN))}, "MetricsUnknown"),
            ({"judgement": judgement(rung(SPEC), finding(Verdict.BREACH, LATENCY))}, "AwaitingApproval"),
            ({"judgement": None}, "NotEvaluated"),
            ({"cluster": running(SPEC, ready=0)}, "RolloutInProgress"),
            ({"spec": SPEC.model_copy(update={"suspend": True})}, "Suspended"),
        ],
    )
    def test_it_is_judged_again(self, changes: dict[str, Any], reason: str) -> None:
        plan = decide(approved(situation(SPEC), **changes))
        assert (plan.operation, outcomes(plan), plan.hold and plan.hold.reason) == (None, ["Proposed"], reason)

    def test_an_approval_waits_for_the_brake_to_end(self) -> None:
        held = approved(situation(SPEC), cluster=running(SPEC, updated=0))
        after = replace(held, status=recorded(held), cluster=running(SPEC), now=NOW + 5 * MINUTE)
        assert [decide(found).variant.name for found in (held, after)] == ["primary", OFF]

    def test_a_process_killed_before_the_record_does_it_again(self) -> None:
        before = approved(situation(SPEC))
        later = replace(before, now=before.now + timedelta(seconds=5))
        assert [decide(found).operation is not None for found in (before, later)] == [True, True]

    def test_a_process_killed_after_the_record_goes_on(self) -> None:
        before = approved(situation(SPEC))
        plan = decide(before)
        after = replace(before, status=recorded(before, plan))
        assert (decide(after).operation, decide(after).decisions) == (plan.operation, plan.decisions)


def test_taking_back_what_failed_needs_no_approval() -> None:
    status = status_of(SPEC, OFF, operation=operation(), decisions=[decision("d1", outcome=Outcome.STARTED)])
    crashing = running(SPEC, OFF, crash_looping=True, updated=1, total=2)
    plan = decide(situation(SPEC, status=status, cluster=crashing, judgement=None))
    assert (plan.variant.name, [entry.trigger for entry in plan.decisions]) == ("primary", ["Acceptance", "Revert"])


def test_a_roll_that_is_not_ready_in_time_is_ours_to_take_back_and_no_stall() -> None:
    roll = operation(phase=Phase.ROLLING, started_at=stamp(NOW - MINUTE))
    status = status_of(SPEC, OFF, operation=roll, decisions=[decision("d1", outcome=Outcome.STARTED)])
    late = situation(SPEC, status=status, cluster=running(SPEC, OFF, updated=0, deadline_exceeded=True), judgement=None)
    stalled = recorded(late).condition("Stalled")
    assert stalled is not None
    assert stalled.status == "False"


def test_what_is_verified_asks_for_nothing() -> None:
    status = status_of(SPEC, OFF, operation=verifying(), decisions=[decision("d1")])
    well = judgement(rung(SPEC, OFF), finding(Verdict.HEALTHY, LATENCY))
    plan = decide(situation(SPEC, OFF, status=status, judgement=well))
    assert outcomes(plan) == ["Verified"]


class TestTrial:
    """What is approved is tried first, unless the policy says otherwise."""

    def test_the_proposal_that_is_approved_becomes_the_trial(self) -> None:
        spec = spec_of(policy={"mode": "Recommend"})
        first = situation(spec)
        status = recorded(first)
        proposal = status.decisions[-1]
        plan = decide(replace(first, status=status, approve=proposal.id))
        assert (plan.variant.name, plan.trial and plan.trial.name) == ("primary", OFF)
        assert [(entry.id, entry.outcome) for entry in plan.decisions] == [(proposal.id, Outcome.TRIAL)]
