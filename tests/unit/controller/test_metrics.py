"""The operator's own metrics, and the server that shows them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client import generate_latest

from specdecode_operator.api.v1alpha1 import ConditionStatus
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.server import Server
from specdecode_operator.policy import Verdict
from support.builders import LATENCY, condition, finding

TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE
CHAT, CODE = ("prod", "chat"), ("prod", "code")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def lines(metrics: Metrics, *words: str) -> list[str]:
    text = generate_latest(metrics.registry).decode()
    return [line for line in text.splitlines() if not line.startswith("#") and all(word in line for word in words)]


class TestFindings:
    def test_a_finding_is_shown_with_both_windows(self, metrics: Metrics) -> None:
        metrics.show(CHAT, finding(Verdict.BREACH, line_short=0.5, line_long=0.5))
        labels = 'name="chat",namespace="prod",signal="Acceptance"'
        assert lines(metrics, "signal_value") == [
            f'specdecode_signal_value{{{labels},window="short"}} 0.3',
            f'specdecode_signal_value{{{labels},window="long"}} 0.4',
        ]
        assert lines(metrics, "signal_threshold") == [
            f'specdecode_signal_threshold{{{labels},window="short"}} 0.5',
            f'specdecode_signal_threshold{{{labels},window="long"}} 0.5',
        ]
        assert lines(metrics, "signal_samples") == [
            f'specdecode_signal_samples{{{labels},window="short"}} 300.0',
            f'specdecode_signal_samples{{{labels},window="long"}} 900.0',
        ]

    def test_exactly_one_verdict_is_1(self, metrics: Metrics) -> None:
        for verdict in (Verdict.UNKNOWN, Verdict.BREACH):
            metrics.show(CHAT, finding(verdict))
        shown = {line.split('verdict="')[1].split('"')[0]: line[-3:] for line in lines(metrics, "signal_verdict")}
        assert shown == {verdict: "1.0" if verdict is Verdict.BREACH else "0.0" for verdict in Verdict}

    def test_figures_that_are_none_are_no_number(self, metrics: Metrics) -> None:
        metrics.show(CHAT, finding(Verdict.INSUFFICIENT, short=float("nan")))
        assert lines(metrics, "signal_value", "short")[0].endswith(" NaN")


class TestBlocked:
    def test_the_reason_of_the_condition_is_shown_while_it_is_true(self, metrics: Metrics) -> None:
        shown = []
        for status, reason in ((TRUE, "BudgetSpent"), (TRUE, "Suspended"), (FALSE, "NotBlocked"), (TRUE, "Suspended")):
            metrics.show_blocked(CHAT, condition("RemediationBlocked", status, reason))
            shown.append(lines(metrics, "remediation_blocked"))
        budget, suspended = (
            [f'specdecode_remediation_blocked{{name="chat",namespace="prod",reason="{reason}"}} 1.0']
            for reason in ("BudgetSpent", "Suspended")
        )
        assert shown == [budget, suspended, [], suspended]

    def test_a_resource_without_the_condition_shows_nothing(self, metrics: Metrics) -> None:
        metrics.show_blocked(CHAT, None)
        assert lines(metrics, "remediation_blocked") == []


class TestForget:
    def test_every_series_of_the_resource_is_gone(self, metrics: Metrics) -> None:
        metrics.show(CHAT, finding(Verdict.BREACH))
        metrics.show(CHAT, finding(Verdict.HEALTHY, LATENCY))
        metrics.decisions.labels(*CHAT, "no-speculation", "Acceptance", "Started").inc()
        metrics.frozen.labels(*CHAT).set(1)
        metrics.show_blocked(CHAT, condition("RemediationBlocked", TRUE, "Frozen"))
        metrics.forget(CHAT)
        assert lines(metrics, 'name="chat"') == []

    def test_signals_can_be_forgotten_while_the_decisions_stay(self, metrics: Metrics) -> None:
        for key in (CHAT, CODE):
            metrics.show(key, finding(Verdict.BREACH))
        metrics.decisions.labels(*CHAT, "no-speculation", "Acceptance", "Started").inc()
        metrics.forget_signals(CHAT)
        assert (lines(metrics, "signal", 'name="chat"'), len(lines(metrics, "decisions_total", 'name="chat"'))) == (
            [],
            1,
        )
        assert lines(metrics, "signal", 'name="code"') != []

    def test_those_of_others_stay(self, metrics: Metrics) -> None:
        for key in (CHAT, CODE, ("dev", "chat")):
            metrics.show(key, finding(Verdict.BREACH))
        metrics.forget(CHAT)
        assert {line.split("{")[1].split(",signal")[0] for line in lines(metrics, "signal_value")} == {
            'name="code",namespace="prod"',
            'name="chat",namespace="dev"',
        }

    def test_one_that_was_never_shown_is_nothing(self, metrics: Metrics) -> None:
        metrics.forget(CHAT)
        assert lines(metrics, "signal") == []


def test_two_operators_in_one_process_do_not_share_metrics() -> None:
    first, second = Metrics(), Metrics()
    first.resources.set(3)
    assert (lines(first, "specdecode_resources"), lines(second, "specdecode_resources")) == (
        ["specdecode_resources 3.0"],
        ["specdecode_resources 0.0"],
    )


def test_every_metric_has_the_prefix_and_an_explanation(metrics: Metrics) -> None:
    text = generate_latest(metrics.registry).decode()
    explained = [
        line.split(" ", 3) for line in text.splitlines() if line.startswith("# HELP") and "_created" not in line
    ]
    assert [entry for entry in explained if not entry[2].startswith("specdecode_") or len(entry[3]) < 10] == []


@contextmanager
def served(metrics: Metrics, health: Callable[[], str | None] = lambda: None) -> Iterator[httpx.Client]:
    with (
        Server("127.0.0.1", 0, metrics, health) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client,
    ):
        yield client


class TestServer:
    def test_health(self, metrics: Metrics) -> None:
        with served(metrics) as client:
            found = client.get("/healthz")
        assert found.status_code == 200

    def test_something_wrong_is_unhealthy(self, metrics: Metrics) -> None:
        with served(metrics, lambda: "a reconcile hangs") as client:
            found = client.get("/healthz")
        assert found.status_code == 503

    def test_health_is_looked_at_anew_every_time(self, metrics: Metrics) -> None:
        answers = iter([None, "broken", None])
        with served(metrics, lambda: next(answers)) as client:
            assert [client.get("/healthz").status_code for _ in range(3)] == [200, 503, 200]

    def test_each_answer_has_its_own_length(self, metrics: Metrics) -> None:
        answers = iter([None, "a reconcile hangs", None])
        with served(metrics, lambda: next(answers)) as client:
            assert [client.get("/healthz").text for _ in range(3)] == ["ok\n", "a reconcile hangs\n", "ok\n"]

    def test_metrics(self, metrics: Metrics) -> None:
        metrics.resources.set(7)
        with served(metrics) as client:
            found = client.get("/metrics")
        assert (found.status_code, found.headers["content-type"].split(";")[0]) == (200, "text/plain")
        assert "specdecode_resources 7.0" in found.text.splitlines()

    @pytest.mark.parametrize("path", ["/", "/metric", "/healthz/", "/../etc/passwd"])
    def test_anything_else_is_not_found(self, metrics: Metrics, path: str) -> None:
        with served(metrics) as client:
            found = client.get(path)
        assert found.status_code == 404
