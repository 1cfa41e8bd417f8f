"""The closing table."""

from demo.acts import Act

_HEAD = ("act", "requests", "failed", "acceptance", "TPOT P50", "TPOT P99")


def table(acts: list[Act]) -> str:
    """Return what the client measured in each act, one line an act."""
    rows = [_HEAD, *(_row(act) for act in acts)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _row(act: Act) -> tuple[str, ...]:
    acceptance = "off" if act.acceptance is None else f"{act.acceptance:.0%}"
    times = (f"{1000 * act.tpot(percentile):.1f} ms" for percentile in (50, 99))
    return act.title, str(len(act.requests)), str(act.failed), acceptance, *times
