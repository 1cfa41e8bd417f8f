"""Where the webhook's certificate comes from: Secret and configuration in the cluster, or files."""

import base64
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from specdecode_operator.clients import Forbidden, Manifest, Unavailable
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.webhook.certificates import LIFE, OVERLAP, RENEWAL, Pair, decoded, issue
from specdecode_operator.controller.webhook.identity import Identity
from specdecode_operator.controller.webhook.sources import Files, Place, SelfSigned
from support.builders import NOW
from support.fake_kubernetes import FakeKubernetes

HOSTS = ("hook.system.svc",)
PLACE = Place("system", "hook", "release")
EXPIRY = "specdecode_webhook_certificate_expiry_timestamp_seconds"
KINDS = ("Secret", "ValidatingWebhookConfiguration")


class ShownIdentity(Identity):
    """Remembers the certificates that were shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def show(self, certificate: bytes, key: bytes) -> None:
        super().show(certificate, key)
        self.shown.append(certificate.decode())


class Release:
    """What the chart makes, on an API server in memory, with a clock that the test moves."""

    def __init__(self) -> None:
        self.kubernetes = FakeKubernetes()
        self.now = NOW
        self.kubernetes.put(
            {"kind": "Secret", "metadata": {"name": "hook", "namespace": "system", "labels": {"a": "b"}}}
        )
        self.install()

    def install(self) -> None:
        """Have the configuration as the chart renders it: without a bundle."""
        webhook = {"name": "preflight.specdecode.dev", "clientConfig": {"service": {"name": "hook"}}}
        kind = "ValidatingWebhookConfiguration"
        self.kubernetes.put({"kind": kind, "metadata": {"name": "release"}, "webhooks": [webhook]})

    def clock(self) -> datetime:
        return self.now

    @property
    def secret(self) -> Manifest:
        return self.kubernetes.objects["Secret", "system", "hook"]

    @property
    def webhook(self) -> Manifest:
        found: Manifest = self.kubernetes.objects["ValidatingWebhookConfiguration", "", "release"]["webhooks"][0]
        return found

    @property
    def bundle(self) -> str:
        return base64.b64decode(self.webhook["clientConfig"].get("caBundle", "")).decode()


class Replica:
    """One operator's own certificate."""

    def __init__(self, release: Release) -> None:
        self.identity = ShownIdentity()
        self.metrics = Metrics()
        shown = (self.identity, self.metrics)
        self.source = SelfSigned(release.kubernetes, PLACE, HOSTS, shown, release.clock)

    @property
    def shows(self) -> str:
        return self.identity.shown[-1]


@pytest.fixture
def release() -> Release:
    return Release()


@pytest.fixture
def replica(release: Release) -> Replica:
    return Replica(release)


async def serving(release: Release, replica: Replica) -> Pair:
    """Renew, and return the pair that the Secret then has."""
    await replica.source.renew()
    held = decoded(release.secret["data"])
    assert held is not None
    return held.serving


class TestSelfSigned:
    async def test_an_empty_secret_is_filled_shown_and_trusted(self, release: Release, replica: Replica) -> None:
        pair = await serving(release, replica)
        assert (replica.shows, release.bundle) == (pair.certificate, pair.authority)
        assert replica.metrics.registry.get_sample_value(EXPIRY) == (NOW + LIFE).timestamp()

    async def test_of_the_objects_only_data_and_bundle_are_ours(self, release: Release, replica: Replica) -> None:
        await replica.source.renew()
        assert release.secret["metadata"]["labels"] == {"a": "b"}
        assert release.webhook["clientConfig"]["service"] == {"name": "hook"}
        assert release.kubernetes.managers == ["specdecode-operator-webhook"]

    async def test_nothing_is_written_or_shown_again_while_nothing_is_due(
        self, release: Release, replica: Replica
    ) -> None:
        await replica.source.renew()
        release.kubernetes.writes()
        release.now += LIFE / 2
        await replica.source.renew()
        assert (release.kubernetes.writes(), len(replica.identity.shown)) == ([], 1)

    async def test_a_bundle_that_somebody_wiped_is_written_again(self, release: Release, replica: Replica) -> None:
        pair = await serving(release, replica)
        release.install()
        await replica.source.renew()
        assert release.bundle == pair.authority

    @pytest.mark.parametrize("bundle", ["", "Zm9v", "//79"], ids=["empty", "text", "bytes"])
    async def test_a_bundle_of_somebody_elses_is_replaced(
        self, release: Release, replica: Replica, bundle: str
    ) -> None:
        release.webhook["clientConfig"]["caBundle"] = bundle
        pair = await serving(release, replica)
        assert release.bundle == pair.authority

    async def test_a_secret_that_somebody_emptied_is_filled_again(self, release: Release, replica: Replica) -> None:
        before = await serving(release, replica)
        release.kubernetes.put({**release.secret, "data": {}})
        after = await serving(release, replica)
        assert after != before
        assert (replica.shows, release.bundle) == (after.certificate, after.authority)

    async def test_a_restart_goes_on_with_the_same_pair(self, release: Release, replica: Replica) -> None:
        await replica.source.renew()
        release.kubernetes.writes()
        successor = Replica(release)
        await successor.source.renew()
        assert (successor.shows, release.kubernetes.writes()) == (replica.shows, [])

    async def test_a_rotation_publishes_waits_and_then_shows(self, release: Release, replica: Replica) -> None:
        old = await serving(release, replica)
        release.now += LIFE - RENEWAL
        assert await serving(release, replica) == old
        both = release.bundle
        assert both.startswith(old.authority)
        assert both.count("BEGIN CERTIFICATE") == 2
        release.now += OVERLAP
        new = await serving(release, replica)
        assert (replica.shows, release.bundle) == (new.certificate, new.authority + old.authority)
        assert new.certificate != old.certificate

    async def test_what_could_not_be_published_is_not_shown(self, release: Release, replica: Replica) -> None:
        old = await serving(release, replica)
        release.now += LIFE - RENEWAL
        release.kubernetes.failures["apply", "ValidatingWebhookConfiguration"] = Forbidden("no")
        for _ in range(3):
            assert await serving(release, replica) == old
            release.now += OVERLAP
        release.kubernetes.failures.clear()
        await replica.source.renew()
        assert await serving(release, replica) != old

    async def test_a_secret_that_is_gone_leaves_what_is_shown(self, release: Release, replica: Replica) -> None:
        await replica.source.renew()
        del release.kubernetes.objects["Secret", "system", "hook"]
        await replica.source.renew()
        assert len(replica.identity.shown) == 1

    async def test_a_configuration_that_is_gone_keeps_nobody_from_serving(
        self, release: Release, replica: Replica
    ) -> None:
        del release.kubernetes.objects["ValidatingWebhookConfiguration", "", "release"]
        await replica.source.renew()
        assert len(replica.identity.shown) == 1

    @pytest.mark.parametrize("verb", ["get", "replace", "apply"])
    @pytest.mark.parametrize("kind", KINDS)
    async def test_an_api_server_that_fails_is_asked_again_next_time(
        self, release: Release, replica: Replica, verb: str, kind: str
    ) -> None:
        release.kubernetes.failures[verb, kind] = Unavailable("later")
        await replica.source.renew()
        release.kubernetes.failures.clear()
        pair = await serving(release, replica)
        assert (replica.shows, release.bundle) == (pair.certificate, pair.authority)


class TestReplicas:
    async def test_of_two_that_begin_at_once_one_wins_and_the_other_follows(self, release: Release) -> None:
        first, second = Replica(release), Replica(release)
        outdated = dict(release.secret)
        pair = await serving(release, first)
        real = release.kubernetes.get
        answers: list[Any] = [outdated]

        async def late(kind: str, namespace: str, name: str) -> Manifest | None:
            return answers.pop() if kind == "Secret" and answers else await real(kind, namespace, name)

        release.kubernetes.get = late  # type: ignore[method-assign] # an answer from before the first's write
        assert await serving(release, second) == pair
        assert (second.shows, first.shows, release.bundle) == (pair.certificate, pair.certificate, pair.authority)

    async def test_they_end_up_with_the_same_pair_through_a_rotation(self, release: Release) -> None:
        replicas = [Replica(release), Replica(release)]
        for _ in range(60):
            for replica in replicas:
                await replica.source.renew()
            assert replicas[0].shows in (replicas[1].shows, replicas[1].identity.shown[0])
            release.now += timedelta(days=3)
        for replica in replicas:
            await replica.source.renew()
        assert replicas[0].shows == replicas[1].shows
        assert replicas[0].identity.shown == replicas[1].identity.shown


class TestFiles:
    @pytest.fixture
    def paths(self, tmp_path: Path) -> tuple[Path, Path]:
        return tmp_path / "tls.crt", tmp_path / "tls.key"

    @pytest.fixture
    def identity(self) -> ShownIdentity:
        return ShownIdentity()

    @pytest.fixture
    def files(self, paths: tuple[Path, Path], identity: ShownIdentity) -> Files:
        return Files(*paths, identity, Metrics())

    def write(self, paths: tuple[Path, Path], pair: Pair, key: str | None = None) -> None:
        paths[0].write_text(pair.certificate)
        paths[1].write_text(key or pair.key)

    async def test_they_are_shown_once_and_again_when_they_change(
        self, paths: tuple[Path, Path], files: Files, identity: ShownIdentity
    ) -> None:
        first, second = issue(HOSTS, NOW), issue(HOSTS, NOW)
        for pair in (first, first, second, second):
            self.write(paths, pair)
            await files.renew()
        assert identity.shown == [first.certificate, second.certificate]
        assert files._metrics.registry.get_sample_value(EXPIRY) == (NOW + LIFE).timestamp()

    async def test_files_that_are_not_there_yet_are_waited_for(
        self, paths: tuple[Path, Path], files: Files, identity: ShownIdentity
    ) -> None:
        await files.renew()
        assert identity.shown == []
        self.write(paths, issue(HOSTS, NOW))
        await files.renew()
        assert len(identity.shown) == 1

    @pytest.mark.parametrize(
        ("certificate", "key"),
        [
            (b"", b""),
            (b"no certificate", b"no key"),
            (b"\xff\xfe", b""),
            (issue(HOSTS, NOW).certificate.encode(), issue(HOSTS, NOW).key.encode()),
            (issue(HOSTS, NOW).certificate.encode(), b""),
        ],
        ids=["empty", "text", "bytes", "of two pairs", "no key"],
    )
    async def test_files_that_cannot_be_used_leave_what_is_shown(
        self, paths: tuple[Path, Path], files: Files, identity: ShownIdentity, certificate: bytes, key: bytes
    ) -> None:
        self.write(paths, issue(HOSTS, NOW))
        await files.renew()
        paths[0].write_bytes(certificate)
        paths[1].write_bytes(key)
        await files.renew()
        assert len(identity.shown) == 1
        self.write(paths, issue(HOSTS, NOW))
        await files.renew()
        assert len(identity.shown) == 2
