"""Whether a roll of the operator's own is kept: by what Kubernetes says, then by what the new pods have done."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import FailureReason, LatencyMetric, Operation, Outcome
from specdecode_operator.policy import ClusterState, Judgement, LatencySignal, Situation, Verdict
from specdecode_operator.policy.verification import Failure, conclusion, due, failing, failure, sound
from support.builders import (
    ACCEPTANCE,
    ENFORCE,
    LATENCY,
    NOW,
    finding,
    judgement,
    operation,
    rung,
    running,
    situation,
    spec_of,
    stamp,
    verifying,
)

SPEC = spec_of(**ENFORCE)
ROLLED = rung(SPEC, "no-speculation")
TTFT = LatencySignal("TtftP99", LatencyMetric.TTFT, 0.5, 0.01, "500ms")
STRICTER = replace(LATENCY, edge=0.025, requested="25ms")
NOT_READY, CRASH_LOOP, WORSE = FailureReason.NOT_READY, FailureReason.CRASH_LOOP, FailureReason.WORSE

READY_TIMEOUT = timedelta(minutes=31)
"""The default, and the minute of the Deployment's deadline."""


def found(
    *findings: Any, cluster: ClusterState | None = None, judged: Judgement | None = None, **now: Any
) -> Situation:
    """Return the situation after the roll; the acceptance that triggered it no longer applies."""
    seen = (finding(Verdict.NOT_APPLICABLE), *findings)
    return situation(
        SPEC,
        "no-speculation",
        cluster=cluster or running(SPEC, "no-speculation"),
        judgement=judged or judgement(ROLLED, *seen),
        **now,
    )


class TestFailing:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, None),
            ({"ready": 0, "available": False, "unschedulable": True}, None),
            ({"deadline_exceeded": True}, NOT_READY),
            ({"crash_looping": True}, CRASH_LOOP),
            ({"crash_looping": True, "deadline_exceeded": True}, CRASH_LOOP),
            ({"crash_looping": True, "deadline_exceeded": True, "observed": False}, None),
            ({"crash_looping": True, "deadline_exceeded": True, "variant_hash": "another"}, None),
            ({"crash_looping": True, "deadline_exceeded": True, "exists": False}, None),
        ],
    )
    def test_only_pods_of_the_variant_count(self, changes: dict[str, Any], expected: FailureReason | None) -> None:
        assert failing(running(SPEC, "no-speculation", **changes), ROLLED) is expected


class TestRolling:
    """From the decision to the last pod: no metrics."""

    LATE = running(SPEC, "no-speculation", deadline_exceeded=True, updated=1, total=2)

    def at(self, elapsed: timedelta, cluster: ClusterState, **changes: Any) -> Failure | None:
        roll = operation(started_at=stamp(NOW - elapsed))
        return failure(found(cluster=cluster, **changes), ROLLED, roll)

    @pytest.mark.parametrize(
        ("elapsed", "expected"),
        [
            (timedelta(0), None),
            (READY_TIMEOUT - timedelta(seconds=1), None),
            (READY_TIMEOUT, Failure(NOT_READY)),
            (timedelta(days=7), Failure(NOT_READY)),
        ],
    )
    def test_the_deadline_counts_once_our_own_clock_has_run_out(
        self, elapsed: timedelta, expected: Failure | None
    ) -> None:
        assert self.at(elapsed, self.LATE) == expected

    def test_a_long_roll_whose_pods_become_ready_one_after_the_other_goes_on(self) -> None:
        assert self.at(timedelta(hours=6), replace(self.LATE, deadline_exceeded=False)) is None

    @pytest.mark.parametrize(
        ("pods", "elapsed", "expected"),
        [
            (1, READY_TIMEOUT, Failure(NOT_READY)),
            (4, 4 * READY_TIMEOUT - timedelta(seconds=1), None),
            (4, 4 * READY_TIMEOUT, Failure(NOT_READY)),
        ],
    )
    def test_pods_that_are_ready_in_turns_have_as_long_as_one_after_the_other(
        self, pods: int, elapsed: timedelta, expected: Failure | None
    ) -> None:
        flapping = replace(self.LATE, deadline_exceeded=False, desired=pods, since=NOW - timedelta(days=9))
        assert self.at(elapsed, flapping) == expected

    def test_an_operator_that_was_away_gives_them_their_time_from_when_they_exist(self) -> None:
        fresh = replace(self.LATE, deadline_exceeded=False, since=NOW)
        assert self.at(timedelta(hours=9), fresh) is None

    def test_pods_that_are_all_rolled_are_never_late(self) -> None:
        late = running(SPEC, "no-speculation", deadline_exceeded=True, since=NOW - timedelta(days=9))
        assert self.at(timedelta(days=9), late) is None

    def test_pods_that_crash_are_not_waited_for(self) -> None:
        crashing = replace(self.LATE, deadline_exceeded=False, crash_looping=True)
        assert self.at(timedelta(0), crashing) == Failure(CRASH_LOOP)

    @pytest.mark.parametrize("judged", [judgement(ROLLED, unavailable="EndpointUnavailable"), judgement(rung(SPEC))])
    def test_whatever_the_metrics_say(self, judged: Judgement) -> None:
        assert self.at(READY_TIMEOUT, self.LATE, judged=judged) == Failure(NOT_READY)

    def test_a_breach_is_no_failure_before_every_pod_is_rolled(self) -> None:
        roll = operation(sound=verifying().sound)
        assert failure(found(finding(Verdict.BREACH, LATENCY)), ROLLED, roll) is None
        assert conclusion(found(finding(Verdict.HEALTHY, LATENCY)), ROLLED, roll) is None


HEALTHY, RECOVERED, BREACH = Verdict.HEALTHY, Verdict.RECOVERED, Verdict.BREACH
INSUFFICIENT, UNKNOWN, NOT_APPLICABLE = Verdict.INSUFFICIENT, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE
KEPT, OPEN = (None, Outcome.VERIFIED), (None, None)
TAKEN_BACK, NOT_IMPROVED = (Failure(WORSE, finding(BREACH, LATENCY)), None), (None, Outcome.NOT_IMPROVED)


def result(now: Situation, roll: Operation | None = None) -> tuple[Failure | None, Outcome | None]:
    roll = roll or verifying()
    return failure(now, ROLLED, roll), conclusion(now, ROLLED, roll)


class TestVerifying:
    """From the last pod on: only what came after, and only what may be trusted. TPOT was well at the decision."""

    @pytest.mark.parametrize(
        ("latency", "ttft", "expected"),
        [
            (HEALTHY, None, KEPT),
            (RECOVERED, HEALTHY, KEPT),
            (NOT_APPLICABLE, None, KEPT),
            (INSUFFICIENT, None, OPEN),
            (HEALTHY, INSUFFICIENT, OPEN),
            (UNKNOWN, None, OPEN),
            (BREACH, None, TAKEN_BACK),
            (BREACH, INSUFFICIENT, TAKEN_BACK),
            (BREACH, BREACH, TAKEN_BACK),
            (BREACH, UNKNOWN, OPEN),
            (HEALTHY, BREACH, NOT_IMPROVED),
            (INSUFFICIENT, BREACH, NOT_IMPROVED),
            (UNKNOWN, BREACH, OPEN),
        ],
    )
    def test_every_pair_of_verdicts_has_one_result(
        self, latency: Verdict, ttft: Verdict | None, expected: tuple[Failure | None, Outcome | None]
    ) -> None:
        others = [] if ttft is None else [finding(ttft, TTFT)]
        assert result(found(finding(latency, LATENCY), *others)) == expected

    @pytest.mark.parametrize("latency", [HEALTHY, BREACH])
    @pytest.mark.parametrize(
        "changes",
        [{"unavailable": "EndpointUnavailable"}, {"waiting": "PodsTooYoung"}, {"variant_hash": "another"}],
    )
    def test_without_evidence_nothing_is_concluded(self, latency: Verdict, changes: dict[str, Any]) -> None:
        now = found(judged=judgement(ROLLED, finding(latency, LATENCY), **changes))
        assert result(now) == OPEN
        assert result(replace(now, now=NOW + timedelta(days=365))) == OPEN

    def test_nothing_evaluated_yet(self) -> None:
        assert result(replace(found(), judgement=None)) == OPEN

    @pytest.mark.parametrize("latency", [HEALTHY, BREACH])
    def test_a_resize_or_a_lost_pod_pauses(self, latency: Verdict) -> None:
        assert result(found(finding(latency, LATENCY), cluster=running(SPEC, "no-speculation", desired=2))) == OPEN

    def test_a_breach_must_be_found_twice(self) -> None:
        once = judgement(ROLLED, finding(BREACH, LATENCY), confirmed=False)
        assert result(found(judged=once)) == OPEN

    def test_the_one_that_is_confirmed_counts_and_not_the_one_that_came_just_now(self) -> None:
        findings = finding(BREACH, LATENCY), finding(BREACH, TTFT)
        assert result(found(judged=Judgement(ROLLED.hash, findings, frozenset({"TtftP99"})))) == NOT_IMPROVED

    @pytest.mark.parametrize(("seconds", "expected"), [(0, OPEN), (1859, OPEN), (1860, TAKEN_BACK), (3600, TAKEN_BACK)])
    def test_the_long_window_and_the_warm_up_must_lie_after_the_roll(
        self, seconds: int, expected: tuple[Failure | None, Outcome | None]
    ) -> None:
        roll = verifying(rolled_at=stamp(NOW - timedelta(seconds=seconds)))
        assert result(found(finding(BREACH, LATENCY)), roll) == expected

    def test_a_signal_that_was_in_breach_or_unclear_before_cannot_have_become_worse(self) -> None:
        assert result(found(finding(BREACH, LATENCY)), verifying([])) == NOT_IMPROVED

    def test_nor_can_one_whose_threshold_has_been_changed_since(self) -> None:
        assert result(found(finding(BREACH, STRICTER))) == NOT_IMPROVED

    def test_pods_that_crash_now_are_taken_back_without_metrics(self) -> None:
        crashing = running(SPEC, "no-speculation", crash_looping=True, ready=0)
        assert result(found(finding(HEALTHY, LATENCY), cluster=crashing)) == (Failure(CRASH_LOOP), None)


def test_sound_is_what_is_known_not_to_be_in_breach() -> None:
    signals = [replace(LATENCY, name=verdict) for verdict in Verdict]
    findings = [finding(verdict, signal) for verdict, signal in zip(Verdict, signals, strict=True)]
    assert sound(judgement(ROLLED, *findings)) == [
        f"{name}: over 2% of the requests slower than 50ms" for name in ("Healthy", "Recovered", "NotApplicable")
    ]
    assert sound(judgement(ROLLED, finding(HEALTHY, ACCEPTANCE))) == [
        "Acceptance: below 50% of the draft tokens accepted"
    ]


@pytest.mark.parametrize(
    ("roll", "expected"),
    [
        (operation(), NOW - timedelta(minutes=5) + READY_TIMEOUT),
        (verifying(), NOW - timedelta(hours=2) + timedelta(minutes=31)),
    ],
)
def test_the_next_look_is_when_time_alone_may_have_changed_something(roll: Operation, expected: Any) -> None:
    assert due(found(), roll) == expected
