"""A trial from its breach to its end, with an API server in memory; killed in between, too."""

from typing import Any

import pytest

from specdecode_operator.clients import Rejected, Unavailable
from specdecode_operator.policy.trials.comparison import ArmVerdict
from support.builders import TRYING
from support.world import DEPLOYMENT, KEY, STATUS, World

TRIAL = ("Deployment", "prod", "chat-trial")
STABLE = ("Deployment", *KEY)


@pytest.fixture
def world() -> World:
    return World(replicas=2, **TRYING)


async def trying(world: World) -> None:
    """Bring the resource up, and have a breach put the next rung on trial."""
    await world.serving()
    world.breach()
    await world.reconcile()


def variant(world: World, name: tuple[str, str, str]) -> str:
    labels: dict[str, Any] = world.kubernetes.objects[name]["metadata"]["labels"]
    return str(labels["specdecode.dev/variant"])


async def test_the_trial_is_recorded_before_its_pod_is_made_and_no_other_pod_moves(world: World) -> None:
    await world.serving()
    stable = world.kubernetes.objects[STABLE]
    world.breach()
    await world.reconcile()
    assert world.kubernetes.writes() == [("rehearse", "Deployment"), STATUS, DEPLOYMENT]
    assert (world.kubernetes.objects[STABLE], variant(world, TRIAL)) == (stable, "no-speculation")
    assert (world.status.active_variant, world.reasons()) == ("primary", ["TrialStarted"])


async def test_the_same_breach_again_does_nothing(world: World) -> None:
    await trying(world)
    world.kubernetes.writes()
    await world.reconcile()
    assert [write for write in world.kubernetes.writes() if write != STATUS] == []


async def test_a_process_killed_between_record_and_pod_is_continued_by_the_next(world: World) -> None:
    await world.serving()
    world.breach()
    world.kubernetes.failures["apply", "Deployment"] = Unavailable("killed here")
    await world.reconcile()
    assert TRIAL not in world.kubernetes.objects
    world.kubernetes.failures.clear()
    world.start()
    await world.reconcile()
    assert (variant(world, TRIAL), len(world.status.decisions)) == ("no-speculation", 1)


async def test_better_is_rolled_out_and_the_trial_leaves(world: World) -> None:
    await trying(world)
    world.kubernetes.writes()
    world.compare(ArmVerdict.BETTER)
    await world.reconcile()
    assert (variant(world, STABLE), TRIAL in world.kubernetes.objects) == ("no-speculation", False)
    assert world.kubernetes.writes()[:3] == [("rehearse", "Deployment"), STATUS, DEPLOYMENT]
    assert world.reasons()[-1] == "RemediationStarted"


async def test_worse_leaves_without_a_trace_on_the_others(world: World) -> None:
    await world.serving()
    stable = world.kubernetes.objects[STABLE]
    world.breach()
    await world.reconcile()
    world.compare(ArmVerdict.WORSE)
    await world.reconcile()
    assert (world.kubernetes.objects[STABLE], TRIAL in world.kubernetes.objects) == (stable, False)
    assert [entry.variant for entry in world.status.blocked] == ["no-speculation"]
    assert world.reasons()[-2:] == ["TrialDropped", "LadderExhausted"]


async def test_a_process_killed_before_the_pod_was_taken_away_is_continued_by_the_next(world: World) -> None:
    await trying(world)
    world.compare(ArmVerdict.WORSE)
    world.kubernetes.failures["delete", "Deployment"] = Unavailable("killed here")
    await world.reconcile()
    world.kubernetes.failures.clear()
    world.start()
    await world.reconcile()
    assert (TRIAL in world.kubernetes.objects, len(world.status.decisions)) == (False, 1)


async def test_a_candidate_that_the_server_refuses_is_not_tried(world: World) -> None:
    await world.serving()
    world.kubernetes.failures["rehearse", "Deployment"] = Rejected("no such volume")
    world.breach()
    await world.reconcile()
    assert (world.status.operation, world.status.decisions, world.state("Stalled")[:2]) == (
        None,
        [],
        ("True", "Rejected"),
    )


async def test_a_change_of_the_spec_ends_it(world: World) -> None:
    await trying(world)
    world.change(replicas=2, model={"name": "org/other"}, **TRYING)
    await world.reconcile()
    assert (TRIAL in world.kubernetes.objects, [entry.outcome for entry in world.status.decisions]) == (
        False,
        ["Superseded"],
    )


async def test_pods_of_both_roles_are_counted(world: World) -> None:
    await trying(world)
    live = world.kubernetes.objects[TRIAL] | {"status": {"replicas": 1, "readyReplicas": 1}}
    world.store.put("Deployment", world.kubernetes.put(live))
    await world.reconcile()
    assert (world.status.replicas, world.status.ready_replicas, world.status.selector) == (
        3,
        3,
        "specdecode.dev/name=chat",
    )
