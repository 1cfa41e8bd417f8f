"""The merge of `podTemplate`, by Kubernetes' own list keys."""

from typing import Any

import pytest

from specdecode_operator.workload import InvalidPodTemplate
from specdecode_operator.workload.merge import merge

CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("nothing over something", {"a": 1}, {}, {"a": 1}),
    ("something over nothing", {}, {"a": {"b": [1]}}, {"a": {"b": [1]}}),
    ("a value replaces a value", {"a": 1}, {"a": 2}, {"a": 2}),
    ("an object replaces a value", {"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ("objects are merged", {"a": {"b": 1, "c": 2}}, {"a": {"c": 3, "d": 4}}, {"a": {"b": 1, "c": 3, "d": 4}}),
    ("null removes a value", {"a": 1, "b": 2}, {"a": None}, {"b": 2}),
    ("null removes an object", {"a": {"b": 1}}, {"a": None}, {}),
    ("null removes a list", {"env": [{"name": "A"}]}, {"env": None}, {}),
    ("null removes inside an object", {"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
    ("null over nothing is nothing", {}, {"a": None}, {}),
    (
        "null makes room in a keyed list",
        {"volumes": [{"name": "cache", "emptyDir": {}}]},
        {"volumes": [{"name": "cache", "emptyDir": None, "persistentVolumeClaim": {"claimName": "c"}}]},
        {"volumes": [{"name": "cache", "persistentVolumeClaim": {"claimName": "c"}}]},
    ),
    ("null is filled", {"a": None}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ("lists without a key are replaced", {"args": [1, 2]}, {"args": [3]}, {"args": [3]}),
    ("an empty list empties", {"tolerations": [{"key": "a"}]}, {"tolerations": []}, {"tolerations": []}),
    (
        "containers by name",
        {"containers": [{"name": "engine", "image": "a", "tty": True}]},
        {"containers": [{"name": "engine", "image": "b"}, {"name": "proxy"}]},
        {"containers": [{"name": "engine", "image": "b", "tty": True}, {"name": "proxy"}]},
    ),
    (
        "the order of the base stays",
        {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        {"env": [{"name": "C", "value": "3"}, {"name": "A", "value": "4"}]},
        {"env": [{"name": "A", "value": "4"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]},
    ),
    (
        "mounts by their path",
        {"volumeMounts": [{"name": "cache", "mountPath": "/cache"}]},
        {"volumeMounts": [{"name": "mine", "mountPath": "/cache"}, {"name": "cache", "mountPath": "/b"}]},
        {"volumeMounts": [{"name": "mine", "mountPath": "/cache"}, {"name": "cache", "mountPath": "/b"}]},
    ),
    (
        "ports by their number",
        {"ports": [{"containerPort": 8000, "name": "http"}]},
        {"ports": [{"containerPort": 9000, "name": "admin"}]},
        {"ports": [{"containerPort": 8000, "name": "http"}, {"containerPort": 9000, "name": "admin"}]},
    ),
    (
        "the same name twice is one entry",
        {"env": []},
        {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
        {"env": [{"name": "A", "value": "2"}]},
    ),
    (
        "keyed lists inside keyed lists",
        {"containers": [{"name": "engine", "env": [{"name": "A", "value": "1"}]}]},
        {"containers": [{"name": "engine", "env": [{"name": "B", "value": "2"}]}]},
        {"containers": [{"name": "engine", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]},
    ),
]


@pytest.mark.parametrize(("base", "overlay", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
class TestMerge:
    def test_the_result(self, base: dict[str, Any], overlay: dict[str, Any], expected: dict[str, Any]) -> None:
        assert merge(base, overlay) == expected

    def test_the_second_time_changes_nothing(
        self, base: dict[str, Any], overlay: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        assert merge(merge(base, overlay), overlay) == expected


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("containers", "name"),
        ("initContainers", "name"),
        ("volumes", "name"),
        ("env", "name"),
        ("imagePullSecrets", "name"),
        ("resourceClaims", "name"),
        ("volumeMounts", "mountPath"),
        ("volumeDevices", "devicePath"),
        ("ports", "containerPort"),
        ("hostAliases", "ip"),
        ("topologySpreadConstraints", "topologyKey"),
    ],
)
def test_the_keys_are_those_of_kubernetes(name: str, key: str) -> None:
    found = merge({name: [{key: "a", "x": 1}]}, {name: [{key: "a", "y": 2}]})
    assert found == {name: [{key: "a", "x": 1, "y": 2}]}


@pytest.mark.parametrize(
    ("base", "overlay", "sentence"),
    [
        ({"a": {"b": 1}}, {"a": 3}, "here.a: must be an object"),
        ({"env": [{"name": "A"}]}, {"env": {"A": 1}}, "here.env: must be a list"),
        ({"env": [{"name": "A"}]}, {"env": [{"value": 1}]}, "here.env[0]: needs name, by which the entry is merged"),
        ({"env": []}, {"env": [{"name": "A"}, "B"]}, "here.env[1]: needs name, by which the entry is merged"),
        ({"a": {"b": {"c": {}}}}, {"a": {"b": {"c": []}}}, "here.a.b.c: must be an object"),
    ],
)
def test_what_cannot_be_merged_is_named(base: dict[str, Any], overlay: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidPodTemplate) as caught:
        merge(base, overlay, "here")
    assert str(caught.value) == sentence


def test_neither_side_is_changed() -> None:
    base = {"containers": [{"name": "engine", "env": [{"name": "A"}]}], "labels": {"a": "b"}}
    overlay = {"containers": [{"name": "engine", "env": [{"name": "B"}]}], "labels": {"c": "d"}}
    before = (str(base), str(overlay))
    merge(base, overlay)
    assert (str(base), str(overlay)) == before
