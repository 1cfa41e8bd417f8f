"""Pins that come and go in the middle of everything: the person's word holds, and the ladder is where it was."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import event, given
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import PIN, UNPIN, Outcome, Status
from specdecode_operator.policy import ClusterState, Judgement, Plan, Situation, Verdict, decide, ladder, report
from support.builders import ACCEPTANCE, LATENCY, NOW, TPOT, finding, judgement, running, spec_of, stamp

RUNGS = [
    {"name": "fp8", "triggers": ["Latency", "Startup"], "model": {"quantization": "fp8"}},
    {"name": "int4", "triggers": ["Acceptance"], "model": {"name": "org/int4"}},
]
SPEC = spec_of(fallbacks=RUNGS, policy={"mode": "Enforce", "objectives": [TPOT], "budget": {"cooldown": "1m"}})
NAMES = [rung.name for rung in ladder(SPEC).rungs]


@dataclass(frozen=True)
class Step:
    """What happens between two looks at the resource; `pin` is a variant and the minutes until its end."""

    pods: str
    verdicts: tuple[Verdict, Verdict] | None
    minutes: int
    pin: tuple[str, int | None] | None


BREACHES = [(Verdict.BREACH, Verdict.HEALTHY), (Verdict.HEALTHY, Verdict.BREACH)]
PINS = st.tuples(st.sampled_from([*NAMES, "int3"]), st.sampled_from([None, -5, 10, 60]))
STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["rolled", "rolled", "moving", "crashing"]),
        st.one_of(st.sampled_from(BREACHES), st.none()),
        st.sampled_from([0, 1, 16, 32]),
        st.one_of(st.none(), st.none(), PINS),
    ),
    max_size=20,
)


def live(plan: Plan, found: Situation, step: Step) -> ClusterState:
    name = plan.variant.name
    if step.pods == "rolled":
        return running(SPEC, name, serving=1, completed=True)
    since, crashing = found.now - timedelta(hours=1), step.pods == "crashing"
    return running(SPEC, name, updated=0, serving=0, since=since, crash_looping=crashing)


def judged(plan: Plan, step: Step) -> Judgement | None:
    if step.verdicts is None:
        return None
    acceptance, latency = step.verdicts
    return judgement(plan.variant, finding(acceptance, ACCEPTANCE), finding(latency, LATENCY))


def annotation(found: Situation, step: Step) -> str | None:
    if step.pin is None:
        return None
    name, minutes = step.pin
    return name if minutes is None else f"{name}@{stamp(found.now + timedelta(minutes=minutes))}"


def history(steps: list[Step]) -> Iterator[tuple[Situation, Plan, bool]]:
    """Yield every situation with its plan, and whether a pin holds in it."""
    found, holds = Situation(1, Status(), ClusterState(), NOW, SPEC, ladder(SPEC), None), False
    for step in [Step("rolled", None, 0, None), *steps]:
        plan = decide(found)
        yield found, plan, holds
        text = annotation(found, step)
        now = found.now + timedelta(minutes=step.minutes)
        name, minutes = step.pin or ("", None)
        holds = name in NAMES and (minutes is None or minutes > step.minutes)
        status = report(found, plan, None, name="chat")
        found = replace(
            found, status=status, cluster=live(plan, found, step), now=now, judgement=judged(plan, step), pin=text
        )


@given(STEPS)
def test_what_is_pinned_runs_and_the_operator_does_nothing_else(steps: list[Step]) -> None:
    for found, plan, holds in history(steps):
        assert (plan.pin is not None) is holds
        if plan.pin is not None and found.pin is not None:
            event("pinned")
            assert (plan.variant.name, plan.operation) == (found.pin.partition("@")[0], None)
            assert plan.actions == tuple(found.status.actions)


@given(STEPS)
def test_after_a_pin_the_ladder_is_where_it_was(steps: list[Step]) -> None:
    for found, plan, _ in history(steps):
        before = found.status.pin
        if before is not None and plan.pin is not None:
            assert plan.pin.from_variant == before.from_variant
        if before is not None and plan.pin is None:
            event("over")
            back = [entry.to_variant for entry in plan.decisions if entry.trigger == UNPIN]
            stood = plan.operation.from_variant if plan.operation is not None else plan.variant.name
            assert stood == before.from_variant or back[-1] == before.from_variant


@given(STEPS)
def test_a_second_look_brings_nothing_new(steps: list[Step]) -> None:
    for found, plan, _ in history(steps):
        again = decide(replace(found, status=report(found, plan, None, name="chat")))
        assert (again.variant, again.decisions, again.pin) == (plan.variant, plan.decisions, plan.pin)


@given(STEPS)
def test_at_most_one_decision_about_pins_is_open_and_it_leads_to_what_runs(steps: list[Step]) -> None:
    for _, plan, _ in history(steps):
        mine = [entry for entry in plan.decisions if entry.trigger in (PIN, UNPIN)]
        going = [entry.to_variant for entry in mine if entry.outcome is Outcome.STARTED]
        assert going in ([], [plan.variant.name]) or plan.operation is not None
