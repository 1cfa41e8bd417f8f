"""What a candidate is beside the stable pods, and when that cannot be said."""

import math
from dataclasses import replace
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import Counter
from specdecode_operator.policy import LatencySignal
from specdecode_operator.policy.trials.arms import Arm, Batch, Distribution
from specdecode_operator.policy.trials.comparison import (
    MARGINS,
    ArmVerdict,
    Comparison,
    Counts,
    Effect,
    Margins,
    compare,
    summary,
)
from support.arms import arm_of, batches, latencies
from support.builders import LATENCY

INF, NAN = math.inf, math.nan
TPOT, TTFT, E2E = LatencyMetric.TPOT, LatencyMetric.TTFT, LatencyMetric.E2E
STABLE = arm_of()

Ruling = tuple[str, str]


def ruling(candidate: Arm, stable: Arm = STABLE, *tails: LatencySignal, margins: Margins = MARGINS) -> Ruling:
    found = compare(candidate, stable, tails, margins)
    return found.verdict, found.reason


def slow(**factors: float) -> Arm:
    """Return an arm whose latencies are those of a stable one times `factors`."""
    return arm_of(latency=latencies(**factors))


def changed(metric: LatencyMetric, **changes: Any) -> Arm:
    """Return an arm of which one latency is another."""
    return arm_of(latency={**STABLE.latency, metric: replace(STABLE.latency[metric], **changes)})


class TestVerdicts:
    def test_where_an_objective_is_about_the_first_token_nothing_repays_it(self) -> None:
        objective = LatencySignal("TtftP99", TTFT, 1.0, 0.01, "1s")
        assert ruling(slow(Tpot=0.5, E2e=0.6, Ttft=1.9), STABLE, objective) == ("Worse", "TtftWorse")

    @pytest.mark.parametrize(
        ("candidate", "expected"),
        [
            pytest.param(arm_of(0.7), ("Better", "TpotBetter"), id="all faster"),
            pytest.param(slow(Tpot=0.8), ("Better", "TpotBetter"), id="TPOT faster"),
            pytest.param(slow(E2e=0.8), ("Better", "E2eBetter"), id="E2E faster"),
            pytest.param(slow(Ttft=0.5), ("Unclear", "IntervalsTooWide"), id="TTFT alone does not pay"),
            pytest.param(arm_of(1.4), ("Worse", "TpotWorse"), id="all slower"),
            pytest.param(slow(Tpot=1.25), ("Worse", "TpotWorse"), id="TPOT slower"),
            pytest.param(slow(Ttft=1.9), ("Worse", "TtftWorse"), id="TTFT slower"),
            pytest.param(slow(E2e=1.25), ("Worse", "E2eWorse"), id="E2E slower"),
            pytest.param(
                slow(Tpot=0.5, E2e=0.6, Ttft=1.9), ("Better", "TpotBetter"), id="a later first token is repaid"
            ),
            pytest.param(
                slow(Tpot=0.5, E2e=1.0, Ttft=1.9), ("Worse", "TtftWorse"), id="a later first token is not repaid"
            ),
            pytest.param(
                slow(Tpot=0.5, E2e=1.9, Ttft=0.5), ("Worse", "E2eWorse"), id="one slower outweighs two faster"
            ),
            pytest.param(slow(Tpot=0.7, Ttft=1.4), ("Better", "TpotBetter"), id="TTFT slower within its margin"),
            pytest.param(arm_of(1.0), ("Unclear", "IntervalsTooWide"), id="equal, but not surely so"),
            pytest.param(arm_of(1.04), ("Unclear", "IntervalsTooWide"), id="a little slower"),
            pytest.param(arm_of(0.97), ("Unclear", "IntervalsTooWide"), id="a little faster"),
        ],
    )
    def test_ten_minutes_of_one_pod_beside_one(self, candidate: Arm, expected: Ruling) -> None:
        assert ruling(candidate) == expected

    @pytest.mark.parametrize(
        ("factor", "expected"),
        [
            (1.0, ("NotWorse", "WithinMargins")),
            (0.98, ("NotWorse", "WithinMargins")),
            (0.96, ("NotWorse", "WithinMargins")),
            (0.94, ("Better", "TpotBetter")),
            (1.04, ("Unclear", "IntervalsTooWide")),
            (1.06, ("Worse", "TpotWorse")),
        ],
    )
    def test_with_many_requests_the_margins_decide(self, factor: float, expected: Ruling) -> None:
        """A difference under 5 % is none, however sure it is."""
        candidate, stable = (arm_of(one, requests=6000.0, window=6000.0) for one in (factor, 1.0))
        assert ruling(candidate, stable) == expected

    def test_a_margin_is_the_same_factor_in_both_directions(self) -> None:
        margins = replace(MARGINS, latency=dict.fromkeys(LatencyMetric, 0.25))
        many = {"requests": 6000.0, "window": 6000.0}
        rulings = [
            ruling(arm_of(factor, **many), arm_of(**many), margins=margins)[0] for factor in (0.79, 0.81, 1.24, 1.26)
        ]
        assert rulings == ["Better", "NotWorse", "Unclear", "Worse"]

    def test_a_few_milliseconds_of_ttft_are_a_large_part_of_nearly_nothing(self) -> None:
        candidate, stable = (
            arm_of(latency=latencies(Tpot=factor, Ttft=ttft)) for factor, ttft in [(0.5, 0.08), (1, 0.05)]
        )
        assert [found.ratio for found in compare(candidate, stable).effects] == pytest.approx([0.5, 1.6, 1.0])
        assert ruling(candidate, stable) == ("Better", "TpotBetter")

    def test_the_whole_comparison(self) -> None:
        counters = {Counter.DRAFTS: 10.0, Counter.DRAFT_TOKENS: 1000.0, Counter.ACCEPTED_TOKENS: 600.0}
        found = compare(arm_of(0.7, failed=1.0, counters=counters), arm_of(requests=700.0, failed=2.0))
        assert replace(found, effects=()) == Comparison(
            verdict=ArmVerdict.BETTER,
            reason="TpotBetter",
            effects=(),
            requests=Counts(600.0, 700.0),
            failed=Counts(1.0, 2.0),
            acceptance=0.6,
            draft_tokens=1000.0,
        )
        assert [one.metric for one in found.effects] == list(LatencyMetric)
        assert [one.ratio for one in found.effects] == pytest.approx([0.7] * 3)
        assert all(0.6 < one.low < one.ratio < one.high < 0.82 for one in found.effects)


class TestBatches:
    """Minutes that were slow as a whole, though the histograms are those of a fifth faster."""

    @staticmethod
    def uneven(factor: float, *factors: float) -> Arm:
        found = latencies(factor)
        uneven = {metric: replace(one, batches=batches(one.sum, one.count, *factors)) for metric, one in found.items()}
        return arm_of(latency=uneven)

    @pytest.mark.parametrize(
        ("candidate", "stable", "expected"),
        [
            pytest.param((), (), ("Better", "TpotBetter"), id="even minutes"),
            pytest.param((3,), (3,), ("Better", "TpotBetter"), id="the same minute was slow in both arms"),
            pytest.param((3,), (), ("Unclear", "IntervalsTooWide"), id="a minute of the candidate"),
            pytest.param((), (0, 0, 3), ("Unclear", "IntervalsTooWide"), id="minutes of the stable pods"),
            pytest.param((3,), (1, 3), ("Unclear", "IntervalsTooWide"), id="one minute each"),
        ],
    )
    def test_what_one_arm_alone_has_gone_through_is_no_conclusion(
        self, candidate: tuple[float, ...], stable: tuple[float, ...], expected: Ruling
    ) -> None:
        assert ruling(self.uneven(0.8, *candidate), self.uneven(1.0, *stable)) == expected

    def test_without_batches_there_is_no_interval(self) -> None:
        candidate, stable = (
            arm_of(latency={key: replace(one, batches={}) for key, one in latencies(factor).items()})
            for factor in (0.5, 1.0)
        )
        found = compare(candidate, stable)
        assert (found.reason, [math.isnan(one.ratio) for one in found.effects]) == ("SeriesMissing", [True] * 3)


class TestFailures:
    @pytest.mark.parametrize(
        ("candidate", "stable", "worse"),
        [(0, 0, False), (5, 0, False), (20, 0, True), (30, 25, False), (60, 10, True), (0, 60, False), (600, 0, True)],
    )
    def test_more_failed_requests_are_worse(self, candidate: float, stable: float, *, worse: bool) -> None:
        found = ruling(arm_of(0.7, failed=candidate), arm_of(failed=stable))
        assert found == (("Worse", "FailuresWorse") if worse else ("Better", "TpotBetter"))

    def test_a_small_difference_is_none_however_sure(self) -> None:
        many = {"requests": 1e6, "window": 1e6}
        rulings = [
            ruling(arm_of(failed=failed, **many), arm_of(failed=1000.0, **many))[1] for failed in (10_900.0, 11_100.0)
        ]
        assert rulings == ["WithinMargins", "FailuresWorse"]

    def test_requests_that_the_engine_aborts_have_failed(self) -> None:
        candidate = arm_of(0.7, finished={"stop": 500.0, "abort": 100.0, "error": 0.0})
        assert ruling(candidate) == ("Worse", "FailuresWorse")

    @pytest.mark.parametrize("reason", ["length", "repetition"])
    def test_other_reasons_have_not(self, reason: str) -> None:
        candidate, stable = (
            arm_of(factor, finished={"stop": 500.0, reason: 100.0, "abort": 0.0}) for factor in (0.7, 1.0)
        )
        assert ruling(candidate, stable) == ("Better", "TpotBetter")

    def test_failures_count_though_minutes_differ(self) -> None:
        stalled = TestBatches.uneven(1.0, 3)
        assert ruling(replace(stalled, finished=arm_of(failed=20.0).finished)) == ("Worse", "FailuresWorse")

    def test_failures_count_though_they_make_the_answers_shorter(self) -> None:
        candidate = arm_of(failed=300.0, generation_tokens=Distribution(300 * 200.0, 600.0))
        assert ruling(candidate) == ("Worse", "FailuresWorse")


class TestTails:
    """An objective of which more requests are over the edge, with means that are alike."""

    @staticmethod
    def tail(over: float) -> Arm:
        latency = STABLE.latency[TPOT]
        buckets = {edge: 600.0 if edge > 0.05 else min(count, 600.0 - over) for edge, count in latency.buckets.items()}
        return changed(TPOT, buckets=buckets)

    @pytest.mark.parametrize(
        ("candidate", "stable", "worse"),
        [(0, 0, False), (8, 2, False), (40, 5, True), (40, 36, False), (5, 40, False)],
    )
    def test_a_longer_tail_is_worse(self, candidate: float, stable: float, *, worse: bool) -> None:
        found = ruling(self.tail(candidate), self.tail(stable), LATENCY)
        assert found == (("Worse", "TpotP99Worse") if worse else ("Unclear", "IntervalsTooWide"))

    @pytest.mark.parametrize(
        ("factors", "expected"),
        [((), ("Worse", "TpotP99Worse")), ((2, 0), ("Unclear", "IntervalsTooWide"))],
    )
    def test_a_tail_of_a_few_bad_minutes_is_no_conclusion(self, factors: tuple[float, ...], expected: Ruling) -> None:
        latency = self.tail(40).latency[TPOT]
        candidate = changed(TPOT, **vars(replace(latency, batches=batches(latency.sum, latency.count, *factors))))
        assert ruling(candidate, self.tail(5), LATENCY) == expected

    def test_without_an_objective_tails_are_not_looked_at(self) -> None:
        assert ruling(self.tail(40), self.tail(5)) == ("Unclear", "IntervalsTooWide")

    def test_an_objective_above_the_histogram_is_not_judged(self) -> None:
        above = replace(LATENCY, edge=None)
        assert ruling(self.tail(40), self.tail(5), above) == ("Unclear", "IntervalsTooWide")

    def test_an_edge_that_an_arm_lacks_makes_both_incomparable(self) -> None:
        other = replace(LATENCY, edge=0.051)
        assert ruling(arm_of(0.7), STABLE, other) == ("Incomparable", "SeriesMissing")


class TestIncomparable:
    @pytest.mark.parametrize(
        ("candidate", "reason"),
        [
            pytest.param(arm_of(0.7, requests=99.0), "TooFewRequests", id="too few"),
            pytest.param(arm_of(0.7, requests=450.0), "RatesDiffer", id="less load"),
            pytest.param(arm_of(0.7, requests=800.0), "RatesDiffer", id="more load"),
            pytest.param(arm_of(0.7, pods=2), "RatesDiffer", id="the same load on two pods"),
            pytest.param(
                arm_of(0.7, prompt_tokens=Distribution(600 * 380, 600)), "PromptLengthsDiffer", id="short prompts"
            ),
            pytest.param(
                arm_of(0.7, prompt_tokens=Distribution(600 * 640, 600)), "PromptLengthsDiffer", id="long prompts"
            ),
            pytest.param(
                arm_of(0.7, generation_tokens=Distribution(600 * 150, 600)),
                "GenerationLengthsDiffer",
                id="short answers",
            ),
            pytest.param(
                arm_of(1.7, generation_tokens=Distribution(600 * 260, 600)),
                "GenerationLengthsDiffer",
                id="long answers",
            ),
            pytest.param(arm_of(0.7, prompt_tokens=Distribution(0, 600)), "PromptLengthsDiffer", id="no prompt at all"),
        ],
    )
    def test_arms_must_have_the_same_work(self, candidate: Arm, reason: str) -> None:
        assert ruling(candidate) == ruling(STABLE, candidate) == ("Incomparable", reason)

    @pytest.mark.parametrize(
        "candidate",
        [
            arm_of(0.7, requests=485.0),
            arm_of(0.7, requests=745.0),
            arm_of(0.7, prompt_tokens=Distribution(600 * 410, 600)),
            arm_of(0.7, generation_tokens=Distribution(600 * 245, 600)),
        ],
    )
    def test_a_quarter_more_or_less_is_the_same(self, candidate: Arm) -> None:
        assert ruling(candidate)[0] == "Better"

    def test_rates_are_those_of_a_pod(self) -> None:
        assert ruling(arm_of(0.7), arm_of(requests=1800.0, pods=3)) == ("Better", "TpotBetter")

    def test_the_minimum_of_requests_can_be_another(self) -> None:
        few = arm_of(0.4, requests=50.0), arm_of(requests=50.0)
        assert ruling(*few, margins=replace(MARGINS, requests=30)) == ("Better", "TpotBetter")

    @pytest.mark.parametrize(
        ("candidate", "reason"),
        [
            (Arm(600.0, 1), "SeriesMissing"),
            (arm_of(0.7, latency={}), "SeriesMissing"),
            (arm_of(0.7, latency={E2E: latencies(0.7)[E2E]}), "SeriesMissing"),
            (arm_of(0.7, finished={}), "SeriesMissing"),
            (arm_of(0.7, finished={"stop": 600.0}), "SeriesMissing"),
            (arm_of(0.7, finished={"": 600.0}), "SeriesMissing"),
            (arm_of(0.7, finished={"stop": NAN, "abort": 0.0, "error": 0.0}), "SeriesMissing"),
            (arm_of(0.7, prompt_tokens=Distribution()), "SeriesMissing"),
            (arm_of(0.7, generation_tokens=Distribution(NAN, 600)), "SeriesMissing"),
            (changed(TPOT, sum=NAN), "SeriesMissing"),
            (changed(E2E, buckets={**STABLE.latency[E2E].buckets, 1.0: NAN}), "SeriesMissing"),
            (changed(E2E, buckets={**STABLE.latency[E2E].buckets, NAN: 1.0}), "SeriesMissing"),
            (arm_of(0.7, finished={"stop": INF, "abort": 0.0, "error": 0.0}), "ValuesImpossible"),
            (arm_of(0.7, finished={"stop": 601.0, "abort": 0.0, "error": -1.0}), "ValuesImpossible"),
            (arm_of(0.7, finished={"stop": 1e308, "abort": 1e308, "error": 0.0}), "ValuesImpossible"),
            (changed(TTFT, sum=INF), "ValuesImpossible"),
            (changed(TTFT, count=-600.0), "ValuesImpossible"),
            (arm_of(0.7, window=300.0), "ValuesImpossible"),
            (arm_of(0.7, pods=0), "ValuesImpossible"),
            (arm_of(0.7, requests=0.0), "TooFewRequests"),
            (changed(E2E, batches={}), "SeriesMissing"),
            (changed(E2E, batches={-1: Batch(1.0, 1.0)}), "SeriesMissing"),
            (changed(E2E, batches={**STABLE.latency[E2E].batches, 3: Batch()}), "SeriesMissing"),
            (changed(E2E, batches={**STABLE.latency[E2E].batches, 3: Batch(-1.0, 60.0)}), "ValuesImpossible"),
            (changed(E2E, batches={**STABLE.latency[E2E].batches, 3: Batch(1.0, INF)}), "ValuesImpossible"),
            (changed(TPOT, buckets={}), "SeriesMissing"),
            (changed(TPOT, sum=0.0), "HistogramImpossible"),
            (changed(TPOT, sum=60_000.0), "HistogramImpossible"),
            (changed(E2E, buckets={1.0: 500.0, 2.0: 100.0, INF: 600.0}), "HistogramImpossible"),
            (changed(E2E, buckets={1.0: 0.0, INF: 700.0}), "HistogramImpossible"),
            (arm_of(0.7, generation_tokens=Distribution(500 * 200, 500)), "CountsDisagree"),
            (arm_of(0.7, latency={**latencies(0.7), E2E: latencies(0.7, 500.0)[E2E]}), "CountsDisagree"),
        ],
    )  # fmt: skip
    def test_what_is_missing_or_cannot_be_is_never_a_conclusion(self, candidate: Arm, reason: str) -> None:
        assert ruling(candidate) == ruling(STABLE, candidate) == ("Incomparable", reason)

    def test_a_release_without_tpot_is_compared_on_the_rest(self) -> None:
        candidate, stable = (arm_of(latency={key: latencies(one)[key] for key in (TTFT, E2E)}) for one in (0.7, 1.0))
        found = compare(candidate, stable)
        assert (found.reason, [effect.metric for effect in found.effects]) == ("E2eBetter", [TTFT, E2E])

    def test_first_tokens_are_counted_before_their_requests_finish(self) -> None:
        candidate = arm_of(latency={**latencies(0.7), TTFT: latencies(0.7, 700.0)[TTFT]})
        assert ruling(candidate) == ("Better", "TpotBetter")


class TestAcceptance:
    @pytest.mark.parametrize(
        ("accepted", "drafted", "expected"),
        [
            (600, 1000, (0.6, 1000)),
            (0, 1000, (0.0, 1000)),
            (1005, 1000, (1.0, 1000)),
            (0, 0, (NAN, 0)),
            (1100, 1000, (NAN, 1000)),
            (-1, 1000, (NAN, 1000)),
            (NAN, 1000, (NAN, 1000)),
            (1, INF, (NAN, INF)),
        ],
    )
    def test_it_is_that_of_the_candidate(self, accepted: float, drafted: float, expected: tuple[float, float]) -> None:
        counters = {Counter.ACCEPTED_TOKENS: accepted, Counter.DRAFT_TOKENS: drafted}
        found = compare(arm_of(counters=counters), STABLE)
        assert (found.acceptance, found.draft_tokens) == pytest.approx(expected, nan_ok=True)

    def test_without_speculation_there_is_none(self) -> None:
        found = compare(STABLE, STABLE)
        assert (found.acceptance, found.draft_tokens) == pytest.approx((NAN, NAN), nan_ok=True)


class TestSummary:
    FOUND = Comparison(
        ArmVerdict.BETTER,
        "TpotBetter",
        (Effect(TPOT, 0.712, 0.651, 0.779), Effect(TTFT, 1.02, 0.93, 1.119), Effect(E2E, 0.74, 0.69, 0.8)),
        Counts(412.4, 398.0),
        Counts(0.0, 0.2),
        0.6,
        1000.0,
    )

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            (
                {},
                (
                    "TPOT 0.71 (0.65 to 0.78), TTFT 1.02 (0.93 to 1.12), E2E 0.74 (0.69 to 0.80);"
                    " 412 / 398 requests, 0 / 0 failed"
                ),
            ),
            ({"effects": (Effect(TPOT),)}, "TPOT unknown; 412 / 398 requests, 0 / 0 failed"),
            ({"effects": ()}, "no latencies; 412 / 398 requests, 0 / 0 failed"),
            (
                {"effects": (Effect(TPOT, 1e300, 0.0, INF),), "requests": Counts(NAN, 1e300)},
                "TPOT 1e+300 (0.00 to inf); nan / 1e+300 requests, 0 / 0 failed",
            ),
        ],
    )
    def test_the_figures_in_one_line(self, changes: dict[str, Any], text: str) -> None:
        assert summary(replace(self.FOUND, **changes)) == text

    def test_it_fits_into_a_status(self) -> None:
        widest = replace(
            self.FOUND,
            effects=tuple(Effect(metric, 1.234e-300, 999_999_999.99, 1.234e300) for metric in LatencyMetric),
            requests=Counts(-1.234e300, -1.234e300),
            failed=Counts(-1.234e300, -1.234e300),
        )
        assert len(summary(widest)) <= 256
        assert summary(widest).endswith(" failed")
