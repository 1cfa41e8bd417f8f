"""Times on the command line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import click

__all__ = ["moment", "period"]

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_PERIOD: Final = re.compile(r"(\d{1,6})(s|m|h|d)")


def moment(_context: click.Context, _option: click.Parameter, value: str | None) -> datetime | None:
    """Return a time in whole seconds, in UTC: from RFC 3339 with its zone, `now`, or how long ago (`90m`, `2d`)."""
    if value is None:
        return None
    now = datetime.now(UTC).replace(microsecond=0)
    if value == "now":
        return now
    if (ago := _seconds(value)) is not None:
        return now - timedelta(seconds=ago)
    try:
        return _aware(datetime.fromisoformat(value))
    except ValueError:
        raise click.BadParameter(
            f"{value} is no time; write it as 2026-03-01T12:00:00Z, as now, or as 90m for 90 minutes ago"
        ) from None


def period(_context: click.Context, _option: click.Parameter, value: str | None) -> int | None:
    """Return the whole seconds of `15s`, `5m`, `2h` or `1d`."""
    if value is None:
        return None
    found = _seconds(value)
    if not found:
        raise click.BadParameter(f"{value} is no duration; write it as 15s, 5m, 2h or 1d")
    return found


def _seconds(text: str) -> int | None:
    match = _PERIOD.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] if match else None


def _aware(found: datetime) -> datetime:
    if found.tzinfo is None:
        raise ValueError(found)
    return found.astimezone(UTC).replace(microsecond=0)
