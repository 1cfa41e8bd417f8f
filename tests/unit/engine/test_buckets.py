"""Thresholds are compared at bucket edges, and the edges depend on the version."""

import json

import pytest

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import Version, bucket_edges, edge_at_or_above
from specdecode_operator.engine.buckets import CUSTOM_BUCKETS

OLD, NEW = Version(0, 31, 0), Version(0, 32, 0)


@pytest.mark.parametrize("metric", LatencyMetric)
@pytest.mark.parametrize("version", [OLD, NEW])
def test_edges_ascend_without_repeats(metric: LatencyMetric, version: Version) -> None:
    edges = bucket_edges(metric, version)
    assert list(edges) == sorted(set(edges))


@pytest.mark.parametrize("metric", LatencyMetric)
def test_finer_buckets_reach_at_least_as_low_as_those_of_vllm(metric: LatencyMetric) -> None:
    assert bucket_edges(metric, NEW)[0] <= bucket_edges(metric, OLD)[0]


def test_vllm_cannot_tell_token_times_under_10_ms_apart_and_the_rendered_buckets_can() -> None:
    lowest = (bucket_edges(LatencyMetric.TPOT, OLD)[0], bucket_edges(LatencyMetric.TPOT, NEW)[0])
    assert lowest == (0.01, 0.001)


def test_what_is_rendered_is_what_is_compared() -> None:
    assert {
        "inter_token_latency": bucket_edges(LatencyMetric.TPOT, NEW),
        "request_latency": bucket_edges(LatencyMetric.E2E, NEW),
    } == CUSTOM_BUCKETS


def test_time_to_first_token_keeps_the_buckets_of_vllm_since_it_has_no_family_of_its_own() -> None:
    assert bucket_edges(LatencyMetric.TTFT, NEW) == bucket_edges(LatencyMetric.TTFT, OLD)


def test_rendered_buckets_survive_json_unchanged() -> None:
    assert json.loads(json.dumps(CUSTOM_BUCKETS)) == {name: list(edges) for name, edges in CUSTOM_BUCKETS.items()}


@pytest.mark.parametrize(
    ("threshold", "edge"),
    [
        (0.0001, 0.01),
        (0.01, 0.01),
        (0.0100000000001, 0.01),
        (0.011, 0.025),
        (0.05, 0.05),
        (5 * 0.01, 0.05),
        (0.0500001, 0.075),
        (79.9, 80.0),
        (80.0, 80.0),
        (80.1, None),
    ],
)
def test_a_threshold_moves_up_to_the_next_edge(threshold: float, edge: float | None) -> None:
    assert edge_at_or_above(threshold, bucket_edges(LatencyMetric.TPOT, OLD)) == edge


@pytest.mark.parametrize("metric", LatencyMetric)
@pytest.mark.parametrize("version", [OLD, NEW])
def test_every_edge_is_its_own_next_edge(metric: LatencyMetric, version: Version) -> None:
    edges = bucket_edges(metric, version)
    assert [edge_at_or_above(edge, edges) for edge in edges] == list(edges)
