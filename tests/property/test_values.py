"""Laws of the small parts: edges, escaping, shares, versions."""

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import Version, bucket_edges, edge_at_or_above
from specdecode_operator.policy import Demand, Scope, Verdict, judge, overall, queries
from specdecode_operator.policy.judging.verdicts import Finding
from support.builders import ACCEPTANCE, LATENCY, buckets, counters, evidence, finding, spec_of, window

VERSIONS = st.builds(Version, st.integers(0, 3), st.integers(18, 60), st.integers(0, 9))
WINDOW = spec_of().policy.window
STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


@given(VERSIONS, VERSIONS)
def test_versions_are_ordered_as_their_numbers(first: Version, second: Version) -> None:
    assert (first < second) is ((first.major, first.minor, first.patch) < (second.major, second.minor, second.patch))


@given(VERSIONS)
def test_a_version_survives_its_text(version: Version) -> None:
    assert Version.parse(str(version)) == version


@given(st.floats(1e-4, 1e4), st.sampled_from(LatencyMetric), VERSIONS)
def test_the_edge_is_the_smallest_that_is_not_under_the_threshold(
    threshold: float, metric: LatencyMetric, version: Version
) -> None:
    edges = bucket_edges(metric, version)
    found = edge_at_or_above(threshold, edges)
    assert found == min((edge for edge in edges if edge >= threshold - 1e-9), default=None)


@given(st.text(max_size=20))
def test_a_matcher_says_exactly_what_the_administrator_wrote(value: str) -> None:
    text = queries(Demand(frozenset({60.0})), Scope(matchers={"cluster": value}))[0].text
    quoted = STRING.findall(text)
    unescaped = re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), quoted[1])
    assert (len(quoted), unescaped, STRING.sub("", text).count('"')) == (2, value, 0)


@given(st.floats(0, 1000), st.floats(1, 1000), st.floats(0, 1000), st.floats(1, 1000))
def test_acceptance_is_in_breach_exactly_when_both_windows_are_under_the_threshold(
    accepted: float, drafted: float, accepted_long: float, drafted_long: float
) -> None:
    both = evidence(
        window(counters=counters(accepted, drafted)), window(counters=counters(accepted_long, drafted_long))
    )
    found = judge(ACCEPTANCE, both, speculating=True, window=WINDOW)
    rates = (accepted / drafted, accepted_long / drafted_long)
    if max(rates) > 1.01:
        assert found.verdict is Verdict.UNKNOWN
    else:
        assert (found.verdict is Verdict.BREACH) is (max(rates) < 0.5)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_latency_is_in_breach_exactly_when_both_windows_are_over_twice_the_budget(short: int, long: int) -> None:
    both = evidence(window(buckets=buckets(short, 1000)), window(buckets=buckets(long, 1000)))
    found = judge(LATENCY, both, speculating=True, window=WINDOW)
    assert (found.verdict is Verdict.BREACH) is (min(short, long) > 20)


@given(st.one_of(st.floats(0, 29.99), st.just(math.nan)), st.floats(0, 1), st.floats(0, 1))
def test_few_requests_are_never_a_breach(requests: float, acceptance: float, slow: float) -> None:
    few = window(requests, counters=counters(acceptance * 1000, 1000), buckets=buckets(slow * 1000, 1000))
    for signal in (ACCEPTANCE, LATENCY):
        assert judge(signal, evidence(few, window()), speculating=True, window=WINDOW).verdict is not Verdict.BREACH
        assert judge(signal, evidence(window(), few), speculating=True, window=WINDOW).verdict is not Verdict.BREACH


FINDINGS = st.lists(st.sampled_from(Verdict).map(finding), max_size=6).map(tuple)


@given(FINDINGS, FINDINGS)
def test_more_signals_never_make_a_better_verdict(first: tuple[Finding, ...], second: tuple[Finding, ...]) -> None:
    worst = [
        Verdict.UNKNOWN,
        Verdict.BREACH,
        Verdict.INSUFFICIENT,
        Verdict.HEALTHY,
        Verdict.RECOVERED,
        Verdict.NOT_APPLICABLE,
    ]
    together = worst.index(overall(first + second))
    assert together == min(worst.index(overall(first)), worst.index(overall(second)))
