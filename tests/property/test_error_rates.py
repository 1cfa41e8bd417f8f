"""The rule for a breach over simulated services: how often it acts without a cause, and how late with one."""

import math

import numpy as np
import pytest
from click.testing import CliRunner

from montecarlo.__main__ import main
from montecarlo.outcome import Detection, actions_a_day, detections, percentile
from montecarlo.scenarios import CHANGES, STEADY, TRIALS
from montecarlo.service import ACCEPTANCE, Counters, Phase, Service, simulate, speculating
from montecarlo.watch import Watch, steps
from specdecode_operator.policy import Finding, Verdict

SEED = 20260301
DAYS, ONSETS = 200, 200
DAY = steps(24 * 3600)
SCRAPES = [15.0, 30.0]

NGRAM = 53.0
"""The greatest design effect of acceptance found in traces of vLLM (docs/deciding.md)."""


def generator() -> np.random.Generator:
    return np.random.default_rng(SEED)


class TestErrorRates:
    @pytest.mark.parametrize("scrape", SCRAPES)
    @pytest.mark.parametrize(
        ("service", "share"),
        [
            pytest.param(Service(), 0.005, id="half-a-percent-slow"),
            pytest.param(Service(requests_per_minute=300), 0.005, id="half-a-percent-slow-at-300-a-minute"),
            pytest.param(Service(requests_per_minute=10), 0.005, id="half-a-percent-slow-at-10-a-minute"),
            pytest.param(speculating(60, NGRAM), 0.6, id="acceptance-of-60-percent"),
        ],
    )
    def test_a_healthy_service_sees_at_most_one_action_in_twenty_days(
        self, service: Service, share: float, scrape: float
    ) -> None:
        assert actions_a_day(generator(), service, share, days=DAYS, scrape=scrape) <= 0.05

    @pytest.mark.parametrize("scrape", SCRAPES)
    @pytest.mark.parametrize(
        ("change", "minutes"),
        [
            pytest.param(Detection(Service(), 0.005, 0.05), 12, id="5-percent-slow"),
            pytest.param(Detection(Service(), 0.005, 0.1), 7, id="10-percent-slow"),
            pytest.param(Detection(Service(), 0.005, 0.3), 3, id="30-percent-slow"),
            pytest.param(Detection(speculating(60, NGRAM), 0.6, 0.3), 12, id="acceptance-falls-to-30-percent"),
        ],
    )
    def test_half_of_the_breaches_are_acted_upon_within(self, change: Detection, minutes: float, scrape: float) -> None:
        assert percentile(detections(generator(), change, onsets=ONSETS, scrape=scrape), 50) <= minutes


class TestSimulation:
    """What the figures rest on."""

    @pytest.mark.parametrize(
        ("service", "share"), [(Service(), 0.005), (Service(), 0.02), (speculating(60, NGRAM), 0.5)]
    )
    def test_no_breach_is_among_the_steps_that_are_skipped(self, service: Service, share: float) -> None:
        """Not all of them are asked for, which would take minutes: a sample of them is."""
        rng = generator()
        watch = Watch(service.signal, simulate(rng, service, [Phase(share, 20 * DAY)]), 30.0)
        skipped = np.flatnonzero(~watch.conceivable[watch.first :]) + watch.first
        found = [watch.finding(int(step)).verdict for step in rng.choice(skipped, 2000)]
        assert Verdict.BREACH not in found

    def test_breaches_are_among_those_that_are_asked_for(self) -> None:
        service = Service()
        watch = Watch(service.signal, simulate(generator(), service, [Phase(0.02, DAY)]), 30.0)
        asked = np.flatnonzero(watch.conceivable)
        assert Verdict.BREACH in {watch.finding(int(step)).verdict for step in asked}

    @pytest.mark.parametrize(
        ("scrape", "step", "short", "long"),
        [
            (15.0, 240, 0.1, 0.1),
            (30.0, 241, 0.1, 0.1),
        ],
    )
    def test_a_window_is_what_increase_makes_of_the_scrapes_in_it(
        self, scrape: float, step: int, short: float, long: float
    ) -> None:
        """A steady rate is extrapolated to all of the window, whatever part of it lies between two scrapes."""
        count = np.arange(400, dtype=np.float64)
        found = Watch(Service().signal, Counters(10 * count, 10 * count, count), scrape).finding(step)
        assert found == Finding(
            Service().signal, Verdict.BREACH, "LatencyBudgetBurn", short, long, 200.0, 1200.0, 0.02, 0.02
        )

    def test_between_two_scrapes_nothing_is_new(self) -> None:
        count = np.cumsum(np.arange(400, dtype=np.float64))
        watch = Watch(Service().signal, Counters(count, count, count / 10), 30.0)
        assert watch.finding(240) == watch.finding(241) != watch.finding(242)

    def test_until_the_long_window_is_full_there_is_not_enough(self) -> None:
        count = np.arange(400, dtype=np.float64)
        watch = Watch(ACCEPTANCE, Counters(10 * count, 1000 * count, 0 * count), 30.0)
        found = [watch.finding(step).verdict for step in (watch.first - 3, watch.first)]
        assert found == [Verdict.INSUFFICIENT, Verdict.BREACH]

    def test_after_an_action_evidence_starts_anew(self) -> None:
        count = np.arange(400, dtype=np.float64)
        watch = Watch(ACCEPTANCE, Counters(10 * count, 1000 * count, 0 * count), 30.0)
        assert list(watch.actions(watch.first)) == [121, 246, 371]

    def test_requests_share_their_luck_as_much_as_is_asked_for(self) -> None:
        """Variance over that of independent trials: 1 + (n - 1) times the correlation, n in half a minute."""
        counters = simulate(generator(), speculating(60, NGRAM), [Phase(0.6, 20 * DAY)])
        trials, hits = (np.diff(counts[::2]) for counts in (counters.trials, counters.hits))
        effect = np.mean((hits - 0.6 * trials) ** 2) / np.mean(0.6 * 0.4 * trials)
        assert effect == pytest.approx(NGRAM, rel=0.1)

    def test_the_rate_of_requests_and_the_share_are_what_is_asked_for(self) -> None:
        counters = simulate(generator(), Service(requests_per_minute=90), [Phase(0.02, DAY), Phase(0.3, DAY)])
        halves = [counters.hits[DAY] / counters.trials[DAY], np.diff(counters.hits[[DAY, -1]])[0] / 129_600]
        assert counters.requests[-1] == pytest.approx(90 * 2 * 1440, rel=0.01)
        assert halves == pytest.approx([0.02, 0.3], rel=0.05)


@pytest.mark.parametrize(("percent", "expected"), [(50, 2), (90, 4), (100, 4), (25, 1), (26, 2)])
def test_a_percentile_is_one_of_the_values(percent: float, expected: float) -> None:
    assert percentile([4, 2, 1, 3], percent) == expected


def test_what_is_never_found_counts_as_later_than_all() -> None:
    assert percentile([math.inf, 1, 2], 90) == math.inf


def test_the_command_prints_a_line_for_every_service() -> None:
    printed = CliRunner().invoke(main, ["--seeds", "1", "--days", "1", "--onsets", "2", "--trials", "1"])
    rows = [line.split(" | ")[0].removeprefix("| ") for line in printed.output.splitlines() if line.startswith("| ")]
    names = [name for name, *_ in (*STEADY, *CHANGES, *TRIALS)]
    assert (printed.exit_code, [row for row in rows if row in names]) == (0, names)
