"""The chain between a breach and an action: each brake alone, and their order."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Frozen, Outcome, Phase, Status
from specdecode_operator.policy import Judgement, Situation, Verdict
from specdecode_operator.policy.brakes.checks import BRAKES, CHAIN, Case, Hold, first_objection
from specdecode_operator.policy.standing import stand
from support.builders import (
    ENFORCE,
    LATENCY,
    NOW,
    blocked,
    decision,
    finding,
    judgement,
    operation,
    rung,
    running,
    situation,
    spec_of,
    stamp,
    status_of,
)

SPEC = spec_of(policy={"mode": "Enforce"})


def case(found: Situation) -> Case:
    return Case(found, stand(found))


def objection(**changes: Any) -> str | None:
    found = first_objection(case(situation(SPEC, **changes)))
    return None if found is None else found.reason


def after(*minutes: float) -> Status:
    return status_of(SPEC, actions=[stamp(NOW - timedelta(minutes=one)) for one in minutes])


def test_the_order_is_the_one_that_is_documented() -> None:
    assert [check.__name__ for check in CHAIN] == [
        "not_evaluated",
        "unknown",
        "no_breach",
        "unconfirmed",
        "frozen",
        "suspended",
        "pinned",
        "fleet_stopped",
        "rolling",
        "verifying",
        "exhausted",
        "cooling_down",
        "budget_spent",
        "outside_windows",
        "common_cause",
        "fleet_busy",
    ]


def test_a_fall_from_pods_that_do_not_start_is_held_by_what_stops_every_action() -> None:
    assert [check.__name__ for check in BRAKES] == [
        "frozen",
        "suspended",
        "pinned",
        "fleet_stopped",
        "budget_spent",
        "outside_windows",
        "common_cause",
        "fleet_busy",
    ]


def test_a_confirmed_breach_with_a_way_down_calls_for_an_action() -> None:
    assert objection() is None


class TestEachBrake:
    def test_nothing_evaluated(self) -> None:
        assert objection(judgement=None) == "NotEvaluated"

    def test_evaluated_for_another_variant(self) -> None:
        assert objection(judgement=judgement(rung(SPEC, "no-speculation"))) == "NotEvaluated"

    def test_unknown_beside_a_breach(self) -> None:
        found = judgement(rung(SPEC), finding(Verdict.BREACH), finding(Verdict.UNKNOWN, LATENCY))
        assert objection(judgement=found) == "MetricsUnknown"

    @pytest.mark.parametrize("verdict", [v for v in Verdict if v not in (Verdict.BREACH, Verdict.UNKNOWN)])
    def test_no_breach(self, verdict: Verdict) -> None:
        assert objection(judgement=judgement(rung(SPEC), finding(verdict))) == "NoBreach"

    def test_nothing_watched(self) -> None:
        assert objection(judgement=Judgement(rung(SPEC).hash, ())) == "NoBreach"

    def test_found_once_only(self) -> None:
        assert objection(judgement=judgement(rung(SPEC), confirmed=False)) == "BreachUnconfirmed"

    def test_frozen(self) -> None:
        ice = Frozen(id="f1", reason="SecondReversal", since=stamp(NOW))
        assert objection(status=status_of(SPEC, frozen=ice)) == "Frozen"

    def test_the_last_roll_is_being_verified(self) -> None:
        busy = operation(phase=Phase.VERIFYING, rolled_at=stamp(NOW))
        found = situation(SPEC, "no-speculation", status=status_of(SPEC, "no-speculation", operation=busy))
        slow = judgement(rung(SPEC, "no-speculation"), finding(Verdict.BREACH, LATENCY))
        hold = first_objection(case(replace(found, judgement=slow)))
        assert hold == Hold("Verifying", "the last roll of the operator is being verified")

    def test_suspended(self) -> None:
        hold = first_objection(case(situation(spec_of(policy={"mode": "Enforce"}, suspend=True))))
        assert hold == Hold("Suspended", "spec.suspend is true; set it to false to let the operator act")

    @pytest.mark.parametrize(
        "changes",
        [
            {"exists": False},
            {"observed": False},
            {"variant_hash": "another"},
            {"updated": 0},
            {"total": 2},
            {"desired": 2},
            {"ready": 0},
        ],
    )
    def test_pods_are_moving(self, changes: dict[str, Any]) -> None:
        assert objection(cluster=running(SPEC, **changes)) == "RolloutInProgress"

    def test_no_rung_left(self) -> None:
        last = judgement(rung(SPEC, "no-speculation"), finding(Verdict.BREACH, LATENCY))
        changes = {"status": status_of(SPEC, "no-speculation"), "cluster": running(SPEC, "no-speculation")}
        assert objection(judgement=last, **changes) == "LadderExhausted"

    def test_too_soon_after_an_action(self) -> None:
        assert objection(status=after(14.98)) == "CoolingDown"

    def test_an_observation_is_no_action(self) -> None:
        seen = decision(at=stamp(NOW - timedelta(minutes=1)), outcome=Outcome.OBSERVED)
        assert objection(status=status_of(SPEC, decisions=[seen])) is None

    def test_the_cooldown_ends_on_the_second(self) -> None:
        assert (objection(status=after(15)), objection(status=after(14.98))) == (None, "CoolingDown")

    def test_a_clock_that_was_set_back_cools_down(self) -> None:
        assert objection(status=after(-60)) == "CoolingDown"

    def test_as_many_actions_as_the_budget_allows(self) -> None:
        hold = first_objection(case(situation(SPEC, status=after(300, 200, 100, 50))))
        message = "policy.budget.limits allows 4 actions in 6h; from 2026-03-01T13:00:00Z on"
        assert hold == Hold("BudgetSpent", message)

    def test_outside_of_every_window(self) -> None:
        spec = spec_of(rollout={"windows": [{"schedule": "0 2 * * *", "duration": "2h"}]}, **ENFORCE)
        hold = first_objection(case(situation(spec)))
        message = "no window of rollout.windows is open; the next one opens at 2026-03-02T02:00:00Z"
        assert hold == Hold("OutsideWindow", message)
        assert first_objection(case(situation(spec, now=NOW + timedelta(hours=14)))) is None


def test_the_brake_that_is_named_is_the_first_of_the_chain() -> None:
    """Every brake is on at first; then they are let off one by one."""
    spec = spec_of(policy={"mode": "Enforce"}, suspend=True, speculation={"method": "None"})
    variant = rung(spec)
    at = stamp(NOW - timedelta(minutes=1))
    moving = running(spec, updated=0)
    recent = status_of(spec, actions=[at])
    unknown = judgement(variant, finding(Verdict.UNKNOWN), finding(Verdict.BREACH, LATENCY), confirmed=False)
    healthy = judgement(variant, finding(Verdict.HEALTHY, LATENCY), confirmed=False)
    once = judgement(variant, finding(Verdict.BREACH, LATENCY), confirmed=False)
    twice = judgement(variant, finding(Verdict.BREACH, LATENCY))
    awake = spec.model_copy(update={"suspend": False})
    steps = [
        situation(spec, judgement=None, cluster=moving, status=recent),
        situation(spec, judgement=unknown, cluster=moving, status=recent),
        situation(spec, judgement=healthy, cluster=moving, status=recent),
        situation(spec, judgement=once, cluster=moving, status=recent),
        situation(spec, judgement=twice, cluster=moving, status=recent),
        situation(awake, judgement=twice, cluster=moving, status=recent),
        situation(awake, judgement=twice, status=recent),
    ]
    reasons = [first_objection(case(step)) for step in steps]
    assert [hold and hold.reason for hold in reasons] == [
        "NotEvaluated",
        "MetricsUnknown",
        "NoBreach",
        "BreachUnconfirmed",
        "Suspended",
        "RolloutInProgress",
        "LadderExhausted",
    ]


def test_the_cooldown_of_the_policy_is_named() -> None:
    hold = first_objection(case(situation(SPEC, status=after(1))))
    assert hold == Hold("CoolingDown", "less than policy.budget.cooldown (15m) since the last action")


class TestNextRung:
    def test_the_first_breach_that_has_a_way_down_decides(self) -> None:
        spec = spec_of(
            policy={"mode": "Enforce"},
            fallbacks=[
                {"name": "no-speculation", "triggers": ["Latency"]},
                {"name": "fp8", "triggers": ["Latency"], "model": {"quantization": "fp8"}},
            ],
        )
        low = finding(Verdict.BREACH)
        slow = finding(Verdict.BREACH, LATENCY)
        found = case(situation(spec, judgement=judgement(rung(spec), low, slow))).next_rung
        assert found == (slow, rung(spec, "no-speculation"))

    def test_a_breach_that_was_found_once_does_not_decide_for_one_that_was_found_twice(self) -> None:
        low, slow = finding(Verdict.BREACH), finding(Verdict.BREACH, LATENCY)
        twice = Judgement(rung(SPEC).hash, (low, slow), frozenset({"TpotP99"}))
        assert case(situation(SPEC, judgement=twice)).next_rung == (slow, rung(SPEC, "no-speculation"))

    def test_a_rung_that_was_taken_back_for_this_trigger_is_passed_over(self) -> None:
        spec = spec_of(
            policy={"mode": "Enforce"},
            fallbacks=[{"name": "int4", "triggers": ["Acceptance"], "model": {"name": "org/int4"}}],
        )
        for trigger, expected in (("Acceptance", "no-speculation"), ("Latency", "int4")):
            status = status_of(spec, blocked=[blocked(spec, "int4", trigger=trigger)])
            found = case(situation(spec, status=status)).next_rung
            assert found == (finding(Verdict.BREACH), rung(spec, expected))

    def test_with_another_configuration_it_is_tried_again(self) -> None:
        changed = blocked(SPEC, "no-speculation", variant_hash="of before")
        found = case(situation(SPEC, status=status_of(SPEC, blocked=[changed]))).next_rung
        assert found == (finding(Verdict.BREACH), rung(SPEC, "no-speculation"))

    def test_a_healthy_signal_leads_nowhere(self) -> None:
        found = judgement(rung(SPEC), finding(Verdict.HEALTHY), finding(Verdict.INSUFFICIENT, LATENCY))
        assert case(situation(SPEC, judgement=found)).next_rung is None
