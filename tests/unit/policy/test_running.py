"""The warning about another release in the status: when it comes, stays and goes."""

import pytest

from specdecode_operator.api.v1alpha1 import MAX_WARNINGS, PreflightStatus, PreflightWarning, Status
from specdecode_operator.engine import Version
from specdecode_operator.policy import with_releases
from support.builders import rung, spec_of, status_of

SPEC = spec_of(engine={"version": "0.33.0"})
PRIMARY = rung(SPEC)
ASKED, OTHER = Version(0, 33, 0), Version(0, 30, 0)
OLD = PreflightWarning(code="DraftLarge", field="speculation.draft.name", message="large")
MISMATCH = PreflightWarning(
    code="EngineVersionMismatch",
    field="engine.version",
    message=(
        "the running engine says 0.30.0, engine.version 0.33.0; flags, metric names and bucket edges follow"
        " engine.version, so set it to 0.30.0, or engine.image to one of 0.33.0"
    ),
)


def warnings(
    plan: PreflightStatus | None, releases: frozenset[Version] | None, status: Status | None = None
) -> list[PreflightWarning] | None:
    found = with_releases(plan, releases, spec=SPEC, status=status or Status(), variant=PRIMARY)
    return None if found is None else found.warnings


def said(*warnings: PreflightWarning) -> Status:
    return status_of(SPEC, plan=PreflightStatus(warnings=list(warnings)))


@pytest.mark.parametrize("plan", [None, PreflightStatus(warnings=[OLD])])
@pytest.mark.parametrize("releases", [None, frozenset(), frozenset({ASKED})])
def test_without_another_release_nothing_is_added(
    plan: PreflightStatus | None, releases: frozenset[Version] | None
) -> None:
    assert warnings(plan, releases) == (None if plan is None else plan.warnings)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (None, [MISMATCH]),
        (PreflightStatus(warnings=[OLD]), [MISMATCH, OLD]),
        (PreflightStatus(warnings=[OLD] * MAX_WARNINGS), [MISMATCH, *[OLD] * (MAX_WARNINGS - 1)]),
    ],
    ids=["alone", "in-front", "in-place-of-the-last"],
)
@pytest.mark.parametrize("releases", [frozenset({OTHER}), frozenset({OTHER, ASKED})])
def test_another_release_is_warned_of(
    plan: PreflightStatus | None, expected: list[PreflightWarning], releases: frozenset[Version]
) -> None:
    assert warnings(plan, releases) == expected


KEPT = [
    (frozenset(), said(MISMATCH), [MISMATCH]),
    (frozenset(), said(OLD, MISMATCH), [MISMATCH]),
    (frozenset({ASKED}), said(MISMATCH), None),
    (None, said(MISMATCH), None),
    (frozenset(), said(MISMATCH).model_copy(update={"variant_hash": "other"}), None),
    (frozenset(), said(OLD), None),
    (frozenset(), Status(), None),
]


@pytest.mark.parametrize(("releases", "status", "expected"), KEPT)
def test_until_an_engine_of_the_same_variant_is_asked_again_the_warning_stands(
    releases: frozenset[Version] | None, status: Status, expected: list[PreflightWarning] | None
) -> None:
    assert warnings(None, releases, status) == expected


def test_the_memory_plan_stays_beside_it() -> None:
    plan = PreflightStatus(warnings=[OLD])
    found = with_releases(plan, frozenset({OTHER}), spec=SPEC, status=Status(), variant=PRIMARY)
    assert found is not None
    assert found.model_copy(update={"warnings": []}) == plan.model_copy(update={"warnings": []})
