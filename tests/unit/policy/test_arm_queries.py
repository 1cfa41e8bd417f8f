"""The PromQL for the arms of trials, word by word, and the way back from its answers."""

import math
import re

import pytest

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import Counter
from specdecode_operator.policy import Row, Scope
from specdecode_operator.policy.trials.arm_queries import ArmQuery, arm_queries, arm_samples
from specdecode_operator.policy.trials.arms import Figure, Part, Tokens

TWO = [("prod", "chat-1"), ("prod", "chat-2")]
SELECTED = 'pod!="",namespace=~"prod",pod=~"chat-1|chat-2"'

HISTOGRAMS = (
    "vllm:request_time_per_output_token_seconds",
    "vllm:time_to_first_token_seconds",
    "vllm:e2e_request_latency_seconds",
)
PLAIN = (
    *(f"{name}_{part}" for name in HISTOGRAMS for part in ("sum", "count")),
    "vllm:request_prompt_tokens_sum",
    "vllm:request_prompt_tokens_count",
    "vllm:request_generation_tokens_sum",
    "vllm:request_generation_tokens_count",
    "vllm:spec_decode_num_drafts_total",
    "vllm:spec_decode_num_draft_tokens_total",
    "vllm:spec_decode_num_accepted_tokens_total",
)
BATCHED = PLAIN[:6]


def batch_text(name: str, *, selected: str = SELECTED, by: str = "namespace, pod") -> str:
    """Return the query for ten parts of ten minutes, scraped every 30 seconds."""
    offsets = ["", *(f" offset {60 * batch}s" for batch in range(1, 10))]
    parts = (
        f'label_replace(increase({name}{{{selected}}}[90s]{offset}), "specdecode_batch", "{batch}", "", "")'
        for batch, offset in enumerate(offsets)
    )
    return f"sum by ({by}, specdecode_batch) ({' or '.join(parts)})"


GOLDEN = [
    (f"sum by (namespace, pod, finished_reason) (increase(vllm:request_success_total{{{SELECTED}}}[600s]))"),
    *(f"sum by (namespace, pod, le) (increase({name}_bucket{{{SELECTED}}}[600s]))" for name in HISTOGRAMS),
    *(f"sum by (namespace, pod) (increase({name}{{{SELECTED}}}[600s]))" for name in PLAIN),
    *(batch_text(name) for name in BATCHED),
]


def texts(pods: list[tuple[str, str]], scope: Scope | None = None) -> list[str]:
    return [query.text for query in arm_queries(pods, 600.0, scope or Scope(), 30.0)]


def query(part: Part, of: LatencyMetric | Tokens | Counter | None = None) -> ArmQuery:
    asked = arm_queries(TWO, 600.0, Scope(), 30.0)
    return next(one for one in asked if (one.figure.part, one.figure.of) == (part, of))


def batched(part: Part, of: LatencyMetric) -> ArmQuery:
    asked = arm_queries(TWO, 600.0, Scope(), 30.0)
    return next(one for one in asked if one.batched and (one.figure.part, one.figure.of) == (part, of))


def row(value: float, pod: str = "chat-1", **labels: str) -> Row:
    return Row({"namespace": "prod", "pod": pod, **labels}, value)


class TestText:
    def test_one_query_a_series(self) -> None:
        assert texts(TWO) == GOLDEN

    def test_their_number_does_not_grow_with_the_pods(self) -> None:
        many = [(f"ns-{number}", f"chat-{number}") for number in range(200)]
        assert len(texts(many)) == len(GOLDEN)

    def test_without_pods_nothing_is_asked(self) -> None:
        assert texts([]) == []

    def test_order_and_repetition_of_the_pods_do_not_matter(self) -> None:
        assert texts([*reversed(TWO), *TWO]) == GOLDEN

    def test_labels_and_matchers_of_the_endpoint(self) -> None:
        scope = Scope("kubernetes_namespace", "pod_name", {"cluster": "eu-1"})
        selected = 'pod_name!="",cluster="eu-1",kubernetes_namespace=~"a|b",pod_name=~"x|y"'
        by = "kubernetes_namespace, pod_name"
        found = texts([("b", "x"), ("a", "y")], scope)
        assert found[0] == f"sum by ({by}, finished_reason) (increase(vllm:request_success_total{{{selected}}}[600s]))"
        assert found[-1] == batch_text(BATCHED[-1], selected=selected, by=by)

    @pytest.mark.parametrize(
        ("window", "scrape", "number", "ranges", "offsets"),
        [
            (600, 30, 10, "90s", "60s"),
            (3600, 30, 10, "390s", "360s"),
            (600, 60, 5, "180s", "120s"),
            (600, 15, 10, "75s", "60s"),
            (20, 1, 10, "3s", "2s"),
            (20, 5, 2, "15s", "10s"),
            (25, 1, 10, "3500ms", "2500ms"),
            (60, 60, 1, "120s", None),
        ],
    )
    def test_a_window_has_ten_parts_or_as_many_as_hold_two_scrapes(
        self, window: float, scrape: float, number: int, ranges: str, offsets: str | None
    ) -> None:
        """Each begins a scrape earlier, since an increase is that between two samples."""
        text = arm_queries(TWO, window, Scope(), scrape)[-1].text
        assert re.findall(r', "(\d+)", "", ""\)', text) == [str(batch) for batch in range(number)]
        assert set(re.findall(r"\[(\w+)\]", text)) == {ranges}
        assert next(iter(re.findall(r"offset (\w+)", text)), None) == offsets

    @pytest.mark.parametrize(
        ("name", "matcher"),
        [
            ("chat-7f.x", r'pod=~"chat-7f\\.x"'),
            ("a|b", r'pod=~"a\\|b"'),
            (".*", r'pod=~"\\.\\*"'),
            ('x"} or up{a="', r'pod=~"x\"\\} or up\\{a=\""'),
            ("a\\b", r'pod=~"a\\\\b"'),
            ("(a)[b]^c$+?", r'pod=~"\\(a\\)\\[b\\]\\^c\\$\\+\\?"'),
        ],
    )
    def test_a_name_matches_itself_alone(self, name: str, matcher: str) -> None:
        assert texts([("prod", name)])[0].split('"prod",')[1].removesuffix("}[600s]))") == matcher

    @pytest.mark.parametrize("name", ["chat-7f.x", "a|b", ".*", "a\\b", "(a)[b]^c$+?", "grün"])
    def test_what_prometheus_reads_between_the_quotes_matches_the_name(self, name: str) -> None:
        quoted = texts([("prod", name)])[0].split('pod=~"')[1].removesuffix('"}[600s]))')
        pattern = quoted.replace("\\\\", "\\")
        assert re.fullmatch(pattern, name)
        assert not re.fullmatch(pattern, "chat-7fyx")


class TestAnswers:
    def test_every_figure_finds_its_pod(self) -> None:
        answers = [
            (query(Part.FINISHED), [row(5, finished_reason="stop"), row(1, finished_reason="abort"), row(7, "chat-2")]),
            (query(Part.BUCKET, LatencyMetric.TPOT), [row(3, le="0.05"), row(5, le="+Inf")]),
            (query(Part.SUM, LatencyMetric.TPOT), [row(0.25)]),
            (query(Part.COUNT, Tokens.PROMPT), [row(6)]),
            (query(Part.COUNTER, Counter.DRAFTS), [row(40)]),
        ]
        assert arm_samples(answers, Scope()) == {
            ("prod", "chat-1"): {
                Figure(600.0, Part.FINISHED, None, "stop"): 5,
                Figure(600.0, Part.FINISHED, None, "abort"): 1,
                Figure(600.0, Part.BUCKET, LatencyMetric.TPOT, 0.05): 3,
                Figure(600.0, Part.BUCKET, LatencyMetric.TPOT, math.inf): 5,
                Figure(600.0, Part.SUM, LatencyMetric.TPOT): 0.25,
                Figure(600.0, Part.COUNT, Tokens.PROMPT): 6,
                Figure(600.0, Part.COUNTER, Counter.DRAFTS): 40,
            },
            ("prod", "chat-2"): {Figure(600.0, Part.FINISHED, None, ""): 7},
        }

    def test_a_series_that_comes_twice_is_no_number(self) -> None:
        answers = [(query(Part.SUM, LatencyMetric.E2E), [row(1), row(1), row(1, "chat-2")])]
        found = {pod: list(values.values()) for pod, values in arm_samples(answers, Scope()).items()}
        assert math.isnan(found["prod", "chat-1"][0])
        assert found["prod", "chat-2"] == [1]

    def test_two_ways_to_write_a_bound_are_the_same_bucket_twice(self) -> None:
        answers = [(query(Part.BUCKET, LatencyMetric.E2E), [row(1, le="1"), row(1, le="1.0")])]
        (value,) = arm_samples(answers, Scope())["prod", "chat-1"].values()
        assert math.isnan(value)

    @pytest.mark.parametrize("labels", [{}, {"le": "x"}, {"le": "nan"}])
    def test_a_bucket_without_a_bound_is_kept_as_what_spoils_the_histogram(self, labels: dict[str, str]) -> None:
        answers = [(query(Part.BUCKET, LatencyMetric.E2E), [row(1, **labels)])]
        (figure,) = arm_samples(answers, Scope())["prod", "chat-1"]
        assert math.isnan(float(figure.label))

    def test_the_parts_of_a_window_are_told_apart(self) -> None:
        rows = [row(1, specdecode_batch="0"), row(2, specdecode_batch="9")]
        assert arm_samples([(batched(Part.SUM, LatencyMetric.E2E), rows)], Scope())["prod", "chat-1"] == {
            Figure(600.0, Part.SUM, LatencyMetric.E2E, "", 0): 1,
            Figure(600.0, Part.SUM, LatencyMetric.E2E, "", 9): 2,
        }

    @pytest.mark.parametrize("labels", [{}, {"specdecode_batch": "x"}, {"specdecode_batch": "-3"}])
    def test_a_part_that_does_not_say_which_is_kept_as_one_that_no_other_arm_has(self, labels: dict[str, str]) -> None:
        answers = [(batched(Part.SUM, LatencyMetric.E2E), [row(1, **labels)])]
        (figure,) = arm_samples(answers, Scope())["prod", "chat-1"]
        assert figure.batch == -1

    def test_windows_do_not_mix(self) -> None:
        other = ArmQuery("", Figure(1200.0, Part.SUM, LatencyMetric.E2E))
        answers = [(query(Part.SUM, LatencyMetric.E2E), [row(1)]), (other, [row(2)])]
        assert arm_samples(answers, Scope())["prod", "chat-1"] == {
            Figure(600.0, Part.SUM, LatencyMetric.E2E): 1,
            Figure(1200.0, Part.SUM, LatencyMetric.E2E): 2,
        }

    def test_rows_without_the_labels_are_nobodys(self) -> None:
        answers = [(query(Part.SUM, LatencyMetric.E2E), [Row({}, 1.0)])]
        assert list(arm_samples(answers, Scope())) == [("", "")]
