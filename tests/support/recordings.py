"""Recordings of a Prometheus that remembers."""

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any

from specdecode_operator.policy import Scope, ladder
from specdecode_operator.replay import Grid, Recorded, Recording, Replay, Subject, collect, replay
from support.builders import NOW, TPOT, spec_of
from support.past_prometheus import INTERVAL, Past, PastPod

POLICY: dict[str, Any] = {
    "mode": "Enforce",
    "objectives": [TPOT],
    "window": {"short": "1m", "long": "5m"},
    "budget": {"cooldown": "5m"},
    "trial": {"mode": "Never"},
    "probe": {"mode": "Never"},
}
STABLE, AFTER = "chat-5f7c9d-aaaaa", "chat-6d8e1f-bbbbb"


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def pod(name: str = STABLE, ready: float = -60, gone: float | None = None, **changes: Any) -> PastPod:
    """Return a pod that speculates, with its times in minutes."""
    return PastPod(name, at(ready), None if gone is None else at(gone), **changes)


def falling(start: float, end: float = 1e6) -> Any:
    """Return an acceptance that is too low between two minutes."""
    return lambda moment: 0.3 if start <= (moment - NOW) / timedelta(minutes=1) < end else 0.8


def recorded(past: Past, minutes: float = 30, *, start: float = 0, step: int = 15, **spec: Any) -> Recording:
    """Return a recording of `minutes` for the resource with `spec`."""
    pods = spec.pop("pods", None)
    resource = Recorded("prod", "chat", spec_of(**{"policy": POLICY} | spec), pods and re.compile(pods))
    grid = Grid.between(at(start), at(start + minutes), step)
    return asyncio.run(collect(past, [resource], grid, scope=Scope(), scrape_interval=INTERVAL))


def subject(name: str = "chat", **spec: Any) -> Subject:
    found = spec_of(**{"policy": POLICY} | spec)
    return Subject("prod", name, found, ladder(found))


def replayed(past: Past, minutes: float = 30, **spec: Any) -> Replay:
    """Return a replay of `minutes`."""
    return replay(recorded(past, minutes, **spec), subject(**spec))
