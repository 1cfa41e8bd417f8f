"""How many actions of its own the operator may still take on one resource.

What is counted is `status.actions`: the time of every roll that the operator began by itself, whatever its kind. The
decisions of the status cannot be counted, since mere observations push them out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from specdecode_operator.api.v1alpha1 import MAX_ACTIONS, Limit

__all__ = ["REMEMBERED", "Spent", "acted", "last", "spent"]

REMEMBERED: Final = timedelta(days=7)
"""How long the time of an action is kept: the longest window of a limit."""


@dataclass(frozen=True)
class Spent:
    """A limit that allows no further action, and when it does again."""

    limit: Limit
    free_at: datetime


def acted(actions: Sequence[str], at: str) -> tuple[str, ...]:
    """Return `actions` with one more at `at`, without those that no limit looks back to."""
    horizon = datetime.fromisoformat(at) - REMEMBERED
    kept = (action for action in actions if datetime.fromisoformat(action) > horizon)
    return (*kept, at)[-MAX_ACTIONS:]


def last(actions: Sequence[str]) -> datetime | None:
    """Return when the newest action began, if there is one."""
    return max(map(datetime.fromisoformat, actions), default=None)


def spent(limits: Sequence[Limit], actions: Sequence[str], now: datetime) -> Spent | None:
    """Return the limit that keeps the next action waiting longest, or None where one may begin now.

    An action that a clock which was set back puts into the future counts as well.
    """
    newest_first = sorted(map(datetime.fromisoformat, actions), reverse=True)
    full = (Spent(limit, _free_at(limit, newest_first)) for limit in limits if len(newest_first) >= limit.count)
    return max((one for one in full if one.free_at > now), key=lambda one: one.free_at, default=None)


def _free_at(limit: Limit, newest_first: Sequence[datetime]) -> datetime:
    """Return when the window holds one action less than the limit."""
    return newest_first[limit.count - 1] + timedelta(seconds=limit.window.seconds)
