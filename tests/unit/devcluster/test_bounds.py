"""The bounds that `check` judges measurements by."""

import dataclasses

import pytest

from devcluster.models.bounds import misses
from devcluster.models.measure import Result

A = Result("A", 1, plain_tpot_ms=30.0, speculative_tpot_ms=12.0, ratio=0.4, acceptance_rate=0.9, identical=1.0)
B = Result("B", 4, plain_tpot_ms=30.0, speculative_tpot_ms=48.0, ratio=1.6, acceptance_rate=0.0, identical=1.0)


@pytest.mark.parametrize("result", [A, B, dataclasses.replace(A, ratio=0.7), dataclasses.replace(B, ratio=1.25)])
def test_models_within_the_bounds_miss_nothing(result: Result) -> None:
    assert misses(result) == []


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (
            dataclasses.replace(A, ratio=0.71),
            (
                "on domain A at concurrency 1 the ratio of TPOT with and without speculation is 0.710 "
                "and has to be from 0 to 0.7"
            ),
        ),
        (
            dataclasses.replace(A, acceptance_rate=0.74),
            "on domain A at concurrency 1 the acceptance rate is 0.740 and has to be from 0.75 to 0.98",
        ),
        (
            dataclasses.replace(B, ratio=1.2),
            (
                "on domain B at concurrency 4 the ratio of TPOT with and without speculation is 1.200 "
                "and has to be at least 1.25"
            ),
        ),
        (
            dataclasses.replace(B, identical=0.5),
            (
                "on domain B at concurrency 4 the share of answers that are the same with and without speculation "
                "is 0.500 and has to be 1"
            ),
        ),
    ],
)
def test_a_missed_bound_is_named_with_its_value(result: Result, sentence: str) -> None:
    assert misses(result) == [sentence]
