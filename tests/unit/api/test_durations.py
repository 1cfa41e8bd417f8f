"""Durations are a number and a unit."""

import pytest
from pydantic import TypeAdapter, ValidationError

from specdecode_operator.api.v1alpha1 import Duration, LatencyThreshold, StepTime

DURATION, THRESHOLD = TypeAdapter(Duration), TypeAdapter(LatencyThreshold)
STEP = TypeAdapter(StepTime)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("90s", 90), ("15m", 900), ("2h", 7200), ("999999s", 999999), ("999999h", 3599996400)],
)
def test_a_duration_is_known_in_seconds(text: str, seconds: float) -> None:
    assert DURATION.validate_python(text).seconds == seconds


@pytest.mark.parametrize(("text", "seconds"), [("1ms", 0.001), ("50ms", 0.05), ("999999ms", 999.999), ("2s", 2.0)])
def test_a_threshold_is_known_in_seconds(text: str, seconds: float) -> None:
    assert THRESHOLD.validate_python(text).seconds == pytest.approx(seconds, abs=1e-12)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1ms", 0.001), ("6.73ms", 0.00673), ("12.3ms", 0.0123), ("9999.99ms", 9.99999)]
)
def test_the_time_of_a_step_is_known_in_seconds(text: str, seconds: float) -> None:
    assert STEP.validate_python(text).seconds == pytest.approx(seconds, abs=1e-12)


WRONG = ["", "0s", "5", "5 m", " 5m", "5m ", "-5m", "1.5h", "1h30m", "5M", "5min", "m", "05m", "1234567s", "5m\n"]
WRONG += ["\u0665m", "5\u2009m"]


@pytest.mark.parametrize("text", [*WRONG, "500ms", "1d"])
def test_a_duration_in_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        DURATION.validate_python(text)


@pytest.mark.parametrize("text", [*WRONG, "5m", "1h", "50us"])
def test_a_threshold_in_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        THRESHOLD.validate_python(text)


@pytest.mark.parametrize("text", [*WRONG, "1s", "0.5ms", "5.ms", "5.123ms", "10000ms", "1e3ms", "1,5ms"])
def test_the_time_of_a_step_in_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        STEP.validate_python(text)


@pytest.mark.parametrize("value", [5, 5.0, None, True, ["5m"]])
def test_a_duration_is_text(value: object) -> None:
    with pytest.raises(ValidationError):
        DURATION.validate_python(value)


def test_a_duration_is_written_as_it_was_read() -> None:
    assert DURATION.dump_json(DURATION.validate_python("15m")) == b'"15m"'
