"""Whatever the arms of a trial have counted: no conclusion without enough sound requests, nor from units of time."""

import math
from dataclasses import replace

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.policy import LatencySignal
from specdecode_operator.policy.trials.arms import Arm, Batch, Distribution
from specdecode_operator.policy.trials.comparison import MARGINS, ArmVerdict, compare, summary
from support.arms import EDGES, MEANS, arm_of, times
from support.builders import LATENCY

CONCLUSIONS = (ArmVerdict.BETTER, ArmVerdict.WORSE, ArmVerdict.NOT_WORSE)
ODD = st.one_of(
    st.floats(), st.sampled_from([0.0, -1.0, 5e-324, 1e308, 99.0, 100.0, 600.0, math.nan, math.inf, -math.inf])
)
FACTORS = st.floats(0.3, 3)
COUNTS = st.sampled_from([600.0] * 8 + [700.0, 100.0, 99.9, 50.0, 0.0])


@st.composite
def sound(draw: st.DrawFn, requests: st.SearchStrategy[float] = COUNTS) -> Arm:
    """An arm as a pod gives it, at any speed."""
    count, deviation = draw(requests), draw(st.floats(0.1, 1))
    latency = {
        metric: times(mean * draw(FACTORS), count, edges=EDGES[metric], deviation=deviation)
        for metric, mean in MEANS.items()
    }
    return arm_of(requests=count, latency=latency, failed=min(count, draw(st.sampled_from([0.0, 0.0, 5.0, 200.0]))))


@st.composite
def odd(draw: st.DrawFn) -> Arm:
    """The same with a few of its figures replaced by anything."""
    found = draw(sound())
    for _ in range(draw(st.integers(0, 2))):
        found = _spoiled(found, draw)
    return found


def _spoiled(found: Arm, draw: st.DrawFn) -> Arm:
    value, metric = draw(ODD), draw(st.sampled_from(LatencyMetric))
    latency = found.latency.get(metric, Distribution())
    bounds = st.sampled_from([*latency.buckets, *EDGES[metric]])
    return draw(
        st.sampled_from(
            [
                replace(found, finished={**found.finished, "error": value}),
                replace(found, finished={}),
                replace(found, prompt_tokens=Distribution(value, found.requests)),
                replace(found, generation_tokens=Distribution(200.0, value)),
                replace(found, window=value),
                replace(found, latency={key: one for key, one in found.latency.items() if key is not metric}),
                replace(found, latency={**found.latency, metric: replace(latency, sum=value)}),
                replace(found, latency={**found.latency, metric: replace(latency, count=value)}),
                replace(
                    found,
                    latency={
                        **found.latency,
                        metric: replace(latency, buckets={**latency.buckets, draw(st.one_of(bounds, ODD)): value}),
                    },
                ),
            ]
        )
    )


def enough(found: Arm) -> bool:
    counts = [found.requests, *(one.count for one in found.latency.values())]
    return all(MARGINS.requests <= count < math.inf for count in counts) and bool(found.latency)


@settings(max_examples=400)
@given(odd(), odd(), st.sampled_from([(), (LATENCY,)]))
def test_a_conclusion_needs_enough_requests_of_both_arms(
    candidate: Arm, stable: Arm, tails: tuple[LatencySignal, ...]
) -> None:
    found = compare(candidate, stable, tails)
    event(found.verdict)
    assert len(summary(found)) <= 256
    if found.verdict in CONCLUSIONS:
        assert enough(candidate)
        assert enough(stable)


@settings(max_examples=200)
@given(sound(st.sampled_from([600.0, 700.0])), sound(st.sampled_from([600.0, 700.0])))
def test_if_one_is_better_the_other_is_worse(one: Arm, other: Arm) -> None:
    found, swapped = compare(one, other), compare(other, one)
    event(found.verdict)
    if found.verdict is ArmVerdict.BETTER:
        assert swapped.verdict is ArmVerdict.WORSE
    assert [effect.ratio for effect in swapped.effects] == pytest.approx([1 / effect.ratio for effect in found.effects])
    assert [effect.low for effect in swapped.effects] == pytest.approx([1 / effect.high for effect in found.effects])


@given(st.floats(0.3, 3))
def test_where_all_is_slower_by_one_factor_the_arms_can_be_swapped(factor: float) -> None:
    slow, usual = arm_of(factor), arm_of()
    opposite = {ArmVerdict.BETTER: ArmVerdict.WORSE, ArmVerdict.WORSE: ArmVerdict.BETTER}
    found = compare(slow, usual).verdict
    event(found)
    assume(found in opposite)
    assert compare(usual, slow).verdict is opposite[found]


def scaled(found: Arm, factor: float) -> Arm:
    """Return the same requests with a clock that goes `factor` times as fast."""
    latency = {
        metric: Distribution(
            one.sum * factor,
            one.count,
            {edge * factor: count for edge, count in one.buckets.items()},
            {number: Batch(batch.sum * factor, batch.count) for number, batch in one.batches.items()},
        )
        for metric, one in found.latency.items()
    }
    return replace(found, latency=latency)


@given(sound(st.just(600.0)), sound(st.just(600.0)), st.floats(1, 1000))
def test_units_of_time_change_nothing(candidate: Arm, stable: Arm, factor: float) -> None:
    """But for a TTFT so short that its margin is one in seconds."""
    assume(min(one.latency[LatencyMetric.TTFT].mean for one in (candidate, stable)) > 0.1)
    found, other = compare(candidate, stable), compare(scaled(candidate, factor), scaled(stable, factor))
    assert (other.verdict, other.reason) == (found.verdict, found.reason)
    for before, after in zip(found.effects, other.effects, strict=True):
        assert (after.ratio, after.low, after.high) == pytest.approx((before.ratio, before.low, before.high))


@given(sound(st.just(600.0)), st.floats(0.1, 10))
def test_the_time_of_one_arm_alone_is_seen_as_the_ratio(stable: Arm, factor: float) -> None:
    found = compare(scaled(stable, factor), stable)
    assert [effect.ratio for effect in found.effects] == pytest.approx([factor] * 3)
