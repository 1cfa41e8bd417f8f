"""What Prometheus would have answered in the past, and how little of its answer is believed."""

import json
import math
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from specdecode_operator.clients import Connection, Moments, Prometheus, PrometheusError, Series
from specdecode_operator.policy import Query
from specdecode_operator.policy.judging.queries import Kind
from support.builders import NOW
from support.http_double import Answer, Asked, HttpDouble

QUERY = Query('up{pod!=""}', Kind.AGE)
POD = {"namespace": "prod", "pod": "chat-1"}
MOMENTS = Moments(NOW, NOW + timedelta(minutes=1), 15)
NO_SAMPLE = "the answer holds a sample that cannot be read"


def matrix(*result: Any, kind: str = "matrix", **more: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": list(result)}} | more).encode()


def said(body: bytes, status: int = 200) -> Answer:
    return Answer(status, [body], {"Content-Type": "application/json"}, len(body))


@pytest.fixture
def server() -> Iterator[HttpDouble]:
    with HttpDouble(lambda _: said(matrix({"metric": POD, "values": [[1.5, "2"], [3, "+Inf"]]}))) as found:
        yield found


@pytest.fixture
async def client(server: HttpDouble) -> AsyncIterator[Prometheus]:
    found = Prometheus(Connection(server.url, timeout=5))
    yield found
    found.close()


async def test_a_matrix_becomes_series(client: Prometheus) -> None:
    assert await client.history([QUERY], MOMENTS) == [(QUERY, [Series(POD, ((1.5, 2.0), (3.0, math.inf)))])]


async def test_not_a_number_stays_one(server: HttpDouble, client: Prometheus) -> None:
    server.answers = lambda _: said(matrix({"metric": {}, "values": [[1, "NaN"]]}))
    ((_, (series,)),) = await client.history([QUERY], MOMENTS)
    assert math.isnan(series.points[0][1])


async def test_the_query_is_posted_with_its_times(server: HttpDouble, client: Prometheus) -> None:
    await client.history([QUERY], MOMENTS)
    (asked,) = server.asked
    start = str(int(NOW.timestamp()))
    assert (asked.method, asked.path) == ("POST", "/api/v1/query_range")
    assert {name: value[0] for name, value in parse_qs(asked.body.decode()).items()} == {
        "query": QUERY.text,
        "start": start,
        "end": str(int(start) + 60),
        "step": "15",
        "timeout": "5s",
    }


async def test_every_query_has_its_own_answer_in_order(server: HttpDouble, client: Prometheus) -> None:
    def answers(asked: Asked) -> Answer:
        return said(matrix({"metric": {}, "values": [[0, parse_qs(asked.body.decode())["query"][0]]]}))

    server.answers = answers
    queries = [Query(str(number), Kind.AGE) for number in range(9)]
    found = await client.history(queries, MOMENTS)
    assert found == [(query, [Series({}, ((0.0, float(query.text)),))]) for query in queries]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (matrix(kind="vector"), "the answer is not a matrix"),
        (matrix(kind="scalar"), "the answer is not a matrix"),
        (matrix(warnings=["partial"]), "the answer is partial: it came with warnings"),
        (b"<html>", "the answer is not Prometheus' JSON"),
        (matrix({"metric": POD}), NO_SAMPLE),
        (matrix({"metric": POD, "values": [[1]]}), NO_SAMPLE),
        (matrix({"metric": POD, "values": [[1, "many"]]}), NO_SAMPLE),
        (matrix({"metric": POD, "values": 7}), NO_SAMPLE),
        (matrix({"metric": {"pod": 1}, "values": []}), NO_SAMPLE),
        (matrix({"values": [[1, "1"]]}), NO_SAMPLE),
        (matrix(7), NO_SAMPLE),
    ],
)
async def test_nothing_else_is_believed(server: HttpDouble, client: Prometheus, body: bytes, message: str) -> None:
    server.answers = lambda _: said(body)
    with pytest.raises(PrometheusError) as caught:
        await client.history([QUERY], MOMENTS)
    assert str(caught.value) == message


async def test_a_refusal(server: HttpDouble, client: Prometheus) -> None:
    server.answers = lambda _: said(b"", 422)
    with pytest.raises(PrometheusError, match=r"^status 422$"):
        await client.history([QUERY], MOMENTS)
