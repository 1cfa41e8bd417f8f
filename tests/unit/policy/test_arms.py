"""Which pods make an arm, what makes it untrustworthy, and how pods are added up."""

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import Counter
from specdecode_operator.policy import PodFacts, Snapshot
from specdecode_operator.policy.judging.evidence import PodSamples, PodWindow
from specdecode_operator.policy.trials.arms import (
    Arm,
    Arms,
    Batch,
    Distribution,
    Figure,
    Part,
    PodArm,
    Tokens,
    arm,
    arms,
)
from support.builders import NOW, pod, snapshot_of

WINDOW, WARM_UP = 600.0, 60.0
TPOT = LatencyMetric.TPOT


def figure(part: Part, of: LatencyMetric | Tokens | Counter | None = None, label: str | float = "") -> Figure:
    return Figure(WINDOW, part, of, label)


def values(**changes: float) -> PodArm:
    """Return the figures of one pod: ten requests of 100 and 20 tokens, in 2 seconds each."""
    found = {
        figure(Part.FINISHED, None, "stop"): 9.0,
        figure(Part.FINISHED, None, "error"): changes.get("error", 1.0),
        figure(Part.SUM, TPOT): 1.0,
        figure(Part.COUNT, TPOT): 10.0,
        figure(Part.BUCKET, TPOT, 0.05): 4.0,
        figure(Part.BUCKET, TPOT, math.inf): 10.0,
        Figure(WINDOW, Part.SUM, TPOT, "", 0): 0.7,
        Figure(WINDOW, Part.COUNT, TPOT, "", 0): 6.0,
        Figure(WINDOW, Part.SUM, TPOT, "", 1): changes.get("batch", 0.3),
        Figure(WINDOW, Part.COUNT, TPOT, "", 1): 4.0,
        figure(Part.SUM, Tokens.PROMPT): 1000.0,
        figure(Part.COUNT, Tokens.PROMPT): 10.0,
        figure(Part.SUM, Tokens.GENERATION): 200.0,
        figure(Part.COUNT, Tokens.GENERATION): 10.0,
        figure(Part.COUNTER, Counter.DRAFTS): 50.0,
    }
    return {key: value for key, value in found.items() if not math.isnan(value)}


ONE = Arm(
    window=WINDOW,
    pods=1,
    finished={"stop": 9.0, "error": 1.0},
    latency={TPOT: Distribution(1.0, 10.0, {0.05: 4.0, math.inf: 10.0}, {0: Batch(0.7, 6.0), 1: Batch(0.3, 4.0)})},
    prompt_tokens=Distribution(1000.0, 10.0),
    generation_tokens=Distribution(200.0, 10.0),
    counters={Counter.DRAFTS: 50.0},
)
TWO = Arm(
    window=WINDOW,
    pods=2,
    finished={"stop": 18.0, "error": 2.0},
    latency={TPOT: Distribution(2.0, 20.0, {0.05: 8.0, math.inf: 20.0}, {0: Batch(1.4, 12.0), 1: Batch(0.6, 8.0)})},
    prompt_tokens=Distribution(2000.0, 20.0),
    generation_tokens=Distribution(400.0, 20.0),
    counters={Counter.DRAFTS: 100.0},
)
A, B, C = ("prod", "chat-trial"), ("prod", "chat-1"), ("prod", "chat-2")


class TestSums:
    def test_one_pod(self) -> None:
        assert arm({A: values()}, [A], WINDOW) == ONE

    def test_pods_are_added_up(self) -> None:
        assert arm({A: values(), B: values(), C: values()}, [B, C], WINDOW) == TWO

    def test_what_one_pod_lacks_is_no_number(self) -> None:
        found = arm({B: values(), C: values(error=math.nan)}, [B, C], WINDOW)
        assert math.isnan(found.finished["error"])
        assert replace(found, finished=TWO.finished) == TWO

    def test_a_part_of_the_window_that_one_pod_lacks_is_no_number(self) -> None:
        found = arm({B: values(), C: values(batch=math.nan)}, [B, C], WINDOW).latency[TPOT]
        assert math.isnan(found.batches[1].sum)
        assert (found.batches[0], found.batches[1].count, found.sum) == (Batch(1.4, 12.0), 8.0, 2.0)

    def test_a_pod_without_any_figures_makes_every_sum_no_number(self) -> None:
        found = arm({B: values()}, [B, C], WINDOW)
        assert all(map(math.isnan, (*found.finished.values(), found.latency[TPOT].sum, found.prompt_tokens.count)))

    def test_other_windows_are_not_looked_at(self) -> None:
        other = {replace(key, window=1200.0): 99.0 for key in values()}
        assert arm({A: {**values(), **other}}, [A], WINDOW) == ONE

    def test_without_figures_there_is_nothing(self) -> None:
        found = arm({}, [A], WINDOW)
        assert (found.finished, found.latency, found.counters, found.requests) == ({}, {}, {}, 0)
        assert math.isnan(found.prompt_tokens.mean)

    def test_requests_are_all_that_finished_and_failed_those_without_an_answer(self) -> None:
        found = replace(ONE, finished={"stop": 5.0, "length": 4.0, "repetition": 3.0, "abort": 2.0, "error": 1.0})
        assert (found.requests, found.failed) == (15.0, 3.0)

    @pytest.mark.parametrize(("total", "count", "mean"), [(6.0, 3.0, 2.0), (0.0, 3.0, 0.0)])
    def test_a_mean(self, total: float, count: float, mean: float) -> None:
        assert Distribution(total, count).mean == mean

    @pytest.mark.parametrize(
        ("total", "count"), [(0.0, 0.0), (1.0, 0.0), (math.nan, 1.0), (1.0, math.nan), (1.0, -1.0)]
    )
    def test_without_observations_there_is_no_mean(self, total: float, count: float) -> None:
        assert math.isnan(Distribution(total, count).mean)


def seen(**changes: Any) -> PodSamples:
    """Return what Prometheus has of a pod in good health, scraped every 30 seconds."""
    return replace(PodSamples(10.0, 1, {WINDOW: PodWindow(20.0, 10.0)}), **changes)


SNAPSHOT = snapshot_of(chat_trial=seen(), chat_1=seen(), chat_2=seen())
SAMPLES = {A: values(), B: values(), C: values()}


def ready(seconds: float, name: str) -> PodFacts:
    return pod(name, ready_since=NOW - timedelta(seconds=seconds))


CANDIDATE = ready(660, "chat-trial")
STABLE = (pod("chat-1"), pod("chat-2"))


def found(
    candidate: Iterable[PodFacts] = (CANDIDATE,),
    stable: Iterable[PodFacts] = STABLE,
    *,
    snapshot: Snapshot | None = SNAPSHOT,
    samples: dict[tuple[str, str], PodArm] | None = None,
) -> Arms:
    chosen = SAMPLES if samples is None else samples
    return arms(snapshot, chosen, candidate=candidate, stable=stable, window=WINDOW, warm_up=WARM_UP)


class TestWhoCounts:
    def test_both_arms(self) -> None:
        assert found() == Arms(ONE, TWO)

    @pytest.mark.parametrize(
        "left_out",
        [
            pod("chat-2", terminating=True),
            pod("chat-2", ready_since=None),
            ready(0, "chat-2"),
            ready(59, "chat-2"),
            ready(659.9, "chat-2"),
        ],
    )
    def test_stable_pods_that_do_not_count_are_left_out(self, left_out: PodFacts) -> None:
        assert found(stable=(pod("chat-1"), left_out)) == Arms(ONE, ONE)

    @pytest.mark.parametrize(
        ("candidate", "stable", "reason"),
        [
            ((), STABLE, "CandidateNotReady"),
            ((pod("chat-trial", ready_since=None),), STABLE, "CandidateNotReady"),
            ((pod("chat-trial", terminating=True),), STABLE, "CandidateNotReady"),
            ((ready(659.9, "chat-trial"),), STABLE, "CandidateTooYoung"),
            ((ready(1, "chat-trial"),), STABLE, "CandidateTooYoung"),
            ((CANDIDATE,), (), "StableNotReady"),
            ((CANDIDATE,), (pod("chat-1", ready_since=None),), "StableNotReady"),
            ((CANDIDATE,), (ready(600, "chat-1"),), "StableTooYoung"),
            ((), (), "CandidateNotReady"),
        ],
    )
    def test_an_arm_without_a_pod_that_counts_is_waited_for(
        self, candidate: tuple[PodFacts, ...], stable: tuple[PodFacts, ...], reason: str
    ) -> None:
        assert found(candidate, stable) == Arms(waiting=reason)


class TestDistrust:
    def test_no_snapshot(self) -> None:
        assert found(snapshot=None) == Arms(unavailable="EndpointUnavailable")

    @pytest.mark.parametrize("name", ["chat_trial", "chat_2"])
    @pytest.mark.parametrize(
        ("broken", "reason"),
        [
            (PodSamples(), "PodsNotScraped"),
            (seen(targets=2), "PodsScrapedTwice"),
            (seen(targets=math.nan), "PodsScrapedTwice"),
            (seen(age=90.1), "SamplesStale"),
            (seen(age=math.nan), "SamplesStale"),
            (seen(windows={}), "SamplesMissing"),
            (seen(windows={WINDOW: PodWindow(15.9)}), "SamplesMissing"),
            (seen(windows={WINDOW: PodWindow(math.nan)}), "SamplesMissing"),
        ],
    )
    def test_one_pod_of_either_arm_that_cannot_be_trusted_spoils_both(
        self, name: str, broken: PodSamples, reason: str
    ) -> None:
        pods = {"chat_trial": seen(), "chat_1": seen(), "chat_2": seen()} | {name: broken}
        assert found(snapshot=snapshot_of(**pods)) == Arms(unavailable=reason)

    def test_enough_scrapes_are_four_of_five(self) -> None:
        enough = seen(windows={WINDOW: PodWindow(16.0)})
        assert found(snapshot=snapshot_of(chat_trial=enough, chat_1=enough, chat_2=enough)) == Arms(ONE, TWO)

    @pytest.mark.parametrize("lost", [A, B])
    def test_a_pod_of_which_the_queries_found_nothing(self, lost: tuple[str, str]) -> None:
        rest = {key: figures for key, figures in SAMPLES.items() if key != lost}
        assert found(samples=rest) == Arms(unavailable="SamplesMissing")
        assert found(samples={**SAMPLES, lost: {}}) == Arms(unavailable="SamplesMissing")

    def test_a_pod_that_is_warming_up_may_be_unknown_to_prometheus(self) -> None:
        assert found(stable=(*STABLE, ready(59, "chat-9"))) == Arms(ONE, TWO)

    def test_a_warm_pod_may_not(self) -> None:
        assert found(stable=(*STABLE, ready(61, "chat-9"))) == Arms(unavailable="PodsNotScraped")

    def test_what_is_not_trusted_comes_before_what_is_waited_for(self) -> None:
        young = ready(61, "chat-trial")
        assert found((young,), snapshot=snapshot_of(chat_1=seen())) == Arms(unavailable="PodsNotScraped")
