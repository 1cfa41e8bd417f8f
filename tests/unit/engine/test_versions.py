"""Versions of vLLM are ordered numbers, and features come with a release."""

import pytest

from specdecode_operator.engine import Feature, Version


@pytest.mark.parametrize("text", ["0.18.0", "0.33.0", "1.0.0", "999.999.999", "0.0.0"])
def test_a_version_is_written_as_it_was_read(text: str) -> None:
    assert str(Version.parse(text)) == text


def test_versions_are_ordered_by_number_and_not_by_letter() -> None:
    texts = ["0.9.2", "0.18.0", "0.18.1", "0.24.0", "0.100.0", "1.0.0", "10.0.0"]
    assert sorted(texts, key=Version.parse) == texts


def test_equal_numbers_are_equal_versions() -> None:
    assert Version.parse("0.33.0") == Version(0, 33, 0)


FEATURES = [
    (Feature.BATCH_SIZE_SCHEDULE, "0.23.0", "0.24.0"),
    (Feature.DRAFT_SAMPLING, "0.22.9", "0.23.0"),
    (Feature.BLOCK_REJECTION, "0.25.9", "0.26.0"),
    (Feature.CUSTOM_BUCKETS, "0.31.9", "0.32.0"),
]


@pytest.mark.parametrize(("feature", "before", "first"), FEATURES)
def test_a_feature_is_absent_before_its_first_release_and_there_from_then_on(
    feature: Feature, before: str, first: str
) -> None:
    assert [Version.parse(text).has(feature) for text in (before, first, "1.0.0")] == [False, True, True]


def test_every_feature_has_a_case() -> None:
    assert {feature for feature, _, _ in FEATURES} == set(Feature)
