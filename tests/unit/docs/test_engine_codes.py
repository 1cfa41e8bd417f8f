"""Each code of the engine's checks has a page of its own."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
ENGINE = REPOSITORY / "operator" / "specdecode_operator" / "engine"
SOURCES = [*sorted((ENGINE / "rules").glob("*.py")), ENGINE / "metrics.py", ENGINE / "running.py"]
CODES = sorted({code for source in SOURCES for code in re.findall(r'"((?:[A-Z][a-z0-9]+){2,})"', source.read_text())})


def test_there_are_codes() -> None:
    assert {"MethodUnavailable", "GpuTooOld", "LatencyNotMeasured", "EngineVersionMismatch"} <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_explained_with_the_reason_what_to_do_and_an_example(code: str) -> None:
    lines = (REPOSITORY / "docs" / "codes" / f"{code}.md").read_text().splitlines()
    assert lines[0] == f"# {code}"
    assert [line for line in lines if line.startswith("## ")] == ["## Why", "## What to do", "## Example"]
    assert lines[1].startswith(("Error.", "Warning.", "Error or Warning.", "Advice."))
    assert f"[{code}]({code}.md)" in (REPOSITORY / "docs" / "codes" / "README.md").read_text()
