"""From what Prometheus answers to a verdict on two arms: whatever is odd about one series, nothing is concluded."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from specdecode_operator.engine import Counter
from specdecode_operator.policy import ArmQuery, Row, Scope, arm_queries, arm_samples, arms, compare
from specdecode_operator.policy.judging.evidence import PodSamples, PodWindow
from specdecode_operator.policy.trials.arms import Arm, Part
from support.arms import WINDOW, arm_of, rows
from support.builders import NOW, pod, snapshot_of

PODS = {
    "chat-trial": arm_of(0.7, counters={Counter.DRAFT_TOKENS: 900.0, Counter.ACCEPTED_TOKENS: 600.0}),
    "chat-1": arm_of(),
    "chat-2": arm_of(),
}
QUERIES = arm_queries([("prod", name) for name in PODS], WINDOW, Scope(), 30.0)
NEEDED = [query for query in QUERIES if query.figure.part is not Part.COUNTER]
SEEN = PodSamples(10.0, 1, {WINDOW: PodWindow(20.0, 600.0)})

Change = Callable[[list[Row]], list[Row]]


def name(query: ArmQuery) -> str:
    return f"{query.figure.part}-{query.figure.of}{'-parts' * query.batched}"


def answers(query: ArmQuery) -> list[Row]:
    return [row for key, one in PODS.items() for row in rows(query, one, key)]


def verdict(changed: ArmQuery | None = None, change: Change = list) -> tuple[str, str]:
    """Return verdict and reason when the answer to one query is changed."""
    found = [(query, change(answers(query)) if query is changed else answers(query)) for query in QUERIES]
    both = arms(
        snapshot_of(chat_trial=SEEN, chat_1=SEEN, chat_2=SEEN),
        arm_samples(found, Scope()),
        candidate=[pod("chat-trial", ready_since=NOW - timedelta(seconds=660))],
        stable=[pod("chat-1"), pod("chat-2")],
        window=WINDOW,
        warm_up=60.0,
    )
    if both.candidate is None or both.stable is None:
        return "", both.unavailable or both.waiting or ""
    compared = compare(both.candidate, both.stable)
    return compared.verdict, compared.reason


def of_pod(pod_name: str, change: Change) -> Change:
    """Return a change of one pod's rows alone."""

    def changed(found: list[Row]) -> list[Row]:
        mine = [row for row in found if row.labels["pod"] == pod_name]
        return [row for row in found if row.labels["pod"] != pod_name] + change(mine)

    return changed


def valued(value: float) -> Change:
    return lambda found: [replace(row, value=value) for row in found]


def test_good_answers_lead_to_a_verdict() -> None:
    assert verdict() == ("Better", "TpotBetter")


@pytest.mark.parametrize("query", NEEDED, ids=name)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda _: [], "SeriesMissing", id="empty"),
        pytest.param(of_pod("chat-trial", lambda _: []), "SeriesMissing", id="missing of the candidate"),
        pytest.param(of_pod("chat-1", lambda _: []), "SeriesMissing", id="missing of a stable pod"),
        pytest.param(of_pod("chat-1", lambda found: found[1:]), "SeriesMissing", id="a row of a stable pod lost"),
        pytest.param(of_pod("chat-trial", lambda found: [*found, found[0]]), "SeriesMissing", id="a row twice"),
        pytest.param(of_pod("chat-trial", valued(math.nan)), "SeriesMissing", id="no number"),
        pytest.param(of_pod("chat-2", valued(math.inf)), "ValuesImpossible", id="infinite"),
        pytest.param(of_pod("chat-2", valued(-1e6)), "ValuesImpossible", id="negative"),
    ],
)
def test_nothing_is_concluded_when_an_answer_is(query: ArmQuery, change: Change, reason: str) -> None:
    assert verdict(query, change) == ("Incomparable", reason)


@pytest.mark.parametrize("query", [query for query in QUERIES if query not in NEEDED], ids=name)
def test_speculation_counters_decide_nothing(query: ArmQuery) -> None:
    assert verdict(query, lambda _: []) == verdict(query, valued(math.nan)) == ("Better", "TpotBetter")


def test_an_arm_is_that_of_the_answers() -> None:
    found = arm_samples([(query, answers(query)) for query in QUERIES], Scope())
    young = [pod("chat-2", ready_since=NOW - timedelta(seconds=100))]
    both = arms(
        snapshot_of(chat_trial=SEEN, chat_1=SEEN, chat_2=SEEN),
        found,
        candidate=[pod("chat-trial")],
        stable=[pod("chat-1"), *young],
        window=WINDOW,
        warm_up=60.0,
    )
    assert (both.candidate, both.stable) == (PODS["chat-trial"], PODS["chat-1"])
    assert isinstance(both.stable, Arm)
