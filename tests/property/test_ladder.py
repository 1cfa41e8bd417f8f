"""A variant's hash changes exactly when its pod does."""

import copy
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment
from specdecode_operator.policy import Variant, ladder
from specdecode_operator.workload import Layout, children
from support.builders import DRAFT_MODEL, resource

# What reaches the pods; some choices say the same in other words.
SEEN: dict[str, list[Any]] = {
    "model": [
        {"name": "a"},
        {"name": "b"},
        {"name": "a", "revision": "v1"},
        {"name": "a", "servedName": "chat"},
        {"name": "a", "quantization": "fp8"},
        {"name": "a", "storage": {"claim": "weights"}},
        {"name": "a", "storage": {"claim": "weights", "path": "x"}},
        {"name": "a", "tokenSecretRef": {"name": "hub"}},
    ],
    "speculation": [
        {"method": "None"},
        {"method": "Suffix"},
        DRAFT_MODEL,
        DRAFT_MODEL | {"numSpeculativeTokens": 5},
        {"method": "NGram", "numSpeculativeTokens": 4},
        {"method": "Suffix", "config": {"enforce_eager": True}},
        {"method": "Suffix", "sampling": {"draft": "Greedy"}},
    ],
    "engine": [
        {},
        {"version": "0.30.0"},
        {"image": "registry/vllm:1"},
        {"image": "docker.io/vllm/vllm-openai:v0.33.0"},
        {"maxNumSeqs": 64},
        {"tensorParallelSize": 2},
        {"extraArgs": ["--seed=1"]},
        {"env": [{"name": "A", "value": "1"}]},
    ],
    "resources": [{}, {"limits": {"memory": "64Gi"}}, {"gpu": {"resourceName": "amd.com/gpu"}}, {"gpu": {"count": 2}}],
    "podTemplate": [{}, {"spec": {"nodeSelector": {"gpu": "h100"}}}, {"metadata": {"labels": {"team": "a"}}}],
    "rollout": [
        {},
        {"readyTimeout": "31m"},
        {"readyTimeout": "1800s"},
        {"drainTimeout": "6m"},
        {"drainTimeout": "360s"},
    ],
    "metrics": [{}, {"scrape": "None"}],
}
UNSEEN: dict[str, list[Any]] = {
    "replicas": [1, 2, 7],
    "suspend": [False, True],
    "policy": [{}, {"mode": "Enforce"}, {"window": {"short": "20s", "long": "60s"}}],
    "fallbacks": [[], [{"name": "x", "triggers": ["Latency"], "model": {"quantization": "awq"}}]],
}
FIELDS = SEEN | UNSEEN
SPECS = st.fixed_dictionaries({name: st.sampled_from(choices) for name, choices in FIELDS.items()})


@st.composite
def pairs(draw: st.DrawFn) -> tuple[SpecDecodeDeployment, SpecDecodeDeployment]:
    """Two resources that differ in no field, in one, or in a few."""
    first = draw(SPECS)
    second = dict(first)
    for name in draw(st.lists(st.sampled_from(list(FIELDS)), max_size=3, unique=True)):
        second[name] = draw(st.sampled_from(FIELDS[name]))
    return resource(**first), resource(**second)


def pod(found: SpecDecodeDeployment, variant: Variant) -> dict[str, Any]:
    """Return the pod template without the hash that the operator writes on it."""
    deployment = children(found, Layout(variant, ""))[0]
    template: dict[str, Any] = copy.deepcopy(deployment["spec"]["template"])
    del template["metadata"]["labels"]["specdecode.dev/variant-hash"]
    return template


@settings(max_examples=200)
@given(pairs())
def test_hashes_are_equal_exactly_when_pods_are(two: tuple[SpecDecodeDeployment, SpecDecodeDeployment]) -> None:
    variants = [(found, ladder(found.spec).primary) for found in two]
    same_hash = len({variant.hash for _, variant in variants}) == 1
    pods = [pod(found, variant) for found, variant in variants]
    event("same pod" if pods[0] == pods[1] else "other pod")
    assert same_hash is (pods[0] == pods[1])


@given(SPECS)
def test_within_a_ladder_too(fields: dict[str, Any]) -> None:
    found = resource(**fields)
    rungs = ladder(found.spec).rungs
    for first in rungs:
        for second in rungs:
            assert (first.hash == second.hash) is (pod(found, first) == pod(found, second))


@given(SPECS)
def test_reading_a_resource_twice_gives_the_same_ladder(fields: dict[str, Any]) -> None:
    assert ladder(resource(**fields).spec) == ladder(resource(**fields).spec)


@given(SPECS, st.sampled_from(["Acceptance", "Latency"]))
def test_the_way_down_ends_and_never_repeats_a_pod(fields: dict[str, Any], trigger: Any) -> None:
    rungs = ladder(resource(**fields).spec)
    current, seen = rungs.primary, [rungs.primary.hash]
    while (following := rungs.after(current, trigger)) is not None:
        assert following.hash != current.hash
        assert trigger in following.triggers
        current = following
        seen.append(current.hash)
    assert len(seen) <= len(rungs.rungs)
