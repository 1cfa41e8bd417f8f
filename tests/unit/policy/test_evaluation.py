"""One evaluation: what is asked for several resources, and how one is judged."""

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.policy import Demand, Judgement, Verdict, demand, evaluate, evidence_of
from support.builders import NOW, SHORT, TPOT, counters, evidence, pod, rung, samples, snapshot_of, spec_of, window

TTFT = {"metric": "Ttft", "threshold": "300ms"}
ABOVE = {"metric": "E2e", "percentile": "50", "threshold": "900000s"}
SPEC = spec_of(policy={"objectives": [TPOT]})
PRIMARY = rung(SPEC)
LOW = evidence(window(counters=counters(300, 1000)))


def judged(before: Judgement | None = None, name: str = "primary") -> Judgement:
    return evaluate(SPEC, rung(SPEC, name), LOW, before)


class TestDemand:
    def test_nobody_asks_for_nothing(self) -> None:
        assert demand([]) == Demand(versions=frozenset())

    def test_resources_are_asked_for_together(self) -> None:
        other = spec_of(policy={"objectives": [TPOT, TTFT], "window": {"short": "1m", "long": "10m"}})
        assert demand([SPEC, other]) == Demand(
            windows=frozenset({60.0, 300.0, 600.0, 1800.0}),
            edges={LatencyMetric.TPOT: frozenset({0.05}), LatencyMetric.TTFT: frozenset({0.5})},
            loads=frozenset({60.0, 300.0}),
        )

    def test_a_threshold_above_the_histogram_asks_for_no_bucket(self) -> None:
        assert demand([spec_of(policy={"objectives": [ABOVE]})]).edges == {}


class TestEvidence:
    def test_only_the_pods_of_the_variant_count(self) -> None:
        pods = [pod("chat-1", variant_hash=PRIMARY.hash), pod("chat-2", variant_hash="another")]
        found = evidence_of(SPEC, PRIMARY, snapshot_of(chat_1=samples(), chat_2=samples()), pods)
        assert found.short is not None
        assert (found.short.seconds, found.short.requests) == (SHORT, SHORT / 3)

    def test_the_snapshot_tells_the_time(self) -> None:
        young = pod("chat-1", variant_hash=PRIMARY.hash, ready_since=NOW)
        assert evidence_of(SPEC, PRIMARY, snapshot_of(chat_1=samples()), [young]).waiting == "PodsTooYoung"


class TestJudgement:
    def test_every_signal_in_its_order(self) -> None:
        found = judged()
        assert [(one.signal.name, one.verdict) for one in found.findings] == [
            ("Acceptance", Verdict.BREACH),
            ("TpotP99", Verdict.RECOVERED),
        ]
        assert (found.variant_hash, found.repeated) == (PRIMARY.hash, frozenset())

    def test_the_same_breach_twice_is_confirmed(self) -> None:
        assert judged(judged()).repeated == {"Acceptance"}

    def test_a_breach_of_another_variant_confirms_nothing(self) -> None:
        before = Judgement("another", judged().findings)
        assert judged(before).repeated == frozenset()

    def test_why_there_is_nothing_to_judge_is_passed_on(self) -> None:
        found = evaluate(SPEC, PRIMARY, evidence_of(SPEC, PRIMARY, snapshot_of(), []), None)
        assert (found.unavailable, found.waiting) == (None, "NoReadyPods")
