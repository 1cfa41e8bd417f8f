"""Decisions posted to an address: what is sent, what is tried again, and what is given up."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.notifications import ATTEMPTS, WAITING, Notifier
from specdecode_operator.controller.settings import NotificationSettings
from support.builders import ENFORCE, decision
from support.http_double import Answer, HttpDouble
from support.world import World

CHAT = ("prod", "chat")
PAYLOAD = {
    "namespace": "prod",
    "name": "chat",
    "id": "d1",
    "at": "2026-03-01T11:00:00Z",
    "generation": 1,
    "from": "primary",
    "to": "no-speculation",
    "trigger": "Acceptance",
    "signal": "Acceptance",
    "value": "30% / 40%",
    "threshold": "below 50% of the draft tokens accepted",
    "window": "5m / 30m",
    "samples": "300 / 900",
    "outcome": "Completed",
}


class Receiver:
    """A server that answers with the given statuses in turn, the last one for ever, and a notifier that posts to it."""

    def __init__(self, *statuses: int, **settings: Any) -> None:
        self.statuses = list(statuses) or [200]
        self.server = HttpDouble(lambda _: self._answer())
        self.metrics = Metrics()
        self.pauses: list[float] = []
        given = NotificationSettings.model_validate({"url": f"{self.server.url}/decisions"} | settings)
        self.notifier = Notifier(given, self.metrics, pause=self._pause, chance=lambda: 0.5)

    def _answer(self) -> Answer:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return Answer(status, headers={"Location": f"{self.server.url}/elsewhere"}, length=0)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.server.asked]

    @property
    def outcomes(self) -> dict[str, float]:
        return counted(self.metrics)

    async def deliver(self) -> None:
        """Work until nothing waits."""
        await until_drained(self.notifier)


def counted(metrics: Metrics) -> dict[str, float]:
    value = metrics.registry.get_sample_value
    found = {name: value("specdecode_notifications_total", {"outcome": name}) for name in OUTCOMES}
    return {name: count for name, count in found.items() if count}


OUTCOMES = ("delivered", "refused", "failed", "full")


async def until_drained(notifier: Notifier) -> None:
    task = asyncio.create_task(notifier.run())
    await asyncio.wait_for(notifier._waiting.join(), timeout=30)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def receive() -> Iterator[Callable[..., Receiver]]:
    with contextlib.ExitStack() as stack:

        def start(*statuses: int, **settings: Any) -> Receiver:
            found = Receiver(*statuses, **settings)
            stack.enter_context(found.server)
            return found

        yield start


Receive = Callable[..., Receiver]


class TestDelivery:
    async def test_a_decision_is_posted_as_it_is_in_the_status_with_the_names_of_its_resource(
        self, receive: Receive
    ) -> None:
        receiver = receive()
        receiver.notifier.tell(CHAT, decision())
        await receiver.deliver()
        [asked] = receiver.server.asked
        assert (asked.method, asked.path, json.loads(asked.body)) == ("POST", "/decisions", PAYLOAD)
        assert asked.headers["Content-Type"] == "application/json"
        assert (receiver.outcomes, receiver.pauses) == ({"delivered": 1.0}, [])

    async def test_they_come_in_their_order(self, receive: Receive) -> None:
        receiver = receive(503, 200)
        for identity in ("d1", "d2", "d3"):
            receiver.notifier.tell(CHAT, decision(identity))
        await receiver.deliver()
        assert [json.loads(asked.body)["id"] for asked in receiver.server.asked] == ["d1", "d1", "d2", "d3"]

    async def test_the_token_is_read_each_time(self, receive: Receive, tmp_path: Path) -> None:
        token = tmp_path / "token"
        receiver = receive(bearerTokenFile=str(token))
        for text in ("one\n", "two\n"):
            token.write_text(text)
            receiver.notifier.tell(CHAT, decision())
            await receiver.deliver()
        assert [asked.headers["Authorization"] for asked in receiver.server.asked] == ["Bearer one", "Bearer two"]

    async def test_without_an_address_nothing_waits(self) -> None:
        notifier = Notifier(NotificationSettings(), Metrics())
        notifier.tell(CHAT, decision())
        assert notifier._waiting.empty()


class TestFailure:
    @pytest.mark.parametrize("status", [429, 500, 503])
    async def test_what_may_pass_is_tried_again(self, receive: Receive, status: int) -> None:
        receiver = receive(status, status, 200)
        receiver.notifier.tell(CHAT, decision())
        await receiver.deliver()
        assert (len(receiver.paths), receiver.outcomes) == (3, {"delivered": 1.0})

    async def test_pauses_double_and_end_at_a_minute(self, receive: Receive) -> None:
        receiver = receive(503)
        receiver.notifier.tell(CHAT, decision())
        await receiver.deliver()
        assert receiver.pauses == [0.75 * pause for pause in (1, 2, 4, 8, 16, 32, 60)]
        assert (len(receiver.paths), receiver.outcomes) == (ATTEMPTS, {"failed": 1.0})

    @pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 410])
    async def test_what_will_not_pass_is_dropped_at_once_and_redirects_are_not_followed(
        self, receive: Receive, status: int
    ) -> None:
        receiver = receive(status)
        receiver.notifier.tell(CHAT, decision())
        await receiver.deliver()
        assert (receiver.paths, receiver.outcomes) == (["/decisions"], {"refused": 1.0})

    @pytest.mark.parametrize(
        "settings",
        [
            {"url": "http://127.0.0.1:1/"},
            {"url": "http://host.invalid/"},
            {"bearerTokenFile": "/absent/token"},
            {"caFile": "/absent/ca.pem"},
        ],
    )
    async def test_what_cannot_be_sent_is_given_up_in_the_end(self, receive: Receive, settings: dict[str, str]) -> None:
        receiver = receive(**settings)
        receiver.notifier.tell(CHAT, decision())
        await receiver.deliver()
        assert (receiver.outcomes, len(receiver.pauses)) == ({"failed": 1.0}, ATTEMPTS - 1)

    async def test_one_that_fails_does_not_keep_the_next_back(self, receive: Receive) -> None:
        receiver = receive(404, 200)
        receiver.notifier.tell(CHAT, decision("d1"))
        receiver.notifier.tell(CHAT, decision("d2"))
        await receiver.deliver()
        assert receiver.outcomes == {"delivered": 1.0, "refused": 1.0}

    async def test_what_comes_on_top_of_a_full_queue_is_dropped(self, receive: Receive) -> None:
        receiver = receive()
        for number in range(WAITING + 3):
            receiver.notifier.tell(CHAT, decision(f"d{number}"))
        assert (receiver.notifier._waiting.qsize(), receiver.outcomes) == (WAITING, {"full": 3.0})


class TestReconcile:
    async def test_every_change_of_a_decision_is_told_and_nothing_else(self) -> None:
        world = World(**ENFORCE)
        world.notifier._settings = NotificationSettings(url="http://127.0.0.1:1/")
        await world.serving()
        world.breach()
        for _ in range(3):
            await world.reconcile()
        told = [world.notifier._waiting.get_nowait() for _ in range(world.notifier._waiting.qsize())]
        assert [(one["namespace"], one["name"], one["outcome"]) for one in told] == [
            ("prod", "chat", "Started"),
            ("prod", "chat", "Completed"),
        ]

    async def test_nobody_waits_for_the_receiver(self) -> None:
        world = World(**ENFORCE)
        world.notifier._settings = NotificationSettings(url="http://127.0.0.1:1/")
        await world.serving()
        world.breach()
        await world.reconcile()
        assert (world.variant, world.notifier._waiting.qsize()) == ("no-speculation", 1)
