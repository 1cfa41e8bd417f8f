"""The webhook over real TLS on loopback: who is answered, how, and what happens when the certificate changes."""

import asyncio
import datetime as dt
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from specdecode_operator.clients import Manifest
from specdecode_operator.controller.errors import UnusableCertificate
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.webhook import server as module
from specdecode_operator.controller.webhook.certificates import Pair, issue
from specdecode_operator.controller.webhook.identity import Identity
from specdecode_operator.controller.webhook.server import WebhookServer
from support.builders import body

NOW = dt.datetime.now(dt.UTC)
HOSTS = ("127.0.0.1", "localhost")
REVIEW: Manifest = {
    "apiVersion": "admission.k8s.io/v1",
    "kind": "AdmissionReview",
    "request": {"uid": "u1", "operation": "CREATE", "object": body()},
}
ALLOWED = {"uid": "u1", "allowed": True}
SECRET = "hunter2"  # noqa: S105 - what must not be repeated


class Served:
    """A server with its certificate, and clients of it."""

    def __init__(self, *, shown: bool = True) -> None:
        self.identity = Identity()
        self.metrics = Metrics()
        self.pair = issue(HOSTS, NOW)
        if shown:
            self.show(self.pair)
        self.server = WebhookServer("127.0.0.1", 0, self.identity, self.metrics)

    def show(self, pair: Pair) -> None:
        self.identity.show(pair.certificate.encode(), pair.key.encode())

    def client(self, *authorities: str, **versions: ssl.TLSVersion) -> http.client.HTTPSConnection:
        """Return a client that trusts `authorities`, or else the first pair's."""
        context = ssl.create_default_context(cadata="".join(authorities or (self.pair.authority,)))
        for name, version in versions.items():
            setattr(context, name, version)
        return http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=10, context=context)

    def ask(self, content: Any = REVIEW, path: str = "/validate?timeout=10s", method: str = "POST") -> tuple[int, str]:
        client = self.client()
        try:
            return said(client, content, path, method)
        finally:
            client.close()

    def count(self, outcome: str) -> float | None:
        return self.metrics.registry.get_sample_value("specdecode_admission_reviews_total", {"outcome": outcome})


def said(
    client: http.client.HTTPSConnection, content: Any = REVIEW, path: str = "/validate", method: str = "POST"
) -> tuple[int, str]:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    client.request(method, path, data, {"Content-Type": "application/json"})
    response = client.getresponse()
    return response.status, response.read().decode()


def with_rsa() -> Pair:
    """A certificate for an RSA key that is its own authority."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rsa")])
    hosts = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    found = (
        x509.CertificateBuilder(
            name, name, key.public_key(), 1, NOW - dt.timedelta(hours=1), NOW + dt.timedelta(days=1)
        )
        .add_extension(hosts, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = found.public_bytes(serialization.Encoding.PEM).decode()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(pem, secret.decode(), pem)


@pytest.fixture
def served() -> Iterator[Served]:
    found = Served()
    with found.server:
        yield found


class TestAnswers:
    def test_a_review_is_answered(self, served: Served) -> None:
        status, text = served.ask()
        assert (status, json.loads(text)["response"]) == (200, ALLOWED)
        assert served.count("allowed") == 1

    def test_a_denial_and_a_warning_are_counted(self, served: Served) -> None:
        for spec in ({"replicas": -1}, {"engine": {"version": "0.99.0"}}):
            request = REVIEW["request"] | {"object": body(**spec)}
            assert served.ask(REVIEW | {"request": request})[0] == 200
        assert (served.count("denied"), served.count("warned")) == (1, 1)

    @pytest.mark.parametrize(
        "content",
        [b"", SECRET.encode(), b"\xff\xfe", b"[" * 200_000, b"9" * 10_000, b"{}", [SECRET], {"kind": SECRET}],
        ids=["empty", "text", "bytes", "deep", "a long number", "an object", "a list", "another kind"],
    )
    def test_what_is_no_review_gets_400_and_none_of_it_back(self, served: Served, content: Any) -> None:
        status, text = served.ask(content)
        assert (status, SECRET in text, text.count("\n")) == (400, False, 1)
        assert served.ask()[0] == 200
        assert served.count("failed") == 1

    def test_a_body_too_large_gets_413(self, served: Served) -> None:
        assert served.ask(b" " * (9 * 2**20)) == (413, f"the body is over {8 * 2**20} bytes\n")
        assert served.ask()[0] == 200

    def test_a_spec_nested_too_deeply_gets_400(self, served: Served) -> None:
        text = json.dumps(REVIEW | {"request": REVIEW["request"] | {"object": body(model="HERE")}})
        status, answer = served.ask(text.replace('"HERE"', "[" * 900 + "]" * 900).encode())
        assert (status, answer) == (400, "the body is nested too deeply\n")
        assert served.ask()[0] == 200

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [("POST", "/", 404), ("POST", "/validate/x", 404), ("GET", "/validate", 405), ("GET", "/metrics", 404)],
    )
    def test_nothing_else_is_served(self, served: Served, method: str, path: str, status: int) -> None:
        assert served.ask(path=path, method=method)[0] == status

    def test_a_fault_of_ours_gets_500_without_its_text(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_: object) -> Manifest:
            raise ZeroDivisionError(SECRET)

        monkeypatch.setattr(module, "review", fail)
        assert served.ask() == (500, "the review failed; see the operator's log\n")

    def test_a_review_that_takes_too_long_gets_504_before_the_api_server_gives_up(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done = threading.Event()
        monkeypatch.setattr(module, "review", lambda _: {"response": {"allowed": done.wait(10)}})
        began = time.monotonic()
        assert served.ask(path="/validate?timeout=1s") == (504, "the review took too long\n")
        assert time.monotonic() - began < 1
        done.set()

    def test_a_body_that_never_ends_gets_504(self, served: Served) -> None:
        client = served.client()
        client.putrequest("POST", "/validate?timeout=1s")
        client.putheader("Content-Length", "100")
        client.endheaders()
        client.send(b"{")
        assert client.getresponse().status == 504
        client.close()

    @pytest.mark.parametrize(
        ("timeout", "seconds"),
        [("10s", 8.0), ("30s", 24.0), ("1s", 0.8), ("", 8.0), ("0s", 8.0), ("1h", 8.0), ("-1s", 8.0)],
    )
    def test_the_deadline_is_below_the_webhooks_timeout(self, timeout: str, seconds: float) -> None:
        assert module._deadline(timeout) == seconds

    async def test_a_busy_loop_elsewhere_does_not_delay_it(self, served: Served) -> None:
        """The caller blocks its own loop while it asks, as a long evaluation would."""
        assert asyncio.get_running_loop().is_running()
        assert served.ask()[0] == 200


class TestCertificate:
    def test_a_client_without_the_authority_refuses_it(self, served: Served) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            said(served.client(issue(HOSTS, NOW).authority))

    def test_a_new_one_is_shown_to_new_connections_and_old_ones_go_on(self, served: Served) -> None:
        old, successor = served.client(), issue(HOSTS, NOW)
        assert said(old)[0] == 200
        served.show(successor)
        new = served.client(successor.authority)
        assert (said(new)[0], said(old)[0]) == (200, 200)
        with pytest.raises(ssl.SSLCertVerificationError):
            said(served.client())
        old.close()
        new.close()

    def test_a_bundle_of_both_authorities_is_served_before_and_after(self, served: Served) -> None:
        successor = issue(HOSTS, NOW)
        for pair in (served.pair, successor):
            served.show(pair)
            client = served.client(served.pair.authority, successor.authority)
            assert said(client)[0] == 200
            client.close()

    def test_one_with_another_kind_of_key_takes_its_place(self, served: Served) -> None:
        successor = with_rsa()
        served.show(successor)
        context = ssl.create_default_context(cadata=successor.authority)
        with (
            socket.create_connection(("127.0.0.1", served.server.port), 10) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as found,
        ):
            shown = found.getpeercert(binary_form=True)
        assert shown == ssl.PEM_cert_to_DER_cert(successor.certificate)

    def test_no_request_fails_while_it_changes_again_and_again(self, served: Served) -> None:
        pairs = [issue(HOSTS, NOW) for _ in range(3)]
        done = threading.Event()

        def change() -> None:
            number = 0
            while not done.is_set():
                served.show(pairs[number % 3])
                number += 1

        served.show(pairs[0])
        thread = threading.Thread(target=change)
        thread.start()
        statuses = []
        for _ in range(20):
            client = served.client(*(pair.authority for pair in pairs))
            statuses.append(said(client)[0])
            client.close()
        done.set()
        thread.join()
        assert statuses == [200] * 20

    def test_one_that_cannot_be_used_is_refused_and_changes_nothing(self, served: Served) -> None:
        with pytest.raises(UnusableCertificate, match="certificate and key cannot be used: KEY_VALUES_MISMATCH"):
            served.identity.show(served.pair.certificate.encode(), issue(HOSTS, NOW).key.encode())
        assert served.ask()[0] == 200

    def test_before_there_is_one_the_handshake_fails_and_nothing_else(self) -> None:
        found = Served(shown=False)
        with found.server:
            with pytest.raises(ssl.SSLError):
                said(found.client())
            found.show(found.pair)
            assert found.ask()[0] == 200


class TestVersions:
    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=lambda found: found.name)
    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
    def test_an_old_one_is_refused(self, served: Served, version: ssl.TLSVersion) -> None:
        client = served.client(minimum_version=version, maximum_version=version)
        client._context.set_ciphers("ALL:@SECLEVEL=0")  # type: ignore[attr-defined] # else ours refuses it before theirs
        with pytest.raises(ssl.SSLError, match=r"UNEXPECTED_EOF|ALERT_PROTOCOL_VERSION"):
            said(client)
        client.close()

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda found: found.name)
    def test_a_present_one_is_served(self, served: Served, version: ssl.TLSVersion) -> None:
        client = served.client(minimum_version=version, maximum_version=version)
        assert said(client)[0] == 200
        client.close()

    def test_plain_http_is_not_answered(self, served: Served) -> None:
        with socket.create_connection(("127.0.0.1", served.server.port), 10) as client:
            client.sendall(b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
            assert client.recv(1000) == b""
        assert served.ask()[0] == 200


def test_a_port_in_use_is_said_at_once(served: Served) -> None:
    with pytest.raises(OSError, match="in use"):
        WebhookServer("127.0.0.1", served.server.port, served.identity, served.metrics)


def test_after_the_end_nobody_listens() -> None:
    found = Served()
    with found.server:
        assert found.ask()[0] == 200
        port = found.server.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)
