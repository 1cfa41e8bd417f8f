"""Operations in flight, slots, and who was lately in breach."""

import asyncio
import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.clients import Conflict, Manifest
from specdecode_operator.controller.applier import Applier
from specdecode_operator.controller.evaluator import Evaluator
from specdecode_operator.controller.fleet import Fleet
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.notifications import Notifier
from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.reading import Reader
from specdecode_operator.controller.reconcile import Parts, Reconciler
from specdecode_operator.controller.settings import FleetSettings, HoldAll, NotificationSettings
from specdecode_operator.controller.store import Key, Store
from specdecode_operator.policy import decide
from support.builders import ENFORCE, NOW, body, judgement, rung, situation, spec_of, verifying
from support.fake_kubernetes import FakeKubernetes

CHAT, CODE, MAIL = ("prod", "chat"), ("prod", "code"), ("dev", "chat")
OURS = "SpecDecodeDeployment"
SPEC = spec_of(**ENFORCE)
ROLLS = decide(situation(SPEC))
WAITS = decide(situation(SPEC, judgement=None))
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def fleet(store: Store) -> Fleet:
    return Fleet(FleetSettings(hold_all=HoldAll(window_seconds=300)), store, Metrics())


def operating(store: Store, key: Key, version: str = "2") -> None:
    """Have the status of a resource name an operation."""
    metadata = {"namespace": key[0], "name": key[1], "resourceVersion": version}
    store.put(OURS, {"metadata": metadata, "status": {"operation": {"id": "d1"}}})


class TestInFlight:
    def test_operations_of_others_count(self, store: Store, fleet: Fleet) -> None:
        operating(store, CHAT)
        operating(store, CODE)
        assert [fleet.state(key, "default").rolling for key in (CHAT, CODE, MAIL)] == [1, 1, 2]

    def test_one_that_is_decided_counts_until_it_is_recorded_and_then_once(self, store: Store, fleet: Fleet) -> None:
        fleet.reserve(CHAT, ROLLS)
        counted = [fleet.state(MAIL, "default").rolling]
        operating(store, CHAT)
        counted.append(fleet.state(MAIL, "default").rolling)
        fleet.release(CHAT)
        counted.append(fleet.state(MAIL, "default").rolling)
        assert counted == [1, 1, 1]

    def test_one_that_was_not_recorded_is_given_back(self, fleet: Fleet) -> None:
        fleet.reserve(CHAT, ROLLS)
        fleet.release(CHAT)
        assert fleet.state(MAIL, "default").rolling == 0

    def test_a_plan_without_an_operation_takes_no_slot(self, fleet: Fleet) -> None:
        fleet.reserve(CHAT, WAITS)
        assert fleet.state(MAIL, "default").rolling == 0

    def test_what_is_only_being_verified_takes_no_slot(self, fleet: Fleet) -> None:
        waiting = replace(ROLLS, operation=verifying())
        fleet.reserve(CHAT, waiting)
        assert fleet.state(MAIL, "default").rolling == 0

    def test_its_own_reservation_does_not_count(self, fleet: Fleet) -> None:
        fleet.reserve(CHAT, ROLLS)
        assert fleet.state(CHAT, "default").rolling == 0

    def test_they_are_shown(self, store: Store) -> None:
        metrics = Metrics()
        fleet = Fleet(FleetSettings(), store, metrics)
        fleet.reserve(CHAT, ROLLS)
        assert metrics.registry.get_sample_value("specdecode_operations") == 1.0


class TestBreaches:
    def counted(self, fleet: Fleet) -> tuple[int, int]:
        state = fleet.state(CHAT, "default")
        return state.breaching, state.watched

    def test_a_breach_counts_for_as_long_as_the_window(self, fleet: Fleet) -> None:
        found = []
        for minutes, breaching in ((0, [CHAT]), (3, [CODE]), (5, []), (6, []), (9, [])):
            fleet.observe("default", [CHAT, CODE, MAIL], breaching, NOW + minutes * MINUTE)
            found.append(self.counted(fleet))
        assert found == [(1, 3), (2, 3), (2, 3), (1, 3), (0, 3)]

    def test_a_resource_that_is_gone_does_not_count(self, fleet: Fleet) -> None:
        fleet.observe("default", [CHAT, CODE], [CHAT, CODE], NOW)
        fleet.observe("default", [CHAT], [], NOW)
        assert self.counted(fleet) == (1, 1)

    def test_endpoints_are_apart(self, fleet: Fleet) -> None:
        fleet.observe("other", [CODE], [CODE], NOW)
        assert (self.counted(fleet), fleet.state(CHAT, "other").breaching) == ((0, 0), 1)


class Slow(FakeKubernetes):
    """Every write takes a moment, in which others work."""

    async def write_status(self, manifest: Manifest) -> Manifest:
        await asyncio.sleep(0)
        return await super().write_status(manifest)

    async def apply(self, manifest: Manifest, **options: Any) -> Manifest:
        await asyncio.sleep(0)
        return await super().apply(manifest, **options)


class Town:
    """Several resources in confirmed breach, and one reconciler for them all."""

    def __init__(self, names: list[str], slots: int) -> None:
        self.kubernetes, self.store, self.metrics = Slow(), Store(), Metrics()
        self.keys = [("prod", name) for name in names]
        reader = Reader()
        self.fleet = Fleet(FleetSettings(max_concurrent_rolls=slots), self.store, self.metrics)
        self.evaluator = Evaluator(self.store, reader, WorkQueue(), self.metrics, {}, lambda: NOW, self.fleet)
        notifier = Notifier(NotificationSettings(), self.metrics)
        applier = Applier(self.kubernetes, self.store, self.metrics)
        parts = Parts(
            self.kubernetes,
            self.store,
            reader,
            self.evaluator,
            applier,
            self.metrics,
            lambda: NOW,
            self.fleet,
            notifier,
        )
        self.reconciler = Reconciler(parts)
        for name in names:
            self.store.put(OURS, self.kubernetes.put(body(name, **ENFORCE)))

    async def breach(self) -> None:
        """Bring all up, and find all in breach."""
        await self.work()
        for key in self.keys:
            live = copy.deepcopy(self.kubernetes.objects["Deployment", *key])
            ready = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas"), 1)
            live["status"] = ready | {"observedGeneration": live["metadata"]["generation"]}
            self.store.put("Deployment", self.kubernetes.put(live))
            self.evaluator._judgements[key] = judgement(rung(SPEC))

    async def work(self) -> None:
        await asyncio.gather(*(self.reconciler(key) for key in self.keys))

    def rolling(self) -> list[str]:
        found = [(key[1], self.kubernetes.objects[OURS, *key]["status"]) for key in self.keys]
        return [name for name, status in found if "operation" in status]


class TestWorkers:
    async def test_no_two_of_them_take_the_last_slot(self) -> None:
        town = Town(["a", "b", "c", "d", "e"], slots=2)
        await town.breach()
        await town.work()
        assert town.rolling() == ["a", "b"]
        await town.work()
        assert town.rolling() == ["a", "b"]

    async def test_a_slot_whose_decision_could_not_be_recorded_is_free_again(self) -> None:
        town = Town(["a", "b"], slots=1)
        await town.breach()
        town.kubernetes.failures["status", OURS] = Conflict("changed")
        await town.work()
        town.kubernetes.failures.clear()
        await town.work()
        assert town.rolling() == ["a"]

    async def test_slots_go_by_the_order_in_which_resources_are_worked_on(self) -> None:
        town = Town(["a", "b", "c"], slots=1)
        await town.breach()
        town.keys.reverse()
        await town.work()
        assert town.rolling() == ["c"]
