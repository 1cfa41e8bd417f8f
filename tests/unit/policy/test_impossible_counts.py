"""Counts that cannot be say nothing, whatever they would add up to."""

import math

import pytest

from specdecode_operator.api.v1alpha1 import LatencyMetric, Window
from specdecode_operator.policy import Signal, Verdict, judge
from specdecode_operator.policy.judging.evidence import WindowEvidence
from support.builders import ACCEPTANCE, LATENCY, counters, evidence, window


def tokens(fast: float, total: float) -> WindowEvidence:
    return window(buckets={LatencyMetric.TPOT: {0.05: fast, math.inf: total}})


@pytest.mark.parametrize(
    ("signal", "found"),
    [
        (LATENCY, tokens(-5.0, 1000.0)),
        (LATENCY, tokens(math.inf, math.inf)),
        (LATENCY, tokens(1020.0, 1000.0)),
        (ACCEPTANCE, window(math.inf, counters=counters(300, 1000))),
    ],
)
def test_they_are_unknown(signal: Signal, found: WindowEvidence) -> None:
    finding = judge(signal, evidence(found), speculating=True, window=Window())
    assert (finding.verdict, finding.reason) == (Verdict.UNKNOWN, "ValuesImpossible")


def test_a_little_more_under_the_edge_than_in_all_is_extrapolation() -> None:
    finding = judge(LATENCY, evidence(tokens(1005.0, 1000.0)), speculating=True, window=Window())
    assert (finding.verdict, finding.short) == (Verdict.RECOVERED, 0.0)
