"""Which signals a policy enables, and what their thresholds really compare with."""

from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import EffectiveThreshold, LatencyMetric
from specdecode_operator.policy import LatencySignal, signals
from specdecode_operator.policy.signals import AcceptanceSignal, effective_thresholds
from support.builders import spec_of


def objective(metric: str, threshold: str, percentile: str = "99") -> dict[str, str]:
    return {"metric": metric, "threshold": threshold, "percentile": percentile}


def watched(version: str = "0.33.0", **policy: Any) -> tuple[AcceptanceSignal | LatencySignal, ...]:
    return signals(spec_of(policy=policy, engine={"version": version}))


def thresholds(version: str = "0.33.0", **policy: Any) -> list[EffectiveThreshold]:
    return effective_thresholds(watched(version, **policy))


def test_acceptance_is_watched_by_default() -> None:
    assert watched() == (AcceptanceSignal(0.5),)


def test_zero_percent_switches_acceptance_off() -> None:
    assert watched(acceptance={"disableBelowPercent": 0}) == ()


def test_objectives_follow_acceptance_in_their_order() -> None:
    objectives = [objective("Ttft", "2s"), objective("Tpot", "50ms", "99.9"), objective("E2e", "30s", "90")]
    assert watched(acceptance={"disableBelowPercent": 35}, objectives=objectives) == (
        AcceptanceSignal(0.35),
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
