"""The figures as a table and as JSON."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from bench.run import Figures


def as_dict(figures: Figures) -> dict[str, Any]:
    """Return the figures as JSON-ready values, rounded to what means something."""
    return {name: _rounded(value) for name, value in asdict(figures).items()}


def table(figures: Figures) -> str:
    """Return one line a figure, with the aim beside it."""
    asked = figures.conditions
    rows = [
        (f"create to applied, {asked.resources} at once, p50", f"{figures.applied_p50:.1f} s", ""),
        (f"create to applied, {asked.resources} at once, p99", f"{figures.applied_p99:.1f} s", "20 s"),
        ("create to applied, slowest", f"{figures.applied_max:.1f} s", ""),
        *_costs(figures),
        (f"API writes a minute at rest, over {asked.rest_seconds} s", f"{figures.writes_at_rest_per_minute:.1f}", "0"),
        ("PromQL queries a tick, 50 resources", f"{figures.queries_a_tick_few:.1f}", "the same"),
        ("PromQL queries a tick, all resources", f"{figures.queries_a_tick_all:.1f}", "the same"),
        ("resident memory", f"{figures.memory_megabytes:.0f} MB", "250 MB"),
    ]
    return "\n".join(f"{what:<48}{value:>10}   {('aim: ' + aim) if aim else ''}".rstrip() for what, value, aim in rows)


def _costs(figures: Figures) -> Iterator[tuple[str, str, str]]:
    """Yield the rows of CPU time and requests, which depend little on what else the machine does."""
    created = figures.conditions.resources
    for process, seconds in asdict(figures.cpu_seconds).items():
        yield f"CPU of {process.replace('_', ' ')}, a resource", f"{1000 * seconds / created:.1f} ms", ""
    for request, count in figures.requests_a_resource.items():
        yield f"{request}, a resource", f"{count:.2f}", ""


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return round(value, 2) if isinstance(value, float) else value
