"""The API server on loopback: what is sent, and which error an answer becomes."""

import copy
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from kubernetes.aio.client import ApiClient, Configuration

from specdecode_operator.clients import (
    Conflict,
    Forbidden,
    Kubernetes,
    KubernetesError,
    NotFound,
    Rejected,
    Unavailable,
)
from support.http_double import Answer, Asked, HttpDouble

Manifest = dict[str, Any]

SERVICE: Manifest = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "chat", "namespace": "prod", "uid": "u1"},
}
OURS: Manifest = {
    "apiVersion": "specdecode.dev/v1alpha1",
    "kind": "SpecDecodeDeployment",
    "metadata": {"name": "chat", "namespace": "prod", "resourceVersion": "7"},
    "status": {"replicas": 1},
}


def said(body: Any, status: int = 200) -> Answer:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, [text], {"Content-Type": "application/json"}, len(text))


def refused(status: int, message: str = "because") -> Answer:
    return said({"kind": "Status", "status": "Failure", "message": message, "code": status}, status)


@pytest.fixture
def server() -> Iterator[HttpDouble]:
    with HttpDouble(lambda _: said({})) as found:
        yield found


@pytest.fixture
async def kubernetes(server: HttpDouble) -> AsyncIterator[Kubernetes]:
    async with Kubernetes(ApiClient(Configuration(host=server.url))) as found:
        yield found


async def test_without_a_kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("kubernetes.aio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(Unavailable, match=r"^no cluster is configured: "):
        await Kubernetes.connect()


def target(asked: Asked) -> tuple[str, str, dict[str, list[str]]]:
    parts = urlsplit(asked.path)
    return asked.method, parts.path, parse_qs(parts.query)


class TestWhatIsSent:
    async def test_get(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        server.answers = lambda _: said(SERVICE)
        assert await kubernetes.get("Service", "prod", "chat") == SERVICE
        assert target(server.asked[0]) == ("GET", "/api/v1/namespaces/prod/services/chat", {})

    @pytest.mark.parametrize(
        ("kind", "path"),
        [
            ("SpecDecodeDeployment", "/apis/specdecode.dev/v1alpha1/namespaces/n/specdecodedeployments/x"),
            ("Deployment", "/apis/apps/v1/namespaces/n/deployments/x"),
            ("Service", "/api/v1/namespaces/n/services/x"),
            ("PodDisruptionBudget", "/apis/policy/v1/namespaces/n/poddisruptionbudgets/x"),
            ("Pod", "/api/v1/namespaces/n/pods/x"),
            ("Event", "/api/v1/namespaces/n/events/x"),
        ],
    )
    async def test_every_kind_has_its_path(
        self, server: HttpDouble, kubernetes: Kubernetes, kind: str, path: str
    ) -> None:
        await kubernetes.get(kind, "n", "x")
        assert target(server.asked[0])[1] == path

    async def test_apply_is_server_side_with_our_manager_and_forced(
        self, server: HttpDouble, kubernetes: Kubernetes
    ) -> None:
        server.answers = lambda _: said(SERVICE)
        assert await kubernetes.apply(SERVICE) == SERVICE
        asked = server.asked[0]
        assert target(asked) == (
            "PATCH",
            "/api/v1/namespaces/prod/services/chat",
            {"fieldManager": ["specdecode-operator"], "force": ["true"]},
        )
        assert (asked.headers["Content-Type"], json.loads(asked.body)) == ("application/apply-patch+yaml", SERVICE)

    async def test_a_rehearsal_keeps_nothing(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        await kubernetes.apply(SERVICE, dry_run=True)
        assert target(server.asked[0])[2]["dryRun"] == ["All"]

    async def test_what_must_be_new_has_a_version_that_no_object_has(
        self, server: HttpDouble, kubernetes: Kubernetes
    ) -> None:
        manifest = copy.deepcopy(SERVICE)
        await kubernetes.apply(manifest, only_new=True)
        sent = json.loads(server.asked[0].body)
        assert sent == {**SERVICE, "metadata": SERVICE["metadata"] | {"resourceVersion": "9223372036854775807"}}
        assert manifest == SERVICE

    async def test_the_status_is_replaced_under_its_version(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        server.answers = lambda _: said(OURS)
        await kubernetes.write_status(OURS)
        asked = server.asked[0]
        assert target(asked) == (
            "PUT",
            "/apis/specdecode.dev/v1alpha1/namespaces/prod/specdecodedeployments/chat/status",
            {"fieldManager": ["specdecode-operator"]},
        )
        assert json.loads(asked.body) == OURS

    async def test_an_object_is_replaced_under_its_version(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "hook", "namespace": "system", "resourceVersion": "7"},
        }
        await kubernetes.replace(secret)
        asked = server.asked[0]
        assert target(asked) == (
            "PUT",
            "/api/v1/namespaces/system/secrets/hook",
            {"fieldManager": ["specdecode-operator"]},
        )
        assert json.loads(asked.body) == secret

    async def test_an_object_of_the_cluster_is_read_and_applied_by_its_name(
        self, server: HttpDouble, kubernetes: Kubernetes
    ) -> None:
        kind = "ValidatingWebhookConfiguration"
        await kubernetes.get(kind, "", "hook")
        await kubernetes.apply({"kind": kind, "metadata": {"name": "hook"}}, manager="somebody")
        path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hook"
        assert [target(asked) for asked in server.asked] == [
            ("GET", path, {}),
            ("PATCH", path, {"fieldManager": ["somebody"], "force": ["true"]}),
        ]

    async def test_delete_means_exactly_this_object(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        await kubernetes.delete(SERVICE)
        asked = server.asked[0]
        assert target(asked)[:2] == ("DELETE", "/api/v1/namespaces/prod/services/chat")
        assert json.loads(asked.body) == {"preconditions": {"uid": "u1"}, "propagationPolicy": "Background"}

    async def test_create(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "chat.1", "namespace": "prod"}}
        await kubernetes.create(event)
        asked = server.asked[0]
        assert target(asked)[:2] == ("POST", "/api/v1/namespaces/prod/events")
        assert json.loads(asked.body) == event

    async def test_proxies_and_credentials_of_the_environment_are_left_alone(
        self, server: HttpDouble, kubernetes: Kubernetes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("default login somebody password secret\n")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        await kubernetes.get("Service", "prod", "chat")
        assert "Authorization" not in server.asked[0].headers


class TestList:
    async def test_pages_are_put_together(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        pages = {
            None: {"items": [{"a": 1}], "metadata": {"continue": "next"}},
            "next": {"items": [{"a": 2}, {"a": 3}], "metadata": {"continue": ""}},
        }

        def answer(asked: Asked) -> Answer:
            token = target(asked)[2].get("continue", [None])[0]
            return said(pages[token])

        server.answers = answer
        assert await kubernetes.list("Pod", "prod", label_selector="a=b") == [{"a": 1}, {"a": 2}, {"a": 3}]
        assert [target(asked) for asked in server.asked] == [
            ("GET", "/api/v1/namespaces/prod/pods", {"limit": ["500"], "labelSelector": ["a=b"]}),
            ("GET", "/api/v1/namespaces/prod/pods", {"limit": ["500"], "labelSelector": ["a=b"], "continue": ["next"]}),
        ]

    async def test_all_namespaces(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        server.answers = lambda _: said({"items": [], "metadata": {}})
        assert await kubernetes.list("Deployment") == []
        assert target(server.asked[0])[1] == "/apis/apps/v1/deployments"

    async def test_a_list_that_expired_half_way_is_to_be_tried_again(
        self, server: HttpDouble, kubernetes: Kubernetes
    ) -> None:
        server.answers = lambda _: refused(410, "the provided continue parameter is too old")
        with pytest.raises(Unavailable, match="continue parameter is too old"):
            await kubernetes.list("Pod")


Call = Callable[[Kubernetes], Awaitable[Any]]
CALLS: dict[str, Call] = {
    "list": lambda kubernetes: kubernetes.list("Pod"),
    "apply": lambda kubernetes: kubernetes.apply(SERVICE),
    "write_status": lambda kubernetes: kubernetes.write_status(OURS),
    "replace": lambda kubernetes: kubernetes.replace(OURS),
    "create": lambda kubernetes: kubernetes.create(SERVICE),
}
ERRORS: list[tuple[int, type[KubernetesError]]] = [
    (400, Rejected),
    (401, Unavailable),
    (403, Forbidden),
    (404, NotFound),
    (409, Conflict),
    (410, Unavailable),
    (418, Unavailable),
    (422, Rejected),
    (429, Unavailable),
    (500, Unavailable),
    (503, Unavailable),
    (504, Unavailable),
]


class TestErrors:
    @pytest.mark.parametrize(("status", "kind"), ERRORS)
    @pytest.mark.parametrize("call", CALLS)
    async def test_each_status_has_its_error_with_the_words_of_the_server(
        self, server: HttpDouble, kubernetes: Kubernetes, status: int, kind: type[KubernetesError], call: str
    ) -> None:
        server.answers = lambda _: refused(status, f"no, {status}")
        with pytest.raises(KubernetesError) as caught:
            await CALLS[call](kubernetes)
        assert (type(caught.value), str(caught.value)) == (kind, f"no, {status}")

    async def test_what_does_not_exist_is_nothing(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        server.answers = lambda _: refused(404)
        assert await kubernetes.get("Service", "prod", "chat") is None

    @pytest.mark.parametrize("status", [404, 409])
    async def test_deleting_what_is_gone_or_was_replaced_is_fine(
        self, server: HttpDouble, kubernetes: Kubernetes, status: int
    ) -> None:
        server.answers = lambda _: refused(status)
        await kubernetes.delete(SERVICE)
        assert len(server.asked) == 1

    async def test_deleting_what_must_not_be_deleted_is_an_error(
        self, server: HttpDouble, kubernetes: Kubernetes
    ) -> None:
        server.answers = lambda _: refused(403, "not yours")
        with pytest.raises(Forbidden, match=r"^not yours$"):
            await kubernetes.delete(SERVICE)

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"kind":"Status"}', b"null"])
    async def test_an_answer_without_words_is_named_by_its_status(
        self, server: HttpDouble, kubernetes: Kubernetes, body: bytes
    ) -> None:
        server.answers = lambda _: said(body, 500)
        with pytest.raises(Unavailable, match=r"^status 500 Internal Server Error$"):
            await kubernetes.get("Service", "prod", "chat")

    async def test_a_long_message_is_cut(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        server.answers = lambda _: refused(422, "x" * 5000)
        with pytest.raises(Rejected) as caught:
            await kubernetes.apply(SERVICE)
        assert str(caught.value) == "x" * 600

    async def test_a_server_that_is_not_there(self) -> None:
        with HttpDouble(lambda _: said({})) as gone:
            url = gone.url
        async with Kubernetes(ApiClient(Configuration(host=url))) as kubernetes:
            with pytest.raises(Unavailable, match=r"^the API server cannot be reached: ClientConnectorError$"):
                await kubernetes.get("Service", "prod", "chat")

    async def test_an_answer_cut_short(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        server.answers = lambda _: Answer(200, [b"{"], {"Content-Type": "application/json"}, 1000)
        with pytest.raises(Unavailable, match=r"^the API server cannot be reached: "):
            await kubernetes.get("Service", "prod", "chat")

    async def test_a_page_of_a_proxy(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        server.answers = lambda _: Answer(200, [b"<html>"], {"Content-Type": "text/html"}, 6)
        with pytest.raises(Unavailable, match=r"^the API server cannot be reached: ContentTypeError$"):
            await kubernetes.get("Service", "prod", "chat")

    async def test_broken_json(self, server: HttpDouble, kubernetes: Kubernetes) -> None:
        server.answers = lambda _: said(b"{oops")
        with pytest.raises(Unavailable, match=r"^the API server's answer is no JSON$"):
            await kubernetes.get("Service", "prod", "chat")
