"""The PromQL, word by word, and the way back from its answers."""

import math
from collections.abc import Iterable

import pytest

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import NEWEST, Counter, Gauge, Version
from specdecode_operator.engine.versions import READ
from specdecode_operator.policy import Demand, Query, Row, Scope, queries, snapshot
from specdecode_operator.policy.judging.evidence import PodSamples, PodWindow, Snapshot
from specdecode_operator.policy.judging.queries import Kind
from support.builders import NOW

TWO_WINDOWS = frozenset({1800.0, 300.0})
TPOT_EDGE = {LatencyMetric.TPOT: frozenset({0.05})}

GOLDEN = [
    'max by (namespace, pod) (time() - timestamp(vllm:num_requests_running{pod!=""}))',
    'count by (namespace, pod) (count by (namespace, pod, job, instance) (vllm:num_requests_running{pod!=""}))',
    'max by (namespace, pod) (count_over_time(vllm:num_requests_running{pod!=""}[300s]))',
    'sum by (namespace, pod) (increase(vllm:e2e_request_latency_seconds_count{pod!=""}[300s]))',
    'sum by (namespace, pod) (increase(vllm:spec_decode_num_drafts_total{pod!=""}[300s]))',
    'sum by (namespace, pod) (increase(vllm:spec_decode_num_draft_tokens_total{pod!=""}[300s]))',
    'sum by (namespace, pod) (increase(vllm:spec_decode_num_accepted_tokens_total{pod!=""}[300s]))',
    (
        "sum by (namespace, pod, le) (increase(vllm:request_time_per_output_token_seconds_bucket"
        '{pod!="",le=~"0[.]05|[+]Inf"}[300s]))'
    ),
]


LOADS = [
    'sum by (namespace, pod) (increase(vllm:num_preemptions_total{pod!=""}[300s]))',
    'sum by (namespace, pod) (avg_over_time(vllm:num_requests_running{pod!=""}[300s]))',
    'sum by (namespace, pod) (avg_over_time(vllm:num_requests_waiting{pod!=""}[300s]))',
    (
        'max by (namespace, pod) (avg_over_time(vllm:kv_cache_usage_perc{pod!=""}[300s])'
        ' or avg_over_time(vllm:gpu_cache_usage_perc{pod!=""}[300s]))'
    ),
    (
        'max by (namespace, pod) (max_over_time(vllm:kv_cache_usage_perc{pod!=""}[300s])'
        ' or max_over_time(vllm:gpu_cache_usage_perc{pod!=""}[300s]))'
    ),
]
LENGTHS = [
    'sum by (namespace, pod) (increase(vllm:generation_tokens_total{pod!=""}[300s]))',
    'sum by (namespace, pod) (increase(vllm:time_to_first_token_seconds_count{pod!=""}[300s]))',
    'sum by (namespace, pod) (avg_over_time(vllm:num_requests_running{pod!=""}[300s]))',
]


def texts(demand: Demand, scope: Scope | None = None) -> list[str]:
    return [query.text for query in queries(demand, scope or Scope())]


class TestText:
    def test_one_window_and_one_objective(self) -> None:
        assert texts(Demand(frozenset({300.0}), TPOT_EDGE)) == GOLDEN

    def test_a_second_window_repeats_what_depends_on_it(self) -> None:
        again = [text.replace("300s", "1800s") for text in GOLDEN[2:]]
        assert texts(Demand(TWO_WINDOWS, TPOT_EDGE)) == GOLDEN + again

    def test_nothing_is_asked_where_nothing_is_needed(self) -> None:
        assert texts(Demand()) == []

    def test_labels_and_a_matcher_of_the_endpoint(self) -> None:
        scope = Scope("kubernetes_namespace", "pod_name", {"cluster": "eu-1", "az": "b"})
        by, fixed = "kubernetes_namespace, pod_name", '{pod_name!="",az="b",cluster="eu-1"}'
        assert texts(Demand(frozenset({60.0})), scope)[:4] == [
            f"max by ({by}) (time() - timestamp(vllm:num_requests_running{fixed}))",
            f"count by ({by}) (count by ({by}, job, instance) (vllm:num_requests_running{fixed}))",
            f"max by ({by}) (count_over_time(vllm:num_requests_running{fixed}[60s]))",
            f"sum by ({by}) (increase(vllm:e2e_request_latency_seconds_count{fixed}[60s]))",
        ]

    @pytest.mark.parametrize(
        ("value", "escaped"),
        [
            ('a"b', r"a\"b"),
            ("a\\b", r"a\\b"),
            ("a\nb", r"a\nb"),
            ('"} or vector(1) #', r"\"} or vector(1) #"),
            ('\\"', r"\\\""),
            ("grün", "grün"),
        ],
    )
    def test_the_value_of_a_matcher_cannot_leave_its_quotes(self, value: str, escaped: str) -> None:
        found = texts(Demand(frozenset({60.0})), Scope(matchers={"cluster": value}))
        assert (
            found[0]
            == f'max by (namespace, pod) (time() - timestamp(vllm:num_requests_running{{pod!="",cluster="{escaped}"}}))'
        )

    @pytest.mark.parametrize(
        ("edges", "pattern"),
        [
            ({0.05}, "0[.]05|[+]Inf"),
            ({1.0}, "1|1[.]0|[+]Inf"),
            ({2.5, 10.0}, "10|10[.]0|2[.]5|[+]Inf"),
            ({0.0125}, "0[.]0125|[+]Inf"),
            ({7680.0}, "7680|7680[.]0|[+]Inf"),
        ],
    )
    def test_an_edge_is_found_however_prometheus_writes_it(self, edges: set[float], pattern: str) -> None:
        found = texts(Demand(frozenset({60.0}), {LatencyMetric.E2E: frozenset(edges)}))[-1]
        assert f'le=~"{pattern}"' in found

    def test_windows_are_whole_seconds_in_the_order_of_their_length(self) -> None:
        found = texts(Demand(frozenset({7200.0, 20.0, 60.0})))
        spans = [text.split("[")[1].split("]")[0] for text in found if "count_over_time" in text]
        assert spans == ["20s", "60s", "7200s"]

    @pytest.mark.parametrize(
        ("seconds", "span"), [(86_400.0, "86400s"), (1_000_000.0, "1000000s"), (1_234_567.0, "1234567s")]
    )
    def test_a_long_window_is_whole_seconds_too(self, seconds: float, span: str) -> None:
        found = texts(Demand(frozenset({seconds}), TPOT_EDGE))[2:]
        assert {text.rsplit("[", 1)[1].split("]")[0] for text in found} == {span}

    def test_the_load_is_asked_over_the_windows_that_need_it(self) -> None:
        found = texts(Demand(TWO_WINDOWS, loads=frozenset({300.0})))
        bare = texts(Demand(TWO_WINDOWS))
        assert [text for text in found if text not in bare] == LOADS

    def test_lengths_need_all_tokens_and_the_running_requests_in_every_window(self) -> None:
        found = texts(Demand(TWO_WINDOWS, lengths=True))
        bare = texts(Demand(TWO_WINDOWS))
        expected = LENGTHS + [text.replace("300s", "1800s") for text in LENGTHS]
        assert [text for text in found if text not in bare] == expected

    def test_what_both_need_is_asked_once(self) -> None:
        found = texts(Demand(frozenset({300.0}), loads=frozenset({300.0}), lengths=True))
        assert sorted(found) == sorted({*found, *LOADS, *LENGTHS})

    def test_metrics_come_in_a_fixed_order(self) -> None:
        edges = {metric: frozenset({1.0}) for metric in (LatencyMetric.TTFT, LatencyMetric.E2E, LatencyMetric.TPOT)}
        found = [query.metric for query in queries(Demand(frozenset({60.0}), edges), Scope()) if query.metric]
        assert found == [LatencyMetric.E2E, LatencyMetric.TPOT, LatencyMetric.TTFT]


class TestReleases:
    """A series is asked for by the names that it has in the releases behind the endpoint."""

    @pytest.mark.parametrize(
        ("versions", "metric", "number"),
        [
            (["0.8.5"], LatencyMetric.TPOT, 0),
            (["0.8.5", "0.9.2", "0.10.2"], LatencyMetric.TPOT, 0),
            (["0.11.0"], LatencyMetric.TPOT, 1),
            (["0.8.5", "0.33.0"], LatencyMetric.TPOT, 1),
            ([str(version) for version in READ], LatencyMetric.TPOT, 1),
            (["0.8.3"], LatencyMetric.TTFT, 1),
            ([str(version) for version in READ], LatencyMetric.TTFT, 1),
            ([str(version) for version in READ], LatencyMetric.E2E, 1),
            ([], LatencyMetric.E2E, 0),
        ],
    )
    def test_a_histogram_is_asked_for_once_a_name(
        self, versions: list[str], metric: LatencyMetric, number: int
    ) -> None:
        demand = Demand(frozenset({60.0}), {metric: frozenset({1.0})}, versions=frozenset(map(Version.parse, versions)))
        assert len([text for text in texts(demand) if "_bucket" in text]) == number

    def test_the_newest_release_counts_where_none_is_given(self) -> None:
        assert texts(Demand(TWO_WINDOWS, TPOT_EDGE)) == texts(
            Demand(TWO_WINDOWS, TPOT_EDGE, versions=frozenset({NEWEST}))
        )


class TestNumber:
    @pytest.mark.parametrize(
        ("windows", "metrics", "number"),
        [(1, 0, 2 + 5), (2, 0, 2 + 10), (2, 1, 2 + 12), (2, 3, 2 + 16), (4, 3, 2 + 32)],
    )
    def test_it_grows_with_windows_and_signals(self, windows: int, metrics: int, number: int) -> None:
        seconds = frozenset(60.0 * (index + 1) for index in range(windows))
        edges = {metric: frozenset({0.05}) for metric in list(LatencyMetric)[:metrics]}
        assert len(texts(Demand(seconds, edges))) == number

    def test_it_grows_with_what_is_compared_and_not_with_resources(self) -> None:
        everything = Demand(TWO_WINDOWS, TPOT_EDGE, loads=frozenset({300.0}), lengths=True)
        assert len(texts(everything)) == 2 + 12 + 5 + 2 * 2 + 1

    def test_it_does_not_grow_with_edges(self) -> None:
        few = Demand(TWO_WINDOWS, {LatencyMetric.TPOT: frozenset({0.05})})
        many = Demand(TWO_WINDOWS, {LatencyMetric.TPOT: frozenset(index / 100 for index in range(1, 500))})
        assert len(texts(few)) == len(texts(many))


PROD: dict[str, str] = {"namespace": "prod", "pod": "chat-1"}
AGE, TARGETS = Query("", Kind.AGE), Query("", Kind.TARGETS)
SCRAPES, REQUESTS = Query("", Kind.SCRAPES, 300.0), Query("", Kind.REQUESTS, 300.0)
DRAFTED = Query("", Kind.COUNTER, 300.0, counter=Counter.DRAFT_TOKENS)
SLOW = Query("", Kind.BUCKETS, 300.0, metric=LatencyMetric.TPOT)
WAITING = Query("", Kind.MEAN, 300.0, gauge=Gauge.WAITING)
USED, FULLEST = (Query("", kind, 300.0, gauge=Gauge.KV_CACHE_USAGE) for kind in (Kind.MEAN, Kind.PEAK))


def collected(*answers: tuple[Query, Iterable[Row]], scope: Scope | None = None) -> Snapshot:
    return snapshot(answers, scope=scope or Scope(), at=NOW, scrape_interval=30.0)


def only(*answers: tuple[Query, Iterable[Row]]) -> PodSamples:
    """Return the only pod, of which ten scrapes are known."""
    found = collected((SCRAPES, [Row(PROD, 10.0)]), *answers)
    return found.pods["prod", "chat-1"]


class TestSnapshot:
    def test_answers_are_joined_by_pod(self) -> None:
        other = {"namespace": "prod", "pod": "chat-2"}
        found = collected(
            (AGE, [Row(PROD, 12.0), Row(other, 7.0)]),
            (TARGETS, [Row(PROD, 1.0), Row(other, 2.0)]),
            (SCRAPES, [Row(PROD, 10.0), Row(other, 9.0)]),
            (REQUESTS, [Row(PROD, 40.0)]),
            (DRAFTED, [Row(PROD, 900.0)]),
            (SLOW, [Row(PROD | {"le": "0.05"}, 39.0), Row(PROD | {"le": "+Inf"}, 40.0)]),
        )
        full = PodWindow(10.0, 40.0, {Counter.DRAFT_TOKENS: 900.0}, {LatencyMetric.TPOT: {0.05: 39.0, math.inf: 40.0}})
        assert found == Snapshot(
            NOW,
            {
                ("prod", "chat-1"): PodSamples(12.0, 1, {300.0: full}),
                ("prod", "chat-2"): PodSamples(7.0, 2, {300.0: PodWindow(9.0)}),
            },
            30.0,
        )

    def test_means_and_peaks_of_a_gauge_are_kept_apart(self) -> None:
        found = only((WAITING, [Row(PROD, 3.0)]), (USED, [Row(PROD, 0.5)]), (FULLEST, [Row(PROD, 0.9)])).windows[300.0]
        assert (found.gauges, found.peaks) == (
            {Gauge.WAITING: 3.0, Gauge.KV_CACHE_USAGE: 0.5},
            {Gauge.KV_CACHE_USAGE: 0.9},
        )

    def test_a_gauge_that_comes_twice_is_no_number(self) -> None:
        found = only((USED, [Row(PROD, 0.5), Row(PROD, 0.5)])).windows[300.0]
        assert math.isnan(found.gauges[Gauge.KV_CACHE_USAGE])

    def test_nothing_answered_is_nothing_known(self) -> None:
        assert collected() == Snapshot(NOW, {}, 30.0)

    def test_pods_of_the_same_name_in_two_namespaces_are_two(self) -> None:
        found = collected((AGE, [Row(PROD, 1.0), Row(PROD | {"namespace": "dev"}, 2.0)]))
        assert set(found.pods) == {("prod", "chat-1"), ("dev", "chat-1")}

    def test_the_labels_of_the_endpoint_are_read(self) -> None:
        found = collected((AGE, [Row({"ns": "a", "p": "b"}, 1.0)]), scope=Scope("ns", "p"))
        assert set(found.pods) == {("a", "b")}

    def test_a_series_without_the_labels_belongs_to_nobody(self) -> None:
        assert set(collected((AGE, [Row({"instance": "10.0.0.1"}, 1.0)])).pods) == {("", "")}

    def test_a_window_without_scrapes_is_not_known(self) -> None:
        found = collected((REQUESTS, [Row(PROD, 40.0)]))
        assert found.pods["prod", "chat-1"].windows == {}

    @pytest.mark.parametrize(
        ("le", "bound"),
        [("0.05", 0.05), ("1", 1.0), ("1.0", 1.0), ("1e-3", 0.001), ("+Inf", math.inf), ("Inf", math.inf)],
    )
    def test_bounds_are_numbers(self, le: str, bound: float) -> None:
        found = only((SLOW, [Row(PROD | {"le": le}, 5.0)])).windows[300.0]
        assert found.buckets == {LatencyMetric.TPOT: {bound: 5.0}}

    @pytest.mark.parametrize("labels", [{"le": "fast"}, {"le": ""}, {"le": "NaN"}, {}])
    def test_a_bucket_without_a_bound_is_no_known_edge(self, labels: dict[str, str]) -> None:
        found = only((SLOW, [Row(PROD | labels, 5.0)])).windows[300.0].buckets[LatencyMetric.TPOT]
        assert [math.isnan(bound) for bound in found] == [True]

    def test_a_counter_that_comes_twice_is_no_number(self) -> None:
        found = only((DRAFTED, [Row(PROD, 5.0), Row(PROD, 5.0)])).windows[300.0]
        assert math.isnan(found.counters[Counter.DRAFT_TOKENS])

    def test_a_bucket_that_comes_twice_is_no_number(self) -> None:
        rows = [Row(PROD | {"le": "1"}, 5.0), Row(PROD | {"le": "1.0"}, 5.0)]
        found = only((SLOW, rows)).windows[300.0].buckets[LatencyMetric.TPOT]
        assert math.isnan(found[1.0])

    def test_three_times_is_no_number_either(self) -> None:
        found = only((DRAFTED, [Row(PROD, 5.0)] * 3)).windows[300.0]
        assert math.isnan(found.counters[Counter.DRAFT_TOKENS])

    @pytest.mark.parametrize("value", [1.0, 0.0, -1.0, 0.5, 2.0, math.inf, -math.inf])
    def test_targets_are_kept_as_they_come(self, value: float) -> None:
        assert only((TARGETS, [Row(PROD, value)])).targets == value

    def test_targets_that_are_no_number_stay_so(self) -> None:
        assert math.isnan(only((TARGETS, [Row(PROD, math.nan)])).targets)

    def test_targets_that_nobody_counted_are_none(self) -> None:
        assert only().targets == 0

    def test_an_age_that_comes_twice_is_no_number(self) -> None:
        assert math.isnan(only((AGE, [Row(PROD, 500.0), Row(PROD, 1.0)])).age)

    def test_targets_that_come_twice_are_no_number(self) -> None:
        assert math.isnan(only((TARGETS, [Row(PROD, 1.0), Row(PROD, 1.0)])).targets)

    def test_scrapes_that_come_twice_are_no_number(self) -> None:
        assert math.isnan(only((SCRAPES, [Row(PROD, 10.0)])).windows[300.0].scrapes)

    def test_requests_that_come_twice_are_no_number(self) -> None:
        found = only((REQUESTS, [Row(PROD, 5.0), Row(PROD, 9.0)])).windows[300.0].requests
        assert found is not None
        assert math.isnan(found)
