"""A replay decides what the operator decided: the real evaluator and reconciler live, are recorded and replayed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Decision
from specdecode_operator.policy import ladder
from specdecode_operator.replay import Recording, Replay, Subject, replay
from support.builders import NOW, TPOT, spec_of
from support.lived import Lived

POLICY: dict[str, Any] = {
    "mode": "Enforce",
    "objectives": [TPOT],
    "window": {"short": "1m", "long": "5m"},
    "budget": {"cooldown": "5m"},
}
FP8 = {"name": "fp8", "triggers": ["Latency"], "model": {"name": "org/target-fp8"}}

Level = Callable[[datetime], float]


def minute(at: datetime) -> float:
    return (at - NOW) / timedelta(minutes=1)


def between(start: float, end: float, inside: float, outside: float) -> Level:
    """Return a level that is `inside` from one minute to another."""
    return lambda at: inside if start <= minute(at) < end else outside


@dataclass
class Life:
    """What happens to a service in an hour, and what the operator does about it, by trigger and outcome."""

    decided: list[tuple[str, str]]
    acceptance: Level = lambda _: 0.8
    slow: Level = lambda _: 0.001
    silent: tuple[float, float] | None = None
    spec: dict[str, Any] = field(default_factory=dict)


FALLS = between(10, 1e9, 0.3, 0.8)
OBSERVE = {"policy": POLICY | {"mode": "Observe"}}
LIVES = {
    "good health": Life([]),
    "acceptance falls for good": Life([("Acceptance", "Verified")], acceptance=FALLS),
    "two pods, one after the other": Life([("Acceptance", "Verified")], acceptance=FALLS, spec={"replicas": 2}),
    "a dip in one evaluation": Life([], acceptance=between(10, 10.2, 0.3, 0.8)),
    "latency is worse without speculation": Life(
        [("Acceptance", "Reverted"), ("Revert", "Completed"), ("Latency", "NotImproved")],
        acceptance=FALLS,
        slow=between(13, 1e9, 0.5, 0.001),
    ),
    "latency leads to the fallback, and to no speculation": Life(
        [("Latency", "NotImproved"), ("Latency", "NotImproved")],
        slow=between(10, 1e9, 0.5, 0.001),
        spec={"fallbacks": [FP8]},
    ),
    "a breach that Prometheus does not see": Life([], acceptance=between(10, 20, 0.3, 0.8), silent=(9, 21)),
    "observed": Life([("Acceptance", "Observed")], acceptance=between(10, 30, 0.3, 0.8), spec=OBSERVE),
    "suspended": Life([], acceptance=FALLS, spec={"suspend": True}),
}


async def lived(life: Life) -> Lived:
    """Live through it all."""
    found = Lived(**{"policy": POLICY} | life.spec)
    found.past.acceptance, found.past.slow = life.acceptance, life.slow
    await found.live(1)
    if life.silent is not None:
        start, end = (NOW + timedelta(minutes=at) for at in life.silent)
        found.past.pods[0].silent = (start, end)
    await found.live(59)
    return found


def labelled(recording: Recording, world: Lived) -> Recording:
    """Return the recording with what the pods' labels said."""
    hashes = world.hashes()
    return replace(recording, pods=tuple(replace(pod, variant_hash=hashes[pod.name]) for pod in recording.pods))


def replayed(recording: Recording, world: Lived) -> Replay:
    spec = spec_of(**world.spec)
    return replay(recording, Subject("prod", "chat", spec, ladder(spec)))


def routes(decisions: Iterable[Decision]) -> list[tuple[str, str, str, str]]:
    return [(one.from_variant, one.to_variant, one.trigger, one.outcome) for one in decisions]


@pytest.mark.parametrize("name", LIVES)
async def test_a_replay_decides_what_the_operator_decided(name: str) -> None:
    """Each decision is the same in every field: its time, its evidence, its id, and what became of it."""
    world = await lived(LIVES[name])
    found = replayed(labelled(await world.recorded(), world), world)
    assert [(one.trigger, one.outcome) for one in world.decisions.values()] == LIVES[name].decided
    assert found.decisions == tuple(world.decisions.values())


async def test_variants_are_inferred_where_nobody_names_them() -> None:
    world = await lived(LIVES["latency is worse without speculation"])
    recording = await world.recorded()
    assert {pod.variant_hash for pod in recording.pods} == {None}
    assert replayed(recording, world).decisions == tuple(world.decisions.values())


async def test_evaluations_at_other_moments_come_to_the_same_decisions() -> None:
    world = await lived(LIVES["latency is worse without speculation"])
    shifted = await world.recorded(NOW + timedelta(seconds=7))
    assert routes(replayed(shifted, world).decisions) == routes(world.decisions.values())


async def test_a_recording_that_begins_in_the_middle() -> None:
    world = await lived(LIVES["acceptance falls for good"])
    later = await world.recorded(NOW + timedelta(minutes=9))
    assert replayed(later, world).decisions == tuple(world.decisions.values())
