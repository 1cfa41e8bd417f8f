"""One signal of a replay as an SVG picture: both windows, the line of breach, shaded spans, decisions as marks."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from operator import attrgetter
from typing import Final

from specdecode_operator.api.v1alpha1 import Decision
from specdecode_operator.policy import Finding, Signal, Verdict
from specdecode_operator.policy.judging.signals import AcceptanceSignal
from specdecode_operator.policy.record import shown
from specdecode_operator.replay.lines import Point, Span, curve, spans, threshold
from specdecode_operator.replay.result import Evaluation, Replay

__all__ = ["plot"]

_WIDTH: Final = 1000
_HEIGHT: Final = 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 970, 22, 192
_POINTS: Final = 1800
"""Points of a curve: about two a pixel."""

_ROUND: Final = (1, 2, 4, 8, 10)
"""Upper ends of the axis, times a power of ten: a quarter of each is a round number."""

_MOST_TICKS: Final = 8
_DAY: Final = 86_400
_TICKS: Final = (60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, _DAY, 2 * _DAY, 7 * _DAY)
"""Seconds between two times on the axis."""

_SHADES: Final = {
    "breach": frozenset({Verdict.BREACH}),
    "unknown": frozenset({Verdict.UNKNOWN}),
    "insufficient": frozenset({Verdict.INSUFFICIENT}),
}
_WINDOWS: Final = {"long": attrgetter("long"), "short": attrgetter("short")}


@dataclass(frozen=True)
class _Axes:
    """Where a moment and a value are in the picture."""

    evaluations: Sequence[Evaluation]
    step: int
    top: float

    @property
    def first(self) -> datetime:
        return self.evaluations[0].at

    @property
    def seconds(self) -> float:
        return max(1.0, (self.evaluations[-1].at - self.first).total_seconds())

    def x(self, at: datetime) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (at - self.first).total_seconds() / self.seconds

    def y(self, value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * min(value, self.top) / self.top

    def at(self, point: Point) -> str:
        index, value = point
        return f"{self.x(self.evaluations[index].at):.1f},{self.y(value):.1f}"

    def width(self, span: Span) -> tuple[float, float]:
        """Return the left edge and the width of a span: an evaluation stands for the step that follows it."""
        left = self.x(self.evaluations[span.first].at)
        ends = self.evaluations[span.last].at + timedelta(seconds=self.step)
        return left, max(1.0, min(self.x(ends), _RIGHT) - left)


def plot(found: Replay, signal: Signal) -> str:
    """Return an `<svg>` element; its colours are the classes of the page around it."""
    axes = _Axes(found.evaluations, found.grid.step, _top(found, signal))
    title = escape(f"{signal.name} in both windows, {found.namespace}/{found.name}")
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">',
        *_shades(axes, signal),
        *_value_axis(axes, signal),
        *_time_axis(axes),
        *_line(axes, signal),
        *_curves(axes, signal),
        *_marks(axes, found.decisions),
        "</svg>",
    ]
    return "\n".join(parts)


def _top(found: Replay, signal: Signal) -> float:
    """Return the value at the upper end of the axis."""
    if isinstance(signal, AcceptanceSignal):
        return 1.0
    points = [
        value
        for window in _WINDOWS.values()
        for piece in curve(found.evaluations, signal.name, window, _POINTS)
        for _, value in piece
    ]
    line = threshold(signal).value
    highest = max([*points, 0.0 if math.isnan(line) else 1.5 * line, 1e-9])
    magnitude = 10.0 ** math.floor(math.log10(highest))
    return next(first * magnitude for first in _ROUND if first * magnitude >= highest)


def _shades(axes: _Axes, signal: Signal) -> Iterator[str]:
    for name, verdicts in _SHADES.items():
        for span in spans(axes.evaluations, signal.name, verdicts):
            left, width = axes.width(span)
            height = _BOTTOM - _TOP
            yield f'<rect class="{name}" x="{left:.1f}" y="{_TOP}" width="{width:.1f}" height="{height}"/>'


def _value_axis(axes: _Axes, signal: Signal) -> Iterator[str]:
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = axes.y(part * axes.top)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        text = shown(signal, part * axes.top)
        yield f'<text class="axis" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'


def _time_axis(axes: _Axes) -> Iterator[str]:
    every = next((seconds for seconds in _TICKS if axes.seconds / seconds <= _MOST_TICKS), _TICKS[-1])
    pattern = "%H:%M" if axes.seconds <= _DAY else "%m-%d %H:%M"
    timestamp = -(-axes.first.timestamp() // every) * every
    while timestamp <= axes.evaluations[-1].at.timestamp():
        at = datetime.fromtimestamp(timestamp, axes.first.tzinfo)
        x = axes.x(at)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_BOTTOM}"/>'
        yield f'<text class="axis" x="{x:.1f}" y="{_BOTTOM + 16}" text-anchor="middle">{at.strftime(pattern)}</text>'
        timestamp += every


def _line(axes: _Axes, signal: Signal) -> Iterator[str]:
    line = threshold(signal)
    if math.isnan(line.value):
        yield from _drawn(axes, signal, "threshold", attrgetter("line_long"))
        return
    y = axes.y(line.value)
    yield f'<line class="threshold" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    text = f"breach {line.when} {shown(signal, line.value)}"
    yield f'<text class="threshold-label" x="{_RIGHT}" y="{y - 5:.1f}" text-anchor="end">{text}</text>'


def _curves(axes: _Axes, signal: Signal) -> Iterator[str]:
    for name, window in _WINDOWS.items():
        yield from _drawn(axes, signal, name, window)


def _drawn(axes: _Axes, signal: Signal, name: str, value: Callable[[Finding], float]) -> Iterator[str]:
    for piece in curve(axes.evaluations, signal.name, value, _POINTS):
        points = " ".join(map(axes.at, piece if len(piece) > 1 else piece * 2))
        yield f'<polyline class="{name}" points="{points}"/>'


def _marks(axes: _Axes, decisions: Sequence[Decision]) -> Iterator[str]:
    for number, decision in enumerate(decisions, 1):
        x = axes.x(datetime.fromisoformat(decision.at))
        title = escape(f"{decision.at} {decision.from_variant} to {decision.to_variant} ({decision.trigger})")
        yield f'<g class="decision"><title>{title}</title>'
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_BOTTOM}"/>'
        yield f'<circle cx="{x:.1f}" cy="{_TOP - 9}" r="9"/>'
        yield f'<text x="{x:.1f}" y="{_TOP - 5}" text-anchor="middle">{number}</text></g>'
