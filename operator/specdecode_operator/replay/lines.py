"""What a replay draws of a signal: its line of breach, its curves, and the spans to shade."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from specdecode_operator.policy import Finding, Signal, Verdict
from specdecode_operator.policy.judging.lengths import BreakEven
from specdecode_operator.policy.judging.signals import AcceptanceSignal, LatencySignal
from specdecode_operator.policy.judging.verdicts import burn_threshold
from specdecode_operator.replay.result import Evaluation

__all__ = ["Span", "Threshold", "curve", "spans", "threshold"]

Point = tuple[int, float]


@dataclass(frozen=True)
class Threshold:
    """The line that both windows must cross for a breach; `when` is `below` or `above`."""

    value: float
    when: str


@dataclass(frozen=True)
class Span:
    """Evaluations in a row, both ends included, by their numbers."""

    first: int
    last: int


def threshold(signal: Signal) -> Threshold:
    """Return the line of `signal`: from 0 to 1, or tokens of a step; NaN where it moves with the load."""
    if isinstance(signal, LatencySignal):
        return Threshold(burn_threshold(signal.budget), "above")
    if isinstance(signal, AcceptanceSignal):
        return Threshold(signal.threshold, "below")
    return Threshold(math.nan if isinstance(signal.line, BreakEven) else signal.line, "below")


def spans(evaluations: Sequence[Evaluation], name: str, verdicts: frozenset[Verdict]) -> Iterator[Span]:
    """Yield the spans in which the signal called `name` has one of `verdicts`."""
    first = None
    for index, evaluation in enumerate(evaluations):
        inside = any(found.signal.name == name and found.verdict in verdicts for found in evaluation.findings)
        if inside and first is None:
            first = index
        if not inside and first is not None:
            yield Span(first, index - 1)
            first = None
    if first is not None:
        yield Span(first, len(evaluations) - 1)


def curve(
    evaluations: Sequence[Evaluation], name: str, value: Callable[[Finding], float], most: int
) -> Iterator[list[Point]]:
    """Yield the pieces of a curve, as (number of the evaluation, value), without what is no number.

    Of every stretch of evaluations that `most` points leave no room for, the lowest and the highest value are kept.
    """
    piece: list[Point] = []
    for index, evaluation in enumerate(evaluations):
        found = next((value(one) for one in evaluation.findings if one.signal.name == name), math.nan)
        if math.isfinite(found):
            piece.append((index, found))
        elif piece:
            yield _thinned(piece, most, len(evaluations))
            piece = []
    if piece:
        yield _thinned(piece, most, len(evaluations))


def _thinned(piece: list[Point], most: int, total: int) -> list[Point]:
    width = max(1, -(-2 * total // most))
    kept: list[Point] = []
    for first in range(0, len(piece), width):
        stretch = piece[first : first + width]
        extremes = {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        kept += sorted(extremes)
    return kept
