"""Long histories of trials and probes: pods that start or do not, evidence of every kind, outages and kills."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import event, given
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import PROBE, Outcome, Phase, Spec, Status
from specdecode_operator.policy import (
    ClusterState,
    Compared,
    Judgement,
    Plan,
    Pressure,
    Situation,
    TrialPod,
    Verdict,
    decide,
    ladder,
    report,
)
from specdecode_operator.policy.trials.comparison import ArmVerdict, Comparison, Counts
from support.builders import ACCEPTANCE, LATENCY, NOW, TPOT, finding, judgement, running, spec_of

FALLBACKS = [
    {"name": "fp8", "triggers": ["Latency", "Startup"], "model": {"quantization": "fp8"}},
]
SPECS = st.builds(
    lambda trial, replicas: spec_of(
        fallbacks=FALLBACKS,
        replicas=replicas,
        policy={"mode": "Enforce", "objectives": [TPOT], "trial": {"mode": trial}},
    ),
    st.sampled_from(["Auto", "Auto", "Always"]),
    st.sampled_from([1, 2, 5]),
)
PODS = st.sampled_from(["ready", "ready", "ready", "starting", "crashing", "unschedulable", "late"])
EVIDENCE = st.tuples(st.sampled_from(ArmVerdict), st.booleans(), st.booleans(), st.sampled_from([0.2, 0.9]))
VERDICTS = st.tuples(st.sampled_from(Verdict), st.sampled_from(Verdict))
WELL = st.just((Verdict.RECOVERED, Verdict.RECOVERED))
BAD = st.just((Verdict.BREACH, Verdict.HEALTHY))


@dataclass(frozen=True)
class Step:
    """What happens between two looks at the resource."""

    verdicts: tuple[Verdict, Verdict] | None
    pod: str
    evidence: tuple[ArmVerdict, bool, bool, float] | None
    """Verdict, whether it was found twice, whether it was the last look, and the candidate's acceptance."""
    waiting: float
    minutes: int


BREACH = Step((Verdict.BREACH, Verdict.HEALTHY), "ready", None, 0.0, 21)
PROOF = replace(BREACH, evidence=(ArmVerdict.BETTER, True, False, 0.9), minutes=11)
CALM = Step((Verdict.RECOVERED, Verdict.RECOVERED), "ready", None, 0.0, 120)
ANYTHING = st.builds(
    Step,
    verdicts=st.one_of(BAD, BAD, WELL, WELL, VERDICTS, st.none()),
    pod=PODS,
    evidence=st.one_of(st.none(), EVIDENCE, EVIDENCE),
    waiting=st.sampled_from([0.0, 0.0, 3.0]),
    minutes=st.sampled_from([0, 1, 11, 21, 45, 120]),
)
BEGINNINGS = st.sampled_from([[], [BREACH], [BREACH, PROOF], [BREACH, PROOF, CALM], [BREACH, PROOF, CALM, CALM]])
"""What it takes to have a trial going on, its roll, its verification, and a probe."""
STEPS = st.builds(
    lambda beginning, rest: [*beginning, *rest],
    BEGINNINGS,
    st.lists(st.one_of(ANYTHING, st.sampled_from([BREACH, PROOF, CALM])), max_size=12),
)


def judged(plan: Plan, step: Step) -> Judgement | None:
    if step.verdicts is None:
        return None
    acceptance, latency = step.verdicts
    if not plan.variant.speculation.active:
        acceptance = Verdict.NOT_APPLICABLE
    pressure = Pressure(0.2, 0.3, step.waiting, 4.0, 0.0)
    return judgement(plan.variant, finding(acceptance, ACCEPTANCE), finding(latency, LATENCY), pressure=pressure)


def pod(plan: Plan, found: Situation, step: Step) -> TrialPod:
    """Return what has become of the pod on trial."""
    if plan.trial is None:
        return TrialPod()
    ready = found.now if step.pod == "ready" else None
    return TrialPod(
        plan.trial.hash,
        total=1,
        ready=int(step.pod == "ready"),
        created=found.now - timedelta(minutes=1),
        ready_since=ready,
        unschedulable=step.pod == "unschedulable",
        deadline_exceeded=step.pod == "late",
        crash_looping=step.pod == "crashing",
    )


def compared(plan: Plan, step: Step) -> Compared | None:
    if plan.operation is None or step.evidence is None:
        return None
    verdict, repeated, last, acceptance = step.evidence
    measured = Comparison(verdict, "Because", (), Counts(400, 400), Counts(0, 0), acceptance, 5000)
    return Compared(plan.operation.id, measured, repeated=repeated, last=last)


def recorded(found: Situation, plan: Plan) -> Status:
    return report(found, plan, None, name="chat")


def history(steps: list[Step], spec: Spec) -> Iterator[tuple[Situation, Plan]]:
    found = Situation(1, Status(), ClusterState(), NOW, spec, ladder(spec), None)
    plan = decide(found)
    yield found, plan
    for step in steps:
        desired = spec.replicas - plan.spared
        cluster = running(
            spec,
            plan.variant.name,
            desired=desired,
            total=desired,
            updated=desired,
            ready=desired,
            trial=pod(plan, found, step),
        )
        found = replace(
            found,
            status=recorded(found, plan),
            cluster=cluster,
            now=found.now + timedelta(minutes=step.minutes),
            judgement=judged(plan, step),
            compared=compared(plan, step),
        )
        plan = decide(found)
        yield found, plan


@given(SPECS, STEPS)
def test_stable_pods_leave_a_variant_only_after_a_trial_that_proved_it_or_for_want_of_room(
    spec: Spec, steps: list[Step]
) -> None:
    for found, plan in history(steps, spec):
        rolled = plan.variant.name != (found.status.active_variant or "primary")
        if not rolled or plan.decisions[-1].trigger in ("Startup", "Revert"):
            continue
        event(f"{plan.decisions[-1].trigger}: {plan.decisions[-1].comparison}")
        compared = found.compared
        proved = compared is not None and compared.repeated and compared.comparison.verdict is ArmVerdict.BETTER
        back = compared is not None and compared.comparison.verdict is ArmVerdict.NOT_WORSE
        probe = plan.decisions[-1].trigger == PROBE
        squeezed = found.cluster.trial.unschedulable and spec.policy.trial.mode == "Auto"
        assert proved or (probe and back) or (squeezed and not probe)


@given(SPECS, STEPS)
def test_at_least_one_stable_pod_stays(spec: Spec, steps: list[Step]) -> None:
    for _, plan in history(steps, spec):
        assert spec.replicas - plan.spared >= 1
        assert plan.spared == 0 or plan.trial is not None


@given(SPECS, STEPS)
def test_there_is_a_pod_on_trial_exactly_while_a_trial_is_recorded(spec: Spec, steps: list[Step]) -> None:
    for found, plan in history(steps, spec):
        status = recorded(found, plan)
        trying = status.operation is not None and status.operation.phase is Phase.TRIAL
        assert (plan.trial is not None) is trying
        open_ones = [entry.id for entry in status.decisions if entry.outcome is Outcome.TRIAL]
        assert open_ones == ([status.operation.id] if status.operation is not None and trying else [])


@given(SPECS, STEPS)
def test_what_was_dropped_is_not_tried_again_for_the_same_trigger(spec: Spec, steps: list[Step]) -> None:
    for found, plan in history(steps, spec):
        before = found.status.operation
        if plan.operation is not None and plan.trial is not None and (before is None or before.id != plan.operation.id):
            event("trial")
            tried = plan.operation.trigger, plan.trial.hash
            assert tried not in [(entry.trigger, entry.variant_hash) for entry in found.status.blocked]


@given(SPECS, STEPS)
def test_a_process_that_is_killed_after_the_record_comes_to_the_same(spec: Spec, steps: list[Step]) -> None:
    for found, plan in history(steps, spec):
        again = decide(replace(found, status=recorded(found, plan), judgement=None, compared=None))
        assert (again.variant, again.trial, again.decisions) == (plan.variant, plan.trial, plan.decisions)


@given(SPECS, STEPS)
def test_a_probe_only_ever_brings_speculation_back(spec: Spec, steps: list[Step]) -> None:
    for _, plan in history(steps, spec):
        if plan.operation is not None and plan.operation.trigger == PROBE:
            event("probe")
            assert plan.operation.to_variant == "primary"
            assert plan.operation.from_variant == "no-speculation"


@given(SPECS, STEPS)
def test_a_status_is_small_and_can_be_read_again(spec: Spec, steps: list[Step]) -> None:
    for found, plan in history(steps, spec):
        status = recorded(found, plan)
        stored = json.loads(json.dumps(status.model_dump(mode="json", by_alias=True, exclude_none=True)))
        assert Status.model_validate(stored) == status
        assert len(json.dumps(stored["decisions"])) <= 8192
