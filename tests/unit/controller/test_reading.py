"""Bodies to models, each version of a body only once."""

from typing import Any

import pytest

from specdecode_operator.api.errors import InvalidResource
from specdecode_operator.api.v1alpha1 import Status
from specdecode_operator.controller.reading import Reader, status_of
from specdecode_operator.policy import ladder
from support.builders import body, resource

IDENTITY = {"uid": "u1", "resourceVersion": "7"}


def test_a_body_is_read_with_its_ladder() -> None:
    found = Reader().read(body(metadata=IDENTITY))
    assert (found.resource, found.ladder) == (resource(metadata=IDENTITY), ladder(resource().spec))


def test_the_same_version_is_read_once() -> None:
    reader = Reader()
    assert reader.read(body(metadata=IDENTITY)) is reader.read(body(metadata=IDENTITY))


@pytest.mark.parametrize("identity", [{"uid": "u1", "resourceVersion": "8"}, {"uid": "u2", "resourceVersion": "7"}])
def test_another_version_or_object_is_read_anew(identity: dict[str, str]) -> None:
    reader = Reader()
    reader.read(body(metadata=IDENTITY))
    assert reader.read(body(metadata=identity, replicas=5)).resource.spec.replicas == 5


def test_a_spec_is_read_once_a_generation() -> None:
    reader = Reader()
    first = reader.read(body(metadata=IDENTITY | {"generation": 3}))
    stored = body(metadata=IDENTITY | {"generation": 3, "resourceVersion": "8"}) | {"status": {"replicas": 3}}
    again = reader.read(stored)
    assert (again.ladder is first.ladder, again.resource.spec is first.resource.spec) == (True, True)
    assert (again.resource.status, again.resource.metadata.resource_version) == (Status(replicas=3), "8")


def test_another_generation_is_read_anew() -> None:
    reader = Reader()
    reader.read(body(metadata=IDENTITY | {"generation": 3}))
    changed = body(metadata=IDENTITY | {"generation": 4, "resourceVersion": "8"}, replicas=5)
    assert reader.read(changed).resource.spec.replicas == 5


def test_what_is_forgotten_is_read_anew() -> None:
    reader = Reader()
    first = reader.read(body(metadata=IDENTITY))
    reader.forget("u1")
    reader.forget("never heard of")
    assert reader.read(body(metadata=IDENTITY)) is not first


def test_a_body_that_cannot_be_read_is_refused_every_time() -> None:
    reader = Reader()
    for _ in range(2):
        with pytest.raises(InvalidResource, match=r"^spec\.model\.name: Field required$"):
            reader.read(body(metadata=IDENTITY, model={}))


@pytest.mark.parametrize(
    ("stored", "expected"),
    [({}, Status()), ({"status": None}, Status()), ({"status": {"replicas": 3}}, Status(replicas=3))],
)
def test_a_status_is_read_alone(stored: dict[str, Any], expected: Status) -> None:
    assert status_of({"spec": "unreadable", **stored}) == expected
