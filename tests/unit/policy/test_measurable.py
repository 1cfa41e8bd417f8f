"""What an old engine cannot show is not judged, whatever series of that name Prometheus has."""

from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.policy import Finding, LatencySignal, Signal, Verdict, measurable
from support.builders import ACCEPTANCE, DRAFT_MODEL, LATENCY, finding, rung, spec_of

TTFT = LatencySignal("TtftP99", LatencyMetric.TTFT, 0.1, 0.01, "100ms")
E2E = LatencySignal("E2eP99", LatencyMetric.E2E, 1.0, 0.01, "1s")
NGRAM = {"method": "NGram", "numSpeculativeTokens": 4}
EAGLE = {"method": "Eagle", "draft": {"name": "org/eagle-head"}, "numSpeculativeTokens": 4}
EAGLE3 = EAGLE | {"method": "Eagle3"}
V1, V0 = [{"name": "VLLM_USE_V1", "value": "1"}], [{"name": "VLLM_USE_V1", "value": "0"}]


def applies(signal: Signal, speculation: Any, version: str, env: Any = ()) -> bool:
    spec = spec_of(speculation=speculation, engine={"version": version, "env": list(env)})
    before = finding(Verdict.BREACH, signal)
    (after,) = measurable((before,), spec, rung(spec))
    assert after in (before, Finding(signal, Verdict.NOT_APPLICABLE, "NotMeasured"))
    return after == before


ACCEPTED = [
    ("0.8.3", NGRAM, (), False),
    ("0.8.3", NGRAM, V1, False),
    ("0.8.5", NGRAM, (), False),
    ("0.8.5", NGRAM, V1, True),
    ("0.8.5", EAGLE, (), False),
    ("0.8.5", EAGLE, V1, True),
    ("0.9.2", NGRAM, (), True),
    ("0.9.2", NGRAM, V0, False),
    ("0.9.2", EAGLE3, (), True),
    ("0.9.2", DRAFT_MODEL, (), False),
    ("0.9.2", DRAFT_MODEL, V1, False),
    ("0.10.0", NGRAM, (), True),
    ("0.10.0", NGRAM, V0, True),
    ("0.15.0", DRAFT_MODEL, (), True),
    ("0.33.0", DRAFT_MODEL, (), True),
    ("0.40.0", DRAFT_MODEL, (), True),
]


@pytest.mark.parametrize(("version", "speculation", "env", "counted"), ACCEPTED)
def test_acceptance_is_judged_where_v1_counts_it(version: str, speculation: Any, env: Any, *, counted: bool) -> None:
    assert applies(ACCEPTANCE, speculation, version, env) == counted


LATENCIES = [
    ("0.8.3", LATENCY, False),
    ("0.10.2", LATENCY, False),
    ("0.11.0", LATENCY, True),
    ("0.33.0", LATENCY, True),
    ("0.8.3", TTFT, True),
    ("0.8.3", E2E, True),
    ("0.33.0", E2E, True),
]


@pytest.mark.parametrize(("version", "signal", "measured"), LATENCIES)
def test_a_latency_is_judged_where_the_release_has_its_histogram(
    version: str, signal: LatencySignal, *, measured: bool
) -> None:
    assert applies(signal, NGRAM, version) == measured


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.NOT_APPLICABLE])
def test_whatever_was_found_does_not_apply(verdict: Verdict) -> None:
    spec = spec_of(engine={"version": "0.9.2"})
    assert measurable((finding(verdict),), spec, rung(spec)) == (
        Finding(ACCEPTANCE, Verdict.NOT_APPLICABLE, "NotMeasured"),
    )


def test_what_does_not_apply_for_another_reason_keeps_it() -> None:
    spec = spec_of(engine={"version": "0.9.2"})
    off = Finding(ACCEPTANCE, Verdict.NOT_APPLICABLE, "SpeculationOff")
    above = Finding(LATENCY, Verdict.NOT_APPLICABLE, "AboveHistogram")
    assert measurable((off, above), spec, rung(spec, "no-speculation")) == (off, above)
    assert measurable((above,), spec, rung(spec)) == (above,)


def test_signals_stand_in_their_order_and_are_told_apart() -> None:
    spec = spec_of(engine={"version": "0.10.2"}, speculation=NGRAM)
    found = (finding(Verdict.HEALTHY), finding(Verdict.BREACH, LATENCY), finding(Verdict.BREACH, E2E))
    assert measurable(found, spec, rung(spec)) == (
        found[0],
        Finding(LATENCY, Verdict.NOT_APPLICABLE, "NotMeasured"),
        found[2],
    )


def test_a_rung_is_judged_by_its_own_method() -> None:
    fallback = {"name": "ngram", "triggers": ["Acceptance"], "speculation": NGRAM}
    spec = spec_of(engine={"version": "0.9.2"}, fallbacks=[fallback])
    found = (finding(Verdict.BREACH),)
    assert [measurable(found, spec, rung(spec, name)) == found for name in ("primary", "ngram")] == [False, True]
