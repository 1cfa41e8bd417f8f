"""Verdicts on the acceptance length: against a least length, and against the one that pays for a step."""

import math
from dataclasses import replace
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Window
from specdecode_operator.engine import Counter, Gauge
from specdecode_operator.policy import Evidence, Finding, LengthSignal, Verdict, judge
from specdecode_operator.policy.judging.evidence import PodWindow, WindowEvidence
from specdecode_operator.policy.judging.lengths import BreakEven
from support.builders import evidence, window

NAN, INF = math.nan, math.inf
LEAST = LengthSignal("AcceptanceLength", 1.8)
EVEN = LengthSignal("BreakEven", BreakEven(((1.0, 0.010, 0.012), (101.0, 0.010, 0.032))))
"""1.2 tokens a step at 1 running request, 2.2 at 51, 3.2 at 101."""


def drafting(accepted: float, drafts: float = 1000.0, tokens: float = 4000.0, **more: Any) -> WindowEvidence:
    """Return a window in which `accepted` of four tokens a draft were accepted, at 11 running requests a pod."""
    counters = {Counter.DRAFTS: drafts, Counter.DRAFT_TOKENS: tokens, Counter.ACCEPTED_TOKENS: accepted}
    return replace(window(counters=counters, pods=pods(1.0, 21.0)), **more)


def pods(*running: float) -> tuple[PodWindow, ...]:
    return tuple(PodWindow(gauges={Gauge.RUNNING: value}) for value in running)


def verdict(signal: LengthSignal, short: WindowEvidence, long: WindowEvidence) -> tuple[Verdict, str]:
    found = judge(signal, evidence(short, long), speculating=True, window=Window())
    return found.verdict, found.reason


SHORT_OF_IT = (Verdict.BREACH, "LengthBelowMinimum")
UNPAID = (Verdict.BREACH, "BelowBreakEven")
WITHIN = (Verdict.HEALTHY, "WithinThreshold")
WELL = (Verdict.RECOVERED, "LengthWell")
FEW = (Verdict.INSUFFICIENT, "TooFewRequests")
NOTHING = (Verdict.INSUFFICIENT, "NoSamples")
IMPOSSIBLE = (Verdict.UNKNOWN, "ValuesImpossible")


@pytest.mark.parametrize(
    ("short", "long", "expected"),
    [
        (drafting(799), drafting(799), SHORT_OF_IT),
        (drafting(0), drafting(0), SHORT_OF_IT),
        (drafting(799), drafting(800), WITHIN),
        (drafting(800), drafting(799), WITHIN),
        (drafting(800), drafting(800), WITHIN),
        (drafting(853), drafting(4000), WITHIN),
        (drafting(855), drafting(855), WELL),
        (drafting(4000), drafting(4000), WELL),
        (drafting(799, requests=30), drafting(799, requests=100), SHORT_OF_IT),
        (drafting(799, requests=29), drafting(799), FEW),
        (drafting(799), drafting(799, requests=99), FEW),
        (drafting(799, requests=NAN), drafting(799), FEW),
        (drafting(0, drafts=0, tokens=0), drafting(799), NOTHING),
        (drafting(799), window(counters={}), NOTHING),
        (drafting(NAN), drafting(799), NOTHING),
        (drafting(799, drafts=NAN), drafting(799), NOTHING),
        (drafting(799, tokens=NAN), drafting(799), NOTHING),
        (drafting(-1), drafting(799), IMPOSSIBLE),
        (drafting(4100), drafting(799), IMPOSSIBLE),
        (drafting(INF), drafting(799), IMPOSSIBLE),
        (drafting(799, drafts=-1000), drafting(799), IMPOSSIBLE),
        (drafting(799, drafts=4100), drafting(799), IMPOSSIBLE),
        (drafting(799, drafts=INF), drafting(799), IMPOSSIBLE),
        (drafting(799, tokens=INF), drafting(799), IMPOSSIBLE),
        (drafting(799), drafting(799, drafts=INF, tokens=INF), IMPOSSIBLE),
    ],
)
def test_a_least_length(short: WindowEvidence, long: WindowEvidence, expected: tuple[Verdict, str]) -> None:
    assert verdict(LEAST, short, long) == expected


@pytest.mark.parametrize(
    ("short", "long", "expected"),
    [
        (drafting(399), drafting(399), UNPAID),
        (drafting(399), drafting(401), WITHIN),
        (drafting(401), drafting(399), WITHIN),
        (drafting(401), drafting(401), WITHIN),
        (drafting(443), drafting(443), WELL),
        (drafting(443), drafting(441), WITHIN),
        (drafting(1100, pods=pods(51.0)), drafting(1190, pods=pods(51.0)), UNPAID),
        (drafting(1100, pods=pods(51.0)), drafting(1100, pods=pods(11.0)), WITHIN),
        (drafting(1100, pods=pods(11.0)), drafting(1100, pods=pods(11.0)), WELL),
        (drafting(0, pods=pods(NAN)), drafting(0), NOTHING),
        (drafting(0, pods=()), drafting(0), NOTHING),
        (drafting(0), drafting(0, pods=(*pods(11.0), PodWindow())), NOTHING),
        (drafting(0, pods=pods(-2.0)), drafting(0), NOTHING),
        (drafting(0, pods=pods(INF)), drafting(0), NOTHING),
    ],
)
def test_the_length_that_pays_depends_on_the_load_of_each_window(
    short: WindowEvidence, long: WindowEvidence, expected: tuple[Verdict, str]
) -> None:
    assert verdict(EVEN, short, long) == expected


def looking_up(accepted: float, generated: float) -> WindowEvidence:
    """Return a window of n-gram lookup: 100 steps that drafted, and a thousand requests."""
    found = drafting(accepted, drafts=100, tokens=400)
    return replace(found, counters={**found.counters, Counter.GENERATED_TOKENS: generated, Counter.FIRST_TOKENS: 1e3})


@pytest.mark.parametrize(
    ("signal", "accepted", "generated", "expected"),
    [
        (LEAST, 300, 2000, SHORT_OF_IT),
        (EVEN, 310, 2000, WELL),
        (EVEN, 200, 2000, UNPAID),
        (EVEN, 300, 900, IMPOSSIBLE),
        (EVEN, 300, 1300, IMPOSSIBLE),
        (EVEN, 300, NAN, NOTHING),
    ],
)
def test_steps_that_drafted_nothing_count_where_not_every_step_drafts(
    signal: LengthSignal, accepted: float, generated: float, expected: tuple[Verdict, str]
) -> None:
    found = looking_up(accepted, generated)
    assert verdict(replace(signal, every_step_drafts=False), found, found) == expected


@pytest.mark.parametrize(
    ("signal", "speculating", "reason"),
    [
        (LEAST, False, "SpeculationOff"),
        (EVEN, False, "SpeculationOff"),
        (replace(EVEN, measured=False), True, "StepCostsUnknown"),
    ],
)
@pytest.mark.parametrize("seen", [evidence(drafting(0)), Evidence(unavailable="SamplesStale")])
def test_a_length_that_nothing_yields_or_of_other_costs_does_not_apply(
    signal: LengthSignal, seen: Evidence, reason: str, *, speculating: bool
) -> None:
    found = judge(signal, seen, speculating=speculating, window=Window())
    assert (found.verdict, found.reason) == (Verdict.NOT_APPLICABLE, reason)


def test_a_finding_says_what_each_window_was_compared_with() -> None:
    both = evidence(drafting(300, requests=40.0), drafting(500, requests=400.0, pods=pods(51.0)))
    found = judge(EVEN, both, speculating=True, window=Window())
    assert found == Finding(
        EVEN, Verdict.BREACH, "BelowBreakEven", 1.3, 1.5, 40.0, 400.0, found.line_short, found.line_long
    )
    assert (round(found.line_short, 6), round(found.line_long, 6)) == (1.4, 2.2)
