"""A replay decides what the operator decided: the real evaluator and reconciler live, are recorded and replayed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Decision
from specdecode_operator.policy import ladder
from specdecode_operator.replay import Recording, Replay, Subject, replay
from support.builders import NOW, spec_of
from support.lived import Lived
from support.recordings import POLICY

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
    latency: dict[str, float] = field(default_factory=dict)
    """Factor of the latencies of pods on trial and of the others."""
    room: bool = True
    spec: dict[str, Any] = field(default_factory=dict)


FALLS = between(10, 1e9, 0.3, 0.8)
TRIALS = POLICY | {"trial": {"mode": "Auto", "minDuration": "5m", "maxDuration": "10m"}}
PROBES = TRIALS | {"probe": {"minBackoff": "10m", "maxBackoff": "1h"}}
FASTER, SLOWER, ALIKE = ({"trial": factor, "stable": 1.0} for factor in (0.7, 1.4, 1.0))
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
    "a trial that is better": Life(
        [("Acceptance", "Verified")], acceptance=FALLS, latency=FASTER, spec={"policy": TRIALS}
    ),
    "a trial that is worse": Life(
        [("Acceptance", "Dropped")], acceptance=FALLS, latency=SLOWER, spec={"policy": TRIALS}
    ),
    "a trial that shows no difference": Life(
        [("Acceptance", "Unclear")] * 3, acceptance=FALLS, latency=ALIKE, spec={"policy": TRIALS}
    ),
    "a probe that brings speculation back": Life(
        [("Acceptance", "Verified"), ("Probe", "Verified")],
        acceptance=between(10, 25, 0.3, 0.8),
        latency=FASTER,
        spec={"policy": PROBES},
    ),
    "suspended": Life([], acceptance=FALLS, spec={"suspend": True}),
}


async def lived(life: Life) -> Lived:
    """Live through it all."""
    found = Lived(**{"policy": POLICY} | life.spec)
    found.past.acceptance, found.past.slow, found.room = life.acceptance, life.slow, life.room
    if life.latency:
        found.past.latency = lambda pod: life.latency["trial" if "-trial-" in pod.name else "stable"]
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


async def test_a_trial_that_found_no_room_is_told_by_the_roll_that_came_without_it() -> None:
    """When its pod was seen to find no node is not recorded, so that the end of the trial may lie beside."""
    world = await lived(Life([], acceptance=FALLS, room=False, spec={"policy": TRIALS}))
    (live,), (found,) = world.decisions.values(), replayed(labelled(await world.recorded(), world), world).decisions
    later = {"concluded_at": None}
    assert live.comparison == "no room for a trial"
    assert found.model_copy(update=later) == live.model_copy(update=later)


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
