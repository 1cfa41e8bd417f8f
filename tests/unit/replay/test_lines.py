"""What is drawn of a signal."""

import math
from datetime import timedelta
from operator import attrgetter

import pytest

from specdecode_operator.policy import Finding, LengthSignal, Signal, Verdict
from specdecode_operator.policy.judging.lengths import BreakEven
from specdecode_operator.replay import Evaluation
from specdecode_operator.replay.lines import Span, Threshold, curve, spans, threshold
from support.builders import ACCEPTANCE, LATENCY, NOW

SHORT = attrgetter("short")


def evaluations(*values: float, verdicts: str = "") -> list[Evaluation]:
    """Return evaluations with these short values, and verdicts by their first letters."""
    letters = {verdict[0]: verdict for verdict in Verdict}
    return [
        Evaluation(
            NOW + timedelta(seconds=15 * index),
            "primary",
            (Finding(ACCEPTANCE, letters[verdict], "Because", value, value),),
            None,
        )
        for index, (value, verdict) in enumerate(zip(values, verdicts or "H" * len(values), strict=True))
    ]


def test_the_line_of_a_breach() -> None:
    signals: tuple[Signal, ...] = (ACCEPTANCE, LATENCY, LengthSignal("AcceptanceLength", 1.8))
    assert list(map(threshold, signals)) == [Threshold(0.5, "below"), Threshold(0.02, "above"), Threshold(1.8, "below")]


def test_a_break_even_has_no_line_of_its_own() -> None:
    moving = threshold(LengthSignal("BreakEven", BreakEven(((1.0, 0.01, 0.013),))))
    assert (math.isnan(moving.value), moving.when) == (True, "below")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ("HHHH", []),
        ("BBBB", [Span(0, 3)]),
        ("HBBH", [Span(1, 2)]),
        ("BHHB", [Span(0, 0), Span(3, 3)]),
        ("UUHB", [Span(3, 3)]),
    ],
)
def test_spans_of_one_verdict(verdicts: str, expected: list[Span]) -> None:
    found = evaluations(*[0.1] * 4, verdicts=verdicts)
    assert list(spans(found, "Acceptance", frozenset({Verdict.BREACH}))) == expected
    assert list(spans(found, "TpotP99", frozenset({Verdict.BREACH}))) == []


def test_a_curve_breaks_where_there_is_no_number() -> None:
    found = evaluations(0.1, 0.2, math.nan, 0.3, math.inf, 0.4)
    assert list(curve(found, "Acceptance", SHORT, 100)) == [[(0, 0.1), (1, 0.2)], [(3, 0.3)], [(5, 0.4)]]


def test_a_long_curve_keeps_its_extremes() -> None:
    values = [0.5] * 1000
    values[123], values[789] = 0.01, 0.99
    (piece,) = curve(evaluations(*values), "Acceptance", SHORT, 100)
    assert len(piece) <= 100
    assert {(123, 0.01), (789, 0.99)} <= set(piece)
    assert piece == sorted(piece)
