"""The ladder: which variants there are, what they overlay, and what their hashes depend on."""

from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Method, Model, Spec, Speculation, Trigger
from specdecode_operator.policy import ladder
from specdecode_operator.workload.pod import pod_template
from support.builders import DRAFT_MODEL, resource, rung, spec_of

EVERY = frozenset(Trigger)
LATENCY, ACCEPTANCE = frozenset({Trigger.LATENCY}), frozenset({Trigger.ACCEPTANCE})
OFF = Speculation(method=Method.NONE)
FACTS = {
    "modelType": "llama",
    "hiddenSize": 64,
    "layers": 2,
    "attentionHeads": 4,
    "intermediateSize": 128,
    "vocabularySize": 1000,
    "contextLength": 2048,
}


def fallback(name: str, *triggers: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "triggers": list(triggers or ("Latency", "Acceptance"))} | fields


def names(spec: Spec) -> list[tuple[str, frozenset[Trigger]]]:
    return [(variant.name, variant.triggers) for variant in ladder(spec).rungs]


class TestRungs:
    def test_without_fallbacks_the_target_alone_is_the_only_way_down(self) -> None:
        assert names(spec_of()) == [("primary", frozenset()), ("no-speculation", EVERY)]

    def test_fallbacks_keep_their_order_and_no_speculation_comes_last(self) -> None:
        fallbacks = [fallback("fp8", "Latency", model={"name": "org/fp8"}), fallback("b", model={"name": "b"})]
        assert names(spec_of(fallbacks=fallbacks)) == [
            ("primary", frozenset()),
            ("fp8", LATENCY),
            ("b", ACCEPTANCE | LATENCY),
            ("no-speculation", EVERY),
        ]

    def test_a_listed_no_speculation_keeps_its_place_and_its_triggers(self) -> None:
        fallbacks = [fallback("no-speculation", "Acceptance"), fallback("fp8", "Latency", model={"name": "org/fp8"})]
        assert names(spec_of(fallbacks=fallbacks)) == [
            ("primary", frozenset()),
            ("no-speculation", ACCEPTANCE),
            ("fp8", LATENCY),
        ]

    def test_the_primary_is_the_spec_itself(self) -> None:
        primary = rung(spec_of())
        assert (primary.model, primary.speculation) == (
            Model(name="org/target"),
            Speculation.model_validate(DRAFT_MODEL),
        )

    def test_no_speculation_keeps_the_weights(self) -> None:
        last = rung(spec_of(), "no-speculation")
        assert (last.model, last.speculation) == (Model(name="org/target"), OFF)

    def test_an_unknown_name_is_not_found(self) -> None:
        found = ladder(spec_of())
        assert (found.find("fp8"), found.find(None), found.find("")) == (None, None, None)


MODEL: dict[str, Any] = {
    "name": "org/target",
    "revision": "v1",
    "quantization": "fp8",
    "tokenSecretRef": {"name": "hub"},
}
OVERLAYS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"revision": "v1", "quantization": "fp8"}),
    ({"revision": "v2"}, {"revision": "v2", "quantization": "fp8"}),
    ({"quantization": "awq"}, {"revision": "v1", "quantization": "awq"}),
    ({"name": "org/int4"}, {"name": "org/int4"}),
    ({"name": "org/int4", "revision": "v9"}, {"name": "org/int4", "revision": "v9"}),
    ({"name": "org/int4", "quantization": "gptq"}, {"name": "org/int4", "quantization": "gptq"}),
    (
        {"storage": {"claim": "weights", "path": "int4"}},
        {"revision": "v1", "quantization": "fp8", "storage": {"claim": "weights", "path": "int4"}},
    ),
]


class TestOverlays:
    @pytest.mark.parametrize(("overlay", "expected"), OVERLAYS)
    def test_other_weights_keep_the_name_that_clients_send(
        self, overlay: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        found = rung(spec_of(model=MODEL, fallbacks=[fallback("other", model=overlay)]), "other").model
        kept = {"name": "org/target", "servedName": "org/target", "tokenSecretRef": {"name": "hub"}}
        assert found == Model.model_validate(kept | expected)

    def test_a_served_name_of_the_spec_stays(self) -> None:
        spec = spec_of(model={"name": "a", "servedName": "chat"}, fallbacks=[fallback("b", model={"name": "b"})])
        assert rung(spec, "b").model == Model(name="b", served_name="chat")

    def test_an_inherited_volume_stays_whole(self) -> None:
        model = {"name": "a", "storage": {"claim": "weights"}}
        spec = spec_of(model=model, fallbacks=[fallback("b", model={"name": "b"})])
        assert rung(spec, "b").model == Model.model_validate(model | {"name": "b", "servedName": "a"})

    def test_the_folder_belongs_to_the_weights_and_not_to_the_volume(self) -> None:
        model = {"name": "a", "storage": {"claim": "weights", "path": "folder-of-a"}}
        spec = spec_of(model=model, fallbacks=[fallback("b", model={"name": "b"})])
        expected = {"name": "b", "servedName": "a", "storage": {"claim": "weights"}}
        assert rung(spec, "b").model == Model.model_validate(expected)

    def test_the_same_weights_keep_their_folder(self) -> None:
        model = {"name": "a", "storage": {"claim": "weights", "path": "folder-of-a"}}
        spec = spec_of(model=model, fallbacks=[fallback("fp8", model={"quantization": "fp8"})])
        assert rung(spec, "fp8").model == Model.model_validate(model | {"servedName": "a", "quantization": "fp8"})

    def test_an_overlay_of_the_model_leaves_the_speculation(self) -> None:
        spec = spec_of(fallbacks=[fallback("fp8", model={"quantization": "fp8"})])
        assert rung(spec, "fp8").speculation == spec.speculation

    def test_another_speculation_replaces_that_of_the_spec_as_a_whole(self) -> None:
        spec = spec_of(fallbacks=[fallback("ngram", speculation={"method": "NGram", "numSpeculativeTokens": 2})])
        found = rung(spec, "ngram")
        assert (found.model, found.speculation) == (
            spec.model,
            Speculation(method=Method.NGRAM, num_speculative_tokens=2),
        )

    @pytest.mark.parametrize(
        ("overlay", "expected"),
        [
            ({"quantization": "fp8"}, 2),
            ({"name": "org/other"}, None),
            ({"name": "org/other", "facts": FACTS | {"layers": 3}}, 3),
        ],
    )
    def test_facts_belong_to_the_weights(self, overlay: dict[str, Any], expected: int | None) -> None:
        spec = spec_of(model={"name": "org/target", "facts": FACTS}, fallbacks=[fallback("other", model=overlay)])
        facts = rung(spec, "other").model.facts
        assert (facts and facts.layers) == expected


class TestNextRung:
    SPEC = spec_of(
        fallbacks=[
            fallback("fp8", "Latency", model={"quantization": "fp8"}),
            fallback("ngram", "Acceptance", speculation={"method": "NGram", "numSpeculativeTokens": 2}),
        ]
    )

    @pytest.mark.parametrize(
        ("current", "trigger", "following"),
        [
            ("primary", Trigger.LATENCY, "fp8"),
            ("primary", Trigger.ACCEPTANCE, "ngram"),
            ("fp8", Trigger.LATENCY, "no-speculation"),
            ("fp8", Trigger.ACCEPTANCE, "ngram"),
            ("ngram", Trigger.LATENCY, "no-speculation"),
            ("ngram", Trigger.ACCEPTANCE, "no-speculation"),
            ("no-speculation", Trigger.LATENCY, None),
            ("no-speculation", Trigger.ACCEPTANCE, None),
        ],
    )
    def test_a_rung_that_does_not_name_the_trigger_is_skipped(
        self, current: str, trigger: Trigger, following: str | None
    ) -> None:
        found = ladder(self.SPEC).after(rung(self.SPEC, current), trigger)
        assert (found and found.name) == following

    def test_a_rung_that_would_run_the_same_is_skipped(self) -> None:
        spec = spec_of(speculation={"method": "None"}, fallbacks=[fallback("fp8", model={"quantization": "fp8"})])
        following = ladder(spec).after(rung(spec), Trigger.LATENCY)
        assert following is not None
        assert following.name == "fp8"

    def test_without_speculation_there_is_no_way_down(self) -> None:
        spec = spec_of(speculation={"method": "None"})
        assert ladder(spec).after(rung(spec), Trigger.ACCEPTANCE) is None


GOLDEN = {
    "minimal": ({"speculation": {"method": "None"}}, "primary"),
    "draft model": ({}, "primary"),
    "draft model, off": ({}, "no-speculation"),
}
HASHES = {"minimal": "b8601e302f", "draft model": "0de5603eef", "draft model, off": "b8601e302f"}
"""A change here rolls every GPU pod of every user at the next upgrade: it must be wanted."""


class TestHash:
    @pytest.mark.parametrize("case", GOLDEN)
    def test_it_is_stable_from_release_to_release(self, case: str) -> None:
        fields, name = GOLDEN[case]
        assert rung(spec_of(**fields), name).hash == HASHES[case]

    @pytest.mark.parametrize(
        "change",
        [
            {"replicas": 7},
            {"suspend": True},
            {"policy": {"mode": "Enforce", "objectives": [{"metric": "Tpot", "threshold": "50ms"}]}},
            {"policy": {"window": {"short": "20s", "long": "60s"}, "budget": {"cooldown": "1h"}}},
            {"fallbacks": [fallback("fp8", model={"quantization": "fp8"})]},
            {"rollout": {"strategy": "Replace", "allowDowntime": True}},
            {"metrics": {"endpoint": "thanos"}},
            {"model": {"name": "org/target", "servedName": "org/target"}},
            {"engine": {"version": "0.33.0"}},
            {"engine": {"tensorParallelSize": 1}},
            {"engine": {"image": "docker.io/vllm/vllm-openai:v0.33.0"}},
            {"resources": {"gpu": {"count": 1}}},
            {"resources": {"gpu": {"resourceName": "nvidia.com/gpu"}}},
            {"rollout": {"readyTimeout": "1800s"}},
            {"rollout": {"drainTimeout": "300s"}},
            {"model": {"name": "org/target", "facts": FACTS}},
            {"speculation": DRAFT_MODEL | {"draft": DRAFT_MODEL["draft"] | {"facts": FACTS}}},
            {"resources": {"gpu": {"product": "NVIDIA-H100-80GB-HBM3"}}},
        ],
    )
    def test_what_no_pod_sees_leaves_it_as_it_is(self, change: dict[str, Any]) -> None:
        assert rung(spec_of(**change)).hash == rung(spec_of()).hash

    @pytest.mark.parametrize(
        "change",
        [
            {"model": {"name": "org/other"}},
            {"model": {"name": "org/target", "revision": "v2"}},
            {"model": {"name": "org/target", "servedName": "chat"}},
            {"model": {"name": "org/target", "quantization": "fp8"}},
            {"model": {"name": "org/target", "storage": {"claim": "weights"}}},
            {"model": {"name": "org/target", "tokenSecretRef": {"name": "hub"}}},
            {"speculation": {"method": "None"}},
            {"speculation": DRAFT_MODEL | {"numSpeculativeTokens": 5}},
            {"speculation": DRAFT_MODEL | {"config": {"enforce_eager": True}}},
            {"speculation": DRAFT_MODEL | {"sampling": {"draft": "Greedy"}}},
            {"engine": {"version": "0.32.0"}},
            {"engine": {"image": "registry/vllm:1"}},
            {"engine": {"tensorParallelSize": 2}},
            {"engine": {"extraArgs": ["--seed=1"]}},
            {"engine": {"env": [{"name": "A", "value": "1"}]}},
            {"resources": {"limits": {"memory": "64Gi"}}},
            {"resources": {"gpu": {"resourceName": "amd.com/gpu"}}},
            {"resources": {"gpu": {"count": 2}}},
            {"podTemplate": {"spec": {"nodeSelector": {"gpu": "h100"}}}},
            {"podTemplate": {"metadata": {"labels": {"team": "a"}}}},
            {"rollout": {"readyTimeout": "31m"}},
            {"rollout": {"drainTimeout": "6m"}},
            {"metrics": {"scrape": "None"}},
        ],
    )
    def test_what_a_pod_sees_changes_it(self, change: dict[str, Any]) -> None:
        assert rung(spec_of(**change)).hash != rung(spec_of()).hash

    def test_every_rung_has_its_own(self) -> None:
        spec = spec_of(fallbacks=[fallback("fp8", model={"quantization": "fp8"})])
        assert len({variant.hash for variant in ladder(spec).rungs}) == 3

    def test_a_rung_that_runs_what_another_resource_has_as_primary_shares_its_hash(self) -> None:
        off = spec_of(speculation={"method": "None"})
        assert rung(spec_of(), "no-speculation").hash == rung(off).hash

    def test_taking_over_no_speculation_as_the_primary_rolls_nothing(self) -> None:
        before, after = resource(), resource(speculation={"method": "None"})
        off, primary = rung(before.spec, "no-speculation"), rung(after.spec)
        assert pod_template(before, off) == pod_template(after, primary)

    def test_facts_and_the_gpus_name_never_reach_the_pods(self) -> None:
        plain = resource()
        told = resource(
            model={"name": "org/target", "facts": FACTS},
            speculation=DRAFT_MODEL | {"draft": DRAFT_MODEL["draft"] | {"facts": FACTS}},
            resources={"gpu": {"product": "H100"}},
        )
        assert pod_template(told, rung(told.spec)) == pod_template(plain, rung(plain.spec))

    def test_it_fits_into_a_label(self) -> None:
        assert len(rung(spec_of()).hash) == 10
        assert rung(spec_of()).hash.isalnum()
