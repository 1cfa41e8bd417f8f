"""The moments of a recording."""

from datetime import timedelta

import pytest

from specdecode_operator.replay import Grid
from support.builders import NOW

GRID = Grid(NOW, 15, 5)


def seconds(grid: Grid) -> list[float]:
    return [(grid.at(index) - NOW).total_seconds() for index in range(grid.count)]


@pytest.mark.parametrize(("length", "expected"), [(0, [0]), (14, [0]), (15, [0, 15]), (59, [0, 15, 30, 45])])
def test_moments_from_one_time_up_to_another(length: float, expected: list[float]) -> None:
    assert seconds(Grid.between(NOW, NOW + timedelta(seconds=length), 15)) == expected


@pytest.mark.parametrize(("offset", "expected"), [(-15, None), (0, 0), (30, 2), (60, 4), (75, None)])
def test_a_moment_has_a_number_within_the_grid(offset: float, expected: int | None) -> None:
    assert GRID.index(NOW.timestamp() + offset) == expected


@pytest.mark.parametrize(("longest", "expected"), [(5, [5]), (9, [5]), (2, [2, 2, 1]), (1, [1] * 5)])
def test_pieces_are_the_whole(longest: int, expected: list[int]) -> None:
    pieces = list(GRID.chunks(longest))
    assert [piece.count for piece in pieces] == expected
    assert [GRID.index(piece.at(n).timestamp()) for piece in pieces for n in range(piece.count)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("length", "expected"), [(15, [-15]), (16, [-30, -15]), (45, [-45, -30, -15])])
def test_the_time_before_is_in_step(length: float, expected: list[float]) -> None:
    assert seconds(GRID.before(length)) == expected
