"""A real API server asks the webhook: what people see, who may pass, and who owns which part of the configuration."""

import base64
import datetime as dt
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.aio import config

from chart import helm
from devcluster.binaries import binary
from devcluster.controlplane import ControlPlane
from specdecode_operator.api.crd import custom_resource_definition
from specdecode_operator.clients import Kubernetes
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.webhook.certificates import Pair, decoded, issue
from specdecode_operator.controller.webhook.identity import Identity
from specdecode_operator.controller.webhook.server import PATH, WebhookServer
from specdecode_operator.controller.webhook.sources import Place, SelfSigned
from support.api import Api, Manifest, RefusedError
from support.operator_process import OperatorProcess
from support.waiting import always, eventually

Make = Callable[..., Manifest]

HOSTS = ("127.0.0.1",)
KIND = "SpecDecodeDeployment"
CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
SECRETS = "/api/v1/namespaces/{}/secrets"
ACCOUNT = f"system:serviceaccount:{helm.NAMESPACE}:{helm.RELEASE}"
BROKEN = {"engine": {"version": "0.23.0", "extraArgs": ["--swap-space=4"]}, "speculation": {"config": {"unknown": 1}}}
NEWER = {"engine": {"version": "0.99.0"}}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server of its own: others must not wait for a webhook."""
    with ControlPlane(tmp_path_factory.mktemp("plane"), controllers=True) as found:
        yield found


@pytest.fixture(scope="module")
def api(plane: ControlPlane) -> Iterator[Api]:
    with Api(plane.kubeconfig) as found:
        found.create(custom_resource_definition())
        plane.kubectl("wait", "--for=condition=Established", "crd/specdecodedeployments.specdecode.dev")
        yield found


class Hook:
    """A webhook on loopback, and its configuration as the chart renders it, with an address in place of the Service."""

    def __init__(self, api: Api, namespace: str, policy: str) -> None:
        self.api = api
        self.name = f"hook-{namespace}"
        self.identity = Identity()
        self.server = WebhookServer("127.0.0.1", 0, self.identity, Metrics())
        self.configuration = _rendered(self.name, namespace, policy)
        self.client["url"] = f"https://127.0.0.1:{self.server.port}{PATH}"

    @property
    def client(self) -> Manifest:
        found: Manifest = self.configuration["webhooks"][0]["clientConfig"]
        return found

    def show(self, pair: Pair) -> None:
        self.identity.show(pair.certificate.encode(), pair.key.encode())

    def trust(self, *pairs: Pair) -> None:
        """Write the configuration, with the authorities of `pairs`."""
        bundle = "".join(pair.authority for pair in pairs)
        self.client["caBundle"] = base64.b64encode(bundle.encode()).decode()
        self.api.call("POST", CONFIGURATION, self.configuration)

    def stop(self) -> None:
        """Answer nobody any more."""
        self.server.stop()

    def live(self) -> Manifest:
        return self.api.call("GET", f"{CONFIGURATION}/{self.name}")


@pytest.fixture
def hook(api: Api, namespace: str) -> Iterator[Hook]:
    """A webhook that is asked for one namespace, and that nothing passes without."""
    with _hook(api, namespace, "Fail") as found:
        pair = issue(HOSTS, dt.datetime.now(dt.UTC))
        found.show(pair)
        found.trust(pair)
        eventually(lambda: answered(api, namespace), what="the API server's use of the webhook")
        yield found


@contextmanager
def _hook(api: Api, namespace: str, policy: str) -> Iterator[Hook]:
    found = Hook(api, namespace, policy)
    with found.server:
        yield found
    api.call("DELETE", f"{CONFIGURATION}/{found.name}")


def _rendered(name: str, namespace: str, policy: str) -> Manifest:
    values = {"webhook": {"enabled": True, "failurePolicy": policy}, "settings": {"namespaces": [namespace]}}
    found = helm.find(helm.render(values), "ValidatingWebhookConfiguration")
    del found["webhooks"][0]["clientConfig"]["service"]
    return {**found, "metadata": {"name": name}}


def refusal(api: Api, namespace: str) -> str:
    """Return why a resource is refused that nothing but the webhook refuses; empty where it is not."""
    body = {
        "apiVersion": "specdecode.dev/v1alpha1",
        "kind": KIND,
        "metadata": {"name": "probe", "namespace": namespace},
        "spec": {"model": {"name": "m"}, "engine": {"extraArgs": ["--swap-space=4"]}},
    }
    try:
        api.create(body, dry_run=True)
    except RefusedError as error:
        return error.message
    return ""


def answered(api: Api, namespace: str) -> bool:
    return "pre-flight found 1 error" in refusal(api, namespace)


def broken(manifest: Make, name: str = "chat") -> Manifest:
    body = manifest(name)
    body["spec"]["engine"] = BROKEN["engine"]
    body["spec"]["speculation"]["config"] = {"unknown": 1}
    return body


def apply(plane: ControlPlane, body: Manifest) -> subprocess.CompletedProcess[str]:
    """What kubectl says of `body`."""
    command = [str(binary("kubectl")), f"--kubeconfig={plane.kubeconfig}", "apply", "--filename=-"]
    return subprocess.run(command, input=json.dumps(body), capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("hook")
class TestCreate:
    def test_kubectl_shows_every_error_on_a_line_of_its_own(self, plane: ControlPlane, manifest: Make) -> None:
        found = apply(plane, broken(manifest))
        assert found.returncode == 1
        lines = [line for line in found.stderr.splitlines() if line.startswith("* ")]
        assert [line.split(": ")[1] for line in lines] == ["FlagRemoved", "ConfigKeyUnknown"]
        assert all(line.startswith("* spec.") and line.endswith(".md)") for line in lines)

    def test_other_clients_get_them_in_the_message(self, api: Api, manifest: Make) -> None:
        with pytest.raises(RefusedError) as refused:
            api.create(broken(manifest))
        assert refused.value.status == 422
        assert 'admission webhook "preflight.specdecode.dev" denied the request: pre-flight found 2 errors: ' in (
            refused.value.message
        )

    def test_a_dry_run_gets_the_same_answer_and_nothing_is_kept(self, api: Api, manifest: Make, namespace: str) -> None:
        with pytest.raises(RefusedError):
            api.create(broken(manifest), dry_run=True)
        assert api.create(manifest(), dry_run=True)["spec"]["replicas"] == 2
        assert api.list(KIND, namespace) == []

    def test_kubectl_shows_warnings_and_the_resource_is_stored(
        self, plane: ControlPlane, api: Api, manifest: Make, namespace: str
    ) -> None:
        found = apply(plane, manifest(**NEWER))
        assert found.returncode == 0
        assert "Warning: EngineVersionUnknown: spec.engine.version: " in found.stderr
        assert api.get(KIND, namespace, "chat")

    def test_resources_of_other_namespaces_are_not_asked_for(self, api: Api, manifest: Make) -> None:
        body = broken(manifest)
        body["metadata"]["namespace"] = "default"
        assert api.create(body, dry_run=True)


class TestUpdate:
    @pytest.fixture
    def stored(self, api: Api, manifest: Make, namespace: str) -> Manifest:
        """A resource with errors, from before there was a webhook."""
        return api.create(broken(manifest) | {"metadata": {"name": "chat", "namespace": namespace}})

    @pytest.fixture
    def late(self, stored: Manifest, hook: Hook) -> Hook:
        assert stored["metadata"]["uid"]
        return hook

    CHANGES: list[tuple[str, Manifest, str, bool]] = [
        ("labels", {"metadata": {"labels": {"a": "b"}}}, "", True),
        ("another field", {"spec": {"replicas": 3}}, "", True),
        ("a scale", {"spec": {"replicas": 4}}, "/scale", True),
        ("a status", {"status": {"observedGeneration": 1}}, "/status", True),
        ("a fix of one of two errors", {"spec": {"speculation": {"config": None}}}, "", True),
        ("an error more", {"spec": {"engine": {"extraArgs": ["--swap-space=4", "--use-v2-block-manager"]}}}, "", False),
        ("another error more", {"spec": {"speculation": {"config": {"unknown": 1, "another": 2}}}}, "", False),
    ]  # fmt: skip

    @pytest.mark.usefixtures("late")
    @pytest.mark.parametrize(
        ("change", "part", "allowed"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES]
    )
    def test_an_update_passes_unless_it_brings_an_error(
        self, api: Api, namespace: str, *, change: Manifest, part: str, allowed: bool
    ) -> None:
        with nullcontext() if allowed else pytest.raises(RefusedError, match="pre-flight found"):
            api.merge(KIND, namespace, "chat", change, sub=part)

    @pytest.mark.usefixtures("late")
    def test_a_resource_with_errors_can_be_deleted_with_a_finalizer_too(self, api: Api, namespace: str) -> None:
        api.merge(KIND, namespace, "chat", {"metadata": {"finalizers": ["example.com/x"]}})
        api.delete(KIND, namespace, "chat")
        api.merge(KIND, namespace, "chat", {"metadata": {"finalizers": []}})
        assert api.get(KIND, namespace, "chat") is None

    def test_while_the_webhook_is_down_what_changes_no_spec_passes(self, api: Api, late: Hook, namespace: str) -> None:
        late.stop()
        with pytest.raises(RefusedError, match="failed calling webhook"):
            api.merge(KIND, namespace, "chat", {"spec": {"replicas": 5}})
        api.merge(KIND, namespace, "chat", {"metadata": {"labels": {"a": "b"}}})
        api.merge(KIND, namespace, "chat", {"status": {"observedGeneration": 1}}, sub="/status")
        api.merge(KIND, namespace, "chat", {"spec": {"replicas": 4}}, sub="/scale")
        api.delete(KIND, namespace, "chat")


def test_with_the_policy_of_the_chart_a_webhook_that_is_down_is_in_nobodys_way(
    api: Api, manifest: Make, namespace: str
) -> None:
    with _hook(api, namespace, "Ignore") as found:
        found.trust(issue(HOSTS, dt.datetime.now(dt.UTC)))
        assert api.create(broken(manifest), dry_run=True)


class TestOwnCertificate:
    @pytest.fixture
    async def kubernetes(self, plane: ControlPlane) -> AsyncIterator[Kubernetes]:
        client = await config.new_client_from_config(str(plane.kubeconfig))  # type: ignore[no-untyped-call] # no types there
        async with Kubernetes(client) as found:
            yield found

    async def test_through_a_whole_rotation_every_request_is_answered(
        self, api: Api, kubernetes: Kubernetes, namespace: str
    ) -> None:
        """Each new bundle makes the API server connect anew. The clock ends today, since its own is not ours to set."""
        api.call("POST", SECRETS.format(namespace), _secret("hook"))
        now, shown = dt.datetime.now(dt.UTC), []
        with _hook(api, namespace, "Fail") as found:
            found.trust()
            for days in (85, 25, 24, 0):
                at = now - dt.timedelta(days=days)
                place = Place(namespace, "hook", found.name)
                source = SelfSigned(kubernetes, place, HOSTS, (found.identity, Metrics()), partial(_same, at))
                await source.renew()
                shown.append(_held(api, namespace, "hook"))
                if days == 85:
                    eventually(lambda: answered(api, namespace), what="the first answer")
                always(lambda: answered(api, namespace), seconds=1, what=f"an answer {days} days ago")
        assert [shown.index(certificate) for certificate in shown] == [0, 0, 2, 2]

    async def test_only_the_bundle_is_the_operators(self, api: Api, kubernetes: Kubernetes, namespace: str) -> None:
        api.call("POST", SECRETS.format(namespace), _secret("hook"))
        with _hook(api, namespace, "Ignore") as found:
            found.trust()
            source = SelfSigned(
                kubernetes, Place(namespace, "hook", found.name), HOSTS, (found.identity, Metrics()), _now
            )
            await source.renew()
            managers = {entry["manager"]: entry for entry in found.live()["metadata"]["managedFields"]}
        own = managers["specdecode-operator-webhook"]["fieldsV1"]["f:webhooks"]
        assert own == {
            'k:{"name":"preflight.specdecode.dev"}': {
                ".": {}, "f:name": {}, "f:clientConfig": {"f:caBundle": {}},
            }
        }  # fmt: skip


def _secret(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque"}


def _held(api: Api, namespace: str, name: str) -> str:
    held = decoded(api.call("GET", f"{SECRETS.format(namespace)}/{name}").get("data") or {})
    return "" if held is None else held.serving.certificate


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _same(at: dt.datetime) -> dt.datetime:
    return at


class TestRelease:
    VALUES: dict[str, Any] = {"webhook": {"enabled": True}, "crds": {"install": False}}

    @pytest.fixture
    def release(self, plane: ControlPlane, api: Api) -> Iterator[Api]:
        helm.install(plane.kubeconfig, self.VALUES)
        yield api
        helm.uninstall(plane.kubeconfig)

    def test_the_operator_keeps_its_certificate_with_the_rights_of_its_account_and_an_upgrade_leaves_it(
        self, plane: ControlPlane, release: Api, tmp_path: Path
    ) -> None:
        with _operator(plane, tmp_path):
            eventually(lambda: _bundle(release), what="the bundle")
        before = (_bundle(release), _held(release, helm.NAMESPACE, f"{helm.RELEASE}-webhook"))
        assert before[1]
        helm.upgrade(plane.kubeconfig, {**self.VALUES, "webhook": {"enabled": True, "timeoutSeconds": 3}})
        webhook = release.call("GET", f"{CONFIGURATION}/{helm.RELEASE}")["webhooks"][0]
        after = (_bundle(release), _held(release, helm.NAMESPACE, f"{helm.RELEASE}-webhook"))
        assert (webhook["timeoutSeconds"], after) == (3, before)

    def test_the_account_may_read_no_other_secret_and_touch_no_other_configuration(
        self, plane: ControlPlane, release: Api
    ) -> None:
        assert release.url
        hook, name = f"{helm.RELEASE}-webhook", helm.RELEASE
        allowed = [("get", f"secrets/{hook}"), ("update", f"secrets/{hook}")]
        allowed += [(verb, f"validatingwebhookconfigurations/{name}") for verb in ("get", "patch")]
        denied = [("list", "secrets"), ("create", "secrets"), ("get", "secrets/other"), ("delete", f"secrets/{hook}")]
        denied += [(verb, "validatingwebhookconfigurations/other") for verb in ("get", "patch")]
        denied += [("create", "validatingwebhookconfigurations")]
        assert [_may(plane, *right) for right in allowed] == ["yes"] * len(allowed)
        assert [_may(plane, *right) for right in denied] == ["no"] * len(denied)


def _may(plane: ControlPlane, verb: str, what: str) -> str:
    place = (f"--kubeconfig={plane.kubeconfig}", f"--namespace={helm.NAMESPACE}", f"--as={ACCOUNT}")
    command = [str(binary("kubectl")), *place, "auth", "can-i", verb, what]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _bundle(api: Api) -> str:
    found: str = api.call("GET", f"{CONFIGURATION}/{helm.RELEASE}")["webhooks"][0]["clientConfig"].get("caBundle", "")
    return found


@contextmanager
def _operator(plane: ControlPlane, folder: Path) -> Iterator[OperatorProcess]:
    """The operator with the release's settings and the rights of its service account."""
    credential = plane.issue("operator", user=ACCOUNT, group="system:serviceaccounts")
    kubeconfig = plane.write_kubeconfig(folder / "kubeconfig", credential)
    text = plane.kubectl(
        "get", "configmap", f"{helm.RELEASE}-settings", f"--namespace={helm.NAMESPACE}", "--output=json"
    )
    settings = yaml.safe_load(json.loads(text)["data"]["settings.yaml"])
    loopback = {"listenAddress": "127.0.0.1", "listenPort": 0, "webhook": settings["webhook"] | {"listenPort": 0}}
    with OperatorProcess(folder, kubeconfig, **settings | loopback) as found:
        yield found
