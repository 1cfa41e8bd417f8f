"""Every fault of a manifest at once, and what is left without them."""

from typing import Any

import pytest

from specdecode_operator.api.errors import InvalidResource
from specdecode_operator.api.faults import read
from specdecode_operator.api.v1alpha1 import Method
from support.builders import DRAFT_MODEL, body

MODEL = {"name": "org/target"}


def faults(**spec: Any) -> list[tuple[str, str]]:
    return [(remark.code, remark.field) for remark in read(body(**spec))[1]]


def test_a_sound_manifest_has_none() -> None:
    resource, found = read(body())
    assert (resource is not None and resource.spec.speculation.method, found) == (Method.DRAFT_MODEL, ())


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"replica": 2}, [("UnknownField", "replica")]),
        ({"engine": {"maxModelLen": 0}}, [("InvalidField", "engine.maxModelLen")]),
        ({"engine": {"extraArgs": ["--ok", "--port=1"]}}, [("InvalidField", "engine.extraArgs")]),
        ({"speculation": {"method": "DraftModel"}}, [("InvalidField", "speculation.draft"),
                                                      ("InvalidField", "speculation.numSpeculativeTokens")]),
        (
            {"speculation": DRAFT_MODEL | {"promptLookup": {"min": 3, "max": 1}}},
            [("InvalidField", "speculation.promptLookup")],
        ),
        (
            {"fallbacks": [{"name": "other", "triggers": ["Latency"], "speculation": {"method": "NGram"}}]},
            [("InvalidField", "fallbacks[0].speculation.numSpeculativeTokens")],
        ),
        (
            {"fallbacks": [{"name": "primary", "triggers": ["Latency"], "model": MODEL}]},
            [("InvalidField", "fallbacks")],
        ),
        ({"model": {}}, [("InvalidField", "model.name")]),
    ],
)  # fmt: skip
def test_one_place(spec: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert faults(**spec) == expected


def test_five_places_at_once() -> None:
    found = faults(
        replicas=-1,
        suspended=True,
        engine={"maxModelLen": "long", "env": [{"name": "VLLM_SERVER_DEV_MODE", "value": "1"}]},
        policy={"window": {"short": "5m", "long": "6m"}},
    )
    assert sorted(field for _, field in found) == [
        "engine.env", "engine.maxModelLen", "policy.window", "replicas", "suspended",
    ]  # fmt: skip


def test_what_is_sound_is_left_for_deeper_checks() -> None:
    resource, found = read(body(replicas=-1, engine={"maxModelLen": 0, "version": "0.30.0"}))
    assert resource is not None
    assert (resource.spec.replicas, resource.spec.engine.max_model_len) == (1, None)
    assert (resource.spec.engine.version, len(found)) == ("0.30.0", 2)


def test_nothing_is_left_without_a_model() -> None:
    assert read(body(model={"servedName": "x"}))[0] is None


def test_a_name_that_is_too_long_is_one_fault_among_others() -> None:
    resource, found = read(body("x" * 51, replicas=-1))
    assert resource is not None
    assert [remark.field for remark in found] == ["replicas", "metadata.name"]


def test_the_manifest_itself_is_left_alone() -> None:
    manifest = body(replicas=-1)
    read(manifest)
    assert manifest == body(replicas=-1)


@pytest.mark.parametrize("change", [{"kind": "Pod"}, {"apiVersion": "v1"}, {"kind": None}])
def test_another_kind_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidResource, match="apiVersion and kind are"):
        read(body() | change)


@pytest.mark.parametrize("spec", [None, [], "text", 3, {"model": []}, {"model": {"name": "x"}, "fallbacks": {"a": 1}}])
def test_no_shape_breaks_it(spec: Any) -> None:
    _, found = read(body() | {"spec": spec})
    assert found
