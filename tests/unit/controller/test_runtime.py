"""The process: how it fills its caches, and when it calls itself unhealthy."""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from specdecode_operator.controller.errors import WebhookStopped
from specdecode_operator.controller.runtime import Runtime
from specdecode_operator.controller.settings import Settings
from specdecode_operator.controller.store import Key
from specdecode_operator.controller.webhook.certificates import decoded, expiry, issue
from support.builders import NOW, body
from support.fake_kubernetes import FakeKubernetes

CHAT, CODE = ("prod", "chat"), ("prod", "code")
LABELLED = "specdecode.dev/name"
KINDS = ("Deployment", "Service", "PodDisruptionBudget", "Pod", "SpecDecodeDeployment")


class Process:
    """A runtime over an API server in memory."""

    def __init__(self, **settings: Any) -> None:
        self.kubernetes = FakeKubernetes()
        self.runtime = Runtime(Settings.from_values(settings), self.kubernetes)

    async def resync(self) -> set[Key]:
        """Compare with the cluster and return the keys that are marked."""
        await self.runtime._resync()
        found = set(self.runtime._queue._marked)
        self.runtime._queue._marked.clear()
        return found


@pytest.fixture
def process() -> Iterator[Process]:
    found = Process(endpoints=[{"name": "default", "url": "http://prometheus:9090"}])
    yield found
    found.runtime.close()


class TestResync:
    async def test_every_resource_is_marked(self, process: Process) -> None:
        for name in ("chat", "code"):
            process.kubernetes.put(body(name))
        assert await process.resync() == {CHAT, CODE}

    async def test_each_time_even_if_nothing_changed(self, process: Process) -> None:
        process.kubernetes.put(body("chat"))
        assert [await process.resync() for _ in range(2)] == [{CHAT}] * 2

    async def test_one_whose_end_was_missed_is_marked_and_gone(self, process: Process) -> None:
        process.kubernetes.put(body("chat"))
        await process.resync()
        process.kubernetes.objects.clear()
        assert (await process.resync(), await process.resync()) == ({CHAT}, set())

    async def test_children_are_known_before_resources(self, process: Process) -> None:
        await process.resync()
        assert process.kubernetes.listed == [
            (kind, None, None if kind == "SpecDecodeDeployment" else LABELLED) for kind in KINDS
        ]

    async def test_only_the_namespaces_of_the_settings_are_listed(self) -> None:
        process = Process(namespaces=["prod", "dev"])
        process.kubernetes.put(body("chat"))
        process.kubernetes.put(body("far", metadata={"namespace": "elsewhere"}))
        assert await process.resync() == {CHAT}
        assert {namespace for _, namespace, _ in process.kubernetes.listed} == {"prod", "dev"}

    async def test_resources_of_a_list_can_be_read(self, process: Process) -> None:
        process.kubernetes.put(body("chat"))
        await process.resync()
        found = process.runtime._store.resource(CHAT)
        assert found is not None
        assert (found["apiVersion"], found["kind"]) == ("specdecode.dev/v1alpha1", "SpecDecodeDeployment")

    @pytest.mark.parametrize(
        ("kind", "version"), [("Deployment", "apps/v1"), ("Service", "v1"), ("PodDisruptionBudget", "policy/v1")]
    )
    async def test_children_of_a_list_bear_their_type(self, process: Process, kind: str, version: str) -> None:
        metadata = {"name": "chat", "namespace": "prod", "labels": {LABELLED: "chat"}}
        made = process.kubernetes.put({"apiVersion": version, "kind": kind, "metadata": metadata})
        await process.resync()
        assert process.runtime._store.child(kind, CHAT) == made


class TestHealth:
    def test_a_process_that_has_just_started_is_healthy(self, process: Process) -> None:
        assert process.runtime._health() is None

    @pytest.mark.parametrize(
        ("interval", "silence", "wrong"),
        [
            (15, 59, None),
            (15, 61, "the metrics loop has stopped"),
            (60, 239, None),
            (60, 241, "the metrics loop has stopped"),
        ],
    )
    def test_a_metrics_loop_that_stopped_is_noticed(self, interval: int, silence: int, wrong: str | None) -> None:
        process = Process(evaluationIntervalSeconds=interval)
        process.runtime._ticked -= timedelta(seconds=silence)
        assert process.runtime._health() == wrong

    async def test_an_evaluation_makes_it_healthy_again(self, process: Process) -> None:
        process.runtime._ticked -= timedelta(hours=1)
        await process.runtime._evaluate()
        assert process.runtime._health() is None

    def test_a_reconcile_that_hangs_is_noticed(self, process: Process) -> None:
        process.runtime._queue._running[CHAT] = -1000.0
        assert process.runtime._health() == "a reconcile hangs"


class TestWebhook:
    OWN = {"namespace": "system", "serviceName": "hook", "configurationName": "release", "secretName": "hook"}

    def test_there_is_none_by_default(self, process: Process) -> None:
        assert process.runtime._webhook is None

    async def test_where_it_is_asked_for_it_serves_with_a_certificate_while_it_is_entered(self) -> None:
        process = Process(listenAddress="127.0.0.1", webhook={"enabled": True, "listenPort": 0, **self.OWN})
        process.kubernetes.put({"kind": "Secret", "metadata": {"name": "hook", "namespace": "system"}})
        assert process.runtime._webhook is not None
        async with process.runtime._webhook as webhook:
            held = decoded(process.kubernetes.objects["Secret", "system", "hook"]["data"])
            assert held is not None
            context = ssl.create_default_context(cadata=held.bundle)
            assert webhook._server is not None
            port = webhook._server.port
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="hook.system.svc")
            writer.close()
            await writer.wait_closed()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    async def test_one_that_ended_by_itself_ends_the_process_loudly(self) -> None:
        process = Process(listenAddress="127.0.0.1", webhook={"enabled": True, "listenPort": 0, **self.OWN})
        assert process.runtime._webhook is not None
        async with process.runtime._webhook as webhook:
            assert webhook._server is not None
            webhook._server.stop()
            with pytest.raises(WebhookStopped, match=r"^the webhook's server has ended by itself$"):
                await webhook.renew()

    async def test_with_files_nothing_is_asked_of_the_cluster(self, tmp_path: Path) -> None:
        pair = issue(("hook",), NOW)
        for name, text in (("tls.crt", pair.certificate), ("tls.key", pair.key)):
            (tmp_path / name).write_text(text)
        files = {"certFile": str(tmp_path / "tls.crt"), "keyFile": str(tmp_path / "tls.key")}
        process = Process(webhook={"enabled": True, "certificate": "Files", **files})
        assert process.runtime._webhook is not None
        await process.runtime._webhook.renew()
        shown = process.runtime._metrics.registry.get_sample_value(
            "specdecode_webhook_certificate_expiry_timestamp_seconds"
        )
        assert (shown, process.kubernetes.got) == (expiry(pair.certificate).timestamp(), [])


async def test_a_step_that_fails_ends_the_process_loudly(process: Process) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(process.runtime._every(0, fail), 5)


async def test_the_length_of_the_queue_is_shown_at_every_evaluation(process: Process) -> None:
    process.runtime._queue.mark(CHAT)
    await process.runtime._evaluate()
    assert process.runtime._metrics.registry.get_sample_value("specdecode_queue_length") == 1.0


@pytest.mark.parametrize(("values", "asked"), [({}, True), ({"checkEngineVersion": False}, False)])
def test_engines_are_asked_for_their_release_unless_the_settings_say_no(values: dict[str, Any], *, asked: bool) -> None:
    runtime = Process(**values).runtime
    assert (runtime._reconciler._parts.running is not None) == asked


@pytest.mark.parametrize(
    ("values", "allowed"), [({}, False), ({"factsJob": {"enabled": True, "image": "operator:1"}}, True)]
)
def test_jobs_for_facts_are_made_only_where_the_settings_allow_them(values: dict[str, Any], *, allowed: bool) -> None:
    assert (Process(**values).runtime._reconciler._parts.facts is not None) == allowed
