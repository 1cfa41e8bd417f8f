"""When time alone may change a plan."""

from collections.abc import Iterable
from datetime import datetime

__all__ = ["seconds_until"]


def seconds_until(moments: Iterable[datetime | None], now: datetime) -> float | None:
    """Return the seconds from `now` to the first of `moments` that is still to come; None where none is."""
    return min(
        ((moment - now).total_seconds() for moment in moments if moment is not None and moment > now), default=None
    )
