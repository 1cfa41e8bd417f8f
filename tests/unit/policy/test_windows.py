"""When a maintenance window is open, in every time zone and on the days on which the clocks change."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import MaintenanceWindow
from specdecode_operator.policy.brakes.windows import next_opening, open_now

BERLIN = "Europe/Berlin"


def window(schedule: str, duration: str = "2h", zone: str = "UTC") -> MaintenanceWindow:
    return MaintenanceWindow.model_validate({"schedule": schedule, "duration": duration, "timeZone": zone})


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


NIGHTLY = window("0 2 * * 1-5", zone=BERLIN)
SPRING = window("30 2 * * *", "1h", BERLIN)


def test_without_windows_it_is_always_open() -> None:
    assert (open_now([], at("03-01T12:00")), next_opening([], at("03-01T12:00"))) == (True, None)


@pytest.mark.parametrize(
    ("of", "moment", "expected"),
    [
        (window("0 2 * * *"), "03-03T01:59:59", False),
        (window("0 2 * * *"), "03-03T02:00", True),
        (window("0 2 * * *"), "03-03T03:59:59", True),
        (window("0 2 * * *"), "03-03T04:00", False),
        (window("0 23 * * *"), "03-03T00:59", True),
        (window("0 0 * * *", "24h"), "03-03T17:00", True),
        (window("*/30 * * * *", "30m"), "03-03T17:01", True),
        (window("0 0 1 * *", "1h"), "03-03T00:30", False),
        (window("0 0 * * SAT", "1h"), "03-07T00:30", True),
        (NIGHTLY, "03-03T01:00", True),
        (NIGHTLY, "03-03T00:59:59", False),
        (NIGHTLY, "07-07T00:00", True),
        (NIGHTLY, "07-07T02:00", False),
        (NIGHTLY, "03-01T01:30", False),
        (window("0 9 * * *", "1h", "Asia/Kathmandu"), "03-03T03:15", True),
        (window("0 9 * * *", "1h", "Pacific/Auckland"), "03-02T20:00", True),
    ],
)
def test_it_opens_by_its_schedule_and_closes_after_its_duration(
    of: MaintenanceWindow,
    moment: str,
    expected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert open_now([of], at(moment)) is expected


def test_one_open_window_is_enough() -> None:
    closed = window("0 2 * * *")
    assert open_now([closed, window("0 12 * * *")], at("03-03T12:30"))
    assert next_opening([closed, window("0 12 * * *")], at("03-03T12:30")) == at("03-04T02:00")


@pytest.mark.parametrize(
    ("of", "moment", "expected"),
    [
        (NIGHTLY, "03-03T01:00", "03-04T01:00"),
        (NIGHTLY, "03-06T03:00", "03-09T01:00"),
        (NIGHTLY, "03-28T12:00", "03-30T00:00"),
        (window("0 2 * * *"), "03-03T01:59:59", "03-03T02:00"),
        (window("0 0 29 2 *"), "03-01T00:00", None),
    ],
)
def test_the_next_opening_is_in_utc_and_after_now(of: MaintenanceWindow, moment: str, expected: str | None) -> None:
    leap_day = datetime(2028, 2, 29, tzinfo=UTC)
    assert next_opening([of], at(moment)) == (leap_day if expected is None else at(expected))


class TestClocksThatChange:
    """In Berlin, 2026-03-29 has no 02:00 to 03:00, and 2026-10-25 has it twice; 01:00 UTC is when it happens."""

    def test_an_hour_that_is_left_out_opens_at_its_end(self) -> None:
        found = {text: open_now([SPRING], at(f"03-29T{text}")) for text in ("00:59", "01:00", "01:59", "02:00")}
        assert found == {"00:59": False, "01:00": True, "01:59": True, "02:00": False}

    def test_an_hour_that_comes_twice_opens_once(self) -> None:
        moments = ("00:29", "00:30", "01:10", "01:29", "01:30", "01:40", "02:30")
        found = [open_now([SPRING], at(f"10-25T{text}")) for text in moments]
        assert found == [False, True, True, True, False, False, False]

    def test_a_window_is_as_long_as_it_says(self) -> None:
        over_the_change = window("0 1 * * *", "3h", BERLIN)
        assert [open_now([over_the_change], at(f"03-29T0{hour}:00")) for hour in range(4)] == [True, True, True, False]
        assert [open_now([over_the_change], at(f"10-25T0{hour}:00")) for hour in range(3)] == [True, True, False]

    def test_after_the_hour_that_comes_twice_the_next_one_is_tomorrow(self) -> None:
        assert next_opening([SPRING], at("10-25T01:10")) == at("10-26T01:30")


WINDOWS = st.builds(
    window,
    st.sampled_from(["0 2 * * *", "30 2 * * *", "15 */6 * * *", "0 22 * * 1-5", "*/20 1-3 * * SUN", "0 0 1,15 * *"]),
    st.sampled_from(["10m", "1h", "2h", "7h", "24h"]),
    st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(WINDOWS, min_size=1, max_size=3), MOMENTS)
def test_at_its_opening_a_window_is_open(windows: list[MaintenanceWindow], moment: datetime) -> None:
    opening = next_opening(windows, moment)
    assert opening is not None
    assert opening > moment
    assert open_now(windows, opening)


@given(WINDOWS, MOMENTS)
def test_what_is_open_was_opened_and_what_is_closed_stays_so_until_the_next_opening(
    of: MaintenanceWindow, moment: datetime
) -> None:
    opening = next_opening([of], moment)
    assert opening is not None
    moments = [moment + part * (opening - moment) / 8 for part in range(8)]
    assert all(open_now([of], early) or not open_now([of], late) for early, late in pairwise(moments))


@given(WINDOWS, MOMENTS)
def test_a_window_is_open_as_long_as_it_says_from_every_opening(of: MaintenanceWindow, moment: datetime) -> None:
    opening = next_opening([of], moment)
    assert opening is not None
    last_second = opening + timedelta(seconds=of.duration.seconds - 1)
    assert open_now([of], last_second)
