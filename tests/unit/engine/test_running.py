"""What a server says of its release, and what follows where it is another one."""

import json
from typing import Any

import pytest

from specdecode_operator.api.remarks import Level, Remark
from specdecode_operator.engine import Version, other_release, told_release

TOLD = [
    ("0.33.0", Version(0, 33, 0)),
    ("0.8.5.post1", Version(0, 8, 5)),
    ("0.11.0rc2", Version(0, 11, 0)),
    ("0.32.0+cpu", Version(0, 32, 0)),
    ("0.9.2rc1.post3", None),
    ("0.33.1.dev7+g1a2b3c4", None),
    ("dev", None),
    ("0.33", None),
    ("v0.33.0", None),
    ("0.33.0\n", None),
    ("99999.0.0", None),
    ("", None),
    (33, None),
    (None, None),
    (["0.33.0"], None),
]


@pytest.mark.parametrize(("said", "release"), TOLD)
def test_a_release_is_read_and_nothing_else_is(said: Any, release: Version | None) -> None:
    assert told_release(json.dumps({"version": said}).encode()) == release


@pytest.mark.parametrize(
    "body", [b"", b"0.33.0", b'"0.33.0"', b"[]", b"null", b"{}", b"{", b"\xff\xfe", b"[" * 100_000], ids=repr
)
def test_an_answer_of_another_form_tells_nothing(body: bytes) -> None:
    assert told_release(body) is None


@pytest.mark.parametrize("running", [[], [Version(0, 33, 0)], [Version(0, 33, 0)] * 2])
def test_the_release_that_was_asked_for_needs_no_remark(running: list[Version]) -> None:
    assert other_release(Version(0, 33, 0), running) is None


@pytest.mark.parametrize(
    ("running", "said", "newest"),
    [
        ([Version(0, 30, 0)], "0.30.0", "0.30.0"),
        ([Version(0, 33, 0), Version(0, 30, 0)], "0.30.0", "0.30.0"),
        ([Version(0, 30, 0), Version(0, 9, 2), Version(0, 30, 0)], "0.9.2 and 0.30.0", "0.30.0"),
        ([Version(0, 33, 1)], "0.33.1", "0.33.1"),
    ],
)
def test_another_release_is_named_with_both_ways_out(running: list[Version], said: str, newest: str) -> None:
    message = (
        f"the running engine says {said}, engine.version 0.33.0; flags, metric names and bucket edges follow"
        f" engine.version, so set it to {newest}, or engine.image to one of 0.33.0"
    )
    assert other_release(Version(0, 33, 0), running) == Remark(
        Level.WARNING, "EngineVersionMismatch", "engine.version", message
    )
