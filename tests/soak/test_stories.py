"""What becomes of candidates that are worse or never start, and of traffic that never stays the same."""

import time
from typing import Any

from support.observation import Watched
from support.traffic import Traffic
from support.waiting import always, eventually

ALWAYS_MISSED = {"metric": "Tpot", "percentile": "50", "threshold": "2ms"}
"""An objective that no pod here can keep, so that the ladder is gone down."""

NO_THRESHOLD = {"disableBelowPercent": 0}
WAVE_SECONDS = 20 * 60
HALF_PERIOD = 150
MOST_ACTIONS = 4


def decisions(watched: Watched) -> list[tuple[str, str, str | None]]:
    return [(found["to"], found["outcome"], found.get("reason")) for found in watched.decisions()]


def ended(watched: Watched, *outcomes: str) -> bool:
    return any(outcome in outcomes for _, outcome, _ in decisions(watched))


def failed(traffic: Traffic) -> list[str | None]:
    return [one.error for one in traffic.measured if one.failed]


def test_a_candidate_that_is_worse_is_dropped_and_nothing_is_rolled(serve: Any, report: list[str]) -> None:
    """On domain A the draft pays, so the target alone is slower."""
    watched, traffic = serve("dropped", acceptance=NO_THRESHOLD, objectives=[ALWAYS_MISSED])
    before = watched.pods("stable")
    eventually(lambda: ended(watched, "Dropped", "Unclear", "Started"), seconds=600, what="the end of the trial")
    assert decisions(watched)[0] == ("no-speculation", "Dropped", "Worse")
    report.append(f"a candidate that is worse: {watched.decisions()[0]['comparison']}")
    eventually(lambda: watched.pods("trial") == [], seconds=90, what="the end of its pod")
    assert watched.pods("stable") == before
    always(lambda: len(decisions(watched)) == 1, seconds=45, what="one decision")
    assert watched.condition("RemediationBlocked") == ("True", "LadderExhausted")
    assert failed(traffic) == []


def test_a_fallback_whose_pods_never_start_is_taken_back(serve: Any, report: list[str]) -> None:
    broken = {"name": "broken", "triggers": ["Latency"], "model": {"name": "missing"}}
    rolling = {"acceptance": NO_THRESHOLD, "objectives": [ALWAYS_MISSED], "trial": {"mode": "Never"}}
    watched, traffic = serve("reverted", broken, **rolling)
    eventually(lambda: ended(watched, "Reverted"), seconds=900, what="the reversal")
    found = watched.decisions()[:2]
    assert [entry["to"] for entry in found] == ["broken", "primary"]
    assert (found[0]["outcome"], found[1]["trigger"], found[1]["reason"]) == ("Reverted", "Revert", "CrashLoop")
    eventually(lambda: watched.status().get("activeVariant") == "primary", seconds=60, what="primary")
    assert [entry["variant"] for entry in watched.status()["blocked"]] == ["broken"]
    assert failed(traffic) == []
    report.append("a fallback that never starts: 0 requests failed until it was taken back")


def test_traffic_that_swings_for_twenty_minutes_ends_still_and_within_the_budget(serve: Any, report: list[str]) -> None:
    budget = {"cooldown": "30s", "limits": [{"count": MOST_ACTIONS, "window": "1h"}]}
    watched, traffic = serve("wave", budget=budget, probe={"minBackoff": "1m"})
    end = time.monotonic() + WAVE_SECONDS
    while time.monotonic() < end:
        traffic.domain = "B" if traffic.domain == "A" else "A"
        time.sleep(HALF_PERIOD)
    traffic.domain = "B"
    eventually(lambda: watched.phase() in (None, "Verifying"), seconds=600, what="the end of what was under way")
    before = decisions(watched)
    always(lambda: len(decisions(watched)) == len(before), seconds=180, what="stillness")
    actions = watched.status().get("actions") or []
    report.append(f"square wave: {len(actions)} actions, {before}")
    assert 1 <= len(actions) <= MOST_ACTIONS
    assert failed(traffic) == []
