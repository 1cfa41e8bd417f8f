"""A replay as text for a terminal."""

from collections.abc import Iterator
from datetime import datetime

from specdecode_operator.policy import timestamp
from specdecode_operator.policy.judging.signals import effective_thresholds
from specdecode_operator.replay.result import Entry, EntryKind, Replay

__all__ = ["duration", "share", "to_text"]

_MARKS = {EntryKind.DECISION: "*", EntryKind.PODS: "!", EntryKind.EVENT: "!"}


def to_text(found: Replay) -> str:
    """Return the head, the timeline and the figures of the end."""
    return "\n".join([*_head(found), "", *map(_line, found.timeline), "", *_foot(found)])


def duration(seconds: float) -> str:
    """Return whole seconds as `1h 5m`, `5m 30s` or `45s`."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    words = [f"{value}{unit}" for value, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if value]
    return " ".join(words) or "0s"


def share(value: float) -> str:
    """Return a share from 0 to 1 as a percentage."""
    return f"{100 * value:.3g} %"


def _head(found: Replay) -> Iterator[str]:
    start, end = timestamp(found.grid.start), timestamp(found.grid.end)
    count, step = found.summary.evaluations, duration(found.grid.step)
    mode = found.spec.policy.mode
    yield f"{found.namespace}/{found.name}, mode {mode}: {start} to {end}, {count} evaluations, one every {step}"
    for threshold in effective_thresholds(found.signals):
        yield f"  signal {threshold.signal}: asked for {threshold.requested}, compared with {threshold.effective}"
    for pod, variant in found.pods:
        gone = timestamp(pod.gone) if pod.gone else "the end"
        role = ", trial" if pod.trial else ""
        yield f"  pod {pod.name}: {variant}{role}, {timestamp(pod.ready)} to {gone}"
    for remark in found.remarks:
        yield f"  note: {remark}"


def _line(entry: Entry) -> str:
    return f"{_time(entry.at)} {_MARKS.get(entry.kind, ' ')} {_text(entry)}"


def _text(entry: Entry) -> str:
    if entry.kind is EntryKind.VERDICT:
        return entry.text
    return f"{'held by ' if entry.kind is EntryKind.HOLD else ''}{entry.reason}: {entry.text}"


def _time(at: datetime) -> str:
    return at.strftime("%m-%d %H:%M:%S")


def _foot(found: Replay) -> Iterator[str]:
    summary = found.summary
    yield f"{summary.decisions} decision{'' if summary.decisions == 1 else 's'}"
    for decision in found.decisions:
        route = f"{decision.from_variant} -> {decision.to_variant}"
        yield f"  {decision.at} {route} ({decision.trigger}): {decision.outcome}"
    yield f"in breach for {duration(summary.seconds_in_breach)}"
    yield f"{share(summary.unknown)} of the evaluations Unknown, {share(summary.insufficient)} Insufficient"
