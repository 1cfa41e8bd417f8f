"""The metrics loop and trials: what is asked, what is compared, and whom it wakes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from specdecode_operator.clients import PrometheusError
from specdecode_operator.controller.evaluator import Evaluator, Watched
from specdecode_operator.controller.fleet import Fleet
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.reading import Reader
from specdecode_operator.controller.settings import Endpoint, FleetSettings
from specdecode_operator.controller.store import Key, Store
from specdecode_operator.policy import ArmQuery, Compared
from specdecode_operator.policy.trials.comparison import ArmVerdict
from support.builders import NOW, TRYING, body, rung, spec_of, stamp
from support.fake_prometheus import FakePrometheus

CHAT = ("prod", "chat")
SPEC = spec_of(**TRYING)
TRIAL_MINUTES = 11
"""One for warming up and ten to be judged."""


@dataclass
class Loop:
    """One evaluator over resources that have a trial going on."""

    prometheus: FakePrometheus = field(default_factory=FakePrometheus)
    store: Store = field(default_factory=Store)
    queue: WorkQueue = field(default_factory=WorkQueue)
    now: datetime = NOW

    def __post_init__(self) -> None:
        endpoint = Endpoint(name="default", url="http://prometheus:9090")
        watched = {"default": Watched(endpoint, self.prometheus)}
        metrics = Metrics()
        fleet = Fleet(FleetSettings(), self.store, metrics)
        self.evaluator = Evaluator(self.store, Reader(), self.queue, metrics, watched, lambda: self.now, fleet)

    def add(self, name: str = "chat", minutes: float = TRIAL_MINUTES) -> Key:
        """Have a resource whose pod on trial has been ready for so many minutes, and one stable pod beside it."""
        operation = {
            "id": f"trial-{name}",
            "from": "primary",
            "to": "no-speculation",
            "trigger": "Acceptance",
            "phase": "Trial",
            "startedAt": stamp(NOW),
        }
        status = {"activeVariant": "primary", "variantHash": rung(SPEC).hash, "operation": operation}
        manifest = body(name, metadata={"uid": name, "resourceVersion": "1"}, **TRYING)
        self.store.put("SpecDecodeDeployment", manifest | {"status": status})
        self.pod(name, f"{name}-1", "stable", rung(SPEC).hash, 120)
        self.pod(name, f"{name}-trial-1", "trial", rung(SPEC, "no-speculation").hash, minutes)
        return ("prod", name)

    def pod(self, name: str, pod: str, role: str, variant_hash: str, minutes: float) -> None:
        since = stamp(NOW - timedelta(minutes=minutes))
        labels = {
            "specdecode.dev/name": name,
            "specdecode.dev/role": role,
            "specdecode.dev/variant-hash": variant_hash,
        }
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": since}
        metadata = {"name": pod, "namespace": "prod", "uid": pod, "resourceVersion": "1", "labels": labels}
        self.store.put("Pod", {"metadata": metadata, "status": {"conditions": [ready]}})
        self.prometheus.pods.append({"namespace": "prod", "pod": pod})

    async def tick(self, seconds: float = 15) -> Compared | None:
        """Let time pass and evaluate; return the comparison of `chat`."""
        self.now += timedelta(seconds=seconds)
        await self.evaluator.tick()
        return self.evaluator.compared(CHAT)

    def asked(self) -> list[ArmQuery]:
        """Return what was asked about trials in the last tick."""
        return [query for group in self.prometheus.asked for query in group if isinstance(query, ArmQuery)]


@pytest.fixture
def loop() -> Loop:
    return Loop()


def seen(found: Compared | None) -> tuple[str, ArmVerdict, bool, bool] | None:
    return None if found is None else (found.decision, found.comparison.verdict, found.repeated, found.last)


async def test_a_faster_candidate_is_better_once_it_was_found_twice(loop: Loop) -> None:
    loop.add()
    loop.prometheus.latency = {"chat-trial-1": 0.5}
    assert seen(await loop.tick(0)) == ("trial-chat", ArmVerdict.BETTER, False, False)
    assert seen(await loop.tick()) == ("trial-chat", ArmVerdict.BETTER, True, False)


async def test_what_was_found_twice_wakes_the_resource(loop: Loop) -> None:
    loop.add()
    loop.prometheus.latency = {"chat-trial-1": 0.5}
    await loop.tick(0)
    loop.queue._marked.clear()
    await loop.tick()
    assert CHAT in loop.queue._marked


async def test_a_slower_one_is_worse(loop: Loop) -> None:
    loop.add()
    loop.prometheus.latency = {"chat-trial-1": 1.5}
    assert seen(await loop.tick(0)) == ("trial-chat", ArmVerdict.WORSE, False, False)


async def test_a_finding_that_changes_is_not_confirmed(loop: Loop) -> None:
    loop.add()
    loop.prometheus.latency = {"chat-trial-1": 0.5}
    await loop.tick(0)
    loop.prometheus.latency = {"chat-trial-1": 1.5}
    assert seen(await loop.tick()) == ("trial-chat", ArmVerdict.WORSE, False, False)


async def test_an_outage_confirms_nothing(loop: Loop) -> None:
    loop.add()
    loop.prometheus.latency = {"chat-trial-1": 0.5}
    await loop.tick(0)
    loop.prometheus.failure = PrometheusError("status 503")
    assert await loop.tick() is None
    loop.prometheus.failure = None
    assert seen(await loop.tick()) == ("trial-chat", ArmVerdict.BETTER, False, False)


async def test_a_question_about_trials_that_fails_holds_nothing_but_trials(loop: Loop) -> None:
    loop.add()
    await loop.tick(0)
    loop.prometheus.refused = ArmQuery
    assert await loop.tick() is None
    judged = loop.evaluator.judgement(CHAT)
    assert judged is not None
    assert judged.unavailable is None


@pytest.mark.parametrize("minutes", [0, 10.9, 15], ids=["just ready", "warming up", "between two looks"])
async def test_between_looks_nothing_is_asked_about_it(loop: Loop, minutes: float) -> None:
    loop.add(minutes=minutes)
    assert await loop.tick(0) is None
    assert loop.asked() == []


async def test_the_last_look_says_so(loop: Loop) -> None:
    loop.add(minutes=61)
    assert seen(await loop.tick(0)) == ("trial-chat", ArmVerdict.UNCLEAR, False, True)


async def test_a_pod_that_prometheus_does_not_see_is_no_evidence(loop: Loop) -> None:
    loop.add()
    loop.prometheus.pods.pop()
    assert await loop.tick(0) is None


async def test_many_trials_are_asked_about_together(loop: Loop) -> None:
    loop.add()
    await loop.tick(0)
    few = len(loop.asked())
    loop.prometheus.asked.clear()
    for number in range(20):
        loop.add(f"chat-{number}")
    await loop.tick(0)
    assert len(loop.asked()) == few > 0


async def test_a_trial_that_is_over_is_forgotten(loop: Loop) -> None:
    loop.add()
    await loop.tick(0)
    manifest = body("chat", metadata={"uid": "chat", "resourceVersion": "2"}, **TRYING)
    loop.store.put("SpecDecodeDeployment", manifest)
    assert await loop.tick() is None


async def test_a_resource_that_is_gone_is_forgotten(loop: Loop) -> None:
    loop.add()
    await loop.tick(0)
    loop.evaluator.forget(CHAT)
    assert loop.evaluator.compared(CHAT) is None
