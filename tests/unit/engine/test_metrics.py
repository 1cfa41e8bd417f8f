"""The names of vLLM's series, against a dump of a real server's `/metrics`."""

import re

import pytest

from specdecode_operator.api.remarks import Level, Remark
from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import (
    COUNTERS,
    FAILED_REASONS,
    FINISHED_BY_REASON,
    FINISHED_REQUESTS,
    GAUGES,
    GENERATION_TOKENS,
    LATENCY_HISTOGRAMS,
    PROMPT_TOKENS,
    RUNNING_REQUESTS,
    Counter,
    Gauge,
    Version,
    kv_cache_usage,
    latency_histogram,
    latency_histograms,
    unmeasured,
)
from specdecode_operator.engine.versions import READ

DUMP = """
vllm:num_requests_running{engine="0",model_name="tiny"} 0.0
vllm:num_requests_waiting{engine="0",model_name="tiny"} 0.0
vllm:kv_cache_usage_perc{engine="0",model_name="tiny"} 0.0
vllm:num_preemptions_total{engine="0",model_name="tiny"} 0.0
vllm:generation_tokens_total{engine="0",model_name="tiny"} 75.0
vllm:spec_decode_num_drafts_total{engine="0",model_name="tiny"} 62.0
vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="tiny"} 186.0
vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="tiny"} 0.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="tiny"} 1.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="tiny"} 6.0
vllm:request_success_total{engine="0",finished_reason="abort",model_name="tiny"} 0.0
vllm:request_success_total{engine="0",finished_reason="error",model_name="tiny"} 0.0
vllm:request_success_total{engine="0",finished_reason="repetition",model_name="tiny"} 0.0
vllm:request_prompt_tokens_sum{engine="0",model_name="tiny"} 46.0
vllm:request_generation_tokens_sum{engine="0",model_name="tiny"} 75.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.001",model_name="tiny"} 0.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="tiny"} 7.0
vllm:request_time_per_output_token_seconds_bucket{engine="0",le="0.01",model_name="tiny"} 4.0
vllm:e2e_request_latency_seconds_bucket{engine="0",le="0.3",model_name="tiny"} 6.0
vllm:e2e_request_latency_seconds_count{engine="0",model_name="tiny"} 7.0
"""
"""Lines of `metrics-0.32-cpu-draft_model.txt`, taken from vLLM 0.32.0 with a draft model."""


def test_every_name_is_one_that_vllm_exposes() -> None:
    exposed = {line.split("{")[0] for line in DUMP.strip().splitlines()}
    asked = {*COUNTERS.values(), FINISHED_REQUESTS, RUNNING_REQUESTS}
    asked |= {FINISHED_BY_REASON, f"{PROMPT_TOKENS}_sum", f"{GENERATION_TOKENS}_sum"}
    asked |= {f"{name}_bucket" for name in LATENCY_HISTOGRAMS.values()} | {names[0] for names in GAUGES.values()}
    assert asked == exposed


def test_a_failed_request_has_one_of_the_reasons_that_vllm_exposes() -> None:
    assert set(re.findall(r'finished_reason="(\w+)"', DUMP)) >= FAILED_REASONS


def test_everything_that_is_asked_for_has_a_series() -> None:
    assert (set(COUNTERS), set(LATENCY_HISTOGRAMS), set(GAUGES)) == (set(Counter), set(LatencyMetric), set(Gauge))


def test_latency_is_never_judged_on_the_histogram_that_has_a_sample_a_step() -> None:
    assert not any("inter_token" in name for name in LATENCY_HISTOGRAMS.values())


HISTOGRAMS = [
    (LatencyMetric.TPOT, "0.10.2", None),
    (LatencyMetric.TPOT, "0.11.0", "vllm:request_time_per_output_token_seconds"),
    (LatencyMetric.TPOT, "0.33.0", "vllm:request_time_per_output_token_seconds"),
    (LatencyMetric.TTFT, "0.8.3", "vllm:time_to_first_token_seconds"),
    (LatencyMetric.E2E, "0.8.3", "vllm:e2e_request_latency_seconds"),
]


@pytest.mark.parametrize(("metric", "version", "name"), HISTOGRAMS)
def test_a_histogram_is_named_where_the_release_exposes_it(
    metric: LatencyMetric, version: str, name: str | None
) -> None:
    assert latency_histogram(metric, Version.parse(version)) == name


@pytest.mark.parametrize(
    ("metric", "versions", "names"),
    [
        (LatencyMetric.TPOT, ["0.10.2", "0.33.0"], ("vllm:request_time_per_output_token_seconds",)),
        (LatencyMetric.TPOT, ["0.9.2", "0.10.2"], ()),
        (LatencyMetric.TTFT, ["0.8.3", "0.33.0"], ("vllm:time_to_first_token_seconds",)),
        (LatencyMetric.E2E, [], ()),
    ],
)
def test_names_in_several_releases_are_given_once(
    metric: LatencyMetric, versions: list[str], names: tuple[str, ...]
) -> None:
    assert latency_histograms(metric, map(Version.parse, versions)) == names


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("0.8.5", "vllm:gpu_cache_usage_perc"),
        ("0.9.2", "vllm:kv_cache_usage_perc"),
        ("0.33.0", "vllm:kv_cache_usage_perc"),
    ],
)
def test_the_gauge_of_the_kv_cache_is_the_newest_that_the_release_has(version: str, name: str) -> None:
    assert kv_cache_usage(Version.parse(version)) == name


@pytest.mark.parametrize("version", READ, ids=str)
def test_every_release_shows_how_full_its_kv_cache_is(version: Version) -> None:
    assert kv_cache_usage(version)


def test_an_objective_that_the_release_cannot_show_is_named_with_the_release_that_can() -> None:
    asked = [LatencyMetric.TTFT, LatencyMetric.TPOT]
    message = (
        "vLLM 0.10.2 has no vllm:request_time_per_output_token_seconds, which came with 0.11.0; judge E2e or upgrade"
    )
    assert unmeasured(asked, Version(0, 10, 2)) == (
        Remark(Level.ERROR, "LatencyNotMeasured", "policy.objectives[1].metric", message),
    )
    assert unmeasured(asked, Version(0, 11, 0)) == ()
