"""When a resource is looked at again although nothing has happened."""

from datetime import datetime, timedelta

import pytest

from specdecode_operator.policy.brakes.waking import seconds_until
from support.builders import NOW


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        ([], None),
        ([None], None),
        ([NOW], None),
        ([NOW - timedelta(seconds=1)], None),
        ([NOW + timedelta(seconds=9), None, NOW + timedelta(seconds=3), NOW - timedelta(seconds=5)], 3.0),
    ],
)
def test_the_first_moment_that_is_still_to_come_counts(moments: list[datetime | None], expected: float | None) -> None:
    assert seconds_until(moments, NOW) == expected
