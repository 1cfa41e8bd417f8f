"""The story in acts, each measured by the client."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from demo.timeline import Timeline
from support.observation import Watched
from support.traffic import Measured, Traffic


@dataclass(frozen=True)
class Act:
    """What the client saw in one act; times in seconds."""

    title: str
    started: float
    ended: float
    acceptance: float | None
    requests: list[Measured]

    @property
    def failed(self) -> int:
        """Requests that failed."""
        return sum(one.failed for one in self.requests)

    def tpot(self, percentile: int) -> float:
        """Return a percentile of the time per output token, in seconds."""
        values = [one.tpot for one in self.requests if not one.failed]
        return statistics.quantiles(values, n=100, method="inclusive")[percentile - 1]


class StoryError(Exception):
    """The story went another way; the message says where."""


def play(watched: Watched, traffic: Traffic, timeline: Timeline) -> list[Act]:
    """Play all acts. Raises `StoryError` where one does not end as it should."""
    timeline.say("act 1: traffic of domain A, which the draft knows")
    healthy = _act("1: domain A, speculating", watched, traffic, timeline, seconds=110)
    _check_healthy(watched, healthy)
    timeline.say("act 2: traffic of domain B, which the draft does not know")
    traffic.domain = "B"
    hurting = _until("2: domain B, speculating", watched, traffic, timeline, lambda: bool(watched.decisions()))
    decision = watched.decisions()[-1]
    timeline.say(f"in breach: {decision['signal']} {decision['value']}; trying {decision['to']} on one pod")
    proving = _tried("   the trial", watched, traffic, timeline)
    rolling = _until("   the roll", watched, traffic, timeline, watched.rolled)
    timeline.say("act 3: domain B again, now without speculation")
    healed = _act("3: domain B, no speculation", watched, traffic, timeline, seconds=60)
    return [healthy, hurting, proving, rolling, healed, *_way_back(watched, traffic, timeline)]


def _way_back(watched: Watched, traffic: Traffic, timeline: Timeline) -> list[Act]:
    """Play what follows when the draft knows the traffic again."""
    timeline.say("act 4: traffic of domain A again; the operator does not know that speculation would pay")
    traffic.domain = "A"
    waiting = _until(
        "4: domain A, no speculation", watched, traffic, timeline, lambda: watched.outcomes()[-1][0] == "Probe"
    )
    timeline.say("the pause is over: trying speculation again on one pod")
    proving = _tried("   the probe", watched, traffic, timeline)
    rolling = _until("   the roll", watched, traffic, timeline, lambda: watched.rolled("Probe"))
    timeline.say("act 5: domain A, speculating again")
    return [waiting, proving, rolling, _act("5: domain A, speculating", watched, traffic, timeline, seconds=60)]


def _tried(title: str, watched: Watched, traffic: Traffic, timeline: Timeline) -> Act:
    """Play a trial; raise `StoryError` unless it leads to a roll."""
    act = _until(title, watched, traffic, timeline, lambda: watched.phase() != "Trial")
    decision = watched.decisions()[-1]
    timeline.say(f"the trial: {decision.get('comparison')}")
    if decision["outcome"] in ("Dropped", "Unclear"):
        raise StoryError(f"the trial ended with {decision['outcome']}: {decision.get('comparison')}")
    return act


def _check_healthy(watched: Watched, act: Act) -> None:
    if act.acceptance is None or act.acceptance < 0.5:
        raise StoryError(f"acceptance on domain A is {act.acceptance}, so there is nothing to lose")
    if watched.decisions():
        raise StoryError("the operator acted although speculation paid")


def _act(title: str, watched: Watched, traffic: Traffic, timeline: Timeline, *, seconds: float) -> Act:
    end = time.monotonic() + seconds
    return _until(title, watched, traffic, timeline, lambda: time.monotonic() > end)


def _until(title: str, watched: Watched, traffic: Traffic, timeline: Timeline, ended: Callable[[], bool]) -> Act:
    started, deadline, said = time.time(), time.monotonic() + 420, time.monotonic()
    while not ended():
        if time.monotonic() > deadline:
            raise StoryError(f"act '{title.strip()}' did not end within seven minutes")
        time.sleep(1)
        if time.monotonic() - said >= 20:
            said = time.monotonic()
            timeline.say(_line(watched, traffic))
    now = time.time()
    acceptance = watched.acceptance(max(10, now - started))
    return Act(title, started, now, acceptance, traffic.between(started, now, traffic.domain))


def _line(watched: Watched, traffic: Traffic) -> str:
    now = time.time()
    recent = [one for one in traffic.between(now - 20, now) if not one.failed]
    tpot = f"{1000 * statistics.median(one.tpot for one in recent):5.1f} ms" if recent else "   none"
    acceptance = watched.acceptance(20)
    shown = "off" if acceptance is None else f"{acceptance:.0%}"
    variant = watched.status().get("activeVariant")
    return f"  acceptance {shown:>4}   TPOT P50 {tpot}   {len(recent):2} requests   variant {variant}"
