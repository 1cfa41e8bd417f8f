"""What the pods are short of, how it is said, and whether others could take over."""

import math
from dataclasses import replace

import pytest

from specdecode_operator.engine import Counter, Gauge
from specdecode_operator.policy import Pressure, pressure
from specdecode_operator.policy.judging.evidence import PodWindow
from specdecode_operator.policy.judging.pressure import Strain, words
from support.builders import window

NAN, INF = math.nan, math.inf
FULL, PREEMPTING, QUEUEING = Strain
CALM = Pressure(kv_cache_usage=0.3, kv_cache_peak=0.4, waiting=0.0, running=8.0, preemptions=0.0)


def loaded(
    usage: float = 0.3, peak: float = 0.4, waiting: float = 0.0, running: float = 8.0, preemptions: float = 0.0
) -> PodWindow:
    gauges = {Gauge.KV_CACHE_USAGE: usage, Gauge.WAITING: waiting, Gauge.RUNNING: running}
    return PodWindow(counters={Counter.PREEMPTIONS: preemptions}, gauges=gauges, peaks={Gauge.KV_CACHE_USAGE: peak})


def seen(*pods: PodWindow) -> Pressure:
    return pressure(window(pods=pods))


class TestPressure:
    def test_the_fullest_pod_and_the_longest_queue_count(self) -> None:
        assert seen(loaded(0.2, 0.9, 4.0, 10.0, 1.0), loaded(0.6, 0.7, 0.0, 20.0, 2.0)) == Pressure(
            kv_cache_usage=0.6, kv_cache_peak=0.9, waiting=4.0, running=15.0, preemptions=3.0
        )

    def test_one_pod_is_all_of_them(self) -> None:
        assert seen(loaded()) == CALM

    @pytest.mark.parametrize("unseen", [pressure(None), seen()])
    def test_without_pods_nothing_is_known(self, unseen: Pressure) -> None:
        assert unseen == Pressure()

    @pytest.mark.parametrize("value", [NAN, INF, -INF, -0.1])
    def test_a_pod_of_which_something_cannot_be_known_leaves_it_unknown(self, value: float) -> None:
        found = seen(loaded(), loaded(usage=value, peak=value, waiting=value))
        assert [math.isnan(figure) for figure in (found.kv_cache_usage, found.kv_cache_peak, found.waiting)] == [
            True,
            True,
            True,
        ]

    def test_a_pod_without_any_gauge_leaves_everything_unknown(self) -> None:
        found = seen(loaded(), PodWindow())
        figures = (found.kv_cache_usage, found.kv_cache_peak, found.waiting, found.running, found.preemptions)
        assert all(map(math.isnan, figures))


class TestReasons:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, ()),
            ({"kv_cache_usage": 0.9}, ()),
            ({"kv_cache_usage": 0.901}, (FULL,)),
            ({"kv_cache_peak": 1.0}, ()),
            ({"preemptions": 0.1}, (PREEMPTING,)),
            ({"waiting": 0.99}, ()),
            ({"waiting": 1.0}, (QUEUEING,)),
            ({"kv_cache_usage": 1.0, "preemptions": 9.0, "waiting": 3.0}, (FULL, PREEMPTING, QUEUEING)),
            ({"kv_cache_usage": NAN, "preemptions": NAN, "waiting": NAN}, ()),
        ],
    )
    def test_each_has_its_line(self, changes: dict[str, float], expected: tuple[Strain, ...]) -> None:
        assert replace(CALM, **changes).reasons() == expected

    def test_what_is_not_known_is_no_reason(self) -> None:
        assert (Pressure().reasons(), Pressure().figures()) == ((), None)

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, None),
            ({"kv_cache_usage": 0.974}, "the KV cache is 97% full"),
            ({"kv_cache_usage": 0.974, "waiting": 3.21}, "the KV cache is 97% full and 3.21 requests wait"),
            (
                {"kv_cache_usage": 1.0, "preemptions": 12.4, "waiting": 40.0},
                "the KV cache is 100% full, 12.4 requests were preempted and 40 requests wait",
            ),
        ],
    )
    def test_a_record_has_the_figures(self, changes: dict[str, float], expected: str | None) -> None:
        assert replace(CALM, **changes).figures() == expected

    @pytest.mark.parametrize(
        ("strains", "expected"),
        [
            ((), None),
            ((QUEUEING,), "requests wait"),
            ((FULL, QUEUEING), "the KV cache is nearly full and requests wait"),
            (tuple(Strain), "the KV cache is nearly full, requests are preempted and requests wait"),
        ],
    )
    def test_a_condition_has_words_alone(self, strains: tuple[Strain, ...], expected: str | None) -> None:
        assert words(strains) == expected


class TestHeadroom:
    @pytest.mark.parametrize(
        ("pods", "peak", "expected"),
        [
            (2, 0.45, True),
            (2, 0.46, False),
            (3, 0.6, True),
            (3, 0.61, False),
            (10, 0.8, True),
            (10, 0.82, False),
            (1, 0.1, False),
            (0, 0.1, False),
            (2, 0.0, True),
        ],
    )
    def test_the_others_take_an_even_share_and_stay_below_nine_tenths(
        self, pods: int, peak: float, *, expected: bool
    ) -> None:
        assert replace(CALM, kv_cache_peak=peak).headroom(pods) is expected

    @pytest.mark.parametrize(
        "changes",
        [
            {"waiting": 0.1},
            {"preemptions": 1.0},
            {"waiting": NAN},
            {"preemptions": NAN},
            {"kv_cache_peak": NAN},
            {"kv_cache_peak": -0.1},
        ],
    )
    def test_a_queue_preemptions_or_anything_unknown_is_no_headroom(self, changes: dict[str, float]) -> None:
        assert replace(CALM, **changes).headroom(8) is False

    def test_nothing_known_is_no_headroom(self) -> None:
        assert Pressure().headroom(100) is False
