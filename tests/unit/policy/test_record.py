"""What is written down of a decision, as people read it."""

from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Outcome
from specdecode_operator.policy import Finding, Judgement, LengthSignal, Pressure, Verdict, notes
from specdecode_operator.policy.judging.lengths import BreakEven
from specdecode_operator.policy.judging.signals import AcceptanceSignal, Signal
from specdecode_operator.policy.record import Cause, decision, label
from support.builders import ACCEPTANCE, LATENCY, finding, judgement, rung, situation, spec_of, status_of

SPEC = spec_of(policy={"mode": "Enforce"})
LEAST = LengthSignal("AcceptanceLength", 1.8)
EVEN = LengthSignal("BreakEven", BreakEven(((1.0, 0.008, 0.0105), (64.0, 0.01, 0.0164))))
DROP = AcceptanceSignal(0.563, 0.613, "AcceptanceDrop", "QuantizationPenalty", dropped_from=0.613)
STRAINED = Pressure(kv_cache_usage=0.974, kv_cache_peak=1.0, waiting=3.2, running=250.0, preemptions=0.0)


def written(found: Finding, pressure: Pressure | None = None) -> Any:
    judged: Judgement = judgement(rung(SPEC), found, pressure=pressure or Pressure())
    before = situation(SPEC, judgement=judged)
    origin, target = rung(SPEC), rung(SPEC, "no-speculation")
    return decision(before, origin, target, Cause(found.signal.trigger, finding=found), Outcome.STARTED)


@pytest.mark.parametrize(
    ("found", "value", "threshold"),
    [
        (
            finding(Verdict.BREACH, ACCEPTANCE, short=0.3123, long=0.3481),
            "31.2% / 34.8%",
            "below 50% of the draft tokens accepted",
        ),
        (
            finding(Verdict.BREACH, DROP, short=0.551, long=0.557),
            "55.1% / 55.7%",
            "more than 5 points below the 61.3% accepted before the quantization changed",
        ),
        (finding(Verdict.BREACH, LEAST, short=1.5234, long=1.6), "1.52 / 1.6", "below 1.8 tokens a step"),
        (
            finding(Verdict.BREACH, EVEN, short=1.22, long=1.25, line_short=1.4101, line_long=1.64),
            "1.22 / 1.25",
            "below the break-even of 1.41 / 1.64 tokens a step",
        ),
        (
            finding(Verdict.BREACH, LATENCY, short=0.031, long=0.026),
            "3.1% / 2.6%",
            "over 2% of the requests slower than 50ms",
        ),
    ],
)
def test_value_and_threshold_are_in_what_is_compared(found: Finding, value: str, threshold: str) -> None:
    record = written(found)
    assert (record.signal, record.value, record.threshold, record.window, record.samples) == (
        found.signal.name,
        value,
        threshold,
        "5m / 30m",
        "300 / 900",
    )


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (LEAST, "AcceptanceLength: below 1.8 tokens a step"),
        (EVEN, "BreakEven: below the break-even of 1.31 at 1, 1.64 at 64 running requests"),
    ],
)
def test_a_signal_is_known_by_its_threshold_whatever_the_load(signal: Signal, expected: str) -> None:
    assert label(signal) == expected


def test_the_longest_label_fits_into_the_status() -> None:
    points = tuple((65_529.0 + index, 0.001, 9.99999) for index in range(8))
    assert len(label(LengthSignal("BreakEven", BreakEven(points)))) <= 256


class TestPressure:
    def test_a_latency_is_written_down_with_what_the_pods_were_short_of(self) -> None:
        assert written(finding(Verdict.BREACH, LATENCY), STRAINED).pressure == (
            "the KV cache is 97% full and 3.2 requests wait"
        )

    @pytest.mark.parametrize(
        ("signal", "pressure"), [(ACCEPTANCE, STRAINED), (EVEN, STRAINED), (LATENCY, Pressure(waiting=0.2))]
    )
    def test_anything_else_is_not(self, signal: Signal, pressure: Pressure) -> None:
        assert written(finding(Verdict.BREACH, signal), pressure).pressure is None

    def test_the_event_says_it_too(self) -> None:
        record = written(finding(Verdict.BREACH, LATENCY, short=0.031, long=0.026), STRAINED)
        (note,) = notes(status_of(SPEC), status_of(SPEC, decisions=[record]), ("prod", "chat"))
        assert note.message == (
            "rolling primary to no-speculation: TpotP99 3.1% / 2.6% over 5m / 30m (300 / 900 requests) is over 2% of"
            " the requests slower than 50ms, while the KV cache is 97% full and 3.2 requests wait"
        )
