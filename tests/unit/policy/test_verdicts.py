"""One verdict a signal, as tables: what Breach needs, and what keeps everything else from being one."""

import math

import pytest

from specdecode_operator.api.v1alpha1 import LatencyMetric, Window
from specdecode_operator.engine import Counter
from specdecode_operator.policy import Evidence, Finding, LatencySignal, Verdict, judge, overall
from specdecode_operator.policy.judging.evidence import WindowEvidence
from support.builders import ACCEPTANCE, LATENCY, buckets, counters, evidence, finding, window

WINDOW = Window()
NAN, INF = math.nan, math.inf


def accepting(accepted: float, drafted: float = 1000.0, requests: float = 1000.0) -> WindowEvidence:
    return window(requests, counters=counters(accepted, drafted))


def slow(requests: float, total: float = 1000.0, finished: float = 1000.0) -> WindowEvidence:
    return window(finished, buckets=buckets(requests, total))


def acceptance(short: WindowEvidence, long: WindowEvidence) -> tuple[Verdict, str]:
    found = judge(ACCEPTANCE, evidence(short, long), speculating=True, window=WINDOW)
    return found.verdict, found.reason


def latency(short: WindowEvidence, long: WindowEvidence) -> tuple[Verdict, str]:
    found = judge(LATENCY, evidence(short, long), speculating=True, window=WINDOW)
    return found.verdict, found.reason


BREACH = (Verdict.BREACH, "AcceptanceBelowThreshold")
WITHIN = (Verdict.HEALTHY, "WithinThreshold")
WELL = (Verdict.RECOVERED, "AcceptanceWell")
FEW = (Verdict.INSUFFICIENT, "TooFewRequests")
NOTHING = (Verdict.INSUFFICIENT, "NoSamples")
IMPOSSIBLE = (Verdict.UNKNOWN, "ValuesImpossible")
BURN = (Verdict.BREACH, "LatencyBudgetBurn")
KEPT = (Verdict.HEALTHY, "WithinBudget")
CHANCE = (Verdict.INSUFFICIENT, "TooFewSlowRequests")
EASY = (Verdict.RECOVERED, "WellWithinBudget")


@pytest.mark.parametrize(
    ("short", "long", "expected"),
    [
        (accepting(300), accepting(400), BREACH),
        (accepting(499), accepting(499), BREACH),
        (accepting(0), accepting(0), BREACH),
        (accepting(500), accepting(500), WITHIN),
        (accepting(499), accepting(500), WITHIN),
        (accepting(500), accepting(499), WITHIN),
        (accepting(100), accepting(900), WITHIN),
        (accepting(900), accepting(100), WITHIN),
        (accepting(549), accepting(900), WITHIN),
        (accepting(550), accepting(550), WELL),
        (accepting(1000), accepting(1000), WELL),
        (accepting(1009), accepting(1000), WELL),
        (accepting(1011), accepting(1000), IMPOSSIBLE),
        (accepting(300), accepting(1011), IMPOSSIBLE),
        (accepting(-11), accepting(300), IMPOSSIBLE),
        (accepting(INF), accepting(300), IMPOSSIBLE),
        (accepting(-INF), accepting(300), IMPOSSIBLE),
        (accepting(INF, INF), accepting(300), IMPOSSIBLE),
        (accepting(NAN), accepting(300), NOTHING),
        (accepting(300), accepting(NAN), NOTHING),
        (accepting(300, NAN), accepting(300), NOTHING),
        (accepting(0, 0), accepting(300), NOTHING),
        (accepting(5, 0), accepting(300), IMPOSSIBLE),
        (accepting(-5, 0), accepting(300), IMPOSSIBLE),
        (accepting(0, -1000), accepting(300), IMPOSSIBLE),
        (accepting(-1, -10), accepting(-1, -10), IMPOSSIBLE),
        (accepting(-5), accepting(300), IMPOSSIBLE),
        (accepting(300), accepting(-5), IMPOSSIBLE),
        (accepting(10, INF), accepting(10, INF), IMPOSSIBLE),
        (accepting(10, -INF), accepting(300), IMPOSSIBLE),
        (window(counters={}), accepting(300), NOTHING),
        (accepting(300), window(counters={}), NOTHING),
        (window(counters={Counter.DRAFT_TOKENS: 1000.0}), accepting(300), NOTHING),
        (accepting(300, requests=30), accepting(300, requests=100), BREACH),
        (accepting(300, requests=29.999), accepting(300, requests=100), FEW),
        (accepting(300, requests=30), accepting(300, requests=99.999), FEW),
        (accepting(300, requests=0), accepting(300, requests=0), FEW),
        (accepting(300, requests=NAN), accepting(300), FEW),
        (accepting(300), accepting(300, requests=NAN), FEW),
        (accepting(300, requests=-1000), accepting(300), FEW),
        (accepting(1011, requests=0), accepting(300), IMPOSSIBLE),
    ],
)
def test_acceptance(short: WindowEvidence, long: WindowEvidence, expected: tuple[Verdict, str]) -> None:
    assert acceptance(short, long) == expected


@pytest.mark.parametrize(
    ("short", "long", "expected"),
    [
        (slow(21), slow(21), BURN),
        (slow(1000), slow(1000), BURN),
        (slow(10, 100), slow(10, 100), BURN),
        (slow(1, 30), slow(10, 100), BURN),
        (slow(100), slow(9.999, 100), CHANCE),
        (slow(30, 30), slow(9, 9), CHANCE),
        (slow(1, 100), slow(3, 100), KEPT),
        (slow(20), slow(20), KEPT),
        (slow(21), slow(20), KEPT),
        (slow(20), slow(21), KEPT),
        (slow(900), slow(6), KEPT),
        (slow(0), slow(900), KEPT),
        (slow(6), slow(5), KEPT),
        (slow(5), slow(5), EASY),
        (slow(0), slow(0), EASY),
        (slow(-5), slow(0), EASY),
        (slow(-11), slow(0), IMPOSSIBLE),
        (slow(100, -1000), slow(100), IMPOSSIBLE),
        (slow(1011), slow(100), IMPOSSIBLE),
        (slow(5, 0), slow(100), IMPOSSIBLE),
        (slow(-5, 0), slow(100), IMPOSSIBLE),
        (slow(0, -1000), slow(100), IMPOSSIBLE),
        (slow(INF), slow(100), IMPOSSIBLE),
        (slow(-INF), slow(100), IMPOSSIBLE),
        (window(buckets={LatencyMetric.TPOT: {0.05: 900.0, INF: INF}}), slow(100), IMPOSSIBLE),
        (slow(NAN), slow(100), NOTHING),
        (slow(100), slow(NAN), NOTHING),
        (slow(0, 0), slow(100), NOTHING),
        (window(buckets={}), slow(100), NOTHING),
        (window(buckets={LatencyMetric.TPOT: {INF: 1000.0}}), slow(100), NOTHING),
        (window(buckets={LatencyMetric.TPOT: {0.05: 900.0}}), slow(100), NOTHING),
        (window(buckets={LatencyMetric.TTFT: {0.05: 900.0, INF: 1000.0}}), slow(100), NOTHING),
        (window(buckets={LatencyMetric.TPOT: {0.075: 900.0, INF: 1000.0}}), slow(100), NOTHING),
        (slow(100, finished=29), slow(100), FEW),
        (slow(100), slow(100, finished=99), FEW),
        (slow(100, finished=NAN), slow(100), FEW),
    ],
)
def test_latency(short: WindowEvidence, long: WindowEvidence, expected: tuple[Verdict, str]) -> None:
    assert latency(short, long) == expected


@pytest.mark.parametrize(
    ("budget", "just_within", "just_over"),
    [
        (0.001, 20, 21),
        (0.01, 200, 201),
        (0.05, 1000, 1001),
        (0.1, 2000, 2001),
        (0.3, 6000, 6001),
        (0.4, 7000, 7001),
        (0.5, 7500, 7501),
    ],
)
def test_a_breach_is_more_than_twice_the_budget_or_than_halfway_from_it_to_all(
    budget: float, just_within: int, just_over: int
) -> None:
    signal = LatencySignal("X", LatencyMetric.TPOT, 0.05, budget, "50ms")
    found = [
        judge(signal, evidence(slow(count, 10_000)), speculating=True, window=WINDOW).verdict
        for count in (just_within, just_over)
    ]
    assert found == [Verdict.HEALTHY, Verdict.BREACH]


def test_minimums_are_those_of_the_policy() -> None:
    small = Window.model_validate({"minimumRequests": {"short": 1, "long": 2}})
    both = evidence(accepting(300, requests=1), accepting(300, requests=2))
    assert judge(ACCEPTANCE, both, speculating=True, window=small).verdict is Verdict.BREACH


def test_a_finding_carries_the_figures_that_it_was_made_from() -> None:
    both = evidence(accepting(300, requests=40), accepting(450, requests=400))
    assert judge(ACCEPTANCE, both, speculating=True, window=WINDOW) == Finding(
        ACCEPTANCE, Verdict.BREACH, "AcceptanceBelowThreshold", 0.3, 0.45, 40, 400, 0.5, 0.5
    )


def test_extrapolated_figures_are_cut_to_a_share() -> None:
    found = judge(ACCEPTANCE, evidence(accepting(1005)), speculating=True, window=WINDOW)
    assert (found.short, found.long) == (1.0, 1.0)


class TestWithoutWindows:
    def test_acceptance_does_not_apply_while_nothing_is_proposed(self) -> None:
        found = judge(ACCEPTANCE, evidence(accepting(0)), speculating=False, window=WINDOW)
        assert (found.verdict, found.reason) == (Verdict.NOT_APPLICABLE, "SpeculationOff")

    def test_acceptance_does_not_apply_even_when_metrics_are_lost(self) -> None:
        found = judge(ACCEPTANCE, Evidence(unavailable="SamplesStale"), speculating=False, window=WINDOW)
        assert found.verdict is Verdict.NOT_APPLICABLE

    @pytest.mark.parametrize("seen", [evidence(slow(0)), evidence(slow(1000)), Evidence(unavailable="SamplesStale")])
    def test_a_threshold_above_the_histogram_does_not_apply_whatever_is_seen(self, seen: Evidence) -> None:
        above = LatencySignal("TpotP99", LatencyMetric.TPOT, None, 0.01, "900s")
        found = judge(above, seen, speculating=True, window=WINDOW)
        assert (found.verdict, found.reason) == (Verdict.NOT_APPLICABLE, "AboveHistogram")

    def test_latency_applies_without_speculation(self) -> None:
        found = judge(LATENCY, evidence(slow(100)), speculating=False, window=WINDOW)
        assert found.verdict is Verdict.BREACH

    @pytest.mark.parametrize("signal", [ACCEPTANCE, LATENCY])
    def test_metrics_that_cannot_be_trusted_are_unknown_for_their_reason(self, signal: LatencySignal) -> None:
        found = judge(signal, Evidence(unavailable="PodsScrapedTwice"), speculating=True, window=WINDOW)
        assert (found.verdict, found.reason) == (Verdict.UNKNOWN, "PodsScrapedTwice")

    @pytest.mark.parametrize(("waiting", "reason"), [("PodsTooYoung", "PodsTooYoung"), (None, "NoData")])
    def test_evidence_that_is_still_coming_is_insufficient(self, waiting: str | None, reason: str) -> None:
        found = judge(ACCEPTANCE, Evidence(waiting=waiting), speculating=True, window=WINDOW)
        assert (found.verdict, found.reason) == (Verdict.INSUFFICIENT, reason)

    @pytest.mark.parametrize("half", [Evidence(short=window()), Evidence(long=window())])
    def test_one_window_alone_proves_nothing(self, half: Evidence) -> None:
        assert judge(ACCEPTANCE, half, speculating=True, window=WINDOW).verdict is Verdict.INSUFFICIENT

    def test_figures_that_were_never_computed_are_no_number(self) -> None:
        found = judge(ACCEPTANCE, Evidence(waiting="NoReadyPods"), speculating=True, window=WINDOW)
        assert (math.isnan(found.short), math.isnan(found.long), found.samples_short) == (True, True, 0.0)


B, H, R = Verdict.BREACH, Verdict.HEALTHY, Verdict.RECOVERED
F, U, N = Verdict.INSUFFICIENT, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], N),
        ([N], N),
        ([R], R),
        ([H], H),
        ([B], B),
        ([F], F),
        ([U], U),
        ([N, R], R),
        ([R, H], H),
        ([H, F], F),
        ([R, F, N], F),
        ([F, B], B),
        ([H, B, R], B),
        ([B, U], U),
        ([U, B, F, H, R, N], U),
    ],
)
def test_the_worst_information_counts_and_unknown_holds_everything(verdicts: list[Verdict], expected: Verdict) -> None:
    orders = (verdicts, verdicts[::-1])
    assert [overall(tuple(map(finding, order))) for order in orders] == [expected, expected]
