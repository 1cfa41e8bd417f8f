"""Versions of vLLM are ordered numbers, and features come with a release."""

import pytest

from specdecode_operator.engine import NEWEST, OLDEST, Feature, Span, Version
from specdecode_operator.engine.versions import ALWAYS, READ, span


@pytest.mark.parametrize("text", ["0.18.0", "0.33.0", "1.0.0", "999.999.999", "0.0.0"])
def test_a_version_is_written_as_it_was_read(text: str) -> None:
    assert str(Version.parse(text)) == text


def test_versions_are_ordered_by_number_and_not_by_letter() -> None:
    texts = ["0.9.2", "0.18.0", "0.18.1", "0.24.0", "0.100.0", "1.0.0", "10.0.0"]
    assert sorted(texts, key=Version.parse) == texts


def test_equal_numbers_are_equal_versions() -> None:
    assert Version.parse("0.33.0") == Version(0, 33, 0)


FEATURES = [
    (Feature.CUSTOM_BUCKETS, "0.31.9", "0.32.0"),
    (Feature.SHUTDOWN_TIMEOUT, "0.17.9", "0.18.0"),
    (Feature.GRAPH_MEMORY_COUNTED, "0.19.9", "0.20.0"),
    (Feature.SPECULATION_COUNTERS, "0.8.4", "0.8.5"),
]


@pytest.mark.parametrize(("feature", "before", "first"), FEATURES)
def test_a_feature_is_absent_before_its_first_release_and_there_from_then_on(
    feature: Feature, before: str, first: str
) -> None:
    assert [Version.parse(text).has(feature) for text in (before, first, "1.0.0")] == [False, True, True]


def test_every_feature_has_a_case() -> None:
    assert {feature for feature, _, _ in FEATURES} == set(Feature)


def test_the_releases_that_were_read_ascend_from_the_oldest_supported_to_the_newest_known() -> None:
    assert list(READ) == sorted(set(READ))
    assert (READ[0], READ[-1]) == (OLDEST, NEWEST)


@pytest.mark.parametrize(
    ("text", "known"), [("0.8.3", True), ("0.33.0", True), ("0.33.7", True), ("0.34.0", False), ("1.0.0", False)]
)
def test_a_patch_of_the_newest_series_is_known_and_a_later_series_is_not(text: str, *, known: bool) -> None:
    assert Version.parse(text).known is known


SPANS = [
    (ALWAYS, ["0.8.3", "0.33.0", "1.0.0"], ["0.8.2", "0.7.3"]),
    (span("0.24.0"), ["0.24.0", "0.24.1", "1.0.0"], ["0.23.9", "0.8.3"]),
    (span(gone="0.10.0"), ["0.8.3", "0.9.9"], ["0.10.0", "0.33.0"]),
    (span("0.18.0", "0.21.0"), ["0.18.0", "0.20.2"], ["0.17.0", "0.21.0"]),
]


@pytest.mark.parametrize(("releases", "inside", "outside"), SPANS, ids=str)
def test_a_span_holds_its_first_release_and_not_the_one_in_which_it_is_gone(
    releases: Span, inside: list[str], outside: list[str]
) -> None:
    assert [Version.parse(text) in releases for text in inside] == [True] * len(inside)
    assert [Version.parse(text) in releases for text in outside] == [False] * len(outside)


def test_a_span_reads_like_a_sentence() -> None:
    assert [str(ALWAYS), str(span("0.18.0", "0.21.0"))] == ["0.8.3 and later", "0.18.0 to before 0.21.0"]
