"""Speculation that the operator switched off is tried again: when, how often, and on which evidence it stays."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import PROBE, Decision, FailureReason, Outcome, Phase, Spec
from specdecode_operator.policy import Compared, Plan, Pressure, Situation, TrialPod, Verdict, decide
from specdecode_operator.policy.trials.comparison import ArmVerdict, Comparison, Counts
from support.builders import (
    ACCEPTANCE,
    LATENCY,
    NOW,
    TRYING,
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

SPEC = spec_of(replicas=2, **TRYING)
WELL = finding(Verdict.NOT_APPLICABLE, ACCEPTANCE), finding(Verdict.RECOVERED, LATENCY)
RELAXED = Pressure(0.2, 0.3, 0.0, 4.0, 0.0)


def rolled(minutes: float = 60, **changes: Any) -> Decision:
    """A roll to no-speculation, so many minutes ago."""
    return decision(**({"at": stamp(NOW - timedelta(minutes=minutes)), "outcome": Outcome.VERIFIED} | changes))


def off(*decisions: Decision, spec: Spec = SPEC, **changes: Any) -> Situation:
    """Speculation was switched off, and everything is well."""
    status = status_of(spec, "no-speculation", decisions=list(decisions or (rolled(),)))
    judged = judgement(rung(spec, "no-speculation"), *WELL, pressure=RELAXED)
    return situation(spec, "no-speculation", **({"status": status, "judgement": judged} | changes))


def probes(found: Situation) -> bool:
    plan = decide(found)
    return plan.operation is not None and plan.operation.trigger == PROBE


def test_one_pod_tries_primary_again_while_all_others_stay_off() -> None:
    plan = decide(off())
    assert plan.operation is not None
    assert (plan.variant.name, plan.trial, plan.operation.phase) == ("no-speculation", rung(SPEC), Phase.TRIAL)
    assert (plan.decisions[-1].trigger, plan.decisions[-1].to_variant, plan.decisions[-1].outcome) == (
        "Probe",
        "primary",
        Outcome.TRIAL,
    )


def judged(*findings: Any, **changes: Any) -> dict[str, Any]:
    return {"judgement": judgement(rung(SPEC, "no-speculation"), *findings, **({"pressure": RELAXED} | changes))}


@pytest.mark.parametrize(
    "changes",
    [
        {"judgement": None},
        judged(WELL[0], finding(Verdict.HEALTHY, LATENCY)),
        judged(WELL[0], finding(Verdict.INSUFFICIENT, LATENCY)),
        judged(WELL[0], finding(Verdict.UNKNOWN, LATENCY)),
        judged(WELL[0], finding(Verdict.BREACH, LATENCY)),
        judged(*WELL, unavailable="SamplesStale"),
        judged(*WELL, waiting="PodsTooYoung"),
        judged(*WELL, pressure=replace(RELAXED, waiting=0.1)),
        judged(*WELL, pressure=Pressure()),
        {"cluster": running(SPEC, "no-speculation", updated=1)},
    ],
    ids=[
        "not evaluated",
        "only healthy",
        "insufficient",
        "unknown",
        "in breach",
        "unavailable",
        "waiting",
        "a queue",
        "load not known",
        "pods are moving",
    ],
)
def test_only_with_headroom_that_is_known(changes: dict[str, Any]) -> None:
    assert not probes(off(**changes))


@pytest.mark.parametrize(
    "policy",
    [{"mode": "Observe"}, {"mode": "Enforce", "probe": {"mode": "Never"}}],
)
def test_only_where_the_policy_lets_it(policy: dict[str, Any]) -> None:
    assert not probes(off(spec=spec_of(replicas=2, policy=policy)))


def test_not_while_suspended() -> None:
    assert not probes(off(spec=spec_of(replicas=2, suspend=True, **TRYING)))


def test_a_user_who_switched_speculation_off_is_left_alone() -> None:
    spec = spec_of(replicas=2, speculation={"method": "None"}, **TRYING)
    found = situation(spec, judgement=judgement(rung(spec), *WELL, pressure=RELAXED))
    assert decide(found).operation is None


def test_a_primary_that_never_started_is_not_tried_again() -> None:
    assert not probes(off(rolled(trigger="Startup", outcome=Outcome.COMPLETED)))


class TestPause:
    @pytest.mark.parametrize(("count", "minutes"), [(0, 30), (1, 60), (2, 120), (5, 960), (6, 1440), (50, 1440)])
    def test_it_doubles_up_to_the_longest(self, count: int, minutes: int) -> None:
        status = status_of(SPEC, "no-speculation", decisions=[rolled(0.9 * minutes - 1)], probes=count)
        assert not probes(off(status=status))
        status = status_of(SPEC, "no-speculation", decisions=[rolled(1.1 * minutes)], probes=count)
        assert probes(off(status=status))

    def test_resources_that_were_rolled_together_do_not_probe_together(self) -> None:
        pauses = {decide(off(rolled(0, identity=f"d{index}"))).again for index in range(20)}
        assert len(pauses) == 20
        assert all(pause is not None and 27 * 60 <= pause <= 33 * 60 for pause in pauses)

    def test_it_counts_from_the_end_of_a_probe(self) -> None:
        probe = rolled(50, trigger=PROBE, from_variant="no-speculation", to_variant="primary")
        ended = probe.model_copy(
            update={"outcome": Outcome.UNCLEAR, "concluded_at": stamp(NOW - timedelta(minutes=20))}
        )
        assert not probes(off(ended))


def probing(spec: Spec = SPEC, **changes: Any) -> Situation:
    """A probe that has run for twenty minutes."""
    first = off(spec=spec)
    plan = decide(first)
    pod = TrialPod(rung(spec).hash, 1, 1, NOW, NOW + timedelta(minutes=5))
    cluster = running(spec, "no-speculation", trial=pod)
    found = replace(first, status=recorded(first, plan), cluster=cluster, now=NOW + timedelta(minutes=20))
    return replace(found, **changes)


def concluded(verdict: ArmVerdict, acceptance: float = 0.7, **changes: Any) -> Plan:
    found = probing()
    assert found.status.operation is not None
    measured = Comparison(verdict, "Because", (), Counts(400, 400), Counts(0, 0), acceptance, 5000)
    compared = Compared(found.status.operation.id, measured, repeated=True, **changes)
    return decide(replace(found, compared=compared))


class TestEvidence:
    @pytest.mark.parametrize("verdict", [ArmVerdict.BETTER, ArmVerdict.NOT_WORSE])
    def test_speculation_that_is_no_worse_comes_back(self, verdict: ArmVerdict) -> None:
        plan = concluded(verdict)
        assert plan.operation is not None
        assert (plan.variant.name, plan.operation.phase, plan.operation.trigger) == ("primary", Phase.ROLLING, "Probe")
        assert (plan.decisions[-1].outcome, plan.probes) == (Outcome.STARTED, 0)

    @pytest.mark.parametrize(("acceptance", "comes_back"), [(0.55, True), (0.549, False)])
    def test_but_only_above_the_line_for_switching_it_on(self, acceptance: float, *, comes_back: bool) -> None:
        plan = concluded(ArmVerdict.BETTER, acceptance)
        assert (plan.variant.name == "primary") is comes_back
        if not comes_back:
            assert (plan.decisions[-1].reason, plan.probes) == (FailureReason.LOW_ACCEPTANCE, 1)

    def test_an_acceptance_that_is_not_known_is_no_success(self) -> None:
        plan = concluded(ArmVerdict.BETTER, float("nan"))
        assert (plan.variant.name, plan.operation is not None) == ("no-speculation", True)

    def test_worse_stays_off_and_waits_longer(self) -> None:
        plan = concluded(ArmVerdict.WORSE)
        assert (plan.variant.name, plan.operation, plan.probes, plan.blocked) == ("no-speculation", None, 1, ())
        assert (plan.decisions[-1].outcome, plan.decisions[-1].reason) == (Outcome.DROPPED, FailureReason.WORSE)

    def test_unclear_stays_off_and_waits_as_long(self) -> None:
        plan = concluded(ArmVerdict.UNCLEAR, last=True)
        assert (plan.variant.name, plan.operation, plan.probes) == ("no-speculation", None, 0)

    def test_without_room_it_stays_off_and_waits_longer(self) -> None:
        pod = TrialPod(rung(SPEC).hash, 1, 0, NOW, unschedulable=True)
        busy = judged(*WELL, pressure=Pressure())
        cluster = running(SPEC, "no-speculation", trial=pod)
        plan = decide(probing(cluster=cluster, **busy))
        assert (plan.variant.name, plan.trial, plan.probes) == ("no-speculation", None, 1)
        assert (plan.decisions[-1].outcome, plan.decisions[-1].reason) == (Outcome.UNCLEAR, FailureReason.NO_ROOM)


class TestStayingOn:
    """Whether speculation that a probe brought back stays on decides how long the next pause is."""

    @staticmethod
    def leaving(hours: float) -> int:
        probe = rolled(60 * hours, trigger=PROBE, from_variant="no-speculation", to_variant="primary")
        spec = spec_of(replicas=2, policy={"mode": "Enforce", "trial": {"mode": "Never"}})
        status = status_of(spec, decisions=[probe], probes=2)
        return decide(situation(spec, status=status)).probes

    def test_left_again_soon_it_did_not_stay_on(self) -> None:
        assert self.leaving(23.9) == 3

    def test_after_the_longest_pause_it_did(self) -> None:
        assert self.leaving(24) == 0

    def test_a_probe_whose_roll_is_taken_back_did_not_either(self) -> None:
        probe = rolled(1, trigger=PROBE, from_variant="no-speculation", to_variant="primary")
        rolling = operation(trigger=PROBE, from_variant="no-speculation", to_variant="primary")
        status = status_of(SPEC, decisions=[probe], operation=rolling)
        cluster = running(SPEC, updated=0, crash_looping=True, since=NOW)
        plan = decide(situation(SPEC, status=status, cluster=cluster, judgement=None))
        assert (plan.variant.name, plan.probes, plan.reversals, plan.blocked) == ("no-speculation", 1, 1, ())
