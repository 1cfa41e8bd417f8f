"""Every check of a pair: what it refuses, what it passes, and what it says."""

import re
from pathlib import Path

import pytest

from support.pairing_rows import ROWS, Row

REPOSITORY = Path(__file__).resolve().parents[3]
TABLE = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())


@TABLE
def test_a_check_objects_once_at_its_field(row: Row) -> None:
    found = [remark for remark in row.refused.remarks() if remark.code == row.code]
    assert [(remark.level, remark.field) for remark in found] == [(row.level, row.field)]


@TABLE
def test_a_check_has_nothing_against_the_case_beside_it(row: Row) -> None:
    assert row.code not in row.passed.codes()


@TABLE
def test_a_message_is_one_sentence_that_does_not_repeat_the_field(row: Row) -> None:
    message = next(remark.message for remark in row.refused.remarks() if remark.code == row.code)
    assert not re.search(r"\. [A-Z]|\.$|\n|  ", message)
    assert not message.startswith(row.field)


def test_the_table_holds_every_code() -> None:
    modules = (REPOSITORY / "operator/specdecode_operator/sizing/pairing").glob("*.py")
    named = {code for path in modules for code in re.findall(r'"([A-Z][a-z]+(?:[A-Z][a-z]+)+)"', path.read_text())}
    assert {row.code for row in ROWS.values()} == named


@pytest.mark.parametrize("code", sorted({row.code for row in ROWS.values()}))
def test_every_code_has_a_page_that_shows_one_of_its_messages(code: str) -> None:
    page = (REPOSITORY / "docs/codes" / f"{code}.md").read_text()
    remarks = {str(found) for row in ROWS.values() for found in row.refused.remarks() if found.code == code}
    assert page.startswith(f"# {code}\n")
    assert [remark for remark in remarks if f"\n{remark}\n" in page]
