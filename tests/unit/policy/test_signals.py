"""Which signals a policy enables, and what their thresholds really compare with."""

from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import EffectiveThreshold, LatencyMetric
from specdecode_operator.policy import LatencySignal, signals
from specdecode_operator.policy.judging.lengths import BreakEven
from specdecode_operator.policy.judging.signals import AcceptanceSignal, LengthSignal, Signal, effective_thresholds
from support.builders import DRAFT_MODEL, rung, spec_of


def objective(metric: str, threshold: str, percentile: str = "99") -> dict[str, str]:
    return {"metric": metric, "threshold": threshold, "percentile": percentile}


def watched(version: str = "0.33.0", **policy: Any) -> tuple[Signal, ...]:
    return signals(spec_of(policy=policy, engine={"version": version}))


def thresholds(version: str = "0.33.0", **policy: Any) -> list[EffectiveThreshold]:
    return effective_thresholds(watched(version, **policy))


def test_acceptance_is_watched_by_default() -> None:
    assert watched() == (AcceptanceSignal(0.5, 0.55),)


def test_zero_percent_switches_acceptance_off() -> None:
    assert watched(acceptance={"disableBelowPercent": 0}) == ()


def test_objectives_follow_acceptance_in_their_order() -> None:
    objectives = [objective("Ttft", "2s"), objective("Tpot", "50ms", "99.9"), objective("E2e", "30s", "90")]
    assert watched(acceptance={"disableBelowPercent": 35}, objectives=objectives) == (
        AcceptanceSignal(0.35, 0.4),
        LatencySignal("TtftP99", LatencyMetric.TTFT, 2.5, 0.01, "2s"),
        LatencySignal("TpotP99.9", LatencyMetric.TPOT, 0.05, 0.001, "50ms"),
        LatencySignal("E2eP90", LatencyMetric.E2E, 30.0, 0.1, "30s"),
    )


@pytest.mark.parametrize(
    ("percentile", "budget"), [("50", 0.5), ("90", 0.1), ("95", 0.05), ("99", 0.01), ("99.9", 0.001)]
)
def test_the_budget_is_what_the_percentile_leaves(percentile: str, budget: float) -> None:
    found = watched(acceptance={"disableBelowPercent": 0}, objectives=[objective("Tpot", "1s", percentile)])
    assert [signal.budget for signal in found if isinstance(signal, LatencySignal)] == [budget]


@pytest.mark.parametrize(
    ("version", "threshold", "effective"),
    [
        ("0.33.0", "12ms", "12.5ms"),
        ("0.30.0", "12ms", "25ms"),
        ("0.33.0", "50ms", "50ms"),
        ("0.30.0", "1ms", "10ms"),
        ("0.33.0", "1ms", "1ms"),
        ("0.33.0", "9s", "10000ms"),
        ("0.33.0", "11s", "above the histogram"),
        ("0.30.0", "81s", "above the histogram"),
    ],
)
def test_latency_is_compared_at_the_next_edge_of_the_engine_that_runs(
    version: str, threshold: str, effective: str
) -> None:
    policy = {"acceptance": {"disableBelowPercent": 0}, "objectives": [objective("Tpot", threshold)]}
    assert thresholds(version, **policy) == [
        EffectiveThreshold(signal="TpotP99", requested=threshold, effective=effective)
    ]


def test_acceptance_is_compared_as_it_is_asked() -> None:
    assert thresholds(acceptance={"disableBelowPercent": 7}) == [
        EffectiveThreshold(signal="Acceptance", requested="7%", effective="7%")
    ]


@pytest.mark.parametrize(
    ("fields", "recovered"),
    [
        ({}, 0.55),
        ({"disableBelowPercent": 40}, 0.45),
        ({"disableBelowPercent": 98}, 1.0),
        ({"disableBelowPercent": 40, "reenableAbovePercent": 40}, 0.4),
        ({"disableBelowPercent": 40, "reenableAbovePercent": 70}, 0.7),
    ],
)
def test_acceptance_has_recovered_five_points_above_unless_the_policy_says_more(
    fields: dict[str, int], recovered: float
) -> None:
    assert [signal.recovered for signal in watched(acceptance=fields) if isinstance(signal, AcceptanceSignal)] == [
        recovered
    ]


COSTS = [
    {"concurrency": 64, "target": "10ms", "speculative": "20.5ms"},
    {"concurrency": 1, "target": "8ms", "speculative": "10ms"},
]
EVEN = BreakEven(((1.0, 0.008, 0.01), (64.0, 0.01, 0.0205)))
BREAK_EVEN = {"rule": "BreakEven", "stepCosts": COSTS}
NGRAM = {"method": "NGram", "numSpeculativeTokens": 4}
SUFFIX = {"method": "Suffix"}
PAUSING = DRAFT_MODEL | {"batchSizeSchedule": [{"upTo": 8, "tokens": 4}, {"tokens": 0}]}
SHRINKING = DRAFT_MODEL | {"batchSizeSchedule": [{"upTo": 8, "tokens": 4}, {"tokens": 1}]}


class TestLengths:
    def test_the_break_even_length_stands_in_for_the_fixed_rate(self) -> None:
        (found,) = watched(acceptance=BREAK_EVEN)
        assert isinstance(found, LengthSignal)
        assert (found.name, str(found.line), found.every_step_drafts, found.measured, found.trigger) == (
            "BreakEven",
            str(EVEN),
            True,
            True,
            "Acceptance",
        )

    def test_a_least_length_stands_beside_either_rule(self) -> None:
        least = {"minAcceptanceLength": "1.8"}
        names = [[signal.name for signal in watched(acceptance=least | rule)] for rule in ({}, BREAK_EVEN)]
        assert names == [["Acceptance", "AcceptanceLength"], ["AcceptanceLength", "BreakEven"]]

    @pytest.mark.parametrize(
        ("speculation", "every_step"),
        [(DRAFT_MODEL, True), (SHRINKING, True), (NGRAM, False), (SUFFIX, False), (PAUSING, False)],
    )
    def test_steps_without_a_draft_count_where_there_are_some(
        self, speculation: dict[str, Any], *, every_step: bool
    ) -> None:
        policy = {"acceptance": BREAK_EVEN | {"minAcceptanceLength": "1.8"}}
        found = signals(spec_of(speculation=speculation, policy=policy))
        assert [signal.every_step_drafts for signal in found if isinstance(signal, LengthSignal)] == [every_step] * 2

    @pytest.mark.parametrize(
        ("name", "measured", "every_step"),
        [("primary", True, True), ("fp8", False, True), ("ngram", False, False), ("no-speculation", False, True)],
    )
    def test_step_costs_are_those_of_the_spec_itself_and_of_no_fallback(
        self, name: str, *, measured: bool, every_step: bool
    ) -> None:
        fallbacks = [
            {"name": "fp8", "triggers": ["Latency"], "model": {"quantization": "fp8"}},
            {"name": "ngram", "triggers": ["Latency"], "speculation": NGRAM},
        ]
        spec = spec_of(fallbacks=fallbacks, policy={"acceptance": BREAK_EVEN})
        (found,) = signals(spec, rung(spec, name))
        assert isinstance(found, LengthSignal)
        assert (found.measured, found.every_step_drafts) == (measured, every_step)

    def test_what_is_compared_is_shown_as_lengths(self) -> None:
        assert thresholds(acceptance=BREAK_EVEN | {"minAcceptanceLength": "1.80"}) == [
            EffectiveThreshold(signal="AcceptanceLength", requested="1.8 tokens a step", effective="1.8"),
            EffectiveThreshold(
                signal="BreakEven", requested="break-even", effective="1.25 at 1, 2.05 at 64 running requests"
            ),
        ]
