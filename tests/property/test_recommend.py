"""Mode Recommend: whatever happens, no pod is moved that nobody approved, but to take a failed roll back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import event, given
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import REVERT, Decision, Outcome, Status
from specdecode_operator.policy import ClusterState, Judgement, Plan, Situation, Verdict, decide, ladder, report
from specdecode_operator.policy.brakes.approval import PROPOSAL_LIFETIME
from support.builders import ACCEPTANCE, LATENCY, NOW, TPOT, finding, judgement, running, spec_of

RUNGS = [
    {"name": "fp8", "triggers": ["Latency", "Startup"], "model": {"quantization": "fp8"}},
    {"name": "int4", "triggers": ["Acceptance"], "model": {"name": "org/int4"}},
]
SPEC = spec_of(
    fallbacks=RUNGS, policy={"mode": "Recommend", "objectives": [TPOT], "budget": {"cooldown": "1m", "limits": []}}
)


@dataclass(frozen=True)
class Step:
    """What happens between two looks at the resource."""

    pods: str
    verdicts: tuple[Verdict, Verdict] | None
    minutes: int
    approve: str


ONE_BREACH = [(Verdict.BREACH, Verdict.HEALTHY), (Verdict.HEALTHY, Verdict.BREACH)]
STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["rolled", "rolled", "rolled", "crashing"]),
        st.one_of(
            st.sampled_from(ONE_BREACH), st.none(), st.tuples(st.sampled_from(Verdict), st.sampled_from(Verdict))
        ),
        st.sampled_from([0, 1, 5, 29, 30, 32, 120]),
        st.sampled_from(["newest", "newest", "oldest", "leave", "made up"]),
    ),
    min_size=2,
    max_size=20,
)


def live(plan: Plan, found: Situation, step: Step) -> ClusterState:
    name = plan.variant.name
    if step.pods == "rolled":
        return running(SPEC, name, serving=1, completed=True)
    return running(SPEC, name, updated=0, serving=0, since=found.now - timedelta(hours=1), crash_looping=True)


def judged(plan: Plan, step: Step) -> Judgement | None:
    if step.verdicts is None:
        return None
    acceptance, latency = step.verdicts
    return judgement(plan.variant, finding(acceptance, ACCEPTANCE), finding(latency, LATENCY))


def annotation(decisions: list[Decision], step: Step, before: str | None) -> str | None:
    if step.approve == "leave" or not decisions:
        return before
    return {"newest": decisions[-1].id, "oldest": decisions[0].id}.get(step.approve, "12345678")


def history(steps: list[Step]) -> Iterator[tuple[Situation, Plan]]:
    found = Situation(1, Status(), ClusterState(), NOW, SPEC, ladder(SPEC), None)
    for step in [Step("rolled", None, 0, "leave"), *steps]:
        plan = decide(found)
        yield found, plan
        status = report(found, plan, None, name="chat")
        found = replace(
            found,
            status=status,
            cluster=live(plan, found, step),
            now=found.now + timedelta(minutes=step.minutes),
            judgement=judged(plan, step),
            approve=annotation(status.decisions, step, found.approve),
        )


def begins(found: Situation, plan: Plan) -> bool:
    before = found.status.operation.id if found.status.operation else None
    return plan.operation is not None and plan.operation.id != before


@given(STEPS)
def test_what_runs_was_proposed_and_approved_within_half_an_hour(steps: list[Step]) -> None:
    for found, plan in history(steps):
        if begins(found, plan) and plan.operation is not None and plan.operation.trigger != REVERT:
            event("approved")
            [asked] = [entry for entry in found.status.decisions if entry.outcome is Outcome.PROPOSED]
            assert (asked.id, found.approve) == (plan.operation.id, plan.operation.id)
            assert found.now - datetime.fromisoformat(asked.at) < PROPOSAL_LIFETIME
            assert (asked.from_variant, asked.to_variant) == (plan.operation.from_variant, plan.operation.to_variant)


@given(STEPS)
def test_no_more_than_one_proposal_is_open(steps: list[Step]) -> None:
    for _, plan in history(steps):
        assert sum(entry.outcome is Outcome.PROPOSED for entry in plan.decisions) <= 1


@given(STEPS)
def test_no_id_runs_twice(steps: list[Step]) -> None:
    begun = [plan.operation.id for found, plan in history(steps) if begins(found, plan) and plan.operation is not None]
    assert len(set(begun)) == len(begun)


@given(STEPS)
def test_a_second_look_brings_nothing_new(steps: list[Step]) -> None:
    for found, plan in history(steps):
        again = decide(replace(found, status=report(found, plan, None, name="chat")))
        if plan.operation == again.operation and plan.variant == again.variant:
            assert again.decisions == plan.decisions
        else:
            assert found.approve == plan.decisions[-1].id, "only what was approved beforehand goes on at once"
