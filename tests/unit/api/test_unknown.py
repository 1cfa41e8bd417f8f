"""Fields that nobody reads: a typing error must not pass in silence."""

from typing import Any

import pytest

from specdecode_operator.api.unknown import unknown_fields
from support.builders import DRAFT_MODEL, body


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"modell": {}}, ["spec.modell"]),
        ({"model": {"name": "x", "Revision": "v1"}}, ["spec.model.Revision"]),
        ({"engine": {"max_num_seqs": 3}}, ["spec.engine.max_num_seqs"]),
        ({"engine": {"env": [{"name": "A"}, {"name": "B", "valueFrom": {}}]}}, ["spec.engine.env[1].valueFrom"]),
        ({"fallbacks": [{"name": "a", "on": ["Latency"]}]}, ["spec.fallbacks[0].on"]),
        ({"policy": {"window": {"shrt": "5m"}, "trail": {}}}, ["spec.policy.window.shrt", "spec.policy.trail"]),
        ({"speculation": DRAFT_MODEL | {"config": {"whatever": {"deep": 1}}}}, []),
        ({"podTemplate": {"spec": {"nodeSelectr": {}}, "metadata": {"x": 1}}}, []),
        ({"podTemplate": {"specs": {}}}, ["spec.podTemplate.specs"]),
        ({"resources": {"limits": {"example.com/fpga": "1"}}}, []),
        ({"model": "not a mapping"}, []),
        ({"fallbacks": "not a list"}, []),
    ],
)
def test_they_are_found_at_every_level(fields: dict[str, Any], expected: list[str]) -> None:
    assert unknown_fields(body(**fields)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": {"anything": 1}}, []),
        ({"specs": {}}, ["specs"]),
        ({"spec": None}, []),
        ({"data": 1, "x": 2}, ["data", "x"]),
    ],
)
def test_beside_the_spec_too(changes: dict[str, Any], expected: list[str]) -> None:
    assert unknown_fields(body() | changes) == expected
