"""At which ages a trial is judged."""

import pytest

from specdecode_operator.policy.trials.looks import look, looks

HOUR, TEN_MINUTES = 3600.0, 600.0


@pytest.mark.parametrize(
    ("minimum", "maximum", "windows"),
    [
        (TEN_MINUTES, HOUR, (600, 1200, 2400, 3600)),
        (600, 1200, (600, 1200)),
        (600, 1201, (600, 1200, 1201)),
        (600, 600, (600,)),
        (900, 600, (600,)),
        (20, 60, (20, 40, 60)),
        (0, 60, (60,)),
    ],
)
def test_windows_double_until_the_longest(minimum: float, maximum: float, windows: tuple[float, ...]) -> None:
    assert looks(minimum, maximum) == windows


@pytest.mark.parametrize(
    ("elapsed", "window"),
    [
        (-60, None),
        (0, None),
        (599.9, None),
        (600, 600),
        (659.9, 600),
        (660, None),
        (1199.9, None),
        (1200, 1200),
        (1260, None),
        (2400, 2400),
        (2460, None),
        (3599.9, None),
        (3600, 3600),
        (3660, 3600),
        (90_000, 3600),
        (float("nan"), None),
    ],
)
def test_a_look_is_open_for_a_minute_and_the_last_one_from_then_on(elapsed: float, window: float | None) -> None:
    assert look(elapsed, TEN_MINUTES, HOUR) == window


@pytest.mark.parametrize(
    ("elapsed", "window"), [(19, None), (20, 20), (39, 20), (40, 20), (79, 20), (80, 80), (100, 80)]
)
def test_looks_that_are_shorter_than_they_are_open_go_on_until_they_close(elapsed: float, window: float | None) -> None:
    assert look(elapsed, 20, 80) == window
