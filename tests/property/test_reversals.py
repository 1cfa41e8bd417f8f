"""Long histories in which rolls fail, become worse, and are killed in between: what never happens in any of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import REVERT, Outcome, Spec, Status
from specdecode_operator.policy import ClusterState, Judgement, Plan, Situation, Verdict, decide, ladder, report
from support.builders import ACCEPTANCE, LATENCY, NOW, TPOT, finding, judgement, running, spec_of

FALLBACKS = [
    {"name": "fp8", "triggers": ["Latency", "Startup"], "model": {"quantization": "fp8"}},
    {"name": "ngram", "triggers": ["Acceptance"], "speculation": {"method": "NGram", "numSpeculativeTokens": 2}},
    {"name": "int4", "triggers": ["Latency", "Acceptance"], "model": {"name": "org/int4"}},
]


def spec(mode: str = "Enforce", **fields: Any) -> Spec:
    return spec_of(
        fallbacks=FALLBACKS, policy={"mode": mode, "objectives": [TPOT], "trial": {"mode": "Never"}}, **fields
    )


SPEC = spec()
PODS = ("rolled", "moving", "late", "crashing")


@dataclass(frozen=True)
class Step:
    """What happens between two looks at the resource."""

    pods: str
    verdicts: tuple[Verdict, Verdict] | None
    minutes: int
    unfreeze: bool = False


ROLLS = st.sampled_from(["rolled", "rolled", "rolled", "crashing", *PODS])
DECIDED = st.sampled_from([(Verdict.BREACH, Verdict.HEALTHY), (Verdict.HEALTHY, Verdict.BREACH)])
ANY = st.tuples(st.sampled_from(Verdict), st.sampled_from(Verdict))
MINUTES = st.sampled_from([0, 1, 16, 32, 32, 120])
STEPS = st.lists(st.builds(Step, ROLLS, st.one_of(st.none(), DECIDED, DECIDED, ANY), MINUTES), max_size=20)
THAWED = st.lists(
    st.builds(Step, ROLLS, st.one_of(DECIDED, ANY), MINUTES, st.sampled_from([False, False, True])), max_size=20
)


def live(plan: Plan, found: Situation, step: Step) -> ClusterState:
    """Return what has become of the plan: the Deployment carries it, and its pods are as the step says."""
    name = plan.variant.name
    if step.pods == "rolled":
        return running(found.spec, name, serving=1, completed=True)
    flags = {"deadline_exceeded": step.pods == "late", "crash_looping": step.pods == "crashing"}
    return running(found.spec, name, updated=0, serving=0, since=found.now - timedelta(hours=1), **flags)


def judged(plan: Plan, step: Step) -> Judgement | None:
    if step.verdicts is None:
        return None
    acceptance, latency = step.verdicts
    if not plan.variant.speculation.active:
        acceptance = Verdict.NOT_APPLICABLE
    return judgement(plan.variant, finding(acceptance, ACCEPTANCE), finding(latency, LATENCY))


def beginning(of: Spec = SPEC) -> Situation:
    return Situation(1, Status(), ClusterState(), NOW, of, ladder(of), None)


def recorded(found: Situation, plan: Plan) -> Status:
    return report(found, plan, None, name="chat")


def following(found: Situation, plan: Plan, step: Step) -> Situation:
    """Return the situation after `plan` was recorded and carried out, and `step` has happened."""
    status = recorded(found, plan)
    return replace(
        found,
        status=status,
        cluster=live(plan, found, step),
        now=found.now + timedelta(minutes=step.minutes),
        judgement=judged(plan, step),
        unfreeze=status.frozen.id if step.unfreeze and status.frozen else found.unfreeze,
    )


def history(steps: list[Step], of: Spec = SPEC) -> Iterator[tuple[Situation, Plan]]:
    found = beginning(of)
    plan = decide(found)
    yield found, plan
    for step in [Step("rolled", None, 0), *steps]:
        found = following(found, plan, step)
        plan = decide(found)
        yield found, plan


def new(found: Situation, plan: Plan) -> bool:
    """Whether the plan moves the pods on the operator's own account."""
    before = found.status.operation.id if found.status.operation else None
    return plan.operation is not None and plan.operation.id != before


@given(STEPS)
def test_an_incident_has_one_reversal_and_one_that_freezes(steps: list[Step]) -> None:
    plans = [plan for found, plan in history(steps) if new(found, plan)]
    reversals = [plan for plan in plans if plan.operation is not None and plan.operation.trigger == REVERT]
    event(f"{len(reversals)} reversals")
    assert [plan.frozen is not None for plan in reversals] in ([], [False], [False, True])


@given(STEPS)
def test_nothing_is_done_while_frozen(steps: list[Step]) -> None:
    for found, plan in history(steps):
        if found.status.frozen is not None:
            event("frozen")
            assert not new(found, plan)
            assert plan.frozen == found.status.frozen
            assert plan.variant.name == found.status.active_variant


@given(THAWED)
def test_a_thaw_needs_the_id_of_this_very_freeze(steps: list[Step]) -> None:
    for found, plan in history(steps):
        ice = found.status.frozen
        if ice is not None and plan.frozen != ice:
            assert (found.unfreeze, plan.frozen) == (ice.id, None)


@given(THAWED)
def test_a_pair_that_was_taken_back_is_not_tried_again(steps: list[Step]) -> None:
    for found, plan in history(steps):
        if new(found, plan) and plan.operation is not None:
            tried = plan.operation.trigger, plan.variant.hash
            assert tried not in [(entry.trigger, entry.variant_hash) for entry in found.status.blocked]


@given(THAWED)
def test_a_process_that_is_killed_after_the_record_comes_to_the_same(steps: list[Step]) -> None:
    """Nothing was applied and nothing is remembered; whatever it decided stands in the status."""
    for found, plan in history(steps):
        again = decide(replace(found, status=recorded(found, plan), judgement=None))
        assert replace(again, hold=None, again=None) == replace(plan, hold=None, again=None)


@given(THAWED)
def test_a_process_that_is_killed_before_the_record_does_the_same_a_little_later(steps: list[Step]) -> None:
    for found, plan in history(steps):
        later = decide(replace(found, now=found.now + timedelta(seconds=30)))
        if new(found, plan) and plan.operation is not None and later.operation is not None:
            route = plan.operation.from_variant, plan.operation.to_variant, plan.operation.trigger
            assert route == (later.operation.from_variant, later.operation.to_variant, later.operation.trigger)
        assert later.variant == plan.variant or not new(found, plan)


UNCLEAR: list[Callable[[Judgement], Judgement | None]] = [
    lambda _: None,
    lambda found: replace(found, variant_hash="another"),
    lambda found: replace(found, repeated=frozenset()),
    lambda found: replace(found, findings=(*found.findings, finding(Verdict.UNKNOWN, replace(LATENCY, name="x")))),
    lambda found: replace(
        found,
        repeated=frozenset(),
        findings=tuple(replace(one, verdict=Verdict.INSUFFICIENT) for one in found.findings),
    ),
]


@given(STEPS, st.sampled_from(UNCLEAR))
def test_without_data_pods_move_only_because_they_do_not_start(
    steps: list[Step], lose: Callable[[Judgement], Judgement | None]
) -> None:
    for found, _ in history(steps):
        blind = replace(found, judgement=None if found.judgement is None else lose(found.judgement))
        plan = decide(blind)
        if new(blind, plan):
            event("moved")
            assert plan.decisions[-1].reason in ("NotReady", "CrashLoop")
            assert found.cluster.deadline_exceeded or found.cluster.crash_looping


@given(STEPS, st.integers(0, 20))
def test_a_change_of_the_user_supersedes_whatever_runs(steps: list[Step], moment: int) -> None:
    found, plan = list(history(steps))[: moment + 1][-1]
    changed = spec(engine={"maxNumSeqs": 64})
    after = replace(found, status=recorded(found, plan), spec=changed, ladder=ladder(changed), generation=2)
    result = decide(after)
    assert (result.variant, result.operation) == (after.ladder.primary, None)
    assert (result.frozen, result.blocked, result.reversals) == (None, (), 0)
    assert Outcome.STARTED not in [decision.outcome for decision in result.decisions]


@given(STEPS)
def test_in_observe_no_pod_moves(steps: list[Step]) -> None:
    for found, plan in history(steps, spec("Observe")):
        assert not new(found, plan)
        assert plan.variant.name == "primary"


@given(STEPS)
def test_ids_of_decisions_never_repeat(steps: list[Step]) -> None:
    for _, plan in history(steps):
        identities = [decision.id for decision in plan.decisions]
        assert len(set(identities)) == len(identities)


@given(STEPS)
def test_times_never_run_backwards(steps: list[Step]) -> None:
    for _, plan in history(steps):
        assert all(one.at <= other.at for one, other in pairwise(plan.decisions))
