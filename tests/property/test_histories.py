"""Long histories of judgements, rollouts, outages and waiting: what never happens in any of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import REVERT, Condition, ConditionStatus, Operation, Outcome, Spec, Status
from specdecode_operator.policy import ClusterState, Judgement, Plan, Situation, Verdict, decide, ladder, report
from support.builders import ACCEPTANCE, LATENCY, NOW, finding, judgement, running, spec_of, stamp

FALLBACKS = [
    {"name": "fp8", "triggers": ["Latency"], "model": {"quantization": "fp8"}},
    {"name": "ngram", "triggers": ["Acceptance"], "speculation": {"method": "NGram", "numSpeculativeTokens": 2}},
    {"name": "int4", "triggers": ["Latency", "Acceptance"], "model": {"name": "org/int4"}},
]
COOLDOWN = timedelta(minutes=15)
NEVER = {"mode": "Never"}
"""Trials have histories of their own: see test_trials.py."""

SPECS = st.builds(
    lambda fallbacks, mode, suspend: spec_of(
        fallbacks=fallbacks, suspend=suspend, policy={"mode": mode, "trial": NEVER}
    ),
    st.lists(st.sampled_from(FALLBACKS), unique_by=lambda fallback: str(fallback["name"])),
    st.sampled_from(["Enforce", "Enforce", "Enforce", "Observe"]),
    st.sampled_from([False, False, False, True]),
)
VERDICTS = st.tuples(st.sampled_from(Verdict), st.sampled_from(Verdict))


@dataclass(frozen=True)
class Step:
    """What happens between two reconciles."""

    verdicts: tuple[Verdict, Verdict] | None
    confirmed: bool
    rolled_out: bool
    seconds: int


STEPS = st.lists(
    st.builds(
        Step,
        verdicts=st.one_of(st.none(), st.just((Verdict.BREACH, Verdict.BREACH)), VERDICTS),
        confirmed=st.booleans(),
        rolled_out=st.sampled_from([True, True, False]),
        seconds=st.sampled_from([0, 1, 60, 899, 900, 901, 86400]),
    ),
    max_size=16,
)


def judged(step: Step, plan: Plan) -> Judgement | None:
    if step.verdicts is None:
        return None
    acceptance, latency = step.verdicts
    findings = finding(acceptance, ACCEPTANCE), finding(latency, LATENCY)
    return judgement(plan.variant, *findings, confirmed=step.confirmed)


def live(plan: Plan, before: ClusterState, steady: ClusterState, step: Step) -> ClusterState:
    """Return what the Deployment's controller has made of the plan by then."""
    if not step.rolled_out:
        return replace(before, updated=0)
    return replace(steady, variant=plan.variant.name, variant_hash=plan.variant.hash)


def history(spec: Spec, steps: list[Step]) -> Iterator[tuple[Situation, Plan, Status]]:
    """Yield every situation with its plan and the status that records it."""
    now, steady = NOW, running(spec)
    found = Situation(1, Status(), ClusterState(), now, spec, ladder(spec), None)
    for step in [Step(None, confirmed=False, rolled_out=True, seconds=0), *steps]:
        plan = decide(found)
        status = report(found, plan, None, name="chat")
        yield found, plan, status
        now += timedelta(seconds=step.seconds)
        cluster = live(plan, found.cluster, steady, step)
        found = replace(found, status=status, cluster=cluster, now=now, judgement=judged(step, plan))


@given(SPECS, STEPS)
def test_a_plan_that_is_recorded_and_looked_at_again_brings_nothing_new(spec: Spec, steps: list[Step]) -> None:
    for found, plan, status in history(spec, steps):
        again = decide(replace(found, status=status))
        assert (again.variant, again.decisions, again.operation) == (plan.variant, plan.decisions, plan.operation)


@given(SPECS, STEPS)
def test_a_status_that_is_recorded_and_made_again_is_the_same(spec: Spec, steps: list[Step]) -> None:
    for found, _, status in history(spec, steps):
        again = replace(found, status=status, judgement=None, now=found.now + timedelta(days=1))
        lost = {"conditions"} if found.judgement is not None else set()
        after = report(again, decide(again), None, name="chat")
        assert after.model_dump(exclude=lost) == status.model_dump(exclude=lost)


@given(SPECS, STEPS)
def test_without_a_changed_primary_the_ladder_is_climbed_only_to_take_a_roll_back(
    spec: Spec, steps: list[Step]
) -> None:
    names = [variant.name for variant in ladder(spec).rungs]
    for (_, before, _), (_, after, _) in pairwise(history(spec, steps)):
        climbed = names.index(after.variant.name) < names.index(before.variant.name)
        assert not climbed or (after.operation is not None and after.operation.trigger == REVERT)


@given(SPECS, STEPS)
def test_a_step_down_keeps_a_cooldown_after_any_action(spec: Spec, steps: list[Step]) -> None:
    started: dict[str, Operation] = {}
    for _, plan, _ in history(spec, steps):
        if plan.operation is not None:
            started.setdefault(plan.operation.id, plan.operation)
    for earlier, later in pairwise(started.values()):
        pause = datetime.fromisoformat(later.started_at) - datetime.fromisoformat(earlier.started_at)
        assert later.trigger == REVERT or pause >= COOLDOWN


@given(SPECS, STEPS)
def test_pods_are_rolled_only_in_enforce_and_only_when_they_stand_still(spec: Spec, steps: list[Step]) -> None:
    for found, plan, _ in history(spec, steps):
        if plan.decisions and plan.decisions[-1].outcome is Outcome.STARTED and plan.hold is None:
            assert spec.policy.mode == "Enforce"
            assert not spec.suspend
            assert found.judgement is not None
            assert found.cluster.rolled_out(found.judgement.variant_hash)


@given(SPECS, STEPS)
def test_an_operation_always_has_its_decision_and_its_variant(spec: Spec, steps: list[Step]) -> None:
    for _, plan, status in history(spec, steps):
        if plan.operation is not None:
            open_ones = [entry.id for entry in status.decisions if entry.outcome is Outcome.STARTED]
            assert (plan.operation.to_variant, [plan.operation.id]) == (plan.variant.name, open_ones[-1:])


@given(SPECS, STEPS)
def test_a_transition_time_moves_with_the_status_and_with_nothing_else(spec: Spec, steps: list[Step]) -> None:
    before: dict[str, Condition] = {}
    for found, _, status in history(spec, steps):
        for entry in status.conditions:
            old = before.get(entry.type)
            since = old.last_transition_time if old and old.status == entry.status else stamp(found.now)
            assert entry.last_transition_time == since
            before[entry.type] = entry


@given(SPECS, STEPS)
def test_our_own_rolls_are_never_reconciling(spec: Spec, steps: list[Step]) -> None:
    for _, plan, status in history(spec, steps):
        reconciling = status.condition("Reconciling")
        assert reconciling is not None
        if plan.operation is not None:
            assert reconciling.status is ConditionStatus.FALSE


@given(SPECS, STEPS)
def test_a_status_is_small_and_can_be_read_again(spec: Spec, steps: list[Step]) -> None:
    for _, _, status in history(spec, steps):
        stored = json.loads(json.dumps(status.model_dump(mode="json", by_alias=True, exclude_none=True)))
        assert Status.model_validate(stored) == status
        assert len(json.dumps(stored["decisions"])) <= 8192
