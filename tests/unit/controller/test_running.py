"""Which pods are asked for their release, how often, and whom the answer wakes."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.running import RunningReleases
from specdecode_operator.controller.store import Key, Store
from specdecode_operator.engine import Version
from support.builders import NOW, body, stamp
from support.fake_engines import FakeEngines
from support.world import World

CHAT = ("prod", "chat")
NEWEST, OTHER = Version(0, 33, 0), Version(0, 30, 0)
READY = {"type": "Ready", "status": "True", "lastTransitionTime": stamp(NOW - timedelta(hours=2))}


class Fleet:
    """The pods of a cluster, and who asks them."""

    def __init__(self) -> None:
        self.store, self.queue, self.engines = Store(), WorkQueue(), FakeEngines()
        self.running = RunningReleases(self.store, self.queue, self.engines)

    def add(self, name: str = "chat") -> None:
        self.store.put("SpecDecodeDeployment", body(name, metadata={"uid": f"uid-{name}", "resourceVersion": "1"}))

    def pod(self, name: str, address: str | None, *conditions: Any, variant: str = "v1", **metadata: Any) -> None:
        labels = {"specdecode.dev/name": name.split("-", maxsplit=1)[0], "specdecode.dev/variant-hash": variant}
        known = {"name": name, "namespace": "prod", "uid": f"uid-{name}", "resourceVersion": "1", "labels": labels}
        status = {"conditions": list(conditions or (READY,))} | ({} if address is None else {"podIP": address})
        self.store.put("Pod", {"metadata": known | metadata, "status": status})

    async def ask(self, rounds: int = 1) -> list[str]:
        """Go round and return the addresses that were asked."""
        self.engines.asked.clear()
        for _ in range(rounds):
            await self.running.tick()
        return [host for host, _ in self.engines.asked]

    def woken(self) -> set[Key]:
        found = set(self.queue._marked)
        self.queue._marked.clear()
        return found


@pytest.fixture
def fleet() -> Fleet:
    found = Fleet()
    found.add()
    return found


class TestAsking:
    async def test_a_pod_that_is_ready_is_asked_once_on_the_port_of_the_api(self, fleet: Fleet) -> None:
        fleet.pod("chat-1", "10.0.0.1")
        fleet.engines.answers = {"10.0.0.1": NEWEST}
        await fleet.ask(rounds=3)
        assert fleet.engines.asked == [("10.0.0.1", 8000)]

    @pytest.mark.parametrize(
        ("address", "asked"),
        [
            ("10.0.0.1", "10.0.0.1"),
            ("fd00::1", "fd00::1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("127.0.0.1", None),
            ("::1", None),
            ("169.254.169.254", None),
            ("::ffff:169.254.169.254", None),
            ("fe80::1", None),
            ("224.0.0.1", None),
            ("0.0.0.0", None),  # noqa: S104 - an address that is refused
            ("kubernetes.default.svc", None),
            ("10.0.0.1/../", None),
            ("", None),
            (None, None),
        ],
    )
    async def test_only_an_address_that_a_pod_can_have_is_asked(
        self, fleet: Fleet, address: str | None, asked: str | None
    ) -> None:
        fleet.pod("chat-1", address)
        assert await fleet.ask() == ([] if asked is None else [asked])

    @pytest.mark.parametrize(
        ("conditions", "metadata"),
        [
            ([{"type": "Ready", "status": "False"}], {}),
            ([{"type": "PodScheduled", "status": "True"}], {}),
            ([READY], {"deletionTimestamp": stamp(NOW)}),
        ],
        ids=["not-ready", "new", "going"],
    )
    async def test_a_pod_that_does_not_serve_is_not_asked(
        self, fleet: Fleet, conditions: list[Any], metadata: dict[str, Any]
    ) -> None:
        fleet.pod("chat-1", "10.0.0.1", *conditions, **metadata)
        assert await fleet.ask() == []

    async def test_one_that_does_not_answer_is_asked_three_times_and_left_alone(self, fleet: Fleet) -> None:
        fleet.pod("chat-1", "10.0.0.1")
        assert (await fleet.ask(rounds=9), fleet.running.of(CHAT, "v1")) == (["10.0.0.1"] * 3, frozenset())

    async def test_one_that_names_no_release_is_not_asked_again(self, fleet: Fleet) -> None:
        fleet.pod("chat-1", "10.0.0.1")
        fleet.engines.answers = {"10.0.0.1": None}
        assert (await fleet.ask(rounds=3), fleet.running.of(CHAT, "v1")) == (["10.0.0.1"], frozenset())

    async def test_a_pod_in_the_place_of_another_is_asked_anew(self, fleet: Fleet) -> None:
        fleet.pod("chat-1", "10.0.0.1")
        fleet.engines.answers = {"10.0.0.1": NEWEST}
        await fleet.ask()
        fleet.pod("chat-1", "10.0.0.1", uid="another", resourceVersion="2")
        assert await fleet.ask() == ["10.0.0.1"]

    async def test_a_round_asks_256_and_every_pod_has_its_turn(self, fleet: Fleet) -> None:
        hosts = [f"10.0.{number // 250}.{number % 250 + 1}" for number in range(600)]
        for number, host in enumerate(hosts):
            fleet.pod(f"chat-{number}", host)
        rounds = [len(await fleet.ask()) for _ in range(3)]
        asked = Counter(await fleet.ask(rounds=20))
        assert (rounds, set(asked) <= set(hosts), await fleet.ask()) == ([256] * 3, True, [])


class TestAnswers:
    async def test_they_are_those_of_one_variant(self, fleet: Fleet) -> None:
        fleet.pod("chat-1", "10.0.0.1")
        fleet.pod("chat-2", "10.0.0.2", variant="v2")
        fleet.pod("chat-3", "10.0.0.3")
        fleet.engines.answers = {"10.0.0.1": NEWEST, "10.0.0.2": OTHER, "10.0.0.3": NEWEST}
        await fleet.ask()
        assert [fleet.running.of(CHAT, variant) for variant in ("v1", "v2", "v3")] == [
            frozenset({NEWEST}),
            frozenset({OTHER}),
            frozenset(),
        ]

    async def test_an_answer_wakes_its_resource_and_silence_does_not(self, fleet: Fleet) -> None:
        fleet.add("code")
        fleet.pod("chat-1", "10.0.0.1")
        fleet.pod("code-1", "10.0.0.2")
        fleet.engines.answers = {"10.0.0.1": NEWEST}
        await fleet.ask()
        assert fleet.woken() == {CHAT}
        await fleet.ask()
        assert fleet.woken() == set()

    async def test_pods_that_are_gone_are_forgotten(self, fleet: Fleet) -> None:
        fleet.pod("chat-1", "10.0.0.1")
        fleet.engines.answers = {"10.0.0.1": NEWEST}
        await fleet.ask()
        fleet.store.replace("Pod", [])
        await fleet.ask()
        assert (fleet.running._known, fleet.running._attempts) == ({}, {})


class TestStatus:
    """A resource whose engine runs another release than its spec says."""

    @pytest.fixture
    async def world(self) -> World:
        world = World(engine={"version": "0.33.0"})
        await world.serving()
        labels = world.kubernetes.objects["Deployment", *CHAT]["spec"]["template"]["metadata"]["labels"]
        metadata = {"namespace": "prod", "name": "chat-1", "labels": labels}
        status = {"conditions": [READY], "podIP": "10.0.0.1"}
        world.store.put("Pod", world.kubernetes.put({"kind": "Pod", "metadata": metadata, "status": status}))
        world.engines.answers = {"10.0.0.1": OTHER}
        return world

    async def test_it_is_warned_of_once_and_nothing_else_is_done(self, world: World) -> None:
        await world.running.tick()
        for _ in range(3):
            await world.reconcile()
        assert world.status.plan is not None
        assert [(warning.code, warning.field) for warning in world.status.plan.warnings] == [
            ("EngineVersionMismatch", "engine.version")
        ]
        assert (world.reasons(), world.kubernetes.writes()) == (
            ["EngineVersionMismatch"],
            [("status", "SpecDecodeDeployment")],
        )

    async def test_a_restart_does_not_say_it_again(self, world: World) -> None:
        await world.running.tick()
        await world.reconcile()
        world.kubernetes.events.clear()
        world.start()
        await world.reconcile()
        await world.running.tick()
        await world.reconcile()
        assert world.reasons() == []

    async def test_a_spec_that_says_what_runs_ends_it(self, world: World) -> None:
        await world.running.tick()
        await world.reconcile()
        world.change(engine={"version": "0.30.0"})
        await world.reconcile()
        assert world.status.plan is None or world.status.plan.warnings == []
