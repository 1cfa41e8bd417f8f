"""Which pods count, and what makes their samples untrustworthy."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import Counter
from specdecode_operator.policy import Evidence, PodFacts, Snapshot, gather
from specdecode_operator.policy.judging.evidence import PodSamples, PodWindow, WindowEvidence
from support.builders import LONG, NOW, SHORT, buckets, counters, pod, samples, snapshot_of


def found(snapshot: Snapshot | None, *pods: PodFacts) -> Evidence:
    return gather(snapshot, pods, variant_hash="v1", short=SHORT, long=LONG)


def ready(seconds: float, name: str = "chat-1", **changes: Any) -> PodFacts:
    return pod(name, ready_since=NOW - timedelta(seconds=seconds), **changes)


def windowed(seconds: float, **changes: Any) -> PodSamples:
    """Return good samples of which one window is changed."""
    good = samples()
    return replace(good, windows={**good.windows, seconds: replace(good.windows[seconds], **changes)})


ONE = snapshot_of(chat_1=samples())
NONE_AT_ALL: dict[LatencyMetric, dict[float, float]] = {metric: {} for metric in LatencyMetric}
SHORT_POD, LONG_POD = (samples().windows[seconds] for seconds in (SHORT, LONG))
SHORT_ONE = WindowEvidence(SHORT, 100.0, counters(600, 1000), NONE_AT_ALL | buckets(5, 1000), (SHORT_POD,))
LONG_ONE = WindowEvidence(LONG, 600.0, counters(600, 1000), NONE_AT_ALL | buckets(5, 1000), (LONG_POD,))


class TestTrusted:
    def test_one_pod_in_good_health(self) -> None:
        assert found(ONE, pod()) == Evidence(SHORT_ONE, LONG_ONE)

    def test_pods_are_added_up(self) -> None:
        both = snapshot_of(chat_1=samples(), chat_2=samples())
        assert found(both, pod(), pod("chat-2")).short == WindowEvidence(
            SHORT, 200.0, counters(1200, 2000), NONE_AT_ALL | buckets(10, 2000), (SHORT_POD, SHORT_POD)
        )

    def test_samples_of_strangers_are_not_looked_at(self) -> None:
        others = snapshot_of(chat_1=samples(), stranger=samples(age=math.nan, targets=9))
        assert found(others, pod()) == Evidence(SHORT_ONE, LONG_ONE)

    def test_speculation_that_is_off_leaves_no_counters(self) -> None:
        off = replace(samples(), windows={seconds: PodWindow(60.0, 9.0) for seconds in (SHORT, LONG)})
        evidence = found(snapshot_of(chat_1=off), pod())
        assert (evidence.short and evidence.short.counters, evidence.unavailable) == ({}, None)


class TestWhoCounts:
    @pytest.mark.parametrize(
        "other",
        [
            pod("chat-2", variant_hash="v2"),
            pod("chat-2", variant_hash=""),
            pod("chat-2", terminating=True),
            pod("chat-2", ready_since=None),
            ready(1, "chat-2"),
            ready(59, "chat-2"),
        ],
    )
    def test_pods_that_do_not_count_need_no_samples(self, other: PodFacts) -> None:
        assert found(ONE, pod(), other) == Evidence(SHORT_ONE, LONG_ONE)

    @pytest.mark.parametrize(
        "pods", [(), (pod(variant_hash="v2"),), (pod(terminating=True),), (pod(ready_since=None),)]
    )
    def test_without_a_ready_pod_there_is_nothing_to_judge_yet(self, pods: tuple[PodFacts, ...]) -> None:
        assert found(ONE, *pods) == Evidence(waiting="NoReadyPods")

    @pytest.mark.parametrize("age", [0, 59, 361, 1859])
    def test_pods_younger_than_the_long_window_and_the_warm_up_are_waited_for(self, age: float) -> None:
        assert found(ONE, ready(age)) == Evidence(waiting="PodsTooYoung")

    def test_a_pod_counts_from_the_second_on_at_which_it_is_old_enough(self) -> None:
        assert found(ONE, ready(1860)) == Evidence(SHORT_ONE, LONG_ONE)

    def test_a_young_pod_counts_in_the_short_window_alone(self) -> None:
        both = snapshot_of(chat_1=samples(), chat_2=samples())
        evidence = found(both, pod(), ready(600, "chat-2"))
        assert (evidence.short and evidence.short.requests, evidence.long and evidence.long.requests) == (200.0, 600.0)

    def test_warm_up_is_at_most_the_short_window(self) -> None:
        quick = PodSamples(1.0, 1, {20.0: PodWindow(20.0, 5.0), 60.0: PodWindow(60.0, 15.0)})
        snapshot = Snapshot(NOW, {("prod", "chat-1"): quick}, 1.0)
        ages = (79, 80)
        waits = [gather(snapshot, [ready(age)], variant_hash="v1", short=20.0, long=60.0).waiting for age in ages]
        assert waits == ["PodsTooYoung", None]


class TestDistrust:
    def test_no_snapshot(self) -> None:
        assert found(None, pod()) == Evidence(unavailable="EndpointUnavailable")

    @pytest.mark.parametrize(
        ("broken", "reason"),
        [
            (samples(targets=0), "PodsNotScraped"),
            (PodSamples(), "PodsNotScraped"),
            (samples(targets=2), "PodsScrapedTwice"),
            (samples(targets=3), "PodsScrapedTwice"),
            (samples(targets=0.5), "PodsScrapedTwice"),
            (samples(targets=-1), "PodsScrapedTwice"),
            (samples(targets=math.nan), "PodsScrapedTwice"),
            (samples(targets=math.inf), "PodsScrapedTwice"),
            (samples(age=90.001), "SamplesStale"),
            (samples(age=math.inf), "SamplesStale"),
            (samples(age=math.nan), "SamplesStale"),
            (samples(windows={}), "SamplesMissing"),
            (windowed(SHORT, scrapes=7.99), "SamplesMissing"),
            (windowed(LONG, scrapes=47.9), "SamplesMissing"),
            (windowed(LONG, scrapes=math.nan), "SamplesMissing"),
            (windowed(LONG, scrapes=0.0), "SamplesMissing"),
            (windowed(LONG, scrapes=-60.0), "SamplesMissing"),
        ],
    )
    @pytest.mark.parametrize("beside_a_good_one", [False, True])
    def test_one_pod_that_cannot_be_trusted_spoils_all(
        self, broken: PodSamples, reason: str, *, beside_a_good_one: bool
    ) -> None:
        pods = [pod(), pod("chat-2")] if beside_a_good_one else [pod()]
        snapshot = snapshot_of(chat_1=broken, chat_2=samples())
        assert found(snapshot, *pods) == Evidence(unavailable=reason)

    def test_a_pod_that_prometheus_has_never_seen(self) -> None:
        assert found(ONE, pod(), pod("chat-9")) == Evidence(unavailable="PodsNotScraped")

    @pytest.mark.parametrize(
        "good",
        [
            samples(age=90.0),
            windowed(SHORT, scrapes=8.0),
            windowed(LONG, scrapes=48.0),
            samples(age=0.0),
            samples(age=-1.0),
        ],
    )
    def test_what_is_just_good_enough_is_trusted(self, good: PodSamples) -> None:
        assert found(snapshot_of(chat_1=good), pod()).unavailable is None

    @pytest.mark.parametrize(("interval", "age", "reason"), [(60.0, 180.0, None), (60.0, 180.1, "SamplesStale")])
    def test_slow_scrapes_may_be_three_intervals_old(self, interval: float, age: float, reason: str | None) -> None:
        snapshot = replace(snapshot_of(chat_1=samples(age=age)), scrape_interval=interval)
        assert found(snapshot, pod()).unavailable == reason

    def test_a_pod_that_is_still_warming_up_may_be_unknown_to_prometheus(self) -> None:
        assert found(ONE, pod(), ready(30, "chat-2")).unavailable is None

    def test_a_warm_pod_may_not_even_while_it_is_too_young_to_judge(self) -> None:
        assert found(snapshot_of(), ready(61)) == Evidence(unavailable="PodsNotScraped")


class TestSums:
    def test_a_counter_that_one_pod_lacks_is_no_number(self) -> None:
        lacking = windowed(SHORT, counters={Counter.DRAFT_TOKENS: 1000.0})
        evidence = found(snapshot_of(chat_1=samples(), chat_2=lacking), pod(), pod("chat-2"))
        assert evidence.short is not None
        assert evidence.short.counters[Counter.DRAFT_TOKENS] == 2000.0
        assert math.isnan(evidence.short.counters[Counter.ACCEPTED_TOKENS])

    def test_a_bucket_that_one_pod_lacks_is_no_number(self) -> None:
        lacking = windowed(SHORT, buckets={LatencyMetric.TPOT: {math.inf: 1000.0}})
        evidence = found(snapshot_of(chat_1=samples(), chat_2=lacking), pod(), pod("chat-2"))
        assert evidence.short is not None
        assert math.isnan(evidence.short.buckets[LatencyMetric.TPOT][0.05])
        assert evidence.short.buckets[LatencyMetric.TPOT][math.inf] == 2000.0

    def test_requests_that_one_pod_lacks_are_none_finished(self) -> None:
        """A counter that never moved since its first scrape has no increase; fewer requests only mean more patience."""
        evidence = found(snapshot_of(chat_1=samples(), chat_2=windowed(SHORT, requests=None)), pod(), pod("chat-2"))
        assert (evidence.short and evidence.short.requests, evidence.long and evidence.long.requests) == (100.0, 1200.0)

    def test_requests_that_are_no_number_stay_so(self) -> None:
        evidence = found(snapshot_of(chat_1=windowed(LONG, requests=math.nan)), pod())
        assert evidence.long is not None
        assert math.isnan(evidence.long.requests)

    @pytest.mark.parametrize(("first", "second", "total"), [(1e308, 1e308, math.inf), (math.inf, 1.0, math.inf)])
    def test_counts_beyond_all_bounds_are_infinite(self, first: float, second: float, total: float) -> None:
        assert self.drafted(first, second) == total

    def test_infinities_that_cancel_out_are_no_number(self) -> None:
        assert math.isnan(self.drafted(math.inf, -math.inf))

    def drafted(self, first: float, second: float) -> float:
        """Return the sum of two pods' draft tokens in the short window."""
        pods = [windowed(SHORT, counters={Counter.DRAFT_TOKENS: count}) for count in (first, second)]
        evidence = found(snapshot_of(chat_1=pods[0], chat_2=pods[1]), pod(), pod("chat-2"))
        assert evidence.short is not None
        return evidence.short.counters[Counter.DRAFT_TOKENS]
