"""Engines on loopback, well-behaved and not: a release comes back, or one sentence."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from specdecode_operator.clients import Engines, EngineUnreachable
from specdecode_operator.engine import Version
from support.http_double import Answer, Asked, HttpDouble

HOST = "127.0.0.1"


def said(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, [body], {"Content-Type": "application/json", **(headers or {})}, len(body))


def version(text: str) -> Answer:
    return said(json.dumps({"version": text}).encode())


@pytest.fixture
def server() -> Iterator[HttpDouble]:
    with HttpDouble(lambda _: version("0.33.0")) as found:
        yield found


@pytest.fixture
async def engines() -> AsyncIterator[Engines]:
    async with Engines(timeout=5) as found:
        yield found


def port(server: HttpDouble) -> int:
    return int(server.url.rsplit(":", 1)[1])


async def failure(engines: Engines, server: HttpDouble) -> str:
    with pytest.raises(EngineUnreachable) as caught:
        await engines.release(HOST, port(server))
    return str(caught.value)


async def test_it_is_asked_by_one_plain_get(engines: Engines, server: HttpDouble) -> None:
    assert await engines.release(HOST, port(server)) == Version(0, 33, 0)
    assert [(asked.method, asked.path, asked.body) for asked in server.asked] == [("GET", "/version", b"")]


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
async def test_a_proxy_of_the_environment_is_not_used(
    engines: Engines, server: HttpDouble, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    assert await engines.release(HOST, port(server)) == Version(0, 33, 0)


async def test_nothing_is_remembered_between_questions(engines: Engines, server: HttpDouble) -> None:
    server.answers = lambda _: said(b'{"version": "0.33.0"}', headers={"Set-Cookie": "session=1; Path=/"})
    for _ in range(2):
        await engines.release(HOST, port(server))
    assert [asked.headers.get("Cookie") for asked in server.asked] == [None, None]


@pytest.mark.parametrize("body", [b"", b"{}", b"ok", b'{"version": "dev"}', b"\x00" * 1024])
async def test_an_answer_without_a_release_tells_nothing(engines: Engines, server: HttpDouble, body: bytes) -> None:
    server.answers = lambda _: said(body)
    assert await engines.release(HOST, port(server)) is None


@pytest.mark.parametrize("status", [204, 301, 404, 500, 503])
async def test_another_status_is_no_answer(engines: Engines, server: HttpDouble, status: int) -> None:
    server.answers = lambda _: said(b"" if status == 204 else b'{"version": "0.33.0"}', status)
    assert await failure(engines, server) == f"status {status}"


async def test_a_redirect_is_not_followed(engines: Engines, server: HttpDouble) -> None:
    with HttpDouble(lambda _: version("0.30.0")) as elsewhere:
        server.answers = lambda _: said(b"", 302, {"Location": f"{elsewhere.url}/version"})
        assert (await failure(engines, server), elsewhere.asked) == ("status 302", [])


async def test_a_body_that_does_not_end_is_cut_off(engines: Engines, server: HttpDouble) -> None:
    server.answers = lambda _: Answer(chunks=(b" " * 512 for _ in range(1000)), headers={"Connection": "close"})
    assert await failure(engines, server) == "the answer is larger than 1 KiB"


async def test_silence_ends_with_the_deadline(server: HttpDouble) -> None:
    release = threading.Event()

    def wait(_: Asked) -> Answer:
        release.wait(10)
        return version("0.33.0")

    server.answers = wait
    async with Engines(timeout=0.1) as engines:
        assert await failure(engines, server) == "the engine cannot be asked: TimeoutError"
    release.set()


async def test_a_port_that_nobody_serves(engines: Engines) -> None:
    with HttpDouble(lambda _: version("0.33.0")) as gone:
        pass
    assert await failure(engines, gone) == "the engine cannot be asked: ClientConnectorError"


async def test_an_answer_that_is_no_http(engines: Engines) -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
        writer.close()

    async with await asyncio.start_server(babble, HOST, 0) as listener:
        with pytest.raises(EngineUnreachable, match=r"^the engine cannot be asked: \w+$"):
            await engines.release(HOST, listener.sockets[0].getsockname()[1])


async def test_an_address_of_ipv6_stands_in_brackets(engines: Engines) -> None:
    with pytest.raises(EngineUnreachable, match=r"^the engine cannot be asked: \w+$"):
        await engines.release("::1", 1)


async def test_at_most_sixteen_are_asked_at_a_time(server: HttpDouble) -> None:
    at_once, most, lock = 0, 0, threading.Lock()
    full = threading.Event()

    def count(_: Asked) -> Answer:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
            if at_once == 16:
                full.set()
        full.wait(10)
        with lock:
            at_once -= 1
        return version("0.33.0")

    server.answers = count
    async with Engines(timeout=20) as engines:
        found = await asyncio.gather(*(engines.release(HOST, port(server)) for _ in range(40)))
    assert (found, most) == ([Version(0, 33, 0)] * 40, 16)


async def test_one_that_was_never_used_can_be_closed() -> None:
    await Engines().close()
