"""How sure one can be of a mean out of a histogram, of a ratio, and of a share."""

import math
from dataclasses import astuple

import pytest

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import NEWEST, Version, bucket_edges
from specdecode_operator.policy.trials.arms import Batch, Distribution
from specdecode_operator.policy.trials.intervals import (
    Moments,
    Share,
    design_effect,
    moments,
    ratio_of_means,
    share,
)
from support.arms import MEANS, times

INF, NAN = math.inf, math.nan


def histogram(total: float, count: float, buckets: dict[float, float]) -> Distribution:
    return Distribution(total, count, buckets)


class TestDesignEffect:
    @pytest.mark.parametrize(
        ("requests", "window", "correlation", "effect"),
        [
            (600, 600, 0.02, 1 + 0.02 * 29),
            (1200, 600, 0.02, 1 + 0.02 * 59),
            (20, 600, 0.02, 1),
            (1, 600, 0.02, 1),
            (0, 600, 0.02, 1),
            (600, 600, 0, 1),
            (600, 600, 1, 30),
            (400, 20, 0.02, 1 + 0.02 * 399),
        ],
    )
    def test_it_grows_with_the_requests_of_half_a_minute(
        self, requests: float, window: float, correlation: float, effect: float
    ) -> None:
        assert design_effect(requests, window, correlation) == pytest.approx(effect)


class TestMoments:
    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            pytest.param(
                histogram(1.75, 100, {0.01: 0, 0.025: 100, INF: 100}),
                Moments(100, 0.0175, 0.015**2 / 12 / 0.0175**2),
                id="one bucket is evenly filled",
            ),
            pytest.param(
                histogram(0.5, 100, {0.01: 100, INF: 100}), Moments(100, 0.005, 1 / 3), id="the lowest bucket"
            ),
            pytest.param(
                histogram(0.2, 100, {0.01: 100, INF: 100}),
                Moments(100, 0.002, 1 / 3),
                id="the mean is that of the sum, the spread that of the buckets",
            ),
            pytest.param(
                histogram(200, 100, {1.0: 50, INF: 100}),
                Moments(100, 2.0, (50 / 3 + 50 * (1 + 2 * 2.5 + 2 * 2.5**2)) / 100 / 4 - 1),
                id="above the last edge is the mean that the sum leaves",
            ),
            pytest.param(
                histogram(60, 100, {1.0: 50, INF: 100}),
                Moments(100, 0.6, (50 / 3 + 50) / 100 / 0.75**2 - 1),
                id="but at least the last edge",
            ),
        ],
    )
    def test_mean_and_spread(self, found: Distribution, expected: Moments) -> None:
        result = moments(found)
        assert result is not None
        assert result.deviations == ()
        assert astuple(result)[:3] == pytest.approx(astuple(expected)[:3])

    @pytest.mark.parametrize("deviation", [0.2, 0.5, 1.0])
    @pytest.mark.parametrize("metric", list(LatencyMetric))
    @pytest.mark.parametrize("version", [Version.parse("0.31.0"), NEWEST])
    def test_the_spread_of_lognormal_times_is_not_taken_too_small(
        self, metric: LatencyMetric, version: Version, deviation: float
    ) -> None:
        found = moments(times(MEANS[metric], edges=bucket_edges(metric, version), deviation=deviation))
        assert found is not None
        assert found.variation >= 0.95 * (math.exp(deviation**2) - 1)

    @pytest.mark.parametrize(
        "found",
        [
            Distribution(),
            histogram(NAN, 100, {1.0: 100, INF: 100}),
            histogram(10, NAN, {1.0: 100, INF: 100}),
            histogram(10, 100, {1.0: NAN, INF: 100}),
            histogram(INF, 100, {1.0: 100, INF: 100}),
            histogram(10, INF, {1.0: 100, INF: INF}),
            histogram(-10, 100, {1.0: 100, INF: 100}),
            histogram(10, 100, {1.0: -1, INF: 100}),
            histogram(10, 1e300, {1.0: 1e300, INF: 1e300}),
            histogram(0, 0, {1.0: 0, INF: 0}),
            histogram(0, 100, {1.0: 100, INF: 100}),
            histogram(5e-324, 1e15, {1.0: 1e15, INF: 1e15}),
            histogram(10, 100, {}),
            histogram(10, 100, {INF: 100}),
            histogram(10, 100, {1.0: 100}),
            histogram(10, 100, {NAN: 100, 1.0: 100, INF: 100}),
            histogram(10, 100, {-1.0: 0, 1.0: 100, INF: 100}),
            histogram(10, 100, {0.0: 0, 1.0: 100, INF: 100}),
            histogram(10, 100, {5e-324: 0, 1.0: 100, INF: 100}),
            histogram(10, 100, {1.0: 100, 1e300: 100, INF: 100}),
            histogram(60, 100, {1.0: 60, 2.0: 58, INF: 100}),
            histogram(10, 100, {1.0: 102, INF: 100}),
            histogram(10, 100, {1.0: 90, INF: 98}),
            histogram(110, 100, {1.0: 100, INF: 100}),
            histogram(45, 100, {0.5: 0, 1.0: 100, INF: 100}),
        ],
    )
    def test_figures_that_no_histogram_has_say_nothing(self, found: Distribution) -> None:
        assert moments(found) is None

    @pytest.mark.parametrize(
        "found",
        [
            histogram(100, 100, {1.0: 100, INF: 100.9}),
            histogram(1.5, 100, {0.01: 50.5, 0.02: 50, INF: 100.5}),
            histogram(104, 100, {1.0: 100, INF: 100}),
            histogram(48, 100, {0.5: 0, 1.0: 100, INF: 100}),
        ],
    )
    def test_a_little_is_left_for_extrapolation(self, found: Distribution) -> None:
        assert moments(found) is not None


class TestBatches:
    BUCKETS = {1.0: 0.0, 3.0: 100.0, INF: 100.0}

    @pytest.mark.parametrize(
        ("batches", "deviations"),
        [
            pytest.param([(20, 10), (20, 10)], (0, 0), id="alike"),
            pytest.param([(30, 10), (10, 10)], (0.5, -0.5), id="one slower"),
            pytest.param([(40, 20), (20, 10), (0, 0)], (0, 0, 0), id="rates do not matter"),
            pytest.param([(60, 20), (20, 20)], (0.5, -0.5), id="nor does how much was extrapolated"),
            pytest.param([(20, 10)], (0,), id="only one"),
            pytest.param([], (), id="none"),
            pytest.param([(0, 0), (0, 0)], (), id="nothing in them"),
            pytest.param([(0, 10), (0, 10)], (), id="no time in them"),
            pytest.param([(NAN, 10), (20, 10)], (), id="no number"),
            pytest.param([(INF, 10), (20, 10)], (), id="infinite"),
        ],
    )
    def test_they_deviate_by_what_they_are_over_the_mean(
        self, batches: list[tuple[float, float]], deviations: tuple[float, ...]
    ) -> None:
        found = Distribution(200.0, 100.0, self.BUCKETS, {key: Batch(*one) for key, one in enumerate(batches)})
        result = moments(found)
        assert result is not None
        assert result.deviations == pytest.approx(deviations)

    @pytest.mark.parametrize(
        ("deviations", "effect"),
        [((), 1), ((0.0,), 1), ((0.0, 0.0), 1), ((0.1, -0.1), 4.0), ((0.01, -0.01), 1), ((0.2, -0.2), 16.0)],
    )
    def test_their_variance_by_that_of_independent_requests_is_the_effect(
        self, deviations: tuple[float, ...], effect: float
    ) -> None:
        assert Moments(100, 2.0, 0.25, deviations).effect == pytest.approx(effect)


class TestRatioOfMeans:
    EVEN = (0.0,) * 10

    def test_the_interval_is_that_of_the_logarithm(self) -> None:
        half = 1.959964 * math.sqrt(0.25 / 400 + 2 * 0.16 / 800)
        parts = Moments(400, 3.0, 0.25, self.EVEN), Moments(800, 4.0, 0.16, self.EVEN)
        found = ratio_of_means(*parts, part_effect=1, base_effect=2)
        assert astuple(found) == pytest.approx((0.75, 0.75 * math.exp(-half), 0.75 * math.exp(half)))

    @pytest.mark.parametrize(
        ("first", "second", "half"),
        [
            pytest.param((0.5, -0.5), (0.0, 0.0), 12.706 * 0.5, id="two batches"),
            pytest.param((0.3, -0.3, 0.0), (0.0, 0.0, 0.0), 4.303 * math.sqrt(0.18 / 6), id="three"),
            pytest.param(
                (0.3, -0.3, 0.0), (0.2, -0.2, 0.0), 4.303 * math.sqrt(0.02 / 6), id="what both have cancels out"
            ),
            pytest.param((0.3, -0.3, 0.0), (-0.2, 0.2, 0.0), 4.303 * math.sqrt(0.5 / 6), id="the opposite adds up"),
            pytest.param((0.1, -0.1, *EVEN[:8]), EVEN, 2.262 * math.sqrt(0.02 / 90), id="ten"),
        ],
    )
    def test_batches_that_vary_more_widen_it(
        self, first: tuple[float, ...], second: tuple[float, ...], half: float
    ) -> None:
        parts = Moments(1e9, 1.0, 0.1, first), Moments(1e9, 1.0, 0.1, second)
        found = ratio_of_means(*parts, part_effect=1, base_effect=1)
        assert astuple(found) == pytest.approx((1.0, math.exp(-half), math.exp(half)))

    @pytest.mark.parametrize(
        ("part", "base", "effect"),
        [
            (Moments(400, 1e300, 0.2, EVEN), Moments(400, 1e-300, 0.2, EVEN), 1.0),
            (Moments(400, 1e-300, 0.2, EVEN), Moments(400, 1e300, 0.2, EVEN), 1.0),
            (Moments(400, 1.0, INF, EVEN), Moments(400, 1.0, 0.2, EVEN), 1.0),
            (Moments(400, 1.0, NAN, EVEN), Moments(400, 1.0, 0.2, EVEN), 1.0),
            (Moments(400, 1.0, 0.2, EVEN), Moments(400, 1.0, 0.2, EVEN), NAN),
            (Moments(400, 1.0, 0.2), Moments(400, 1.0, 0.2), 1.0),
            (Moments(400, 1.0, 0.2, EVEN[:1]), Moments(400, 1.0, 0.2, EVEN[:1]), 1.0),
            (Moments(400, 1.0, 0.2, EVEN), Moments(400, 1.0, 0.2, EVEN[:9]), 1.0),
            (Moments(400, 1.0, 0.2, (*EVEN, 0.0)), Moments(400, 1.0, 0.2, (*EVEN, 0.0)), 1.0),
        ],
    )
    def test_what_cannot_be_told_is_no_number(self, part: Moments, base: Moments, effect: float) -> None:
        found = ratio_of_means(part, base, part_effect=effect, base_effect=1.0)
        assert all(map(math.isnan, astuple(found)))

    def test_an_interval_may_end_at_infinity(self) -> None:
        parts = Moments(1, 1.0, 1e9, self.EVEN), Moments(1, 1.0, 1.0, self.EVEN)
        found = ratio_of_means(*parts, part_effect=1, base_effect=1)
        assert (found.value, found.low, found.high) == (1.0, 0.0, INF)


class TestShare:
    @pytest.mark.parametrize(
        ("part", "whole", "effect", "low", "high"),
        [
            (10, 100, 1, 0.05523, 0.17437),
            (20, 200, 2, 0.05523, 0.17437),
            (0, 100, 1, 0, 0.03699),
            (100, 100, 1, 0.96301, 1),
            (1, 1000, 1, 0.00018, 0.00564),
        ],
    )
    def test_wilsons_interval(self, part: float, whole: float, effect: float, low: float, high: float) -> None:
        assert astuple(share(Share(part, whole), effect)) == pytest.approx((part / whole, low, high), abs=1e-5)

    def test_a_part_larger_than_the_whole_is_extrapolation(self) -> None:
        assert share(Share(101, 100), 1) == share(Share(100, 100), 1)

    @pytest.mark.parametrize(("part", "whole"), [(-1, 100), (NAN, 100), (1, 0), (1, INF), (1, NAN), (1, -1)])
    def test_what_cannot_be_counted_is_no_share(self, part: float, whole: float) -> None:
        found = share(Share(part, whole), 1)
        assert all(map(math.isnan, astuple(found)))
