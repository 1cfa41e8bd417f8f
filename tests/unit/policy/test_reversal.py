"""A roll that failed: taken back once, frozen the second time, and what a person does about it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import (
    MAX_ACTIONS,
    MAX_BLOCKED,
    REVERT,
    Decision,
    FailureReason,
    Frozen,
    Operation,
    Outcome,
    Phase,
    Status,
)
from specdecode_operator.policy import Plan, Situation, Verdict, decide
from specdecode_operator.policy.brakes.checks import Hold
from support.builders import (
    ENFORCE,
    LATENCY,
    NOW,
    blocked,
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

FP8 = {"name": "fp8", "triggers": ["Latency", "Startup"], "model": {"quantization": "fp8"}}
SPEC = spec_of(fallbacks=[FP8], **ENFORCE)
OFF = "no-speculation"
CRASHING = running(SPEC, OFF, crash_looping=True, updated=1, total=2)
WORSE = judgement(rung(SPEC, OFF), finding(Verdict.NOT_APPLICABLE), finding(Verdict.BREACH, LATENCY))
AT = stamp(NOW)


def failed(spec: Any = SPEC, *, roll: Operation | None = None, **changes: Any) -> Situation:
    """The roll from primary to no-speculation is under way, and its pods crash."""
    roll = roll or operation()
    kept = changes.pop("kept", {})
    entry = decision(outcome=Outcome.STARTED, trigger=roll.trigger)
    status = status_of(SPEC, roll.to_variant, operation=roll, decisions=[entry], **kept)
    base: dict[str, Any] = {"status": status, "cluster": CRASHING, "judgement": None}
    return situation(spec, **(base | changes))


def reversal(**changes: Any) -> Decision:
    found = Decision(
        id="",
        at=AT,
        generation=1,
        from_variant=OFF,
        to_variant="primary",
        trigger=REVERT,
        reason=FailureReason.CRASH_LOOP,
        outcome=Outcome.STARTED,
    )
    return found.model_copy(update=changes)


class TestFirst:
    def test_pods_go_back_to_what_was_left(self) -> None:
        plan = decide(failed())
        identity = plan.decisions[-1].id
        back = operation(id=identity, from_variant=OFF, to_variant="primary", trigger=REVERT, started_at=AT)
        assert plan == Plan(
            variant=rung(SPEC),
            operation=back,
            decisions=(decision(outcome=Outcome.REVERTED), reversal(id=identity)),
            hold=None,
            blocked=(blocked(SPEC, OFF, reason=FailureReason.CRASH_LOOP, since=AT),),
            frozen=None,
            reversals=1,
            actions=(AT,),
            again=31 * 60.0,
        )

    def test_what_became_worse_is_written_down_with_its_figures(self) -> None:
        plan = decide(failed(roll=verifying(), cluster=running(SPEC, OFF), judgement=WORSE))
        assert plan.decisions[-1] == reversal(
            id=plan.decisions[-1].id,
            reason=FailureReason.WORSE,
            signal="TpotP99",
            value="30% / 40%",
            threshold="over 2% of the requests slower than 50ms",
            window="5m / 30m",
            samples="300 / 900",
        )
        assert (plan.variant, plan.blocked[0].reason) == (rung(SPEC), FailureReason.WORSE)

    def test_the_cooldown_does_not_hold_it(self) -> None:
        just_now = operation(started_at=AT)
        assert decide(failed(roll=just_now, kept={"actions": [AT]})).decisions[-1].trigger == REVERT

    def test_a_spent_budget_does_not_hold_it(self) -> None:
        acted = [AT] * MAX_ACTIONS
        plan = decide(failed(kept={"actions": acted}))
        assert (plan.decisions[-1].trigger, plan.actions) == (REVERT, tuple(acted))

    def test_a_second_look_brings_nothing_new(self) -> None:
        """Killed after the record, before anything was applied."""
        before = failed()
        plan = decide(before)
        again = decide(replace(before, status=recorded(before, plan), now=NOW + timedelta(minutes=1)))
        assert replace(again, hold=None, again=None) == replace(plan, hold=None, again=None)

    def test_a_variant_that_is_gone_meanwhile_leaves_the_primary_to_go_back_to(self) -> None:
        roll = operation(from_variant="gone")
        assert decide(failed(roll=roll)).variant == rung(SPEC)

    def test_the_rung_in_between_is_gone_back_to_where_it_was_left(self) -> None:
        roll = operation(from_variant="fp8")
        assert decide(failed(roll=roll)).variant == rung(SPEC, "fp8")

    def test_the_list_of_what_was_taken_back_is_bounded(self) -> None:
        entries = [blocked(SPEC, "fp8", trigger=str(number)) for number in range(MAX_BLOCKED)]
        found = decide(failed(kept={"blocked": entries})).blocked
        assert (len(found), found[0].trigger, found[-1].variant) == (MAX_BLOCKED, "1", OFF)

    def test_a_pair_is_listed_once(self) -> None:
        entries = [blocked(SPEC, OFF, variant_hash="of before")]
        found = decide(failed(kept={"blocked": entries})).blocked
        assert [entry.variant_hash for entry in found] == [rung(SPEC, OFF).hash]


class TestHeld:
    @pytest.mark.parametrize(
        ("fields", "reason"),
        [({}, "ModeObserve"), ({"suspend": True, **ENFORCE}, "Suspended")],
    )
    def test_without_leave_to_act_the_roll_stays_where_it_is(self, fields: dict[str, Any], reason: str) -> None:
        before = failed(spec_of(fallbacks=[FP8], **fields))
        plan = decide(before)
        kept = rung(SPEC, OFF), before.status.operation, tuple(before.status.decisions)
        assert (plan.variant, plan.operation, plan.decisions) == kept
        assert plan.hold is not None
        assert plan.hold.reason == reason

    def test_a_suspended_reversal_asks_for_a_person(self) -> None:
        before = failed(spec_of(fallbacks=[FP8], suspend=True, **ENFORCE))
        found = recorded(before).condition("RemediationBlocked")
        assert found is not None
        assert (found.status, found.reason) == ("True", "Suspended")

    def test_a_change_of_the_spec_comes_first(self) -> None:
        changed = spec_of(fallbacks=[FP8], engine={"maxNumSeqs": 64}, **ENFORCE)
        plan = decide(failed(changed))
        assert (plan.variant, plan.operation, plan.blocked, plan.reversals) == (rung(changed), None, (), 0)
        assert [entry.outcome for entry in plan.decisions] == [Outcome.SUPERSEDED]


class TestAfterwards:
    """The pods run primary again, and acceptance is still in breach."""

    def back(self, **changes: Any) -> Situation:
        status = recorded(failed())
        done = recorded(situation(SPEC, status=status, judgement=None))
        return situation(SPEC, status=done, now=NOW + timedelta(hours=1), **changes)

    def test_the_reversal_is_completed(self) -> None:
        assert [entry.outcome for entry in self.back().status.decisions] == [Outcome.REVERTED, Outcome.COMPLETED]

    def test_the_same_rung_is_not_chosen_for_the_same_trigger(self) -> None:
        plan = decide(self.back())
        assert plan.variant == rung(SPEC)
        assert plan.hold is not None
        assert plan.hold.reason == "LadderExhausted"

    def test_but_for_another_trigger_it_may_be(self) -> None:
        slow = judgement(rung(SPEC), finding(Verdict.BREACH, LATENCY))
        assert decide(self.back(judgement=slow)).variant == rung(SPEC, "fp8")

    def test_the_cooldown_counts_from_the_reversal(self) -> None:
        slow = judgement(rung(SPEC), finding(Verdict.BREACH, LATENCY))
        hold = decide(replace(self.back(judgement=slow), now=NOW + timedelta(minutes=14))).hold
        assert hold is not None
        assert hold.reason == "CoolingDown"


class TestFreezing:
    def second(self) -> Situation:
        return failed(kept={"reversals": 1, "blocked": [blocked(SPEC, "fp8", trigger="Latency")]})

    def test_the_second_reversal_goes_back_and_freezes(self) -> None:
        plan = decide(self.second())
        assert plan.frozen is not None
        assert plan.frozen == Frozen(id=plan.frozen.id, reason="SecondReversal", since=AT)
        assert (plan.variant, plan.decisions[-1].trigger, plan.reversals) == (rung(SPEC), REVERT, 2)

    def test_pods_that_do_not_start_after_going_back_freeze_where_they_are(self) -> None:
        roll = operation(from_variant=OFF, to_variant="primary", trigger=REVERT)
        before = failed(roll=roll, cluster=running(SPEC, crash_looping=True, ready=0), kept={"reversals": 1})
        plan = decide(before)
        assert plan.frozen is not None
        assert (plan.frozen.reason, plan.variant, plan.operation) == ("ReversalFailed", rung(SPEC), None)
        assert [entry.outcome for entry in plan.decisions] == [Outcome.FAILED]

    def test_a_freeze_keeps_its_id_when_the_reversal_fails_as_well(self) -> None:
        ice = Frozen(id="f1", reason="SecondReversal", since="2026-03-01T11:00:00Z")
        roll = operation(from_variant=OFF, to_variant="primary", trigger=REVERT)
        crashing = running(SPEC, crash_looping=True, ready=0)
        assert decide(failed(roll=roll, cluster=crashing, kept={"frozen": ice, "reversals": 2})).frozen == ice

    def test_every_freeze_has_an_id_of_its_own_so_that_an_annotation_counts_once(self) -> None:
        moments = [NOW + timedelta(seconds=seconds) for seconds in range(5)]
        found = [decide(replace(self.second(), now=moment)).frozen for moment in moments]
        identities = {ice.id for ice in found if ice is not None}
        assert (len(identities), operation().id in identities) == (5, False)

    def frozen(self, **changes: Any) -> Situation:
        ice = Frozen(id="f1", reason="SecondReversal", since="2026-03-01T11:00:00Z")
        return situation(SPEC, status=status_of(SPEC, frozen=ice, reversals=2), **changes)

    def test_a_frozen_resource_does_nothing_about_a_breach(self) -> None:
        plan = decide(self.frozen())
        assert (plan.variant, plan.operation, plan.decisions, plan.hold and plan.hold.reason) == (
            rung(SPEC),
            None,
            (),
            "Frozen",
        )

    def test_nor_about_pods_that_do_not_start(self) -> None:
        crashing = running(SPEC, crash_looping=True, ready=0, available=False)
        plan = decide(self.frozen(cluster=crashing, judgement=None))
        assert (plan.variant, plan.hold and plan.hold.reason) == (rung(SPEC), "Frozen")

    def test_a_person_thaws_it_and_it_acts_again(self) -> None:
        plan = decide(self.frozen(unfreeze="f1"))
        assert (plan.frozen, plan.reversals, plan.variant) == (None, 0, rung(SPEC, OFF))

    def test_the_annotation_left_behind_does_not_thaw_the_next_freeze(self) -> None:
        plan = decide(replace(self.second(), unfreeze="f1"))
        assert plan.frozen is not None
        after = replace(self.second(), status=recorded(self.second(), plan), unfreeze="f1")
        assert decide(after).frozen == plan.frozen

    def test_a_user_who_changes_what_runs_starts_anew(self) -> None:
        changed = spec_of(fallbacks=[FP8], engine={"maxNumSeqs": 64}, **ENFORCE)
        found = replace(self.frozen(), spec=changed, ladder=situation(changed).ladder)
        plan = decide(found)
        assert (plan.frozen, plan.reversals, plan.variant) == (None, 0, rung(changed))


class TestVerified:
    @pytest.mark.parametrize(
        ("verdict", "outcome"),
        [(Verdict.HEALTHY, Outcome.VERIFIED), (Verdict.RECOVERED, Outcome.VERIFIED)],
    )
    def test_a_roll_that_proves_itself_is_kept(self, verdict: Verdict, outcome: Outcome) -> None:
        well = judgement(rung(SPEC, OFF), finding(Verdict.NOT_APPLICABLE), finding(verdict, LATENCY))
        plan = decide(failed(roll=verifying(), cluster=running(SPEC, OFF), judgement=well))
        assert (plan.variant, plan.operation, [entry.outcome for entry in plan.decisions]) == (
            rung(SPEC, OFF),
            None,
            [outcome],
        )

    def test_one_that_did_not_help_is_kept_and_the_next_rung_is_tried(self) -> None:
        roll = verifying([], from_variant="primary", to_variant="fp8", trigger="Latency")
        slow = judgement(rung(SPEC, "fp8"), finding(Verdict.BREACH, LATENCY))
        plan = decide(failed(roll=roll, cluster=running(SPEC, "fp8"), judgement=slow))
        assert [(entry.outcome, entry.to_variant) for entry in plan.decisions] == [
            (Outcome.NOT_IMPROVED, OFF),
            (Outcome.STARTED, OFF),
        ]
        assert plan.operation is not None
        assert (plan.operation.phase, plan.operation.sound) == (Phase.ROLLING, [])

    def test_the_next_roll_remembers_what_was_well_at_its_decision(self) -> None:
        both = judgement(rung(SPEC), finding(Verdict.BREACH), finding(Verdict.HEALTHY, LATENCY))
        roll = decide(situation(SPEC, status=Status(), judgement=both)).operation
        assert roll is not None
        assert roll.sound == ["TpotP99: over 2% of the requests slower than 50ms"]


def test_holds_name_the_mode() -> None:
    hold = decide(failed(spec_of(fallbacks=[FP8]))).hold
    assert hold == Hold("ModeObserve", "policy.mode is Observe; Enforce would take the failed roll back")
