"""A rollout of which no pod starts falls down the ladder; nothing else does."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Decision, FailureReason, Outcome
from specdecode_operator.policy import ClusterState, Situation, decide
from specdecode_operator.policy.standing import stand
from specdecode_operator.policy.startup import stuck
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

RUNGS = [
    {"name": "int8", "triggers": ["Acceptance", "Latency"], "model": {"name": "org/int8"}},
    {"name": "fp8", "triggers": ["Startup"], "model": {"name": "org/fp8"}},
]
SPEC = spec_of(fallbacks=RUNGS, **ENFORCE)
NOTHING: dict[str, Any] = {"ready": 0, "available": False, "serving": 0, "since": NOW - timedelta(minutes=31)}


def crashing(name: str = "primary", **changes: Any) -> ClusterState:
    return running(SPEC, name, **(NOTHING | {"crash_looping": True} | changes))


def late(name: str = "primary", **changes: Any) -> ClusterState:
    return running(SPEC, name, **(NOTHING | {"deadline_exceeded": True} | changes))


def user(cluster: ClusterState, spec: Any = SPEC, **changes: Any) -> Situation:
    """A rollout of the user's."""
    return situation(spec, **({"cluster": cluster, "judgement": None} | changes))


NOT_READY, CRASH_LOOP = FailureReason.NOT_READY, FailureReason.CRASH_LOOP


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        (crashing(), CRASH_LOOP),
        (late(), NOT_READY),
        (late(ready=1, available=True), NOT_READY),
        (running(SPEC, **NOTHING), None),
        (crashing(serving=1), None),
        (late(serving=1), None),
        (crashing(completed=True), None),
        (crashing(unschedulable=True), None),
        (late(unschedulable=True), None),
        (late(since=None), None),
        (late(since=NOW - timedelta(minutes=30)), NOT_READY),
        (late(since=NOW - timedelta(minutes=29, seconds=59)), None),
        (crashing(since=NOW), CRASH_LOOP),
        (crashing(observed=False), None),
        (crashing(variant_hash="another"), None),
        (ClusterState(), None),
    ],
)
def test_it_needs_a_rollout_that_has_come_to_nothing(cluster: ClusterState, expected: FailureReason | None) -> None:
    found = user(cluster)
    assert stuck(found, stand(found)) is expected


def test_a_roll_of_our_own_is_another_matter() -> None:
    status = status_of(SPEC, "fp8", operation=operation(to_variant="fp8"))
    found = user(crashing("fp8"), status=status)
    assert stuck(found, stand(found)) is None


class TestFall:
    @pytest.mark.parametrize(("cluster", "reason"), [(crashing(), CRASH_LOOP), (late(), NOT_READY)])
    def test_it_goes_to_the_first_rung_that_names_startup(self, cluster: ClusterState, reason: FailureReason) -> None:
        plan = decide(user(cluster))
        assert plan.decisions == (
            Decision(
                id=plan.decisions[0].id,
                at=stamp(NOW),
                generation=1,
                from_variant="primary",
                to_variant="fp8",
                trigger="Startup",
                reason=reason,
                outcome=Outcome.STARTED,
            ),
        )
        assert plan.operation is not None
        assert (plan.variant, plan.operation.trigger, plan.hold) == (rung(SPEC, "fp8"), "Startup", None)

    def test_the_cooldown_does_not_hold_it(self) -> None:
        recent = status_of(SPEC, decisions=[decision(at=stamp(NOW))])
        assert decide(user(crashing(), status=recent)).variant == rung(SPEC, "fp8")

    def test_without_a_rung_that_would_run_something_else_nothing_is_done(self) -> None:
        plain = spec_of(speculation={"method": "None"}, **ENFORCE)
        cluster = running(plain, **(NOTHING | {"crash_looping": True}))
        plan = decide(situation(plain, cluster=cluster, judgement=None))
        assert (plan.variant, plan.decisions) == (rung(plain), ())

    def test_suspend_holds_it_and_asks_for_a_person(self) -> None:
        found = user(crashing(), spec_of(fallbacks=RUNGS, suspend=True, **ENFORCE))
        assert decide(found).decisions == ()
        blocked = recorded(found).condition("RemediationBlocked")
        assert blocked is not None
        assert (blocked.status, blocked.reason) == ("True", "Suspended")


class TestFurtherFall:
    """The rung that was fallen to does not start either."""

    def found(self) -> Situation:
        status = recorded(user(crashing()))
        return user(crashing("fp8"), status=status, now=NOW + timedelta(minutes=5))

    def test_it_falls_on(self) -> None:
        plan = decide(self.found())
        assert [(entry.to_variant, entry.outcome) for entry in plan.decisions] == [
            ("fp8", Outcome.FAILED),
            ("no-speculation", Outcome.STARTED),
        ]
        assert (plan.reversals, plan.blocked, plan.frozen) == (0, (), None)

    def test_at_the_end_it_stays(self) -> None:
        before = self.found()
        last = user(crashing("no-speculation"), status=recorded(before), now=before.now + timedelta(minutes=5))
        plan = decide(last)
        assert (plan.variant, plan.operation, plan.decisions[-1].outcome) == (
            rung(SPEC, "no-speculation"),
            None,
            Outcome.FAILED,
        )
        again = decide(replace(last, status=recorded(last, plan)))
        assert (again.variant, again.decisions) == (plan.variant, plan.decisions)


class TestObserve:
    SPEC = spec_of(fallbacks=RUNGS)

    def test_it_is_written_down_once(self) -> None:
        first = user(crashing(), self.SPEC)
        status = recorded(first)
        later = user(late(), self.SPEC, status=status, now=NOW + timedelta(hours=1))
        assert [entry.outcome for entry in status.decisions] == [Outcome.OBSERVED]
        assert recorded(later).decisions == status.decisions

    def test_and_for_the_next_rollout_again(self) -> None:
        first = user(crashing(), self.SPEC)
        later = user(crashing(), self.SPEC, status=recorded(first), generation=2)
        assert len(recorded(later).decisions) == 2
