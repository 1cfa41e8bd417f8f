"""The pages of pre-flight's codes and their index are complete."""

import re
from pathlib import Path

import pytest

from specdecode_operator.api.remarks import Level

REPOSITORY = Path(__file__).resolve().parents[3]
CODES = REPOSITORY / "docs" / "codes"
PAGES = sorted(page.stem for page in CODES.glob("*.md") if page.stem != "README")
SOURCES = [
    *(REPOSITORY / "operator" / "specdecode_operator" / "sizing").rglob("*.py"),
    REPOSITORY / "operator" / "specdecode_operator" / "api" / "faults.py",
]
CALL = re.compile(r'(?:error|warning|advice|Remark)\(\s*(?:Level\.\w+,\s*)?"(\w+)"')
SAID = sorted({code for source in SOURCES for code in CALL.findall(source.read_text())})


def rows() -> dict[str, str]:
    text = (CODES / "README.md").read_text()
    return dict(re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| ([a-z ]+) \|", text, re.MULTILINE))


def test_the_index_lists_every_page_once_and_in_order() -> None:
    assert list(rows()) == PAGES


@pytest.mark.parametrize("code", PAGES)
def test_the_index_gives_the_level_of_the_page(code: str) -> None:
    levels = {level.lower() for level in Level}
    page = (CODES / f"{code}.md").read_text().split("\n", 1)[1].lstrip()
    said = rows()[code].split(" or ")
    assert set(said) <= levels
    assert page.lower().startswith(rows()[code])


def test_codes_are_found() -> None:
    assert {"VocabularyMismatch", "MemoryExceeded", "UnknownField", "FactsImpossible"} <= set(SAID)


@pytest.mark.parametrize("code", SAID)
def test_every_code_has_a_page(code: str) -> None:
    assert code in PAGES
