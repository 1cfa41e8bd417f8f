"""Events on the resource."""

from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.clients import Forbidden, Unavailable
from specdecode_operator.controller.events import post
from specdecode_operator.policy import Note, Severity
from support.builders import NOW, body
from support.fake_kubernetes import FakeKubernetes

BODY = body(metadata={"uid": "u1", "resourceVersion": "7"})
NOTE = Note(Severity.WARNING, "RemediationStarted", "rolling primary to no-speculation")


async def posted(note: Note = NOTE, **more: Any) -> dict[str, Any]:
    kubernetes = FakeKubernetes()
    await post(kubernetes, BODY, note, more.get("now", NOW))
    return kubernetes.events[0]


async def test_an_event_in_full() -> None:
    found = await posted()
    name = found["metadata"].pop("name")
    assert name.startswith("chat.")
    assert found == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": "prod"},
        "involvedObject": {
            "apiVersion": "specdecode.dev/v1alpha1",
            "kind": "SpecDecodeDeployment",
            "namespace": "prod",
            "name": "chat",
            "uid": "u1",
            "resourceVersion": "7",
        },
        "type": "Warning",
        "reason": "RemediationStarted",
        "message": "rolling primary to no-speculation",
        "action": "RemediationStarted",
        "firstTimestamp": "2026-03-01T12:00:00Z",
        "lastTimestamp": "2026-03-01T12:00:00Z",
        "count": 1,
        "source": {"component": "specdecode-operator"},
        "reportingComponent": "specdecode.dev/specdecode-operator",
        "reportingInstance": "specdecode-operator",
    }


async def test_events_of_different_reasons_or_moments_have_different_names() -> None:
    other = Note(Severity.NORMAL, "Ready", "x")
    found = [await posted(), await posted(other), await posted(now=NOW + timedelta(microseconds=1))]
    assert len({event["metadata"]["name"] for event in found}) == 3


async def test_a_long_message_is_cut_to_what_kubernetes_takes() -> None:
    found = await posted(Note(Severity.NORMAL, "R", "x" * 5000))
    assert len(found["message"]) == 1000


@pytest.mark.parametrize("error", [Forbidden("no"), Unavailable("later")])
async def test_an_event_that_cannot_be_posted_stops_nothing(error: Exception) -> None:
    kubernetes = FakeKubernetes()
    kubernetes.failures["create", "Event"] = error  # type: ignore[assignment]
    await post(kubernetes, BODY, NOTE, NOW)
    assert kubernetes.events == []
