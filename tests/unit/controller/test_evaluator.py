"""The metrics loop: when a judgement is made, held, confirmed, and whom it wakes."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.clients import PrometheusError
from specdecode_operator.controller.evaluator import Evaluator, Watched
from specdecode_operator.controller.fleet import Fleet
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.reading import Reader
from specdecode_operator.controller.settings import Endpoint, FleetSettings
from specdecode_operator.controller.store import Key, Store
from specdecode_operator.policy import Judgement, Pressure, Verdict
from support.builders import NOW, TPOT, body, rung, spec_of, stamp
from support.fake_prometheus import FakePrometheus, Traffic

CHAT = ("prod", "chat")
NGRAM: dict[str, Any] = {"speculation": {"method": "NGram", "numSpeculativeTokens": 4}}
OUTAGE = PrometheusError("status 503")
READY = {"type": "Ready", "status": "True", "lastTransitionTime": stamp(NOW - timedelta(hours=2))}


@dataclass
class Loop:
    """One evaluator over a cluster with an endpoint called `default`."""

    prometheus: FakePrometheus = field(default_factory=FakePrometheus)
    store: Store = field(default_factory=Store)
    queue: WorkQueue = field(default_factory=WorkQueue)
    metrics: Metrics = field(default_factory=Metrics)
    now: datetime = NOW

    def __post_init__(self) -> None:
        endpoint = Endpoint(name="default", url="http://prometheus:9090")
        watched = {"default": Watched(endpoint, self.prometheus)}
        self.fleet = Fleet(FleetSettings(), self.store, self.metrics)
        self.evaluator = Evaluator(self.store, Reader(), self.queue, self.metrics, watched, self.clock, self.fleet)

    def clock(self) -> datetime:
        return self.now

    def add(self, name: str = "chat", *, version: str = "1", status: Any = None, **spec: Any) -> Key:
        """Have a resource with one pod that has served its primary for two hours."""
        manifest = body(name, metadata={"uid": f"uid-{name}", "resourceVersion": version}, **spec)
        self.store.put("SpecDecodeDeployment", manifest | {"status": status or {}})
        self.add_pod(name, f"{name}-1", rung(spec_of(**spec)).hash)
        return ("prod", name)

    def add_pod(self, name: str, pod: str, variant_hash: str, **metadata: Any) -> None:
        labels = {"specdecode.dev/name": name, "specdecode.dev/variant-hash": variant_hash}
        base = {"name": pod, "namespace": "prod", "uid": f"uid-{pod}", "resourceVersion": "1", "labels": labels}
        self.store.put("Pod", {"metadata": base | metadata, "status": {"conditions": [READY]}})
        self.prometheus.pods.append({"namespace": "prod", "pod": pod})

    async def tick(self, seconds: float = 15) -> Judgement | None:
        """Let time pass and evaluate; return the judgement of `chat`."""
        self.now += timedelta(seconds=seconds)
        await self.evaluator.tick()
        return self.evaluator.judgement(CHAT)

    def woken(self) -> set[Key]:
        """Return the keys that were marked since the last call."""
        found = set(self.queue._marked)
        self.queue._marked.clear()
        return found

    def shown(self, signal: str) -> bool:
        """Whether any series of `chat` names the signal."""
        series = (sample.labels for metric in self.metrics.registry.collect() for sample in metric.samples)
        return any((labels.get("name"), labels.get("signal")) == ("chat", signal) for labels in series)

    def value(self, metric: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"specdecode_{metric}", labels)


@pytest.fixture
def loop() -> Loop:
    return Loop()


def verdicts(judgement: Judgement | None) -> list[Verdict]:
    assert judgement is not None
    return [finding.verdict for finding in judgement.findings]


class TestDryRun:
    POLICY = {"acceptance": {"dryRun": True}, "objectives": [TPOT]}

    async def test_its_findings_are_kept_apart(self, loop: Loop) -> None:
        loop.prometheus.traffic = Traffic(acceptance=0.3, slow=0.0)
        loop.add(policy=self.POLICY)
        await loop.tick()
        found = await loop.tick()
        assert found is not None
        assert (verdicts(found), [one.verdict for one in found.dry]) == ([Verdict.RECOVERED], [Verdict.BREACH])
        assert (found.confirmed, [one.signal.name for one in found.dry_breaches()]) == (False, ["Acceptance"])

    async def test_it_is_shown_as_the_others_are(self, loop: Loop) -> None:
        loop.prometheus.traffic = Traffic(acceptance=0.3)
        loop.add(policy=self.POLICY)
        await loop.tick()
        labels = {"namespace": "prod", "name": "chat", "signal": "Acceptance", "verdict": "Breach"}
        assert loop.value("signal_verdict", **labels) == 1.0

    async def test_the_resource_is_woken_when_its_breach_is_confirmed_and_then_left_alone(self, loop: Loop) -> None:
        loop.prometheus.traffic = Traffic(acceptance=0.3, slow=0.0)
        key = loop.add(policy=self.POLICY)
        woken = []
        for _ in range(4):
            await loop.tick()
            woken.append(key in loop.woken())
        assert woken == [True, True, False, False]

    async def test_it_counts_for_no_common_cause(self, loop: Loop) -> None:
        loop.prometheus.traffic = Traffic(acceptance=0.3, slow=0.0)
        key = loop.add(policy=self.POLICY)
        await loop.tick()
        await loop.tick()
        assert loop.fleet.state(key, "default").breaching == 0


class TestFleet:
    async def test_all_of_one_evaluation_are_counted_before_anyone_is_woken(
        self, loop: Loop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loop.prometheus.traffic = Traffic(acceptance=0.3)
        names = ("chat", "code", "mail")
        keys = [loop.add(name) for name in names]
        loop.add("safe", policy={"acceptance": {"disableBelowPercent": 0}})
        await loop.tick()
        counted = []

        def mark(key: Key) -> None:
            state = loop.fleet.state(key, "default")
            counted.append((key, state.breaching, state.watched))

        monkeypatch.setattr(loop.queue, "mark", mark)
        await loop.tick()
        assert counted == [(key, 3, 4) for key in keys]
        assert loop.value("fleet_breaching", endpoint="default") == 3.0


class TestJudgement:
    async def test_a_service_in_good_health(self, loop: Loop) -> None:
        loop.add()
        found = await loop.tick()
        assert found is not None
        assert (found.variant_hash, verdicts(found), found.confirmed, found.unavailable, found.waiting) == (
            rung(spec_of()).hash,
            [Verdict.RECOVERED],
            False,
            None,
            None,
        )

    async def test_every_signal_of_the_policy_is_judged(self, loop: Loop) -> None:
        loop.prometheus.traffic = Traffic(acceptance=0.3, slow=0.5)
        loop.add(policy={"objectives": [TPOT]})
        assert verdicts(await loop.tick()) == [Verdict.BREACH, Verdict.BREACH]

    async def test_resources_are_judged_apart(self, loop: Loop) -> None:
        loop.add("code", policy={"acceptance": {"disableBelowPercent": 95}})
        loop.add("chat")
        await loop.tick()
        assert [verdicts(loop.evaluator.judgement(key)) for key in (CHAT, ("prod", "code"))] == [
            [Verdict.RECOVERED],
            [Verdict.BREACH],
        ]

    async def test_the_active_variant_is_judged(self, loop: Loop) -> None:
        spec = spec_of()
        off = rung(spec, "no-speculation")
        status = {"activeVariant": "no-speculation", "variantHash": off.hash, "primaryHash": rung(spec).hash}
        loop.add(status=status)
        loop.add_pod("chat", "chat-2", off.hash)
        found = await loop.tick()
        assert (found and found.variant_hash, verdicts(found)) == (off.hash, [Verdict.NOT_APPLICABLE])

    async def test_pods_of_another_variant_do_not_count(self, loop: Loop) -> None:
        loop.add(status={"activeVariant": "no-speculation"})
        found = await loop.tick()
        assert found is not None
        assert (found.waiting, verdicts(found)) == ("NoReadyPods", [Verdict.NOT_APPLICABLE])

    async def test_a_pod_that_prometheus_does_not_know_holds_everything(self, loop: Loop) -> None:
        loop.add()
        loop.prometheus.pods.clear()
        found = await loop.tick()
        assert found is not None
        assert (found.unavailable, verdicts(found)) == ("PodsNotScraped", [Verdict.UNKNOWN])

    async def test_an_endpoint_that_nobody_configured(self, loop: Loop) -> None:
        loop.add(metrics={"endpoint": "elsewhere"})
        found = await loop.tick()
        assert (found and found.unavailable, loop.prometheus.asked) == ("EndpointUnknown", [])

    async def test_a_resource_that_cannot_be_read_is_passed_over(self, loop: Loop) -> None:
        loop.add()
        broken = body("broken", metadata={"uid": "b", "resourceVersion": "1"}, model={})
        loop.store.put("SpecDecodeDeployment", broken)
        await loop.tick()
        assert loop.evaluator.judgement(("prod", "broken")) is None
        assert loop.evaluator.judgement(CHAT) is not None

    async def test_nothing_is_asked_where_there_is_nothing(self, loop: Loop) -> None:
        assert (await loop.tick(), loop.prometheus.asked) == (None, [])


class TestConfirmation:
    async def test_a_breach_counts_when_it_is_found_twice(self, loop: Loop) -> None:
        loop.prometheus.traffic.acceptance = 0.3
        loop.add()
        found = [await loop.tick() for _ in range(3)]
        assert [judgement and judgement.confirmed for judgement in found] == [False, True, True]

    async def test_a_breach_that_went_away_starts_anew(self, loop: Loop) -> None:
        loop.add()
        confirmed = []
        for acceptance in (0.3, 0.9, 0.3, 0.3):
            loop.prometheus.traffic.acceptance = acceptance
            judgement = await loop.tick()
            confirmed.append(judgement and judgement.confirmed)
        assert confirmed == [False, False, False, True]

    async def test_a_breach_of_another_variant_confirms_nothing(self, loop: Loop) -> None:
        loop.prometheus.traffic = Traffic(acceptance=0.3, slow=0.5)
        policy = {"objectives": [TPOT]}
        loop.add(policy=policy)
        await loop.tick()
        spec = spec_of(policy=policy)
        loop.add_pod("chat", "chat-2", rung(spec, "no-speculation").hash)
        loop.add(version="2", status={"activeVariant": "no-speculation"}, policy=policy)
        found = await loop.tick()
        assert (verdicts(found), found and found.confirmed) == ([Verdict.NOT_APPLICABLE, Verdict.BREACH], False)

    async def test_signals_are_confirmed_one_by_one(self, loop: Loop) -> None:
        loop.add(policy={"objectives": [TPOT]})
        repeated = []
        for traffic in (Traffic(slow=0.5), Traffic(acceptance=0.3, slow=0.5), Traffic(acceptance=0.3, slow=0.5)):
            loop.prometheus.traffic = traffic
            judgement = await loop.tick()
            repeated.append(judgement and judgement.repeated)
        assert repeated == [frozenset(), frozenset({"TpotP99"}), frozenset({"Acceptance", "TpotP99"})]

    async def test_only_a_breach_of_the_same_signal_confirms(self, loop: Loop) -> None:
        loop.add(policy={"objectives": [TPOT]})
        confirmed = []
        for traffic in (Traffic(acceptance=0.3), Traffic(slow=0.5), Traffic(acceptance=0.3, slow=0.5)):
            loop.prometheus.traffic = traffic
            judgement = await loop.tick()
            confirmed.append(judgement and judgement.confirmed)
        assert confirmed == [False, False, True]

    async def test_a_breach_from_before_an_unreadable_spec_confirms_nothing(self, loop: Loop) -> None:
        loop.prometheus.traffic.acceptance = 0.3
        loop.add()
        for _ in range(2):
            await loop.tick()
        unreadable = body(metadata={"uid": "uid-chat", "resourceVersion": "2"}, model={})
        loop.store.put("SpecDecodeDeployment", unreadable)
        between = await loop.tick(86_400)
        loop.add(version="3")
        found = await loop.tick()
        assert (between, found and found.confirmed) == (None, False)

    async def test_a_breach_beside_something_unknown_is_not_confirmed(self, loop: Loop) -> None:
        loop.prometheus.traffic.acceptance = 0.3
        loop.add()
        await loop.tick()
        loop.prometheus.pods.clear()
        found = await loop.tick()
        assert (verdicts(found), found and found.confirmed) == ([Verdict.UNKNOWN], False)

    async def test_after_a_restart_it_takes_two_evaluations_again(self, loop: Loop) -> None:
        loop.prometheus.traffic.acceptance = 0.3
        loop.add()
        for _ in range(3):
            await loop.tick()
        again = Loop(loop.prometheus, loop.store)
        found = await again.tick()
        assert (verdicts(found), found and found.confirmed) == ([Verdict.BREACH], False)


class TestOldEngines:
    """0.8.5 to 0.10: what the release does not show, or counts wrongly, is never a breach."""

    @pytest.mark.parametrize(
        ("version", "method", "found"),
        [
            ("0.9.2", {}, [Verdict.NOT_APPLICABLE, Verdict.NOT_APPLICABLE, Verdict.BREACH]),
            ("0.9.2", NGRAM, [Verdict.BREACH, Verdict.NOT_APPLICABLE, Verdict.BREACH]),
            ("0.10.2", NGRAM, [Verdict.BREACH, Verdict.NOT_APPLICABLE, Verdict.BREACH]),
            ("0.33.0", {}, [Verdict.BREACH, Verdict.BREACH, Verdict.BREACH]),
        ],
    )
    async def test_whatever_is_answered(
        self, loop: Loop, version: str, method: dict[str, Any], found: list[Verdict]
    ) -> None:
        objectives = [TPOT, {"metric": "Ttft", "threshold": "40ms"}]
        loop.prometheus.traffic = Traffic(acceptance=0.1, slow=0.5, edges=(0.04, 0.05))
        loop.add(policy={"objectives": objectives}, engine={"version": version}, **method)
        assert verdicts(await loop.tick()) == found

    async def test_a_histogram_that_none_of_the_releases_has_is_not_asked_for(self, loop: Loop) -> None:
        loop.add(policy={"objectives": [TPOT]}, engine={"version": "0.10.2"}, **NGRAM)
        await loop.tick()
        loop.add("code", policy={"objectives": [TPOT]}, engine={"version": "0.33.0"})
        await loop.tick()
        asked = [
            [found for query in queries if (found := getattr(query, "metric", None))]
            for queries in loop.prometheus.asked
        ]
        assert asked == [[], [LatencyMetric.TPOT] * 2]


class TestOutage:
    async def test_one_lost_answer_holds_what_was_known_and_confirms_nothing(self, loop: Loop) -> None:
        loop.prometheus.traffic.acceptance = 0.3
        loop.add()
        for _ in range(2):
            before = await loop.tick()
        loop.prometheus.failure = OUTAGE
        found = await loop.tick()
        assert (verdicts(found), before and before.confirmed, found and found.confirmed) == (
            [Verdict.BREACH],
            True,
            False,
        )

    @pytest.mark.parametrize(
        ("seconds", "unavailable"),
        [(15, None), (59.9, None), (60, "EndpointUnavailable"), (3600, "EndpointUnavailable")],
    )
    async def test_after_a_minute_it_is_an_outage(self, loop: Loop, seconds: float, unavailable: str | None) -> None:
        loop.add()
        await loop.tick()
        loop.prometheus.failure = OUTAGE
        found = await loop.tick(seconds)
        assert found is not None
        assert found.unavailable == unavailable

    async def test_an_outage_is_unknown_and_wakes_the_resource_once(self, loop: Loop) -> None:
        loop.add()
        await loop.tick()
        loop.prometheus.failure = OUTAGE
        await loop.tick(60)
        assert verdicts(loop.evaluator.judgement(CHAT)) == [Verdict.UNKNOWN]
        loop.woken()
        await loop.tick()
        assert loop.woken() == set()

    async def test_the_end_of_an_outage_is_seen_at_once(self, loop: Loop) -> None:
        loop.add()
        await loop.tick()
        loop.prometheus.failure = OUTAGE
        await loop.tick(60)
        loop.woken()
        loop.prometheus.failure = None
        found = await loop.tick()
        assert (found and found.unavailable, verdicts(found), loop.woken()) == (None, [Verdict.RECOVERED], {CHAT})

    async def test_a_breach_after_an_outage_takes_two_evaluations(self, loop: Loop) -> None:
        loop.prometheus.traffic.acceptance = 0.3
        loop.add()
        for _ in range(2):
            await loop.tick()
        loop.prometheus.failure = OUTAGE
        await loop.tick(60)
        loop.prometheus.failure = None
        found = [await loop.tick() for _ in range(2)]
        assert [judgement and judgement.confirmed for judgement in found] == [False, True]

    async def test_an_endpoint_that_has_never_answered_gets_its_minute_too(self, loop: Loop) -> None:
        loop.add()
        loop.prometheus.failure = OUTAGE
        first = await loop.tick()
        second = await loop.tick(60)
        assert (first, second and second.unavailable) == (None, "EndpointUnavailable")

    async def test_failures_are_counted(self, loop: Loop) -> None:
        loop.add()
        loop.prometheus.failure = OUTAGE
        for _ in range(3):
            await loop.tick()
        assert loop.value("prometheus_failures_total", endpoint="default") == 3.0

    async def test_one_endpoint_does_not_hold_another(self, loop: Loop) -> None:
        loop.add()
        loop.add("code", metrics={"endpoint": "elsewhere"})
        loop.prometheus.failure = OUTAGE
        await loop.tick(60)
        assert (loop.evaluator.judgement(("prod", "code")) or Judgement("", ())).unavailable == ("EndpointUnknown")


class TestWaking:
    async def test_the_first_judgement_wakes(self, loop: Loop) -> None:
        loop.add()
        await loop.tick()
        assert loop.woken() == {CHAT}

    async def test_the_same_judgement_does_not(self, loop: Loop) -> None:
        loop.add()
        await loop.tick()
        loop.woken()
        await loop.tick()
        assert loop.woken() == set()

    async def test_other_figures_with_the_same_verdict_do_not(self, loop: Loop) -> None:
        loop.add()
        await loop.tick()
        loop.woken()
        loop.prometheus.traffic = Traffic(acceptance=0.8, requests=5000)
        await loop.tick()
        assert loop.woken() == set()

    async def test_another_verdict_does(self, loop: Loop) -> None:
        loop.add()
        await loop.tick()
        loop.woken()
        loop.prometheus.traffic.acceptance = 0.52
        await loop.tick()
        assert loop.woken() == {CHAT}

    async def test_a_confirmed_breach_wakes_every_time_since_a_brake_may_have_been_let_off(self, loop: Loop) -> None:
        loop.prometheus.traffic.acceptance = 0.3
        loop.add()
        woken = []
        for _ in range(4):
            await loop.tick()
            woken.append(loop.woken())
        assert woken == [{CHAT}] * 4


COSTS = [{"concurrency": 1, "target": "10ms", "speculative": "12ms"}]
BREAK_EVEN = {"acceptance": {"rule": "BreakEven", "stepCosts": [*COSTS, {**COSTS[0], "concurrency": 100}]}}


class TestLengths:
    @pytest.mark.parametrize("method", ["Eagle", "NGram"])
    @pytest.mark.parametrize(("acceptance", "verdict"), [(0.1, Verdict.BREACH), (0.3, Verdict.RECOVERED)])
    async def test_tokens_of_a_step_are_compared_with_those_that_pay_for_it(
        self, loop: Loop, method: str, acceptance: float, verdict: Verdict
    ) -> None:
        loop.prometheus.traffic.acceptance = acceptance
        draft = {"draft": {"name": "org/head"}} if method == "Eagle" else {}
        loop.add(policy=BREAK_EVEN, speculation={"method": method, "numSpeculativeTokens": 1, **draft})
        assert verdicts(await loop.tick()) == [verdict]
        labels = {"namespace": "prod", "name": "chat", "signal": "BreakEven", "window": "long"}
        shown = [loop.value("signal_value", **labels), loop.value("signal_threshold", **labels)]
        assert shown == pytest.approx([1 + acceptance, 1.2])

    async def test_step_costs_say_nothing_about_a_fallback(self, loop: Loop) -> None:
        loop.prometheus.traffic.acceptance = 0.1
        fallback = {"name": "fp8", "triggers": ["Latency"], "model": {"quantization": "fp8"}}
        spec: dict[str, Any] = {"policy": BREAK_EVEN, "fallbacks": [fallback]}
        loop.add(status={"activeVariant": "fp8"}, **spec)
        loop.add_pod("chat", "chat-2", rung(spec_of(**spec), "fp8").hash)
        assert verdicts(await loop.tick()) == [Verdict.NOT_APPLICABLE]


class TestPressure:
    STRAINED = Traffic(slow=0.5, kv_cache=0.97, waiting=3.2, preemptions=12.0)

    async def test_the_load_is_known_beside_the_findings(self, loop: Loop) -> None:
        loop.prometheus.traffic = self.STRAINED
        loop.add()
        found = await loop.tick()
        assert found is not None
        assert found.pressure == Pressure(0.97, 0.97, 3.2, 8.0, 12.0)

    async def test_a_load_that_nobody_reports_is_unknown(self, loop: Loop) -> None:
        loop.add()
        loop.prometheus.pods.clear()
        found = await loop.tick()
        assert found is not None
        assert found.pressure == Pressure()

    async def test_load_without_a_breach_wakes_nobody(self, loop: Loop) -> None:
        loop.add(policy={"objectives": [TPOT]})
        await loop.tick()
        loop.woken()
        loop.prometheus.traffic = replace(self.STRAINED, slow=0.0)
        found = await loop.tick()
        assert (loop.woken(), found and found.pressure.reasons(), found and found.strains()) == (
            set(),
            ("KvCacheFull", "Preempting", "Queueing"),
            (),
        )

    async def test_a_latency_in_breach_has_it_beside_it(self, loop: Loop) -> None:
        loop.prometheus.traffic = self.STRAINED
        loop.add(policy={"objectives": [TPOT]})
        found = await loop.tick()
        assert (loop.woken(), found and found.strains()) == ({CHAT}, ("KvCacheFull", "Preempting", "Queueing"))


class TestBaseline:
    async def test_what_was_accepted_is_kept_for_the_variant_that_follows(self, loop: Loop) -> None:
        loop.add()
        found = await loop.tick()
        assert found is not None
        assert found.baseline is not None
        assert (found.baseline.variant, found.baseline.acceptance_percent) == ("primary", "90.0")

    async def test_another_quantization_is_judged_by_what_it_replaced(self, loop: Loop) -> None:
        fallback = {"name": "fp8", "triggers": ["Latency"], "model": {"quantization": "fp8"}}
        primary, fp8 = (rung(spec_of(fallbacks=[fallback]), name) for name in ("primary", "fp8"))
        before = {"variant": "primary", "variantHash": primary.hash, "kin": primary.kin, "acceptancePercent": "95.1"}
        loop.add(fallbacks=[fallback], status={"activeVariant": "fp8", "baseline": before})
        loop.add_pod("chat", "chat-2", fp8.hash)
        found = await loop.tick()
        assert found is not None
        assert [(one.signal.name, one.verdict, one.reason) for one in found.findings] == [
            ("AcceptanceDrop", Verdict.BREACH, "QuantizationPenalty"),
            ("Acceptance", Verdict.RECOVERED, "AcceptanceWell"),
        ]


class TestQueries:
    async def test_their_number_does_not_grow_with_the_resources(self, loop: Loop) -> None:
        loop.add()
        await loop.tick()
        for number in range(200):
            loop.add(f"r{number}")
        await loop.tick()
        assert [len(asked) for asked in loop.prometheus.asked] == [17, 17]

    async def test_every_window_and_edge_that_is_needed_is_asked_for(self, loop: Loop) -> None:
        loop.add(policy={"objectives": [TPOT, {"metric": "Ttft", "threshold": "2s"}]})
        loop.add(
            "code",
            policy={"window": {"short": "1m", "long": "5m"}, "objectives": [{"metric": "Tpot", "threshold": "3ms"}]},
        )
        await loop.tick()
        texts = [query.text for query in loop.prometheus.asked[0]]
        spans = {text.split("[")[-1].split("]")[0] for text in texts if "increase" in text}
        assert spans == {"60s", "300s", "1800s"}
        assert {text.split('le=~"')[1].split('"')[0] for text in texts if "_bucket" in text} == {
            "0[.]003|0[.]05|[+]Inf",
            "2[.]5|[+]Inf",
        }

    async def test_an_objective_above_the_histogram_is_not_asked_for(self, loop: Loop) -> None:
        loop.add(policy={"objectives": [{"metric": "Tpot", "threshold": "900s"}]})
        await loop.tick()
        assert not any("_bucket" in query.text for query in loop.prometheus.asked[0])


class TestMetrics:
    async def test_findings_are_shown(self, loop: Loop) -> None:
        loop.add()
        await loop.tick()
        labels = {"namespace": "prod", "name": "chat", "signal": "Acceptance"}
        assert loop.value("signal_value", **labels, window="short") == 0.9
        assert loop.value("signal_verdict", **labels, verdict="Recovered") == 1.0

    async def test_the_loop_is_shown(self, loop: Loop) -> None:
        loop.add()
        await loop.tick()
        assert (
            loop.value("resources"),
            loop.value("last_evaluation_timestamp_seconds"),
            loop.value("prometheus_queries_total", endpoint="default"),
            loop.value("prometheus_seconds_count", endpoint="default"),
        ) == (1.0, loop.now.timestamp(), 17.0, 1.0)

    async def test_a_resource_that_is_forgotten_leaves_nothing(self, loop: Loop) -> None:
        loop.add()
        await loop.tick()
        loop.evaluator.forget(CHAT)
        labels = {"namespace": "prod", "name": "chat", "signal": "Acceptance", "window": "short"}
        assert (loop.evaluator.judgement(CHAT), loop.value("signal_value", **labels)) == (None, None)

    async def test_a_resource_that_goes_while_prometheus_answers_leaves_nothing(self, loop: Loop) -> None:
        loop.add()

        def go() -> None:
            gone = loop.store.resource(CHAT)
            assert gone is not None
            loop.store.remove("SpecDecodeDeployment", gone)
            loop.evaluator.forget(CHAT)

        loop.prometheus.meanwhile = go
        labels = {"namespace": "prod", "name": "chat", "signal": "Acceptance", "window": "short"}
        assert (await loop.tick(), loop.value("signal_value", **labels)) == (None, None)

    async def test_a_signal_that_the_policy_no_longer_has_leaves_nothing(self, loop: Loop) -> None:
        loop.add(policy={"objectives": [TPOT]})
        await loop.tick()
        shown = [loop.shown("TpotP99")]
        loop.add(version="2")
        await loop.tick()
        assert [*shown, loop.shown("TpotP99"), loop.shown("Acceptance")] == [True, False, True]
