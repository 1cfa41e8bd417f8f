"""The comparison over simulated trials: how often it is wrong, and how often it finds what there is."""

import math

import numpy as np
import pytest

from montecarlo.scenarios import RATIOS, TRIALS
from montecarlo.trial import Trial, arm, conclude, serve, wrong
from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.policy.trials.comparison import ArmVerdict, compare
from support.arms import EDGES

SEED = 20260301
NUMBER = 100


def generator(seed: int = SEED) -> np.random.Generator:
    return np.random.default_rng(seed)


def shares(trial: Trial, number: int = NUMBER) -> tuple[float, float]:
    """Return how often the verdict is wrong, and how often it is that there is a difference and of which sign."""
    rng = generator()
    verdicts = [conclude(rng, trial).verdict for _ in range(number)]
    right = ArmVerdict.BETTER if trial.ratio < 1 else ArmVerdict.WORSE
    return sum(wrong(trial, one) for one in verdicts) / number, sum(one is right for one in verdicts) / number


class TestErrorRates:
    @pytest.mark.parametrize(("ratio", "rate"), [(0.8, 60.0), (1.25, 60.0), (0.8, 12.0), (1.25, 12.0)])
    def test_a_fifth_of_the_time_is_found_and_hardly_ever_the_other_way_round(self, ratio: float, rate: float) -> None:
        false, found = shares(Trial(ratio, requests_per_minute=rate))
        assert false <= 0.05
        assert found >= 0.95

    @pytest.mark.parametrize("ratio", [0.95, 1.05])
    def test_a_twentieth_is_found_more_often_than_not_and_rarely_the_other_way_round(self, ratio: float) -> None:
        false, found = shares(Trial(ratio))
        assert false <= 0.05
        assert found >= 0.5

    def test_two_equal_arms_are_seldom_told_apart(self) -> None:
        assert shares(Trial(1.0))[0] <= 0.2


@pytest.mark.parametrize(
    ("ratio", "verdicts"),
    [
        (0.8, {ArmVerdict.WORSE}),
        (0.95, {ArmVerdict.WORSE}),
        (1.0, {ArmVerdict.WORSE, ArmVerdict.BETTER}),
        (1.05, {ArmVerdict.BETTER}),
        (1.25, {ArmVerdict.BETTER}),
    ],
)
def test_what_contradicts_the_true_ratio_is_wrong(ratio: float, verdicts: set[ArmVerdict]) -> None:
    assert {verdict for verdict in ArmVerdict if wrong(Trial(ratio), verdict)} == verdicts


class TestSimulation:
    """What the figures rest on."""

    @pytest.mark.parametrize("correlation", [0.0, 0.02, 0.3])
    def test_the_interval_holds_the_true_ratio_about_nineteen_times_out_of_twenty(self, correlation: float) -> None:
        """Though the product takes the correlation to be 2 %: the parts of the window show what is more."""
        rng, trial = generator(), Trial(1.0, correlation=correlation)
        covered = dict.fromkeys(LatencyMetric, 0)
        for _ in range(200):
            one, other = (arm([serve(rng, trial, EDGES, 1.0)], EDGES, 20, 600.0) for _ in range(2))
            for effect in compare(one, other).effects:
                covered[effect.metric] += effect.low < 1 < effect.high
        assert min(covered.values()) >= 0.9 * 200

    def test_times_rates_and_lengths_are_what_is_asked_for(self) -> None:
        trial = Trial(1.0, requests_per_minute=300)
        found = arm([serve(generator(), trial, EDGES, 2.0) for _ in range(3)], EDGES, 120, 3600.0)
        assert found.requests == pytest.approx(3 * 300 * 60, rel=0.02)
        assert found.prompt_tokens.mean == pytest.approx(500 * math.exp(0.5), rel=0.03)
        assert found.generation_tokens.mean == pytest.approx(200 * math.exp(0.18), rel=0.03)
        assert found.latency[LatencyMetric.TPOT].mean == pytest.approx(2 * 0.02 * math.exp(0.125), rel=0.03)
        assert found.latency[LatencyMetric.TTFT].mean == pytest.approx(2 * 0.2 * math.exp(0.5), rel=0.03)

    def test_an_arm_is_what_its_window_holds(self) -> None:
        pod = serve(generator(), Trial(1.0), EDGES, 1.0)
        early, late, both = (
            arm([pod], EDGES, step, window) for step, window in [(20, 600.0), (40, 600.0), (40, 1200.0)]
        )
        assert early.requests + late.requests == both.requests
        tpot = [one.latency[LatencyMetric.TPOT] for one in (early, late, both)]
        assert tpot[0].sum + tpot[1].sum == pytest.approx(tpot[2].sum)
        assert {edge: tpot[0].buckets[edge] + tpot[1].buckets[edge] for edge in tpot[2].buckets} == tpot[2].buckets

    def test_requests_of_half_a_minute_share_as_much_as_is_asked_for(self) -> None:
        """Variance of the half minutes' means of the logarithm, by that of single requests."""
        rng, trial = generator(), Trial(1.0, requests_per_minute=120, correlation=0.2)
        means = [
            np.diff(pod.seconds[LatencyMetric.TPOT]) / np.diff(pod.requests)
            for pod in (serve(rng, trial, EDGES, 1.0) for _ in range(40))
        ]
        single = 0.02**2 * math.exp(0.25) * (math.exp(0.25) - 1)
        shared = 0.02**2 * math.exp(0.25) * (math.exp(0.25 * 0.2) - 1)
        assert np.var(np.concatenate(means)) == pytest.approx(shared + (single - shared) / 60, rel=0.1)


def test_the_table_has_every_service_at_every_ratio() -> None:
    names = [name for name, _ in TRIALS]
    assert len(set(names)) == len(names)
    assert {trial.ratio for _, trial in TRIALS} == set(RATIOS)
