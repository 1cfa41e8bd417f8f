"""The status as it is stored."""

from typing import Any

import pytest
from pydantic import ValidationError

from specdecode_operator.api.v1alpha1 import Blocked, ConditionStatus, FailureReason, Frozen, Pin, Status
from support.builders import condition, decision, operation

BLOCKED = Blocked(
    trigger="Latency",
    variant="fp8",
    variant_hash="0123456789",
    reason=FailureReason.WORSE,
    since="2026-03-01T12:00:00Z",
)
FULL = Status(
    observed_generation=3,
    conditions=[condition("Ready", ConditionStatus.TRUE, "PodsReady")],
    active_variant="no-speculation",
    variant_hash="0123456789",
    primary_hash="9876543210",
    speculation="None",
    replicas=2,
    ready_replicas=1,
    selector="specdecode.dev/name=chat",
    operation=operation(),
    pin=Pin(variant="no-speculation", from_variant="primary", until="2026-03-01T18:00:00Z"),
    reversals=1,
    probes=2,
    frozen=Frozen(id="f1", reason="SecondReversal", since="2026-03-01T12:00:00Z"),
    blocked=[BLOCKED],
    decisions=[decision()],
    actions=["2026-03-01T11:00:00Z"],
)
STORED: dict[str, Any] = {
    "observedGeneration": 3,
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "PodsReady",
            "message": "as before",
            "lastTransitionTime": "2026-03-01T11:00:00Z",
            "observedGeneration": 1,
        }
    ],
    "activeVariant": "no-speculation",
    "variantHash": "0123456789",
    "primaryHash": "9876543210",
    "speculation": "None",
    "replicas": 2,
    "readyReplicas": 1,
    "selector": "specdecode.dev/name=chat",
    "operation": {
        "id": "d1",
        "from": "primary",
        "to": "no-speculation",
        "trigger": "Acceptance",
        "phase": "Rolling",
        "startedAt": "2026-03-01T11:55:00Z",
        "madeRoom": False,
        "sound": [],
    },
    "pin": {"variant": "no-speculation", "from": "primary", "until": "2026-03-01T18:00:00Z"},
    "reversals": 1,
    "probes": 2,
    "frozen": {"id": "f1", "reason": "SecondReversal", "since": "2026-03-01T12:00:00Z"},
    "blocked": [
        {
            "trigger": "Latency",
            "variant": "fp8",
            "variantHash": "0123456789",
            "reason": "Worse",
            "since": "2026-03-01T12:00:00Z",
        }
    ],
    "effectiveThresholds": [],
    "decisions": [
        {
            "id": "d1",
            "at": "2026-03-01T11:00:00Z",
            "generation": 1,
            "from": "primary",
            "to": "no-speculation",
            "trigger": "Acceptance",
            "signal": "Acceptance",
            "value": "30% / 40%",
            "threshold": "below 50% of the draft tokens accepted",
            "window": "5m / 30m",
            "samples": "300 / 900",
            "outcome": "Completed",
        }
    ],
    "actions": ["2026-03-01T11:00:00Z"],
}


def test_it_is_stored_with_the_names_of_the_schema() -> None:
    assert FULL.model_dump(mode="json", by_alias=True, exclude_none=True) == STORED


def test_what_is_stored_can_be_read_again() -> None:
    assert Status.model_validate(STORED) == FULL


def test_an_empty_status_is_a_status() -> None:
    assert Status.model_validate({}) == Status()


def test_fields_of_a_later_operator_are_passed_over() -> None:
    assert Status.model_validate(STORED | {"experiment": {"arm": "b"}}) == FULL


def test_a_condition_is_found_by_its_type() -> None:
    assert (FULL.condition("Ready"), FULL.condition("Stalled")) == (FULL.conditions[0], None)


@pytest.mark.parametrize(
    "changes",
    [
        {"decisions": [decision(str(number)) for number in range(11)]},
        {"conditions": [condition(str(number), ConditionStatus.TRUE) for number in range(17)]},
        {"blocked": [BLOCKED] * 17},
        {"reversals": -1},
        {"selector": "x" * 1025},
        {"replicas": -1},
    ],
)
def test_it_is_bounded(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Status(**changes)
