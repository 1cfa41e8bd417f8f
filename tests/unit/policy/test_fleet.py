"""What holds all resources of an operator together."""

from dataclasses import replace

import pytest

from specdecode_operator.api.v1alpha1 import Outcome
from specdecode_operator.policy import FleetRules, FleetState, Situation, decide
from support.builders import ENFORCE, decision, operation, recorded, running, situation, spec_of, status_of

SPEC = spec_of(**ENFORCE)
OFF = "no-speculation"
STOPPED = FleetState(FleetRules(stop=True))
BUSY = FleetState(rolling=5)
HELD = FleetState(breaching=3, watched=10)


def starting(fleet: FleetState) -> Situation:
    """Return a breach that calls for a roll."""
    return situation(SPEC, fleet=fleet)


def falling(fleet: FleetState) -> Situation:
    """Return a rollout of which no pod starts."""
    crashing = running(SPEC, updated=0, serving=0, ready=0, crash_looping=True)
    return situation(SPEC, fleet=fleet, cluster=crashing, judgement=None)


def failing(fleet: FleetState) -> Situation:
    """Return a roll of the operator's own whose pods crash."""
    status = status_of(SPEC, OFF, operation=operation(), decisions=[decision("d1", outcome=Outcome.STARTED)])
    crashing = running(SPEC, OFF, crash_looping=True, updated=1, total=2)
    return situation(SPEC, fleet=fleet, status=status, cluster=crashing, judgement=None)


def acts(found: Situation) -> bool:
    return decide(found).variant.name != found.status.active_variant


@pytest.mark.parametrize(
    ("fleet", "reason", "starts", "falls", "takes_back"),
    [
        (FleetState(), None, True, True, True),
        (STOPPED, "FleetStopped", False, False, False),
        (BUSY, "FleetBusy", False, False, True),
        (HELD, "FleetHeld", False, False, True),
    ],
)
def test_each_brake_holds_what_it_is_for(
    fleet: FleetState,
    reason: str | None,
    starts: bool,  # noqa: FBT001 - columns of the table
    falls: bool,  # noqa: FBT001
    takes_back: bool,  # noqa: FBT001
) -> None:
    assert [acts(found(fleet)) for found in (starting, falling, failing)] == [starts, falls, takes_back]
    hold = decide(starting(fleet)).hold
    assert (hold and hold.reason) == reason


@pytest.mark.parametrize(("rolling", "expected"), [(0, None), (4, None), (5, "FleetBusy"), (6, "FleetBusy")])
def test_a_slot_is_taken_while_one_is_free(rolling: int, expected: str | None) -> None:
    hold = decide(starting(FleetState(rolling=rolling))).hold
    assert (hold and hold.reason) == expected


@pytest.mark.parametrize(
    ("breaching", "watched", "expected"),
    [
        (0, 0, False),
        (2, 2, False),
        (3, 3, True),
        (3, 14, True),
        (3, 15, False),
        (4, 20, False),
        (21, 100, True),
        (20, 100, False),
    ],
)
def test_a_common_cause_needs_enough_resources_and_a_share_above_the_line(
    breaching: int,
    watched: int,
    expected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert FleetState(breaching=breaching, watched=watched).common_cause is expected


def test_a_hundred_percent_turns_it_off() -> None:
    assert not FleetState(FleetRules(percent=100), breaching=9, watched=9).common_cause


@pytest.mark.parametrize(("fleet", "blocked"), [(STOPPED, "FleetStopped"), (HELD, "FleetHeld"), (BUSY, "NotBlocked")])
def test_what_a_person_must_know_is_in_the_condition(fleet: FleetState, blocked: str) -> None:
    found = recorded(starting(fleet)).condition("RemediationBlocked")
    assert found is not None
    assert found.reason == blocked


def test_what_others_let_off_is_looked_at_again_soon() -> None:
    assert [decide(starting(fleet)).again for fleet in (BUSY, HELD, STOPPED)] == [60.0, 60.0, None]


def test_the_message_does_not_change_with_the_figures() -> None:
    more = replace(HELD, breaching=7)
    assert decide(starting(HELD)).hold == decide(starting(more)).hold
