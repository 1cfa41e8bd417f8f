"""The names of vLLM's series, against a dump of a real server's `/metrics`."""

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import COUNTERS, FINISHED_REQUESTS, LATENCY_HISTOGRAMS, RUNNING_REQUESTS, Counter

DUMP = """
vllm:num_requests_running{engine="0",model_name="tiny"} 0.0
vllm:spec_decode_num_drafts_total{engine="0",model_name="tiny"} 62.0
vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="tiny"} 186.0
vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="tiny"} 0.0
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.001",model_name="tiny"} 0.0
vllm:request_time_per_output_token_seconds_bucket{engine="0",le="0.01",model_name="tiny"} 4.0
vllm:e2e_request_latency_seconds_bucket{engine="0",le="0.3",model_name="tiny"} 6.0
vllm:e2e_request_latency_seconds_count{engine="0",model_name="tiny"} 7.0
"""
"""Lines of `metrics-0.32-cpu-draft_model.txt`, taken from vLLM 0.32.0 with a draft model."""


def test_every_name_is_one_that_vllm_exposes() -> None:
    exposed = {line.split("{")[0] for line in DUMP.strip().splitlines()}
    asked = {*COUNTERS.values(), FINISHED_REQUESTS, RUNNING_REQUESTS}
    asked |= {f"{name}_bucket" for name in LATENCY_HISTOGRAMS.values()}
    assert asked == exposed


def test_every_counter_and_every_latency_has_a_series() -> None:
    assert (set(COUNTERS), set(LATENCY_HISTOGRAMS)) == (set(Counter), set(LatencyMetric))


def test_latency_is_never_judged_on_the_histogram_that_has_a_sample_a_step() -> None:
    assert not any("inter_token" in name for name in LATENCY_HISTOGRAMS.values())
