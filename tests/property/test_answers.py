"""Whatever Prometheus answers, nothing is rolled unless both windows breach with enough requests."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import LatencyMetric, Spec
from specdecode_operator.engine import Counter, Gauge
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
    pressure,
    queries,
    signals,
    snapshot,
)
from specdecode_operator.policy.judging.queries import Kind
from support.builders import LONG, NOW, SHORT, TPOT, pod, rung, situation, spec_of

NEVER = {"mode": "Never"}
SPEC = spec_of(policy={"mode": "Enforce", "objectives": [TPOT], "trial": NEVER})
VARIANT = rung(SPEC)
COSTS = [
    {"concurrency": 1, "target": "10ms", "speculative": "14ms"},
    {"concurrency": 101, "target": "10ms", "speculative": "18ms"},
]
BREAK_EVEN = spec_of(
    policy={"mode": "Enforce", "acceptance": {"rule": "BreakEven", "stepCosts": COSTS}, "trial": NEVER}
)
QUERIES = queries(
    Demand(frozenset({SHORT, LONG}), {LatencyMetric.TPOT: frozenset({0.05})}, loads=frozenset({SHORT}), lengths=True),
    Scope(),
)
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

    def value(
        self,
        kind: Kind,
        window: float = 0.0,
        *,
        counter: Counter | None = None,
        gauge: Gauge | None = None,
        le: str = "",
    ) -> float:
        """Return the only value of a series, NaN where there is none or more than one."""
        key = next(
            key
            for key in self.values
            if (key[0].kind, key[0].window, key[0].counter, key[0].gauge, key[1]) == (kind, window, counter, gauge, le)
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
    if query.gauge is not None:
        return 51.0 if query.gauge is Gauge.RUNNING else 0.5
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


def plan_for(given_answers: Answers, spec: Spec = SPEC) -> tuple[Plan, bool]:
    """Return the plan that these answers lead to when they come twice, and whether anything was unknown."""
    found = snapshot(given_answers.rows(), scope=Scope(), at=NOW, scrape_interval=INTERVAL)
    seen = gather(found, [pod(variant_hash=VARIANT.hash)], variant_hash=VARIANT.hash, short=SHORT, long=LONG)
    window = spec.policy.window
    findings = tuple(judge(signal, seen, speculating=True, window=window) for signal in signals(spec))
    judged = Judgement(
        VARIANT.hash,
        findings,
        frozenset(finding.signal.name for finding in findings if finding.verdict is Verdict.BREACH),
        pressure=pressure(seen.short),
    )
    unknown = any(finding.verdict is Verdict.UNKNOWN for finding in findings)
    return decide(situation(spec, judgement=judged)), unknown


def trusted(found: Answers) -> bool:
    scrapes = all(found.value(Kind.SCRAPES, window) >= 0.8 * window / INTERVAL for window in (SHORT, LONG))
    return found.value(Kind.TARGETS) == 1 and found.value(Kind.AGE) <= 90 and scrapes


def enough(found: Answers, window: float) -> bool:
    return found.value(Kind.REQUESTS, window) >= MINIMUM[window]


def low_acceptance(found: Answers, window: float) -> bool:
    accepted = found.value(Kind.COUNTER, window, counter=Counter.ACCEPTED_TOKENS)
    drafted = found.value(Kind.COUNTER, window, counter=Counter.DRAFT_TOKENS)
    return math.isfinite(drafted) and drafted > 0 and 0 <= accepted / drafted < 0.5


def unpaid(found: Answers, window: float) -> bool:
    accepted, drafts = (
        found.value(Kind.COUNTER, window, counter=counter) for counter in (Counter.ACCEPTED_TOKENS, Counter.DRAFTS)
    )
    running = min(max(found.value(Kind.MEAN, window, gauge=Gauge.RUNNING), 1.0), 101.0)
    line = 1.4 + 0.4 * (running - 1) / 100
    return math.isfinite(drafts) and drafts > 0 and accepted >= 0 and 1 + accepted / drafts < line + 1e-9


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


@settings(max_examples=250)
@given(answers())
def test_an_action_for_the_break_even_length_needs_tokens_and_load_of_both_windows(found: Answers) -> None:
    plan, unknown = plan_for(found, BREAK_EVEN)
    event("action" if plan.operation else "no action")
    if plan.operation is None:
        assert plan.variant == VARIANT
        return
    both = (SHORT, LONG)
    assert trusted(found)
    assert not unknown
    assert all(enough(found, window) and unpaid(found, window) for window in both)


@given(answers())
def test_no_load_whatever_leads_to_an_action_or_keeps_one_back(found: Answers) -> None:
    loads = {key for key in found.values if key[0].gauge is not None or key[0].counter is Counter.PREEMPTIONS}
    calm = Answers({key: GOOD[key] if key in loads else value for key, value in found.values.items()})
    assert plan_for(found)[0].variant == plan_for(calm)[0].variant


GOOD = {(query, le): (good(query, le, acceptance=0.2, slow=0.0),) for query in QUERIES for le in _bounds(query)}


def test_a_clean_breach_is_acted_upon() -> None:
    plan, _ = plan_for(Answers(GOOD))
    assert plan.variant.name == "no-speculation"


RATE = (None, Counter.DRAFT_TOKENS, Counter.ACCEPTED_TOKENS)
LENGTH = (*RATE, Counter.DRAFTS)
PLAIN = [query for query in QUERIES if query.kind is not Kind.BUCKETS]
NEEDED = [query for query in PLAIN if query.counter in RATE and query.gauge is None]
NEEDED_FOR_LENGTHS = [
    query for query in PLAIN if query.counter in LENGTH and (query.gauge is None or query.gauge is Gauge.RUNNING)
]


@pytest.mark.parametrize("lost", NEEDED, ids=lambda query: f"{query.kind}-{query.counter}-{query.window:g}")
def test_without_any_one_of_the_series_nothing_is_done(lost: Query) -> None:
    plan, _ = plan_for(Answers(GOOD | {(lost, ""): ()}))
    assert (plan.operation, plan.variant) == (None, VARIANT)


@pytest.mark.parametrize("doubled", NEEDED, ids=lambda query: f"{query.kind}-{query.counter}-{query.window:g}")
def test_with_any_one_of_the_series_twice_nothing_is_done(doubled: Query) -> None:
    plan, _ = plan_for(Answers(GOOD | {(doubled, ""): GOOD[doubled, ""] * 2}))
    assert (plan.operation, plan.variant) == (None, VARIANT)


@pytest.mark.parametrize(
    "lost", NEEDED_FOR_LENGTHS, ids=lambda query: f"{query.kind}-{query.counter or query.gauge}-{query.window:g}"
)
@pytest.mark.parametrize("times", [0, 2])
def test_without_any_one_series_of_the_length_or_with_it_twice_nothing_is_done(lost: Query, times: int) -> None:
    plan, _ = plan_for(Answers(GOOD | {(lost, ""): GOOD[lost, ""] * times}), BREAK_EVEN)
    assert (plan.operation, plan.variant) == (None, VARIANT)


def test_a_clean_breach_of_the_length_is_acted_upon() -> None:
    plan, _ = plan_for(Answers(GOOD), BREAK_EVEN)
    assert plan.variant.name == "no-speculation"
