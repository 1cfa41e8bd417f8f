"""Whatever Prometheus answers, nothing is rolled unless both windows breach with enough requests."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import Counter
from specdecode_operator.policy import (
    Demand,
    Judgement,
    Plan,
    Query,
    Row,
    Scope,
    Verdict,
    decide,
    gather,
    judge,
    queries,
    signals,
    snapshot,
)
from specdecode_operator.policy.queries import Kind
from support.builders import LONG, NOW, SHORT, TPOT, pod, rung, situation, spec_of

SPEC = spec_of(policy={"mode": "Enforce", "objectives": [TPOT]})
VARIANT = rung(SPEC)
QUERIES = queries(Demand(frozenset({SHORT, LONG}), {LatencyMetric.TPOT: frozenset({0.05})}), Scope())
LABELS = {"namespace": "prod", "pod": "chat-1"}
MINIMUM = {SHORT: 30.0, LONG: 100.0}
INTERVAL = 30.0

ODD = [math.nan, math.inf, -math.inf]
COUNTS = st.one_of(st.floats(-2000, 2000), st.sampled_from([0.0, 1.0, 30.0, 100.0, 500.0, 1000.0, -1.0, -1000.0, *ODD]))
SCRAPES = st.one_of(st.floats(0, 100), st.sampled_from([8.0, 48.0, 60.0, -60.0, *ODD]))
AGES = st.one_of(st.floats(-10, 200), st.sampled_from([90.0, math.nan, math.inf]))
TARGETS = st.sampled_from([1.0, 1.0, 1.0, -1.0, 0.0, 0.5, 2.0, *ODD])
BY_KIND = {Kind.AGE: AGES, Kind.TARGETS: TARGETS, Kind.SCRAPES: SCRAPES}


@dataclass(frozen=True)
class Answers:
    """One or no value for each series that is asked for; a second one makes it ambiguous."""

    values: Mapping[tuple[Query, str], tuple[float, ...]]

    def rows(self) -> list[tuple[Query, list[Row]]]:
        return [
            (
                query,
                [
                    Row(LABELS | ({"le": le} if le else {}), value)
                    for le in _bounds(query)
                    for value in self.values[query, le]
                ],
            )
            for query in QUERIES
        ]

    def value(self, kind: Kind, window: float = 0.0, *, counter: Counter | None = None, le: str = "") -> float:
        """Return the only value of a series, NaN where there is none or more than one."""
        key = next(
            key
            for key in self.values
            if (key[0].kind, key[0].window, key[0].counter, key[1]) == (kind, window, counter, le)
        )
        found = self.values[key]
        return found[0] if len(found) == 1 else math.nan


def _bounds(query: Query) -> tuple[str, ...]:
    return ("0.05", "+Inf") if query.kind is Kind.BUCKETS else ("",)


def good(query: Query, le: str, *, acceptance: float, slow: float) -> float:
    """Return what a healthy scrape of a pod with this traffic would give."""
    fixed = {Kind.AGE: 5.0, Kind.TARGETS: 1.0, Kind.SCRAPES: query.window / INTERVAL, Kind.REQUESTS: 1000.0}
    if query.kind in fixed:
        return fixed[query.kind]
    if query.kind is Kind.COUNTER:
        return 1000.0 * (acceptance if query.counter is Counter.ACCEPTED_TOKENS else 1.0)
    return 1000.0 * (1 - slow) if le == "0.05" else 1000.0


@st.composite
def answers(draw: st.DrawFn) -> Answers:
    """Traffic that may breach, with a few series of it lost, doubled or replaced by anything."""
    traffic = {
        window: (draw(st.sampled_from([0.2, 0.49, 0.5, 0.9])), draw(st.sampled_from([0.0, 0.02, 0.021, 0.5])))
        for window in (0.0, SHORT, LONG)
    }
    values: dict[tuple[Query, str], tuple[float, ...]] = {}
    for query in QUERIES:
        acceptance, slow = traffic[query.window]
        for le in _bounds(query):
            values[query, le] = (good(query, le, acceptance=acceptance, slow=slow),)
    for key in draw(st.lists(st.sampled_from(list(values)), max_size=4, unique=True)):
        values[key] = tuple(draw(st.lists(BY_KIND.get(key[0].kind, COUNTS), max_size=2)))
    return Answers(values)


def plan_for(given_answers: Answers) -> tuple[Plan, bool]:
    """Return the plan that these answers lead to when they come twice, and whether anything was unknown."""
    found = snapshot(given_answers.rows(), scope=Scope(), at=NOW, scrape_interval=INTERVAL)
    seen = gather(found, [pod(variant_hash=VARIANT.hash)], variant_hash=VARIANT.hash, short=SHORT, long=LONG)
    window = SPEC.policy.window
    findings = tuple(judge(signal, seen, speculating=True, window=window) for signal in signals(SPEC))
    judged = Judgement(
        VARIANT.hash,
        findings,
        frozenset(finding.signal.name for finding in findings if finding.verdict is Verdict.BREACH),
    )
    unknown = any(finding.verdict is Verdict.UNKNOWN for finding in findings)
    return decide(situation(SPEC, judgement=judged)), unknown


def trusted(found: Answers) -> bool:
    scrapes = all(found.value(Kind.SCRAPES, window) >= 0.8 * window / INTERVAL for window in (SHORT, LONG))
    return found.value(Kind.TARGETS) == 1 and found.value(Kind.AGE) <= 90 and scrapes


def enough(found: Answers, window: float) -> bool:
    return found.value(Kind.REQUESTS, window) >= MINIMUM[window]


def low_acceptance(found: Answers, window: float) -> bool:
    accepted = found.value(Kind.COUNTER, window, counter=Counter.ACCEPTED_TOKENS)
    drafted = found.value(Kind.COUNTER, window, counter=Counter.DRAFT_TOKENS)
    return math.isfinite(drafted) and drafted > 0 and 0 <= accepted / drafted < 0.5


def slow(found: Answers, window: float) -> bool:
    fast, total = (found.value(Kind.BUCKETS, window, le=le) for le in ("0.05", "+Inf"))
    return math.isfinite(total) and total > 0 and (total - fast) / total - 0.01 <= 1 and (total - fast) / total > 0.02


@settings(max_examples=250)
@given(answers())
def test_an_action_needs_trust_enough_requests_and_a_breach_of_both_windows(found: Answers) -> None:
    plan, unknown = plan_for(found)
    event("action" if plan.operation else "no action")
    if plan.operation is None:
        assert plan.variant == VARIANT
        return
    both = (SHORT, LONG)
    assert trusted(found)
    assert not unknown
    assert all(enough(found, window) for window in both)
    assert all(low_acceptance(found, window) for window in both) or all(slow(found, window) for window in both)


GOOD = {(query, le): (good(query, le, acceptance=0.2, slow=0.0),) for query in QUERIES for le in _bounds(query)}


def test_a_clean_breach_is_acted_upon() -> None:
    plan, _ = plan_for(Answers(GOOD))
    assert plan.variant.name == "no-speculation"


NEEDED = [query for query in QUERIES if query.kind is not Kind.BUCKETS and query.counter is not Counter.DRAFTS]


@pytest.mark.parametrize("lost", NEEDED, ids=lambda query: f"{query.kind}-{query.counter}-{query.window:g}")
def test_without_any_one_of_the_series_nothing_is_done(lost: Query) -> None:
    plan, _ = plan_for(Answers(GOOD | {(lost, ""): ()}))
    assert (plan.operation, plan.variant) == (None, VARIANT)


@pytest.mark.parametrize("doubled", NEEDED, ids=lambda query: f"{query.kind}-{query.counter}-{query.window:g}")
def test_with_any_one_of_the_series_twice_nothing_is_done(doubled: Query) -> None:
    plan, _ = plan_for(Answers(GOOD | {(doubled, ""): GOOD[doubled, ""] * 2}))
    assert (plan.operation, plan.variant) == (None, VARIANT)
