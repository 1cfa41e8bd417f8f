"""One situation to one plan: what is done, what is only written down, and what is remembered."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import MAX_DECISIONS, ConditionStatus, Decision, Operation, Outcome
from specdecode_operator.policy import Plan, Verdict, decide, timestamp
from specdecode_operator.policy.brakes.checks import Hold
from specdecode_operator.policy.record import percent
from support.builders import (
    ENFORCE,
    LATENCY,
    NOW,
    condition,
    decision,
    finding,
    judgement,
    recorded,
    rung,
    running,
    situation,
    spec_of,
    stamp,
    status_of,
)

OBSERVE = Hold("ModeObserve", "policy.mode is Observe; Enforce would roll to the next rung")


def expected(outcome: Outcome, **changes: Any) -> Decision:
    return decision(at="2026-03-01T12:00:00Z", outcome=outcome, **changes)


class TestEnforce:
    SPEC = spec_of(**ENFORCE)

    def test_a_breach_starts_a_roll_to_the_next_rung(self) -> None:
        plan = decide(situation(self.SPEC))
        identity = plan.decisions[0].id
        assert plan == Plan(
            variant=rung(self.SPEC, "no-speculation"),
            operation=Operation(
                id=identity,
                from_variant="primary",
                to_variant="no-speculation",
                trigger="Acceptance",
                started_at="2026-03-01T12:00:00Z",
            ),
            decisions=(expected(Outcome.STARTED, identity=identity),),
            hold=None,
            actions=("2026-03-01T12:00:00Z",),
            again=31 * 60.0,
        )

    def test_the_same_situation_gives_the_same_plan(self) -> None:
        assert decide(situation(self.SPEC)) == decide(situation(self.SPEC))

    def test_another_moment_gives_another_id(self) -> None:
        later = decide(situation(self.SPEC, now=NOW + timedelta(seconds=1)))
        assert later.decisions[0].id != decide(situation(self.SPEC)).decisions[0].id

    def test_an_id_is_short_and_can_be_typed(self) -> None:
        identity = decide(situation(self.SPEC)).decisions[0].id
        assert (len(identity), int(identity, 16) >= 0) == (8, True)

    def test_a_latency_breach_is_recorded_with_its_edge_and_twice_its_budget(self) -> None:
        slow = finding(Verdict.BREACH, LATENCY, short=0.031, long=0.02512, samples_short=45.4, samples_long=1234.6)
        found = decide(situation(self.SPEC, judgement=judgement(rung(self.SPEC), slow))).decisions[0]
        assert found == expected(
            Outcome.STARTED,
            identity=found.id,
            trigger="Latency",
            signal="TpotP99",
            value="3.1% / 2.51%",
            threshold="over 2% of the requests slower than 50ms",
            samples="45 / 1235",
        )

    def test_one_rung_at_a_time(self) -> None:
        fallbacks = [
            {"name": "a", "triggers": ["Acceptance"], "speculation": {"method": "Suffix"}},
            {"name": "b", "triggers": ["Acceptance"], "speculation": {"method": "Mtp"}},
        ]
        spec = spec_of(fallbacks=fallbacks, **ENFORCE)
        first = situation(spec)
        report = recorded(first)
        rolled = recorded(situation(spec, "a", status=report))
        second = situation(spec, "a", status=rolled, now=NOW + timedelta(minutes=31))
        assert [decide(found).variant.name for found in (first, second)] == ["a", "b"]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"judgement": None}, "NotEvaluated"),
            ({"cluster": running(SPEC, updated=0)}, "RolloutInProgress"),
            ({"status": status_of(SPEC, actions=["2026-03-01T11:50:00Z"])}, "CoolingDown"),
            ({"judgement": judgement(rung(SPEC), confirmed=False)}, "BreachUnconfirmed"),
            ({"judgement": judgement(rung(SPEC, "no-speculation"))}, "NotEvaluated"),
        ],
    )
    def test_a_brake_keeps_everything_as_it_is(self, changes: dict[str, Any], reason: str) -> None:
        before = situation(self.SPEC, **changes)
        plan = decide(before)
        assert plan.hold is not None
        assert replace(plan, again=None) == Plan(
            rung(self.SPEC), None, (), plan.hold, actions=tuple(before.status.actions)
        )
        assert plan.hold.reason == reason

    @pytest.mark.parametrize(
        ("fields", "minutes_ago", "expected"),
        [
            ({}, [10], 5 * 60.0),
            ({"policy": {"mode": "Enforce", "budget": {"limits": [{"count": 1, "window": "1h"}]}}}, [20], 40 * 60.0),
            ({"rollout": {"windows": [{"schedule": "0 13 * * *", "duration": "1h"}]}}, [], 60 * 60.0),
            ({}, [], None),
        ],
    )
    def test_it_is_looked_at_again_when_a_brake_ends(
        self, fields: dict[str, Any], minutes_ago: list[int], expected: float | None
    ) -> None:
        spec = spec_of(**(ENFORCE | fields))
        actions = [timestamp(NOW - timedelta(minutes=minutes)) for minutes in minutes_ago]
        quiet = judgement(rung(spec), finding(Verdict.HEALTHY)) if expected is None else judgement(rung(spec))
        found = situation(spec, status=status_of(spec, actions=actions), judgement=quiet)
        assert decide(found).again == expected

    def test_suspend_stops_actions(self) -> None:
        plan = decide(situation(spec_of(suspend=True, **ENFORCE)))
        assert (plan.variant.name, plan.decisions, plan.hold and plan.hold.reason) == ("primary", (), "Suspended")

    def test_on_the_last_rung_a_person_has_to_decide(self) -> None:
        last = judgement(rung(self.SPEC, "no-speculation"), finding(Verdict.BREACH, LATENCY))
        plan = decide(situation(self.SPEC, "no-speculation", judgement=last))
        assert plan.hold == Hold(
            "LadderExhausted",
            "no fallback below the active variant names the trigger and is not blocked; a person has to decide",
        )
        assert plan.variant.name == "no-speculation"


class TestObserve:
    SPEC = spec_of()

    def test_nothing_is_rolled_and_what_would_be_done_is_written_down(self) -> None:
        plan = decide(situation(self.SPEC))
        identity = plan.decisions[0].id
        assert plan == Plan(rung(self.SPEC), None, (expected(Outcome.OBSERVED, identity=identity),), OBSERVE)

    def test_one_entry_an_episode(self) -> None:
        first = situation(self.SPEC)
        second = replace(first, status=recorded(first), now=NOW + timedelta(minutes=1))
        assert decide(second) == decide(first)

    def test_after_recovery_the_next_breach_is_a_new_episode(self) -> None:
        first = situation(self.SPEC)
        healthy = judgement(rung(self.SPEC), finding(Verdict.HEALTHY))
        well = replace(first, status=recorded(first), judgement=healthy)
        again = replace(first, status=recorded(well), now=NOW + timedelta(hours=1))
        assert [entry.at for entry in decide(again).decisions] == ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"]

    def test_lost_metrics_do_not_end_an_episode(self) -> None:
        first = situation(self.SPEC)
        lost = judgement(rung(self.SPEC), finding(Verdict.UNKNOWN), unavailable="EndpointUnavailable")
        blind = replace(first, status=recorded(first), judgement=lost)
        again = replace(first, status=recorded(blind), now=NOW + timedelta(hours=1))
        assert len(decide(again).decisions) == 1

    @pytest.mark.parametrize(
        "change",
        [{"generation": 2}, {"judgement": judgement(rung(SPEC), finding(Verdict.BREACH, LATENCY))}],
    )
    def test_another_generation_or_trigger_is_another_entry(self, change: dict[str, Any]) -> None:
        first = situation(self.SPEC)
        second = replace(first, status=recorded(first), now=NOW + timedelta(minutes=1), **change)
        assert len(decide(second).decisions) == 2

    def test_an_old_observation_counts_as_known_only_while_objectives_are_missed(self) -> None:
        known = decide(situation(self.SPEC)).decisions
        missed = [condition("ObjectivesMet", ConditionStatus.FALSE)]
        met = [condition("ObjectivesMet", ConditionStatus.TRUE)]
        lengths = [
            len(
                decide(
                    situation(self.SPEC, status=status_of(self.SPEC, decisions=list(known), conditions=found))
                ).decisions
            )
            for found in (missed, met, [])
        ]
        assert lengths == [1, 2, 2]

    @pytest.mark.parametrize(("minutes", "entries"), [(30, 1), (31, 2)])
    def test_objectives_that_are_missed_again_later_are_another_episode(self, minutes: int, entries: int) -> None:
        """The first evaluation that finds it again has made the condition false before the second confirms it."""
        known = decide(situation(self.SPEC)).decisions
        later = NOW + timedelta(minutes=minutes)
        missed = condition("ObjectivesMet", ConditionStatus.FALSE, last_transition_time=stamp(later))
        status = status_of(self.SPEC, decisions=list(known), conditions=[missed])
        assert len(decide(situation(self.SPEC, status=status, now=later)).decisions) == entries

    def test_switching_to_enforce_acts_on_the_breach_that_was_observed(self) -> None:
        status = recorded(situation(self.SPEC))
        plan = decide(situation(spec_of(**ENFORCE), status=status, generation=2))
        outcomes = [entry.outcome for entry in plan.decisions]
        assert (plan.variant.name, outcomes) == ("no-speculation", [Outcome.OBSERVED, Outcome.STARTED])


def test_ten_decisions_are_kept_and_the_oldest_goes_first() -> None:
    old = [decision(f"d{number}") for number in range(MAX_DECISIONS)]
    spec = spec_of(**ENFORCE)
    plan = decide(situation(spec, status=status_of(spec, decisions=old)))
    assert [entry.id for entry in plan.decisions[:-1]] == [f"d{number}" for number in range(1, MAX_DECISIONS)]
    assert len(plan.decisions) == MAX_DECISIONS


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0%"), (0.5, "50%"), (0.02, "2%"), (0.12345, "12.3%"), (0.000123, "0.0123%"), (1.0, "100%")],
)
def test_shares_have_three_significant_digits(value: float, text: str) -> None:
    assert percent(value) == text


def test_a_share_without_data_is_none() -> None:
    assert percent(float("nan")) == "none"


def test_times_are_written_as_kubernetes_writes_them() -> None:
    assert timestamp(NOW + timedelta(microseconds=999999)) == "2026-03-01T12:00:00Z"
