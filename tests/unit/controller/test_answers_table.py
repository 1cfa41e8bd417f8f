"""Every bad day of Prometheus, from its socket to the decision: one verdict each, and no action.

All else in these answers is in a clear breach, of acceptance or of a latency, so that only the odd answer holds.
"""

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from specdecode_operator.clients import Connection, Prometheus
from specdecode_operator.controller.evaluator import Evaluator, Watched
from specdecode_operator.controller.fleet import Fleet
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.reading import Reader
from specdecode_operator.controller.settings import Endpoint, FleetSettings
from specdecode_operator.controller.store import Store
from specdecode_operator.policy import Judgement, Verdict, decide
from support.builders import ENFORCE, NOW, TPOT, body, rung, situation, spec_of, stamp
from support.http_double import Answer, Asked
from support.prometheus_double import PrometheusDouble

SPEC: dict[str, Any] = {"policy": {**ENFORCE["policy"], "objectives": [TPOT]}}
VARIANT = rung(spec_of(**SPEC))
POD = {"namespace": "prod", "pod": "chat-1"}
Odd = Callable[[Answer], Answer]


def said(text: bytes, status: int = 200, **headers: str) -> Answer:
    return Answer(status, [text], headers, len(text))


def raw(text: bytes, status: int = 200, **headers: str) -> Odd:
    return lambda _: said(text, status, **headers)


def edited(change: Callable[[dict[str, Any]], object]) -> Odd:
    """Have the true answer changed in place, before it is sent."""

    def odd(answer: Answer) -> Answer:
        envelope = json.loads(b"".join(answer.chunks))
        change(envelope)
        return said(json.dumps(envelope).encode())

    return odd


def rows(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Odd:
    def edit(envelope: dict[str, Any]) -> None:
        envelope["data"]["result"] = change(envelope["data"]["result"])

    return edited(edit)


def worth(value: str, le: str | None = None) -> Odd:
    """Have every row, or that of one bucket, carry `value`."""

    def change(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "value": [0, value]} if le is None or row["metric"].get("le") == le else row for row in found]

    return rows(change)


def without(le: str) -> Odd:
    return rows(lambda found: [row for row in found if row["metric"].get("le") != le])


def of_type(kind: str, result: Any) -> Odd:
    return edited(lambda envelope: envelope.update(data={"resultType": kind, "result": result}))


def cut(answer: Answer) -> Answer:
    return said(b"".join(answer.chunks)[:-20])


def doubled(answer: Answer) -> Answer:
    return said(b"".join(answer.chunks).replace(b'"status"', b'"status": "error", "status"', 1))


ALL, AGE, TARGETS, SCRAPES, REQUESTS = "", "timestamp(", "count by", "count_over_time", "latency_seconds_count"
ACCEPTED, DRAFTED, SLOW = "num_accepted_tokens", "num_draft_tokens", "_bucket"

OUTAGE = (Verdict.UNKNOWN, "EndpointUnavailable")
IMPOSSIBLE = (Verdict.UNKNOWN, "ValuesImpossible")
NOTHING = (Verdict.INSUFFICIENT, "NoSamples")
FEW = (Verdict.INSUFFICIENT, "TooFewRequests")

EMPTY, TWICE = rows(lambda _: []), rows(lambda found: found * 2)
STRANGERS = rows(lambda found: [{**row, "metric": {"namespace": "prod", "pod": "other"}} for row in found])
UNNAMED = rows(lambda found: [{**row, "metric": {}} for row in found])
MATRIX = [{"metric": POD, "values": [[0, "1"]]}]

TABLE: list[tuple[str, str, Odd, tuple[Verdict, str]]] = [
    ("an empty vector for everything", ALL, EMPTY, (Verdict.UNKNOWN, "PodsNotScraped")),
    ("no age", AGE, EMPTY, (Verdict.UNKNOWN, "SamplesStale")),
    ("an old age", AGE, worth("91"), (Verdict.UNKNOWN, "SamplesStale")),
    ("an age that is no number", AGE, worth("NaN"), (Verdict.UNKNOWN, "SamplesStale")),
    ("no targets", TARGETS, EMPTY, (Verdict.UNKNOWN, "PodsNotScraped")),
    ("two targets", TARGETS, worth("2"), (Verdict.UNKNOWN, "PodsScrapedTwice")),
    ("targets twice", TARGETS, TWICE, (Verdict.UNKNOWN, "PodsScrapedTwice")),
    ("no scrapes", SCRAPES, EMPTY, (Verdict.UNKNOWN, "SamplesMissing")),
    ("few scrapes", SCRAPES, worth("1"), (Verdict.UNKNOWN, "SamplesMissing")),
    ("scrapes that are no number", SCRAPES, worth("NaN"), (Verdict.UNKNOWN, "SamplesMissing")),
    ("no requests", REQUESTS, EMPTY, FEW),
    ("few requests", REQUESTS, worth("29"), FEW),
    ("requests that are no number", REQUESTS, worth("NaN"), FEW),
    ("endless requests", REQUESTS, worth("+Inf"), IMPOSSIBLE),
    ("less than no requests", REQUESTS, worth("-Inf"), FEW),
    ("requests twice", REQUESTS, TWICE, FEW),
    ("nothing accepted, since nobody counts", ACCEPTED, EMPTY, NOTHING),
    ("accepted tokens of another pod", ACCEPTED, STRANGERS, NOTHING),
    ("accepted tokens of nobody", ACCEPTED, UNNAMED, NOTHING),
    ("accepted tokens that are no number", ACCEPTED, worth("NaN"), NOTHING),
    ("endless accepted tokens", ACCEPTED, worth("+Inf"), IMPOSSIBLE),
    ("accepted tokens below all bounds", ACCEPTED, worth("-Inf"), IMPOSSIBLE),
    ("accepted tokens below zero", ACCEPTED, worth("-1"), IMPOSSIBLE),
    ("more accepted than drafted", ACCEPTED, worth("20000"), IMPOSSIBLE),
    ("accepted tokens twice", ACCEPTED, TWICE, NOTHING),
    ("drafted tokens twice", DRAFTED, TWICE, NOTHING),
    ("nothing drafted", DRAFTED, EMPTY, NOTHING),
    ("buckets that shrink", SLOW, worth("2000", "0.05"), IMPOSSIBLE),
    ("a bucket below zero", SLOW, worth("-1", "0.05"), IMPOSSIBLE),
    ("a bucket that is no number", SLOW, worth("NaN", "0.05"), NOTHING),
    ("a bucket without the threshold", SLOW, without("0.05"), NOTHING),
    ("buckets without +Inf", SLOW, without("+Inf"), NOTHING),
    ("endless buckets", SLOW, worth("+Inf"), IMPOSSIBLE),
    ("no buckets", SLOW, EMPTY, NOTHING),
    ("buckets twice", SLOW, TWICE, NOTHING),
    ("an empty matrix", ACCEPTED, of_type("matrix", []), OUTAGE),
    ("a matrix", ACCEPTED, of_type("matrix", MATRIX), OUTAGE),
    ("a scalar", ACCEPTED, of_type("scalar", [0, "1"]), OUTAGE),
    ("a string", ACCEPTED, of_type("string", [0, "1"]), OUTAGE),
    ("a native histogram", SLOW, of_type("vector", [{"metric": POD, "histogram": [0, {}]}]), OUTAGE),
    ("warnings", ACCEPTED, edited(lambda envelope: envelope.update(warnings=["timed out"])), OUTAGE),
    ("a part", ACCEPTED, edited(lambda envelope: envelope.update(isPartial=True)), OUTAGE),
    ("an error with status 200", ACCEPTED, edited(lambda envelope: envelope.update(status="error")), OUTAGE),
    ("a key twice", ACCEPTED, doubled, OUTAGE),
    ("half of it", ACCEPTED, cut, OUTAGE),
    ("no utf-8", ACCEPTED, raw(b"\xff\xfe\x00"), OUTAGE),
    ("a login page", ACCEPTED, raw(b"<html>Sign in</html>"), OUTAGE),
    ("a body too large", ACCEPTED, raw(b" " * 2_000_000), OUTAGE),
    ("nothing at all", ACCEPTED, raw(b""), OUTAGE),
    ("a redirect", ACCEPTED, raw(b"", 302, Location="/login"), OUTAGE),
    *((f"status {code}", ACCEPTED, raw(b"no", code), OUTAGE) for code in (400, 401, 403, 404, 422, 429, 500, 503)),
]  # fmt: skip


@dataclass
class Watch:
    """One resource with one pod, judged by what a server on loopback answers."""

    double: PrometheusDouble
    client: Prometheus
    now: datetime = NOW
    store: Store = field(default_factory=Store)

    def __post_init__(self) -> None:
        endpoint = Endpoint(name="default", url=self.double.url)
        watched = {"default": Watched(endpoint, self.client)}
        metrics = Metrics()
        fleet = Fleet(FleetSettings(), self.store, metrics)
        self.evaluator = Evaluator(self.store, Reader(), WorkQueue(), metrics, watched, lambda: self.now, fleet)
        self.store.put("SpecDecodeDeployment", body(metadata={"uid": "u", "resourceVersion": "1"}, **SPEC))
        labels = {"specdecode.dev/name": "chat", "specdecode.dev/variant-hash": VARIANT.hash}
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": stamp(NOW - timedelta(hours=2))}
        metadata = {"name": "chat-1", "namespace": "prod", "uid": "p", "resourceVersion": "1", "labels": labels}
        self.store.put("Pod", {"metadata": metadata, "status": {"conditions": [ready]}})

    def breach(self, selector: str) -> str:
        """Have a breach of what the queries with `selector` tell of, and return its signal."""
        latency = selector == SLOW
        traffic = self.double.traffic("prod")
        traffic.acceptance = 0.9 if latency else 0.3
        traffic.slow = {"request_time_per_output_token_seconds": 0.5 if latency else 0.0}
        return "TpotP99" if latency else "Acceptance"

    def spoil(self, selector: str, odd: Odd) -> None:
        """Have the answers to all queries with `selector` made odd."""
        normal = self.double.answers

        def answer(asked: Asked) -> Answer:
            true = normal(asked)
            return odd(true) if selector in parse_qs(asked.body.decode())["query"][0] else true

        self.double.answers = answer

    async def judgements(self, ticks: int = 3) -> list[Judgement | None]:
        """Return what is found by evaluations every 30 seconds; three last the minute that makes an outage."""
        found = []
        for _ in range(ticks):
            await self.evaluator.tick()
            found.append(self.evaluator.judgement(("prod", "chat")))
            self.now += timedelta(seconds=30)
        return found


@pytest.fixture
def double() -> Iterator[PrometheusDouble]:
    with PrometheusDouble(lambda: [("prod", "chat-1")]) as found:
        yield found


@pytest.fixture
async def watch(double: PrometheusDouble) -> AsyncIterator[Watch]:
    client = Prometheus(Connection(double.url, timeout=5))
    yield Watch(double, client)
    client.close()


def acted(judgement: Judgement | None) -> bool:
    return decide(situation(spec_of(**SPEC), judgement=judgement)).operation is not None


def verdict(judgement: Judgement | None, signal: str) -> list[tuple[Verdict, str]]:
    findings = judgement.findings if judgement is not None else ()
    return [(finding.verdict, finding.reason) for finding in findings if finding.signal.name == signal]


@pytest.mark.parametrize(("selector", "odd", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
async def test_each_answer_has_one_verdict_and_leads_to_nothing(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, selector: str, odd: Odd, expected: tuple[Verdict, str]
) -> None:
    monkeypatch.setattr("specdecode_operator.clients.prometheus._MAX_BODY", 1_000_000)
    signal = watch.breach(selector)
    watch.spoil(selector, odd)
    found = await watch.judgements()
    assert verdict(found[-1], signal) == [expected]
    assert not any(map(acted, found))


@pytest.mark.parametrize("selector", [ACCEPTED, SLOW])
async def test_a_breach_that_was_confirmed_is_none_while_the_answers_are_odd(watch: Watch, selector: str) -> None:
    watch.breach(selector)
    confirmed = await watch.judgements(2)
    watch.spoil(selector, raw(b"no", 503))
    after = await watch.judgements()
    assert [acted(found) for found in confirmed + after] == [False, True, False, False, False]


async def test_an_answer_that_never_comes_is_an_outage(double: PrometheusDouble) -> None:
    release = threading.Event()

    def silence() -> Iterator[bytes]:
        release.wait(10)
        yield b"{"

    client = Prometheus(Connection(double.url, timeout=0.2))
    watch = Watch(double, client)
    watch.breach(ACCEPTED)
    watch.spoil(ACCEPTED, lambda _: Answer(200, silence(), length=100))
    found = await watch.judgements()
    release.set()
    client.close()
    assert (verdict(found[-1], "Acceptance"), any(map(acted, found))) == ([OUTAGE], False)


@pytest.mark.parametrize("selector", [ACCEPTED, SLOW])
async def test_an_info_is_no_warning(watch: Watch, selector: str) -> None:
    signal = watch.breach(selector)
    watch.spoil(selector, edited(lambda envelope: envelope.update(infos=["looks odd"])))
    found = await watch.judgements(2)
    assert ([each for each, _ in verdict(found[-1], signal)], acted(found[-1])) == ([Verdict.BREACH], True)
