"""Whatever happens to a resource, the operator acts no more often than `policy.budget` allows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import event, given
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import REVERT, Limit, Operation, Spec, Status
from specdecode_operator.policy import ClusterState, Judgement, Plan, Situation, Verdict, decide, ladder, report
from specdecode_operator.policy.brakes.windows import open_now
from support.builders import ACCEPTANCE, LATENCY, NOW, finding, judgement, running, spec_of

Fields = dict[str, object]
RUNGS = [
    {"name": f"int{bits}", "triggers": ["Acceptance", "Latency", "Startup"], "model": {"name": f"org/int{bits}"}}
    for bits in (8, 7, 6, 5, 4, 3, 2)
]
LIMITS = st.lists(
    st.builds(
        lambda count, window: {"count": count, "window": window},
        st.integers(1, 4),
        st.sampled_from(["10m", "1h", "6h", "24h", "168h"]),
    ),
    max_size=3,
)


@dataclass(frozen=True)
class Step:
    """What happens between two looks at the resource."""

    pods: str
    verdicts: tuple[Verdict, Verdict] | None
    minutes: int
    changed: bool


BREACHES = [(Verdict.BREACH, Verdict.HEALTHY), (Verdict.HEALTHY, Verdict.BREACH)]
STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["rolled", "rolled", "rolled", "crashing", "late"]),
        st.one_of(st.sampled_from(BREACHES), st.none(), st.tuples(st.sampled_from(Verdict), st.sampled_from(Verdict))),
        st.sampled_from([0, 1, 9, 32, 32, 90, 400, 1500]),
        st.sampled_from([False, False, False, False, True]),
    ),
    min_size=4,
    max_size=30,
)


def spec(limits: list[Fields], users_change: int = 0, windows: list[Fields] | None = None) -> Spec:
    budget = {"cooldown": "1s", "limits": limits}
    engine, rollout = {"maxNumSeqs": 16 + users_change}, {"windows": windows or []}
    return spec_of(fallbacks=RUNGS, engine=engine, rollout=rollout, policy={"mode": "Enforce", "budget": budget})


def live(plan: Plan, found: Situation, step: Step) -> ClusterState:
    name = plan.variant.name
    if step.pods == "rolled":
        return running(found.spec, name, serving=1, completed=True)
    flags = {"deadline_exceeded": step.pods == "late", "crash_looping": step.pods == "crashing"}
    return running(found.spec, name, updated=0, serving=0, since=found.now - timedelta(hours=1), **flags)


def judged(plan: Plan, step: Step) -> Judgement | None:
    if step.verdicts is None:
        return None
    acceptance, latency = step.verdicts
    return judgement(plan.variant, finding(acceptance, ACCEPTANCE), finding(latency, LATENCY))


def history(
    limits: list[Fields], steps: list[Step], windows: list[Fields] | None = None
) -> Iterator[tuple[Situation, Plan]]:
    changes = 0
    of = spec(limits, 0, windows)
    found = Situation(1, Status(), ClusterState(), NOW, of, ladder(of), None)
    for step in [Step("rolled", None, 0, changed=False), *steps]:
        plan = decide(found)
        yield found, plan
        changes += step.changed
        of = spec(limits, changes, windows)
        found = replace(
            found,
            status=report(found, plan, None, name="chat"),
            cluster=live(plan, found, step),
            now=found.now + timedelta(minutes=step.minutes),
            judgement=judged(plan, step),
            spec=of,
            ladder=ladder(of),
        )


def begun(limits: list[Fields], steps: list[Step], windows: list[Fields] | None = None) -> list[Operation]:
    """Return every roll that the operator began by itself, oldest first; nothing of this is taken from the status."""
    plans = (plan for _, plan in history(limits, steps, windows))
    operations = {plan.operation.id: plan.operation for plan in plans if plan.operation is not None}
    return list(operations.values())


def inside(operations: list[Operation], upto: Operation, limit: Limit) -> int:
    """Return how many rolls began in the window that ends with the beginning of `upto`."""
    end = datetime.fromisoformat(upto.started_at)
    start = end - timedelta(seconds=limit.window.seconds)
    known = operations[: operations.index(upto) + 1]
    return sum(datetime.fromisoformat(one.started_at) > start for one in known)


@given(LIMITS, STEPS)
def test_no_history_has_more_actions_than_any_limit_allows(limits: list[Fields], steps: list[Step]) -> None:
    operations = begun(limits, steps)
    event(f"{min(len(operations), 5)} or more actions")
    for limit in spec(limits).policy.budget.limits:
        for operation in operations:
            assert operation.trigger == REVERT or inside(operations, operation, limit) <= limit.count


@given(LIMITS, STEPS)
def test_what_is_counted_are_the_actions_of_the_last_week(limits: list[Fields], steps: list[Step]) -> None:
    operations = [operation.started_at for operation in begun(limits, steps)]
    *_, (found, plan) = history(limits, steps)
    assert list(plan.actions) == operations[len(operations) - len(plan.actions) :]
    forgotten = operations[: len(operations) - len(plan.actions)]
    assert all(found.now - datetime.fromisoformat(at) >= timedelta(days=7) for at in forgotten)


@given(STEPS)
def test_a_spent_budget_frees_by_itself(steps: list[Step]) -> None:
    limits: list[Fields] = [{"count": 1, "window": "10m"}]
    for found, plan in history(limits, steps):
        if plan.hold is not None and plan.hold.reason == "BudgetSpent":
            event("spent")
            later = decide(replace(found, now=found.now + timedelta(minutes=10)))
            assert later.operation is not None
            assert later.hold is None


WINDOWS: list[Fields] = [
    {"schedule": "0 12 * * *", "duration": "1h"},
    {"schedule": "30 */6 * * *", "duration": "2h", "timeZone": "Asia/Kathmandu"},
    {"schedule": "0 2 * * 1-5", "duration": "20h", "timeZone": "America/New_York"},
]


@given(st.lists(st.sampled_from(WINDOWS), min_size=1, max_size=2), STEPS)
def test_no_action_begins_outside_of_every_window(windows: list[Fields], steps: list[Step]) -> None:
    open_windows = spec([], 0, windows).rollout.windows
    for operation in begun([], steps, windows):
        event("back" if operation.trigger == REVERT else "on")
        at = datetime.fromisoformat(operation.started_at)
        assert operation.trigger == REVERT or open_now(open_windows, at)
