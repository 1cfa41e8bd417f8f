"""Acceptance lengths, and the length that pays for a step, against figures that a real engine gave."""

import math

import pytest

from specdecode_operator.api.v1alpha1 import StepCost
from specdecode_operator.engine import Counter
from specdecode_operator.policy.judging.lengths import BreakEven, length

NAN, INF = math.nan, math.inf


def counted(
    drafts: float, tokens: float, accepted: float, generated: float = NAN, first: float = NAN
) -> dict[Counter, float]:
    found = {
        Counter.DRAFTS: drafts,
        Counter.DRAFT_TOKENS: tokens,
        Counter.ACCEPTED_TOKENS: accepted,
        Counter.GENERATED_TOKENS: generated,
        Counter.FIRST_TOKENS: first,
    }
    return {key: value for key, value in found.items() if not math.isnan(value)}


HIGH = counted(38_860, 116_580, 75_529, 114_240, 896)
LOW = counted(70_259, 210_777, 43_579, 114_240, 896)
"""Counters of vLLM 0.25.1 on an H100 with an EAGLE-3 head, 3 tokens, after 896 requests of 128 tokens."""


@pytest.mark.parametrize(
    ("counters", "expected"),
    [
        (HIGH, 2.9436),
        (LOW, 1.6203),
        (counted(4816, 33_712, 12_208), 3.535),
        (counted(10, 30, 0), 1.0),
        (counted(10, 30, 30), 4.0),
    ],
)
def test_the_length_is_one_token_and_those_accepted_a_draft(counters: dict[Counter, float], expected: float) -> None:
    assert length(counters, every_step_drafts=True) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("counters", [HIGH, LOW])
def test_where_every_step_drafts_both_counts_of_the_steps_agree(counters: dict[Counter, float]) -> None:
    over_all = length(counters, every_step_drafts=False)
    assert over_all == pytest.approx(length(counters, every_step_drafts=True), rel=0.02)


@pytest.mark.parametrize(
    ("counters", "expected"),
    [
        (counted(100, 300, 200, 1010, 10), 1.25),
        (counted(1, 3, 3, 1010, 10), 1000 / 997),
        (counted(100, 300, 0, 1010, 10), 1.0),
        (counted(500, 1500, 0, 510, 10), 1.0),
    ],
)
def test_steps_without_a_draft_count_where_not_every_step_drafts(
    counters: dict[Counter, float], expected: float
) -> None:
    assert length(counters, every_step_drafts=False) == pytest.approx(expected)


@pytest.mark.parametrize("every_step_drafts", [True, False])
@pytest.mark.parametrize(
    "counters",
    [
        {},
        counted(0, 0, 0, 1000, 10),
        counted(NAN, 300, 200, 1000, 10),
        counted(100, 300, NAN, 1000, 10),
        counted(-5, 300, 200, 1000, 10),
    ],
)
def test_without_drafts_there_is_no_length(counters: dict[Counter, float], *, every_step_drafts: bool) -> None:
    assert math.isnan(length(counters, every_step_drafts=every_step_drafts))


@pytest.mark.parametrize("counters", [counted(100, 300, 200, NAN, 10), counted(100, 300, 200, 1000, NAN)])
def test_without_the_tokens_of_all_steps_there_is_no_length_over_them(counters: dict[Counter, float]) -> None:
    assert math.isnan(length(counters, every_step_drafts=False))


@pytest.mark.parametrize("generated", [10.0, 210.0, 5.0, -INF])
def test_tokens_without_a_step_are_no_finite_length(generated: float) -> None:
    assert length(counted(100, 300, 200, generated, 10), every_step_drafts=False) == INF


def costs(*points: tuple[int, str, str]) -> BreakEven:
    return BreakEven.of(
        StepCost.model_validate({"concurrency": at, "target": target, "speculative": speculative})
        for at, target, speculative in points
    )


EAGLE3 = costs(
    (256, "20.25ms", "54.55ms"),
    (1, "6.73ms", "8.99ms"),
    (8, "6.82ms", "9.33ms"),
    (32, "7.28ms", "11.24ms"),
    (128, "11.92ms", "27.28ms"),
)
"""An EAGLE-3 head with 3 tokens on an H100, at acceptance 0.64: from P50 of the time per output token, and lengths."""

MEASURED = [(1, 1.701, 0.77), (8, 1.597, 0.84), (32, 1.609, 0.98), (128, 1.623, 1.23), (256, 1.621, 1.39)]
"""The same at acceptance 0.21: requests in flight, length, and time per output token by that without speculation."""


class TestBreakEven:
    @pytest.mark.parametrize(("running", "found", "ratio"), MEASURED)
    def test_costs_of_one_acceptance_tell_whether_another_pays(
        self, running: float, found: float, ratio: float
    ) -> None:
        assert (found > EAGLE3.at(running)) == (ratio < 1)

    @pytest.mark.parametrize(
        ("running", "expected"),
        [
            (1, 8.99 / 6.73),
            (4.5, (8.99 + 9.33) / (6.73 + 6.82)),
            (8, 9.33 / 6.82),
            (80, (11.24 + 27.28) / (7.28 + 11.92)),
            (256, 54.55 / 20.25),
        ],
    )
    def test_both_times_are_interpolated(self, running: float, expected: float) -> None:
        assert EAGLE3.at(running) == pytest.approx(expected)

    @pytest.mark.parametrize(("running", "nearest"), [(0, 1), (0.99, 1), (256.1, 256), (5000, 256)])
    def test_beyond_what_was_measured_the_nearest_point_counts(self, running: float, nearest: float) -> None:
        assert EAGLE3.at(running) == EAGLE3.at(nearest)

    @pytest.mark.parametrize("running", [NAN, INF, -INF, -1.0])
    def test_without_a_load_there_is_no_line(self, running: float) -> None:
        assert math.isnan(EAGLE3.at(running))

    @pytest.mark.parametrize("running", [0.0, 7.0, 100.0])
    def test_one_point_is_a_line_for_every_load(self, running: float) -> None:
        assert costs((8, "10ms", "15ms")).at(running) == 1.5

    def test_it_reads_as_the_length_at_every_load(self) -> None:
        assert str(EAGLE3) == "1.34 at 1, 1.37 at 8, 1.54 at 32, 2.29 at 128, 2.69 at 256 running requests"
