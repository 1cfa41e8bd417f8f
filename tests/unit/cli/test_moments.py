"""Times on the command line."""

from datetime import UTC, datetime, timedelta

import click
import pytest
from click.testing import CliRunner, Result

from specdecode_operator.cli.moments import moment, period


@click.command()
@click.option("--at", callback=moment)
@click.option("--every", callback=period)
def show(at: datetime | None, every: int | None) -> None:
    click.echo(f"{at} {every}")


def shown(*words: str) -> Result:
    return CliRunner().invoke(show, words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01 12:00:00+00:00"),
        ("2026-03-01T12:00:00.7Z", "2026-03-01 12:00:00+00:00"),
        ("2026-03-01T13:30:00+01:30", "2026-03-01 12:00:00+00:00"),
        ("2026-03-01T12:00Z", "2026-03-01 12:00:00+00:00"),
    ],
)
def test_a_time_with_its_zone(text: str, expected: str) -> None:
    assert shown("--at", text).output == f"{expected} None\n"


@pytest.mark.parametrize(
    ("text", "ago"), [("now", 0), ("90s", 90), ("15m", 900), ("6h", 21_600), ("7d", 604_800), ("0s", 0)]
)
def test_a_time_from_now(text: str, ago: float) -> None:
    found = datetime.fromisoformat(shown("--at", text).output.removesuffix(" None\n"))
    assert abs(datetime.now(UTC) - timedelta(seconds=ago) - found) < timedelta(seconds=30)
    assert found.microsecond == 0


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00", "yesterday", "12:00", "-5m", "5 m", ""])
def test_what_is_no_time(text: str) -> None:
    found = shown("--at", text)
    assert found.exit_code == 2
    assert "is no time; write it as 2026-03-01T12:00:00Z" in " ".join(found.output.split())


@pytest.mark.parametrize(("text", "seconds"), [("1s", 1), ("15s", 15), ("5m", 300), ("2h", 7200), ("1d", 86_400)])
def test_a_duration(text: str, seconds: int) -> None:
    assert shown("--every", text).output == f"None {seconds}\n"


@pytest.mark.parametrize("text", ["0s", "15", "1.5s", "500ms", "soon", ""])
def test_what_is_no_duration(text: str) -> None:
    found = shown("--every", text)
    assert found.exit_code == 2
    assert "is no duration; write it as 15s, 5m, 2h or 1d" in found.output
