"""Whether a maintenance window is open, and when the next one opens.

A window opens at every moment that its schedule names in its time zone, and stays open for its duration of real time,
whatever the clocks do meanwhile. As with cron, an hour that is left out in spring counts from its end, and one that
comes twice in autumn counts once, unless the schedule names every hour.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from specdecode_operator.api.v1alpha1 import MaintenanceWindow

__all__ = ["next_opening", "open_now"]


def open_now(windows: Sequence[MaintenanceWindow], now: datetime) -> bool:
    """Whether any of `windows` is open at `now`; without windows it always is."""
    return not windows or any(_open(window, now) for window in windows)


def next_opening(windows: Sequence[MaintenanceWindow], now: datetime) -> datetime | None:
    """Return when the next of `windows` opens after `now`, in UTC; None where none ever does."""
    found = (_opening_after(window, now) for window in windows)
    return min((opening for opening in found if opening is not None), default=None)


def _open(window: MaintenanceWindow, now: datetime) -> bool:
    opening = _opening_after(window, now - timedelta(seconds=window.duration.seconds))
    return opening is not None and opening <= now


def _opening_after(window: MaintenanceWindow, moment: datetime) -> datetime | None:
    """Return the first opening after `moment`; in the hour that comes twice, cronsim begins with ones already past."""
    openings = CronSim(window.schedule, moment.astimezone(ZoneInfo(window.time_zone)))
    return next((found for opening in openings if (found := opening.astimezone(UTC)) > moment), None)
