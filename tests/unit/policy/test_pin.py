"""A variant that a person holds: how it begins, what it stops, and how it ends."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Decision, Outcome, Pin, Spec
from specdecode_operator.policy import Plan, Situation, decide, ladder
from support.builders import (
    ENFORCE,
    NOW,
    decision,
    operation,
    recorded,
    rung,
    running,
    situation,
    spec_of,
    stamp,
    status_of,
)

FP8 = {"name": "fp8", "triggers": ["Latency"], "model": {"quantization": "fp8"}}
SPEC = spec_of(fallbacks=[FP8], **ENFORCE)
OFF = "no-speculation"
UNTIL = "2026-03-01T14:00:00Z"
HELD = Pin(variant="fp8", from_variant="primary", until=UNTIL)
IGNORED = "specdecode.dev/pin is ignored:"


def pin_decision(origin: str, target: str, trigger: str = "Pin", outcome: Outcome = Outcome.STARTED) -> Decision:
    return Decision(
        id="",
        at=stamp(NOW),
        generation=1,
        from_variant=origin,
        to_variant=target,
        trigger=trigger,
        outcome=outcome,
    )


def quiet(name: str = "primary", **changes: Any) -> Situation:
    """Return a resource that runs a variant with nothing to do."""
    return situation(SPEC, name, **({"judgement": None} | changes))


def pinned(name: str = "fp8", held: Pin = HELD, **changes: Any) -> Situation:
    """Return a resource that has run what is pinned for a while."""
    status = status_of(SPEC, name, pin=held)
    return quiet(name, status=status, **({"pin": "fp8@" + UNTIL} | changes))


def shown(plan: Plan) -> tuple[str, list[Decision], Pin | None]:
    return plan.variant.name, [one.model_copy(update={"id": ""}) for one in plan.decisions], plan.pin


class TestBegin:
    def test_the_variant_is_rolled_out_and_written_down(self) -> None:
        plan = decide(quiet(pin="fp8@" + UNTIL))
        assert shown(plan) == ("fp8", [pin_decision("primary", "fp8")], HELD)
        assert (plan.operation, plan.actions, plan.again) == (None, (), 2 * 3600.0)

    def test_without_a_time_it_holds_until_the_annotation_goes(self) -> None:
        plan = decide(quiet(pin="fp8"))
        assert (plan.pin, plan.again) == (Pin(variant="fp8", from_variant="primary"), None)

    def test_a_time_of_another_zone_is_the_same_moment(self) -> None:
        assert decide(quiet(pin="fp8@2026-03-01T15:00:00+01:00")).pin == HELD

    def test_what_runs_already_only_stays(self) -> None:
        plan = decide(quiet(pin="primary"))
        assert shown(plan) == ("primary", [], Pin(variant="primary", from_variant="primary"))

    def test_the_roll_is_completed_when_every_pod_runs_it(self) -> None:
        begun = quiet(pin="fp8")
        moving = replace(begun, status=recorded(begun), cluster=running(SPEC, "fp8", updated=0))
        done = replace(moving, cluster=running(SPEC, "fp8"))
        assert [[one.outcome for one in decide(found).decisions] for found in (moving, done)] == [
            ["Started"],
            ["Completed"],
        ]

    def test_a_roll_of_the_operators_own_is_overtaken(self) -> None:
        status = status_of(SPEC, OFF, operation=operation(), decisions=[decision("d1", outcome=Outcome.STARTED)])
        plan = decide(quiet(OFF, status=status, pin="fp8"))
        assert [one.outcome for one in plan.decisions] == ["Superseded", "Started"]
        assert (plan.variant.name, plan.operation, plan.pin) == ("fp8", None, Pin(variant="fp8", from_variant=OFF))

    @pytest.mark.parametrize("changes", [{"suspend": True}, {"policy": {"mode": "Observe"}}, {"policy": {}}])
    def test_a_person_is_held_by_nothing_that_holds_the_operator(self, changes: dict[str, Any]) -> None:
        spec = spec_of(fallbacks=[FP8], **changes)
        assert decide(situation(spec, judgement=None, pin="fp8")).variant.name == "fp8"


class TestMeanwhile:
    def test_the_operator_does_nothing_about_a_breach(self) -> None:
        plan = decide(pinned(judgement=situation(SPEC, "fp8").judgement))
        assert (plan.variant.name, plan.operation, plan.hold and plan.hold.reason) == ("fp8", None, "Pinned")

    def test_nor_about_pods_that_do_not_start(self) -> None:
        crashing = running(SPEC, "fp8", updated=0, serving=0, ready=0, crash_looping=True)
        plan = decide(pinned(cluster=crashing))
        assert (plan.variant.name, plan.hold and plan.hold.reason) == ("fp8", "Pinned")

    def test_the_condition_says_so_with_its_end(self) -> None:
        found = recorded(pinned()).condition("RemediationBlocked")
        assert found is not None
        assert (found.status, found.reason, found.message) == (
            "True",
            "Pinned",
            f"specdecode.dev/pin holds fp8 until {UNTIL}; the operator takes no action of its own",
        )

    def test_a_roll_by_a_pin_is_a_change_by_a_person(self) -> None:
        begun = quiet(pin="fp8")
        moving = replace(begun, status=recorded(begun), cluster=running(SPEC, "fp8", updated=0))
        found = recorded(moving).condition("Reconciling")
        assert found is not None
        assert (found.status, found.reason) == ("True", "RollingOut")

    def test_a_second_look_brings_nothing_new(self) -> None:
        begun = quiet(pin="fp8@" + UNTIL)
        plan = decide(begun)
        again = decide(replace(begun, status=recorded(begun, plan)))
        assert (again.variant, again.decisions, again.pin) == (plan.variant, plan.decisions, plan.pin)

    def test_another_pin_takes_its_place_and_remembers_where_the_ladder_stood(self) -> None:
        plan = decide(pinned(pin=OFF))
        assert shown(plan) == (OFF, [pin_decision("fp8", OFF)], Pin(variant=OFF, from_variant="primary"))

    def test_another_end_changes_no_pod(self) -> None:
        plan = decide(pinned(pin="fp8@2026-03-01T18:00:00Z"))
        assert (plan.decisions, plan.pin) == ((), HELD.model_copy(update={"until": "2026-03-01T18:00:00Z"}))

    def test_a_change_of_the_spec_rolls_the_pinned_variant(self) -> None:
        changed: Spec = spec_of(fallbacks=[FP8], engine={"maxNumSeqs": 8}, **ENFORCE)
        plan = decide(replace(pinned(pin="fp8"), spec=changed, ladder=ladder(changed)))
        assert (plan.variant, plan.decisions) == (rung(changed, "fp8"), ())
        assert plan.pin == Pin(variant="fp8", from_variant="primary")


class TestEnd:
    @pytest.mark.parametrize("changes", [{"pin": None}, {"now": NOW + timedelta(hours=2)}, {"pin": "fp9"}])
    def test_the_pods_go_back_to_where_the_ladder_stood(self, changes: dict[str, Any]) -> None:
        plan = decide(pinned(**changes))
        expected = pin_decision("fp8", "primary", "Unpin").model_copy(update={"at": plan.decisions[0].at})
        assert shown(plan) == ("primary", [expected], None)

    def test_an_end_that_has_passed_does_nothing_more(self) -> None:
        later = quiet(pin="fp8@" + UNTIL, now=NOW + timedelta(hours=3))
        assert shown(decide(later)) == ("primary", [], None)

    def test_a_rung_further_down_is_gone_back_to(self) -> None:
        plan = decide(pinned("primary", Pin(variant="primary", from_variant=OFF), pin=None))
        assert plan.variant.name == OFF

    def test_what_is_no_variant_any_more_is_primary(self) -> None:
        gone = HELD.model_copy(update={"from_variant": "int4"})
        plan = decide(pinned("fp8", gone, pin=None))
        assert plan.variant.name == "primary"

    def test_what_ran_all_along_only_stays(self) -> None:
        plan = decide(pinned("primary", Pin(variant="primary", from_variant="primary"), pin=None))
        assert shown(plan) == ("primary", [], None)

    def test_after_a_change_of_the_spec_the_ladder_has_started_anew(self) -> None:
        changed: Spec = spec_of(fallbacks=[FP8], engine={"maxNumSeqs": 8}, **ENFORCE)
        plan = decide(replace(pinned(pin=None), spec=changed, ladder=ladder(changed)))
        assert shown(plan) == ("primary", [], None)

    def test_a_pin_that_ends_before_its_roll_does_is_overtaken(self) -> None:
        begun = quiet(pin="fp8")
        ended = replace(begun, status=recorded(begun), cluster=running(SPEC, "fp8", updated=0), pin=None)
        assert [(one.trigger, one.outcome) for one in decide(ended).decisions] == [
            ("Pin", "Superseded"),
            ("Unpin", "Started"),
        ]


class TestIgnored:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("fp9", f"{IGNORED} fp9 is no variant; there are primary, fp8, no-speculation"),
            ("", f"{IGNORED} nothing is no variant; there are primary, fp8, no-speculation"),
            ("x" * 300, f"{IGNORED} {'x' * 64} is no variant; there are primary, fp8, no-speculation"),
            ("fp8@tomorrow", f"{IGNORED} tomorrow is no time such as 2026-03-01T12:00:00Z; correct it"),
            ("fp8@2026-03-01", f"{IGNORED} 2026-03-01 is no time such as 2026-03-01T12:00:00Z; correct it"),
            (
                "fp8@2026-03-01T12:00:00",
                f"{IGNORED} 2026-03-01T12:00:00 is no time such as 2026-03-01T12:00:00Z; correct it",
            ),
        ],
    )
    def test_what_cannot_be_followed_is_said_in_a_sentence(self, text: str, sentence: str) -> None:
        found = quiet(pin=text)
        plan, blocked = decide(found), recorded(found).condition("RemediationBlocked")
        assert (plan.variant.name, plan.pin) == ("primary", None)
        assert blocked is not None
        assert (blocked.status, blocked.reason, blocked.message) == ("False", "PinIgnored", sentence)

    def test_a_variant_that_is_refused(self) -> None:
        found = quiet(pin="fp8", ladder=replace(ladder(SPEC), unusable=frozenset({"fp8"})))
        blocked = recorded(found).condition("RemediationBlocked")
        assert decide(found).variant.name == "primary"
        assert blocked is not None
        assert blocked.message == f"{IGNORED} fp8 is refused before it runs; see status.plan"

    def test_the_operator_goes_on_acting(self) -> None:
        assert decide(situation(SPEC, pin="fp9")).variant.name == OFF
