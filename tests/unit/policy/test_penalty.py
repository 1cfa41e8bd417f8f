"""What another quantization costs in acceptance: what is remembered, of whom, and what it is compared with."""

from dataclasses import replace
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Baseline, Outcome, Phase, Spec
from specdecode_operator.policy import Evidence, Finding, Variant, Verdict, decide, judge, signals
from specdecode_operator.policy.judging.penalty import baseline, measured, watched
from specdecode_operator.policy.judging.signals import AcceptanceSignal
from support.builders import (
    LATENCY,
    TPOT,
    counters,
    decision,
    evidence,
    finding,
    judgement,
    recorded,
    rung,
    running,
    situation,
    spec_of,
    status_of,
    verifying,
    window,
)

INT8 = {"name": "int8", "triggers": ["Latency"], "model": {"name": "org/target-int8"}}
FP8 = {"name": "fp8", "triggers": ["Latency"], "model": {"quantization": "fp8"}}
FEWER = {
    "name": "fewer",
    "triggers": ["Latency"],
    "speculation": {"method": "DraftModel", "draft": {"name": "org/draft"}, "numSpeculativeTokens": 2},
}
AWQ_DRAFT = {
    "name": "awq-draft",
    "triggers": ["Latency"],
    "speculation": {"method": "DraftModel", "draft": {"name": "org/draft-awq"}, "numSpeculativeTokens": 4},
}
LADDER = [INT8, FP8, FEWER, AWQ_DRAFT]


def spec(**acceptance: Any) -> Spec:
    policy = {"mode": "Enforce", "acceptance": acceptance, "objectives": [TPOT], "trial": {"mode": "Never"}}
    return spec_of(fallbacks=LADDER, policy=policy)


SPEC = spec()
PRIMARY = rung(SPEC)


def remembered(variant: Variant = PRIMARY, percent: str = "61.3") -> Baseline:
    return Baseline(variant=variant.name, variant_hash=variant.hash, kin=variant.kin, acceptance_percent=percent)


def penalty(found: Spec, name: str, before: Baseline | None) -> list[AcceptanceSignal]:
    watching = watched(found, rung(found, name), before)
    assert watching[-len(signals(found)) :] == signals(found, rung(found, name))
    return [signal for signal in watching if isinstance(signal, AcceptanceSignal) and signal.name == "AcceptanceDrop"]


class TestKin:
    @pytest.mark.parametrize(
        ("name", "kin"),
        [("int8", True), ("fp8", True), ("awq-draft", True), ("fewer", False), ("no-speculation", False)],
    )
    def test_variants_that_differ_in_weights_and_quantization_alone_are_kin(self, name: str, *, kin: bool) -> None:
        found = rung(SPEC, name)
        assert (found.kin == PRIMARY.kin, found.hash == PRIMARY.hash) == (kin, False)

    @pytest.mark.parametrize(
        "changes",
        [
            {"model": {"name": "org/other"}},
            {"engine": {"kvCacheDtype": "fp8"}},
            {"engine": {"version": "0.32.0"}},
            {"speculation": {"method": "NGram", "numSpeculativeTokens": 4}},
        ],
    )
    def test_another_model_engine_or_method_is_no_kin(self, changes: dict[str, Any]) -> None:
        assert rung(spec_of(**changes)).kin != PRIMARY.kin

    def test_other_weights_under_the_same_served_name_are_kin(self) -> None:
        again = spec_of(model={"name": "org/target-fp8", "servedName": "org/target"})
        assert (rung(again).kin, rung(again).hash == PRIMARY.hash) == (PRIMARY.kin, False)


class TestWatched:
    @pytest.mark.parametrize("name", ["int8", "fp8", "awq-draft"])
    def test_another_quantization_is_compared_with_what_it_replaced(self, name: str) -> None:
        (drop,) = penalty(SPEC, name, remembered())
        assert (round(drop.threshold, 6), drop.recovered, drop.dropped_from) == (0.563, 0.613, 0.613)

    @pytest.mark.parametrize(
        ("name", "before"),
        [
            ("int8", None),
            ("fewer", remembered()),
            ("no-speculation", remembered()),
            ("primary", remembered()),
            ("int8", remembered(rung(SPEC, "fewer"))),
            ("int8", remembered(percent="5.0")),
            ("int8", remembered(percent="0.0")),
        ],
    )
    def test_nothing_else_is_compared(self, name: str, before: Baseline | None) -> None:
        assert penalty(SPEC, name, before) == []

    @pytest.mark.parametrize(("points", "line"), [(0, 0.613), (1, 0.603), (61, 0.003)])
    def test_the_points_are_those_of_the_policy(self, points: int, line: float) -> None:
        found = spec(maxDropPoints=points)
        assert [signal.threshold for signal in penalty(found, "int8", remembered())] == [pytest.approx(line)]

    def test_a_hundred_points_allow_every_fall(self) -> None:
        assert penalty(spec(maxDropPoints=100), "int8", remembered()) == []

    def test_a_policy_that_watches_no_acceptance_watches_no_fall_of_it(self) -> None:
        found = spec(disableBelowPercent=0)
        assert watched(found, rung(found, "int8"), remembered()) == signals(found)

    @pytest.mark.parametrize(
        ("accepted", "verdict", "reason"),
        [
            (562, Verdict.BREACH, "QuantizationPenalty"),
            (564, Verdict.HEALTHY, "WithinThreshold"),
            (613, Verdict.RECOVERED, "AcceptanceWell"),
            (900, Verdict.RECOVERED, "AcceptanceWell"),
        ],
    )
    def test_the_finding_has_a_reason_of_its_own(self, accepted: float, verdict: Verdict, reason: str) -> None:
        (signal,) = penalty(SPEC, "int8", remembered())
        found = judge(
            signal, evidence(window(counters=counters(accepted, 1000))), speculating=True, window=SPEC.policy.window
        )
        assert (found.verdict, found.reason) == (verdict, reason)


class TestMeasured:
    def test_what_the_long_window_accepted_is_remembered(self) -> None:
        both = evidence(window(counters=counters(200, 1000)), window(counters=counters(613.4, 1000)))
        assert measured(SPEC, PRIMARY, both) == remembered()

    @pytest.mark.parametrize(
        "seen",
        [
            Evidence(),
            Evidence(unavailable="SamplesStale"),
            evidence(window(10)),
            evidence(window(counters={})),
            evidence(window(counters=counters(0, 0))),
            evidence(window(counters=counters(1100, 1000))),
        ],
    )
    def test_what_cannot_be_trusted_is_not(self, seen: Evidence) -> None:
        assert measured(SPEC, PRIMARY, seen) is None

    def test_counters_that_the_release_gets_wrong_are_not_remembered(self) -> None:
        old = spec_of(engine={"version": "0.8.5"})
        assert measured(old, rung(old), evidence()) is None

    def test_a_variant_that_does_not_speculate_accepts_nothing(self) -> None:
        assert measured(SPEC, rung(SPEC, "no-speculation"), evidence()) is None


def slow(name: str = "primary", **changes: Any) -> Any:
    found = finding(Verdict.BREACH, LATENCY)
    return judgement(rung(SPEC, name), found, baseline=remembered(rung(SPEC, name)), **changes)


class TestBaseline:
    def test_a_roll_writes_down_what_the_variant_before_accepted(self) -> None:
        before = situation(SPEC, judgement=slow())
        after = recorded(before)
        assert (after.active_variant, after.baseline) == ("int8", remembered())

    def test_a_change_of_the_spec_does_so_too(self) -> None:
        changed = spec_of(model={"name": "org/target-fp8", "servedName": "org/target"})
        before = situation(changed, status=status_of(SPEC), judgement=slow())
        assert (rung(changed).kin, baseline(before, rung(changed))) == (PRIMARY.kin, remembered())

    def test_it_stays_as_it_is_while_the_variant_runs(self) -> None:
        status = status_of(SPEC, "int8", baseline=remembered())
        before = situation(SPEC, "int8", status=status, judgement=slow("int8"))
        assert baseline(before, rung(SPEC, "int8")) == remembered()

    @pytest.mark.parametrize("known", [None, slow("fp8"), replace(slow(), baseline=None)])
    def test_without_an_evaluation_of_the_variant_before_nothing_is_remembered(self, known: Any) -> None:
        status = status_of(SPEC, baseline=remembered(rung(SPEC, "fp8")))
        before = situation(SPEC, status=status, judgement=known)
        assert baseline(before, rung(SPEC, "int8")) is None

    def test_a_status_that_was_lost_remembers_nothing(self) -> None:
        before = situation(SPEC, status=status_of(SPEC).model_copy(update={"variant_hash": None}))
        assert baseline(before, PRIMARY) is None


def test_a_penalty_leads_to_the_next_rung_that_lists_acceptance() -> None:
    drop = watched(SPEC, rung(SPEC, "int8"), remembered())[0]
    found = Finding(drop, Verdict.BREACH, "QuantizationPenalty", 0.551, 0.557, 300.0, 900.0)
    before = situation(
        SPEC,
        "int8",
        status=status_of(SPEC, "int8", baseline=remembered()),
        judgement=judgement(rung(SPEC, "int8"), found),
    )
    after = recorded(before)
    assert after.active_variant == "no-speculation"
    assert (after.decisions[-1].trigger, after.decisions[-1].signal, after.decisions[-1].value) == (
        "Acceptance",
        "AcceptanceDrop",
        "55.1% / 55.7%",
    )
    assert (
        after.decisions[-1].threshold == "more than 5 points below the 61.3% accepted before the quantization changed"
    )


def test_a_penalty_found_while_its_roll_is_verified_keeps_the_rung_for_now() -> None:
    drop = watched(SPEC, rung(SPEC, "int8"), remembered())[0]
    operation = verifying(to_variant="int8", trigger="Latency")
    before = situation(
        SPEC,
        "int8",
        status=status_of(
            SPEC,
            "int8",
            baseline=remembered(),
            operation=operation,
            decisions=[decision(to_variant="int8", trigger="Latency")],
        ),
        judgement=judgement(rung(SPEC, "int8"), finding(Verdict.BREACH, drop)),
        cluster=running(SPEC, "int8"),
    )
    assert operation.phase is Phase.VERIFYING
    assert [entry.outcome for entry in decide(before).decisions][:1] == [Outcome.NOT_IMPROVED]


def test_the_status_shows_what_is_compared() -> None:
    status = status_of(SPEC, "int8", baseline=remembered())
    calm = judgement(rung(SPEC, "int8"), finding(Verdict.HEALTHY))
    shown = recorded(situation(SPEC, "int8", status=status, judgement=calm)).effective_thresholds[0]
    assert (shown.signal, shown.requested, shown.effective) == ("AcceptanceDrop", "5 points below 61.3%", "56.3%")
