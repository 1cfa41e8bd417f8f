"""What is remembered of the operator's own actions, and when they have been enough."""

from datetime import datetime, timedelta

import pytest

from specdecode_operator.api.v1alpha1 import MAX_ACTIONS, Duration, Limit
from specdecode_operator.policy.brakes.budget import REMEMBERED, Spent, acted, last, spent
from support.builders import NOW, spec_of, stamp

DEFAULT = spec_of().policy.budget.limits
FOUR, SIX = DEFAULT
ONE = Limit(count=1, window=Duration("1h"))


def ago(*hours: float) -> list[str]:
    return [stamp(NOW - timedelta(hours=one)) for one in hours]


def ahead(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def test_the_defaults_are_four_in_six_hours_and_six_in_a_day() -> None:
    assert [(limit.count, limit.window) for limit in DEFAULT] == [(4, "6h"), (6, "24h")]


class TestSpent:
    @pytest.mark.parametrize(
        ("hours", "expected"),
        [
            ([], None),
            ([1, 1, 1], None),
            ([5, 4, 3, 2], Spent(FOUR, ahead(1))),
            ([5, 4, 3, 2, 1], Spent(FOUR, ahead(2))),
            ([6, 4, 3, 2], None),
            ([5.999, 4, 3, 2], Spent(FOUR, NOW + timedelta(seconds=3))),
            ([23, 20, 17, 14, 11, 8], Spent(SIX, ahead(1))),
            ([24, 20, 17, 14, 11, 8], None),
            ([23, 22, 4, 3, 2, 1], Spent(FOUR, ahead(2))),
            ([19, 18, 5, 4, 3, 2], Spent(SIX, ahead(5))),
            ([2, 4, 3, 5], Spent(FOUR, ahead(1))),
            ([-1, 3, 2, 1], Spent(FOUR, ahead(3))),
        ],
    )
    def test_the_limit_that_waits_longest_is_named(self, hours: list[float], expected: Spent | None) -> None:
        assert spent(DEFAULT, ago(*hours), NOW) == expected

    def test_without_limits_nothing_is_spent(self) -> None:
        assert spent([], ago(*[0] * MAX_ACTIONS), NOW) is None

    def test_it_frees_on_the_second(self) -> None:
        found = spent([ONE], ago(0.5), NOW)
        assert found == Spent(ONE, ahead(0.5))
        assert [spent([ONE], ago(0.5), found.free_at - timedelta(seconds=s)) is None for s in (1, 0)] == [False, True]

    def test_more_reversals_than_a_limit_counts_only_hold_longer(self) -> None:
        assert spent([ONE], ago(0.9, 0.8, 0.1), NOW) == Spent(ONE, ahead(0.9))


class TestActed:
    def test_an_action_is_put_at_the_end(self) -> None:
        assert acted(ago(2, 1), stamp(NOW)) == (*ago(2, 1), stamp(NOW))

    def test_what_no_limit_looks_back_to_is_forgotten(self) -> None:
        longest = REMEMBERED.total_seconds() / 3600
        assert acted(ago(longest + 1, longest, longest - 1), stamp(NOW)) == (*ago(longest - 1), stamp(NOW))

    def test_the_newest_are_kept(self) -> None:
        many = ago(*range(MAX_ACTIONS, 0, -1))
        assert acted(many, stamp(NOW)) == (*many[1:], stamp(NOW))

    def test_as_many_are_kept_as_the_largest_limit_counts(self) -> None:
        largest = Limit(count=MAX_ACTIONS, window=Duration("168h"))
        actions: tuple[str, ...] = ()
        for hours in range(MAX_ACTIONS + 8, 0, -1):
            actions = acted(actions, *ago(hours))
        assert spent([largest], actions, NOW) == Spent(largest, ahead(168 - MAX_ACTIONS))


def test_the_last_action_is_the_newest_wherever_it_stands() -> None:
    assert (last([]), last(ago(1, 3, 2))) == (None, ahead(-1))
