"""A replay as one HTML file that needs nothing else: no script, no font and no address."""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from specdecode_operator.api.v1alpha1 import Decision
from specdecode_operator.policy import timestamp
from specdecode_operator.policy.judging.signals import effective_thresholds
from specdecode_operator.replay.plot import plot
from specdecode_operator.replay.result import Entry, Replay
from specdecode_operator.replay.text import duration, share

__all__ = ["to_html"]

_STYLE: Final = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #1c1e21; --soft: #5d6470; --rule: #d9dce1;
  --long: #1f5fa8; --short: #c25e00; --line: #a31621; --breach: #d6273133; --unknown: #6b728055;
  --insufficient: #6b728022; --mark: #6a2c91; --on-mark: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --page: #16181c; --ink: #e7e9ec; --soft: #a2a9b4; --rule: #363b43;
  --long: #77b2f2; --short: #f5a44d; --line: #ff8087; --breach: #ff4d5740; --unknown: #a2a9b466;
  --insufficient: #a2a9b426; --mark: #d3a6f2; --on-mark: #16181c; } }
body { background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;
  max-width: 70rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
p, figcaption, .soft { color: var(--soft); } figure { margin: 0; }
dl { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem; } dt { color: var(--soft); }
dd { margin: 0; font-size: 1.3rem; }
table { border-collapse: collapse; width: 100%; } td, th { border-bottom: 1px solid var(--rule); padding: .3rem .6rem;
  text-align: left; vertical-align: top; } td:first-child { white-space: nowrap; }
.wide { overflow-x: auto; } svg { display: block; width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; } .axis { fill: var(--soft); } .grid { stroke: var(--rule); }
polyline { fill: none; stroke-linejoin: round; } .long { stroke: var(--long); stroke-width: 2; }
.short { stroke: var(--short); stroke-width: 1.2; } .threshold { stroke: var(--line); stroke-dasharray: 6 4; }
.threshold-label { fill: var(--line); } .breach { fill: var(--breach); } .unknown { fill: var(--unknown); }
.insufficient { fill: var(--insufficient); } .decision line { stroke: var(--mark); stroke-width: 1.5; }
.decision circle { fill: var(--mark); } .decision text { fill: var(--on-mark); font-weight: 600; }
.key { display: inline-block; width: 1.4rem; height: .7rem; margin: 0 .3rem 0 1rem; }
.key.long { background: var(--long); height: .2rem; vertical-align: middle; }
.key.short { background: var(--short); height: .2rem; vertical-align: middle; }
.key.breach { background: var(--breach); } .key.unknown { background: var(--unknown); }
.key.insufficient { background: var(--insufficient); border: 1px solid var(--rule); }
"""


def to_html(found: Replay) -> str:
    """Return the whole page."""
    title = escape(f"Replay of {found.namespace}/{found.name}")
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head><body>",
        *_head(found, title),
        *_plots(found),
        *_decisions(found.decisions),
        *_timeline(found.timeline),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _head(found: Replay, title: str) -> Iterator[str]:
    summary = found.summary
    yield f"<h1>{title}</h1>"
    start, end = timestamp(found.grid.start), timestamp(found.grid.end)
    yield f"<p>{start} to {end}, an evaluation every {duration(found.grid.step)}, mode {found.spec.policy.mode}</p>"
    figures = {
        "Decisions": summary.decisions,
        "In breach": duration(summary.seconds_in_breach),
        "Unknown": share(summary.unknown),
        "Insufficient": share(summary.insufficient),
        "Evaluations": summary.evaluations,
    }
    yield "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures.items()) + "</dl>"
    if found.remarks:
        yield "<ul>" + "".join(f"<li>{escape(remark)}</li>" for remark in found.remarks) + "</ul>"


def _plots(found: Replay) -> Iterator[str]:
    window = found.spec.policy.window
    keys = {
        "long": f"long window ({window.long})",
        "short": f"short window ({window.short})",
        "breach": "Breach",
        "unknown": "Unknown",
        "insufficient": "Insufficient",
    }
    yield "<p>" + "".join(f'<span class="key {name}"></span>{text}' for name, text in keys.items()) + "</p>"
    for signal, effective in zip(found.signals, effective_thresholds(found.signals), strict=True):
        yield f"<h2>{escape(signal.name)}</h2><figure>{plot(found, signal)}"
        caption = f"asked for {effective.requested}, compared with {effective.effective}; numbers are decisions"
        yield f"<figcaption>{escape(caption)}</figcaption></figure>"


def _decisions(decisions: Iterable[Decision]) -> Iterator[str]:
    yield "<h2>Decisions</h2>"
    rows = [
        (str(number), one.at, one.from_variant, one.to_variant, one.trigger, one.outcome, _evidence(one))
        for number, one in enumerate(decisions, 1)
    ]
    if not rows:
        yield "<p>None.</p>"
        return
    yield from _table(("", "at", "from", "to", "trigger", "outcome", "evidence"), rows)


def _evidence(decision: Decision) -> str:
    if decision.signal is None:
        return decision.reason or ""
    return (
        f"{decision.signal} {decision.value} over {decision.window} ({decision.samples} requests), {decision.threshold}"
    )


def _timeline(timeline: Iterable[Entry]) -> Iterator[str]:
    yield "<h2>Timeline</h2>"
    rows = [(timestamp(entry.at), entry.kind, entry.reason, entry.text) for entry in timeline]
    yield from _table(("at", "what", "reason", ""), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield '<div class="wide"><table><thead><tr>' + "".join(f"<th>{name}</th>" for name in head) + "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
    yield "</tbody></table></div>"
