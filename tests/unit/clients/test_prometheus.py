"""Prometheus at its worst: whatever it answers, rows that can be trusted come back, or one sentence without secrets."""

import json
import math
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from specdecode_operator.clients import Connection, Prometheus, PrometheusError
from specdecode_operator.policy import Query, Row
from specdecode_operator.policy.judging.queries import Kind
from support.http_double import Answer, Asked, HttpDouble

SECRET = "hunter2"  # noqa: S105 - what must never be seen again
QUERY = Query('up{pod!=""}', Kind.AGE)
POD = {"namespace": "prod", "pod": "chat-1"}

Ask = Callable[..., Any]


def vector(*rows: tuple[dict[str, str], Any], **more: Any) -> bytes:
    result = [{"metric": labels, "value": [1772366400.0, value]} for labels, value in rows]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}} | more).encode()


def data(kind: str, result: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


def said(body: bytes, status: int = 200) -> Answer:
    return Answer(status, [body], {"Content-Type": "application/json"}, len(body))


@pytest.fixture
def server() -> Iterator[HttpDouble]:
    with HttpDouble(lambda _: said(vector((POD, "1")))) as found:
        yield found


@pytest.fixture
async def client(server: HttpDouble) -> AsyncIterator[Prometheus]:
    found = Prometheus(Connection(server.url, timeout=5))
    yield found
    found.close()


async def rows(client: Prometheus) -> list[Row]:
    return (await client.answer([QUERY]))[0][1]


async def failure(client: Prometheus) -> str:
    with pytest.raises(PrometheusError) as caught:
        await client.answer([QUERY])
    return str(caught.value)


class TestAnswers:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (vector(), []),
            (vector((POD, "1")), [Row(POD, 1.0)]),
            (vector((POD, "1e-3"), ({}, "0")), [Row(POD, 0.001), Row({}, 0.0)]),
            (vector((POD, "+Inf")), [Row(POD, math.inf)]),
            (vector((POD, "-Inf")), [Row(POD, -math.inf)]),
            (vector((POD, "1"), (POD, "2")), [Row(POD, 1.0), Row(POD, 2.0)]),
            (vector((POD, "1"), warnings=[], infos=["looks odd"]), [Row(POD, 1.0)]),
            (vector((POD, "1"), isPartial=False), [Row(POD, 1.0)]),
            (vector((POD, 2.5)), [Row(POD, 2.5)]),
        ],
    )
    async def test_a_vector_becomes_rows(
        self, server: HttpDouble, client: Prometheus, body: bytes, expected: list[Row]
    ) -> None:
        server.answers = lambda _: said(body)
        assert await rows(client) == expected

    async def test_not_a_number_stays_one(self, server: HttpDouble, client: Prometheus) -> None:
        server.answers = lambda _: said(vector((POD, "NaN")))
        assert [math.isnan(row.value) for row in await rows(client)] == [True]

    async def test_every_query_has_its_own_answer_in_order(self, server: HttpDouble, client: Prometheus) -> None:
        server.answers = lambda asked: said(vector((POD, parse_qs(asked.body.decode())["query"][0])))
        queries = [Query(str(number), Kind.AGE) for number in range(9)]
        assert await client.answer(queries) == [(query, [Row(POD, float(query.text))]) for query in queries]

    async def test_nothing_is_asked_for_nothing(self, server: HttpDouble, client: Prometheus) -> None:
        assert (await client.answer([]), server.asked) == ([], [])

    async def test_one_bad_answer_spoils_all(self, server: HttpDouble, client: Prometheus) -> None:
        server.answers = lambda asked: said(vector((POD, "1")), 503 if b"bad" in asked.body else 200)
        with pytest.raises(PrometheusError, match=r"^status 503$"):
            await client.answer([QUERY, Query("bad", Kind.AGE), QUERY])


NO_JSON = "the answer is not Prometheus' JSON"
NO_VECTOR = "the answer is not a vector"
PARTIAL = "the answer is partial: it came with warnings"
NO_SAMPLE = "the answer holds a sample that cannot be read"

BODIES: list[tuple[str, bytes, str]] = [
    ("nothing", b"", NO_JSON),
    ("a login page", b"<html><title>Sign in hunter2</title></html>", NO_JSON),
    ("half of it", vector((POD, "1"))[:-20], NO_JSON),
    ("no utf-8", b"\xff\xfe\x00hunter2", NO_JSON),
    ("lists without end", b"[" * 200_000, NO_JSON),
    ("null", b"null", NO_JSON),
    ("a number", b"42", NO_JSON),
    ("a text", b'"success"', NO_JSON),
    ("a list", b"[]", NO_JSON),
    ("an empty object", b"{}", NO_JSON),
    ("no data", b'{"status":"success"}', NO_JSON),
    ("null data", b'{"status":"success","data":null}', NO_JSON),
    ("data without a type", b'{"status":"success","data":{"result":[]}}', NO_JSON),
    ("data without a result", b'{"status":"success","data":{"resultType":"vector"}}', NO_JSON),
    ("an error with status 200", b'{"status":"error","data":{"resultType":"vector","result":[]}}', NO_VECTOR),
    ("a scalar", data("scalar", [1, "2"]), NO_VECTOR),
    ("a string", data("string", [1, "hunter2"]), NO_VECTOR),
    ("a matrix", data("matrix", [{"metric": POD, "values": [[1, "2"]]}]), NO_VECTOR),
    ("an empty matrix", data("matrix", []), NO_VECTOR),
    ("a status twice", b'{"status":"error","status":"success","data":{"resultType":"vector","result":[]}}', NO_JSON),
    (
        "a label twice",
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"pod":"a","pod":"b"},"value":[1,"2"]}]}}',
        NO_JSON,
    ),
    ("a vector that is no list", data("vector", {"metric": {}}), NO_VECTOR),
    ("a vector that is null", data("vector", None), NO_VECTOR),
    ("warnings", vector((POD, "1"), warnings=["hunter2 timed out"]), PARTIAL),
    ("a partial answer", vector((POD, "1"), isPartial=True), PARTIAL),
    ("a value that is text", vector((POD, "hunter2")), NO_SAMPLE),
    ("a value that is null", vector((POD, None)), NO_SAMPLE),
    ("a value that is a list", vector((POD, ["1"])), NO_SAMPLE),
    ("a sample without a value", data("vector", [{"metric": POD}]), NO_SAMPLE),
    ("a sample without labels", data("vector", [{"value": [1, "2"]}]), NO_SAMPLE),
    ("a sample with an empty value", data("vector", [{"metric": POD, "value": []}]), NO_SAMPLE),
    ("a native histogram", data("vector", [{"metric": POD, "histogram": [1, {"count": "3"}]}]), NO_SAMPLE),
    ("labels that are a list", data("vector", [{"metric": ["hunter2"], "value": [1, "2"]}]), NO_SAMPLE),
    ("a label that is a list", data("vector", [{"metric": POD | {"le": ["hunter2"]}, "value": [1, "2"]}]), NO_SAMPLE),
    ("a label that is a number", data("vector", [{"metric": POD | {"le": 1}, "value": [1, "2"]}]), NO_SAMPLE),
    ("a name that is a list", data("vector", [{"metric": {"namespace": ["a"]}, "value": [1, "2"]}]), NO_SAMPLE),
    ("labels that are null", data("vector", [{"metric": None, "value": [1, "2"]}]), NO_SAMPLE),
    ("a sample that is text", data("vector", ["hunter2"]), NO_SAMPLE),
    ("a sample that is null", data("vector", [None]), NO_SAMPLE),
]


class TestBadAnswers:
    @pytest.mark.parametrize(("body", "sentence"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES])
    async def test_a_body_that_is_no_complete_vector_is_refused(
        self, server: HttpDouble, client: Prometheus, body: bytes, sentence: str
    ) -> None:
        server.answers = lambda _: said(body)
        assert await failure(client) == sentence

    @pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 400, 401, 403, 404, 422, 429, 500, 502, 503, 504])
    async def test_every_other_status_is_refused_and_named(
        self, server: HttpDouble, client: Prometheus, status: int
    ) -> None:
        body = b"" if status == 204 else b"hunter2"
        server.answers = lambda _: said(body, status)
        assert (await failure(client), len(server.asked)) == (f"status {status}", 1)

    async def test_an_answer_cut_short_is_refused(self, server: HttpDouble, client: Prometheus) -> None:
        server.answers = lambda _: Answer(200, [vector((POD, "1"))[:40]], length=10_000)
        assert (await failure(client)).startswith("the endpoint cannot be asked: ")

    async def test_a_body_without_end_is_cut_off(
        self, server: HttpDouble, client: Prometheus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("specdecode_operator.clients.prometheus._MAX_BODY", 1024 * 1024)
        sent: list[int] = []

        def endless() -> Iterator[bytes]:
            while True:
                sent.append(256 * 1024)
                yield b" " * sent[-1]

        server.answers = lambda _: Answer(200, endless())
        assert await failure(client) == "the answer is larger than 64 MiB"
        assert sum(sent) < 64 * 1024 * 1024

    async def test_a_body_that_unpacks_to_too_much_is_cut_off(
        self, server: HttpDouble, client: Prometheus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import gzip  # noqa: PLC0415 - used here alone

        monkeypatch.setattr("specdecode_operator.clients.prometheus._MAX_BODY", 1024 * 1024)
        bomb = gzip.compress(b" " * 8 * 1024 * 1024)
        server.answers = lambda _: Answer(200, [bomb], {"Content-Encoding": "gzip"}, len(bomb))
        assert await failure(client) == "the answer is larger than 64 MiB"

    async def test_a_refused_connection(self) -> None:
        with HttpDouble(lambda _: said(b"")) as gone:
            client = Prometheus(Connection(gone.url, timeout=5))
        assert await failure(client) == "the endpoint cannot be asked: ConnectionError"
        client.close()

    async def test_an_answer_that_never_comes(self, server: HttpDouble) -> None:
        release = threading.Event()

        def late(_: Asked) -> Answer:
            release.wait(10)
            return said(vector())

        server.answers = late
        client = Prometheus(Connection(server.url, timeout=0.2))
        found = await failure(client)
        release.set()
        client.close()
        assert found in ("no answer within the deadline", "the endpoint cannot be asked: ReadTimeout")

    async def test_after_a_bad_answer_the_next_one_counts(self, server: HttpDouble, client: Prometheus) -> None:
        server.answers = lambda _: said(b"no")
        await failure(client)
        server.answers = lambda _: said(vector((POD, "1")))
        assert await rows(client) == [Row(POD, 1.0)]


class TestSecrets:
    @pytest.fixture
    async def trusted(self, server: HttpDouble, tmp_path: Path) -> AsyncIterator[tuple[Prometheus, Path]]:
        token = tmp_path / "token"
        token.write_text(f"{SECRET}\n")
        found = Prometheus(
            Connection(server.url, timeout=5, bearer_token_file=token, headers={"X-Scope-OrgID": "tenant-a"})
        )
        yield found, token
        found.close()

    async def test_token_and_tenant_are_sent(self, server: HttpDouble, trusted: tuple[Prometheus, Path]) -> None:
        await rows(trusted[0])
        headers = server.asked[0].headers
        assert (headers["Authorization"], headers["X-Scope-OrgID"]) == (f"Bearer {SECRET}", "tenant-a")

    async def test_the_token_is_read_anew_for_every_query(
        self, server: HttpDouble, trusted: tuple[Prometheus, Path]
    ) -> None:
        client, token = trusted
        await rows(client)
        token.write_text("rotated")
        await rows(client)
        assert [asked.headers["Authorization"] for asked in server.asked] == [f"Bearer {SECRET}", "Bearer rotated"]

    async def test_a_token_that_is_gone_is_an_answer_that_is_missing(
        self, server: HttpDouble, trusted: tuple[Prometheus, Path]
    ) -> None:
        client, token = trusted
        token.unlink()
        assert (await failure(client), server.asked) == ("the endpoint cannot be asked: FileNotFoundError", [])

    @pytest.mark.parametrize(
        ("content", "error"),
        [(b"\xff\xfe\x00hunter2", "UnicodeDecodeError"), ("hunter2\u2192".encode(), "UnicodeEncodeError")],
    )
    async def test_a_token_that_no_header_can_carry_is_an_answer_that_is_missing(
        self, server: HttpDouble, trusted: tuple[Prometheus, Path], content: bytes, error: str
    ) -> None:
        client, token = trusted
        token.write_bytes(content)
        assert (await failure(client), server.asked) == (f"the endpoint cannot be asked: {error}", [])

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_a_redirect_is_not_followed_and_the_token_stays_here(
        self, server: HttpDouble, trusted: tuple[Prometheus, Path], status: int
    ) -> None:
        with HttpDouble(lambda _: said(vector((POD, "1")))) as elsewhere:
            server.answers = lambda _: Answer(status, [], {"Location": f"{elsewhere.url}/api/v1/query"}, 0)
            assert await failure(trusted[0]) == f"status {status}"
            assert elsewhere.asked == []

    async def test_a_redirect_to_the_same_host_is_not_followed_either(
        self, server: HttpDouble, trusted: tuple[Prometheus, Path]
    ) -> None:
        server.answers = lambda _: Answer(302, [], {"Location": "/login"}, 0)
        await failure(trusted[0])
        assert [asked.path for asked in server.asked] == ["/api/v1/query"]

    @pytest.mark.parametrize("body", [case[1] for case in BODIES], ids=[case[0] for case in BODIES])
    async def test_no_error_repeats_a_body_or_a_token(
        self, server: HttpDouble, trusted: tuple[Prometheus, Path], body: bytes
    ) -> None:
        server.answers = lambda _: said(body)
        with pytest.raises(PrometheusError) as caught:
            await trusted[0].answer([QUERY])
        assert SECRET not in repr(caught.value) + repr(caught.value.__cause__)

    async def test_the_environment_has_no_say(
        self, server: HttpDouble, client: Prometheus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        await rows(client)
        assert "Authorization" not in server.asked[0].headers


class TestRequest:
    async def test_the_query_is_in_the_form_and_not_in_the_address(
        self, server: HttpDouble, client: Prometheus
    ) -> None:
        await rows(client)
        asked = server.asked[0]
        assert (asked.method, asked.path, asked.headers["Content-Type"], parse_qs(asked.body.decode())) == (
            "POST",
            "/api/v1/query",
            "application/x-www-form-urlencoded",
            {"query": [QUERY.text], "timeout": ["5s"]},
        )

    async def test_a_long_query_is_no_problem(self, server: HttpDouble, client: Prometheus) -> None:
        text = "|".join(map(str, range(20_000)))
        await client.answer([Query(text, Kind.BUCKETS)])
        assert parse_qs(server.asked[0].body.decode())["query"] == [text]

    @pytest.mark.parametrize("suffix", ["", "/", "/prometheus", "/prometheus/"])
    async def test_a_path_of_the_endpoint_stays(self, server: HttpDouble, suffix: str) -> None:
        client = Prometheus(Connection(server.url + suffix, timeout=5))
        await rows(client)
        client.close()
        assert server.asked[0].path == f"{suffix.rstrip('/')}/api/v1/query"

    async def test_a_server_that_is_overloaded_is_not_asked_again(self, server: HttpDouble, client: Prometheus) -> None:
        server.answers = lambda _: Answer(503, [], {"Retry-After": "0"}, 0)
        await failure(client)
        assert len(server.asked) == 1

    async def test_an_authority_that_is_not_there_is_an_answer_that_is_missing(self, tmp_path: Path) -> None:
        client = Prometheus(Connection("https://127.0.0.1:1", timeout=1, ca_file=tmp_path / "absent.pem"))
        assert await failure(client) == "the endpoint cannot be asked: OSError"
        client.close()
