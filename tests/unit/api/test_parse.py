"""Manifests that the models refuse, and the sentence that each gets."""

from typing import Any

import pytest

from specdecode_operator.api.errors import InvalidResource
from specdecode_operator.api.v1alpha1 import Metadata, Method, Spec, parse
from support.builders import DRAFT_MODEL, body

KIND = "specdecode.dev/v1alpha1 and SpecDecodeDeployment"
METHODS = "'None', 'DraftModel', 'NGram', 'Eagle', 'Eagle3', 'Mtp' or 'Suffix'"
NAME_PATTERN = "String should match pattern '^[A-Za-z0-9._/-]+$'"
LENGTH_PATTERN = r"String should match pattern '^[1-9][0-9]?(\.[0-9]{1,3})?$'"
STEP_PATTERN = r"String should match pattern '^[1-9][0-9]{0,3}(\.[0-9]{1,2})?ms$'"
COST = {"concurrency": 8, "target": "6.82ms", "speculative": "9.33ms"}
DURATION_PATTERN = "String should match pattern '^[1-9][0-9]{0,5}(s|m|h)$'"
SCHEDULE_PATTERN = "String should match pattern '^[0-9A-Za-z*,/#-]+( [0-9A-Za-z*,/#-]+){4}$'"


def windows(**fields: str) -> dict[str, Any]:
    return {"rollout": {"windows": [{"schedule": "0 2 * * *", "duration": "2h"} | fields]}}


def sentence(manifest: dict[str, Any]) -> str:
    with pytest.raises(InvalidResource) as caught:
        parse(manifest)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"apiVersion": "v1"}, f"apiVersion and kind are v1 and SpecDecodeDeployment; expected {KIND}"),
        ({"kind": "Pod"}, f"apiVersion and kind are specdecode.dev/v1alpha1 and Pod; expected {KIND}"),
        ({"kind": None}, f"apiVersion and kind are specdecode.dev/v1alpha1 and None; expected {KIND}"),
        ({"metadata": {}}, "metadata.name: Field required"),
        (
            {"metadata": {"name": "x" * 51}},
            "metadata.name: at most 50 characters, so that the names of the children fit",
        ),
    ],
)
def test_what_is_wrong_outside_the_spec(changes: dict[str, Any], expected: str) -> None:
    assert sentence(body() | changes) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"model": {}}, "spec.model.name: Field required"),
        ({"model": {"name": ""}}, "spec.model.name: String should have at least 1 character"),
        ({"model": {"name": "a b"}}, f"spec.model.name: {NAME_PATTERN}"),
        ({"model": {"name": "x", "servedName": "a$"}}, f"spec.model.servedName: {NAME_PATTERN}"),
        (
            {"model": {"name": "x", "storage": {"claim": "UPPER"}}},
            "spec.model.storage.claim: String should match pattern '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$'",
        ),
        ({"replicas": -1}, "spec.replicas: Input should be greater than or equal to 0"),
        ({"replicas": 1001}, "spec.replicas: Input should be less than or equal to 1000"),
        ({"replicas": 1.5}, "spec.replicas: Input should be a valid integer, got a number with a fractional part"),
        ({"suspend": "maybe"}, "spec.suspend: Input should be a valid boolean, unable to interpret input"),
        ({"speculation": {}}, "spec.speculation.method: Field required"),
        (
            {"speculation": {"method": "Medusa"}},
            f"spec.speculation.method: Input should be {METHODS}",
        ),
        (
            {"speculation": DRAFT_MODEL | {"numSpeculativeTokens": 65}},
            "spec.speculation.numSpeculativeTokens: Input should be less than or equal to 64",
        ),
        (
            {"speculation": DRAFT_MODEL | {"batchSizeSchedule": []}},
            "spec.speculation.batchSizeSchedule: List should have at least 1 item after validation, not 0",
        ),
        (
            {"speculation": DRAFT_MODEL | {"sampling": {"draft": "Gumbel"}}},
            "spec.speculation.sampling.draft: Input should be 'Greedy' or 'Probabilistic'",
        ),
        (
            {"engine": {"version": "latest"}},
            r"spec.engine.version: String should match pattern '^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$'",
        ),
        (
            {"engine": {"version": "v0.33.0"}},
            r"spec.engine.version: String should match pattern '^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$'",
        ),
        (
            {"engine": {"tensorParallelSize": 0}},
            "spec.engine.tensorParallelSize: Input should be greater than or equal to 1",
        ),
        (
            {"engine": {"dtype": "int8"}},
            "spec.engine.dtype: Input should be 'auto', 'bfloat16', 'float16' or 'float32'",
        ),
        (
            {"engine": {"gpuMemoryUtilizationPercent": 100}},
            "spec.engine.gpuMemoryUtilizationPercent: Input should be less than or equal to 99",
        ),
        ({"engine": {"extraArgs": [""]}}, "spec.engine.extraArgs.0: String should have at least 1 character"),
        (
            {"engine": {"env": [{"name": "1A"}]}},
            "spec.engine.env.0.name: String should match pattern '^[A-Za-z_][A-Za-z0-9_.-]*$'",
        ),
        (
            {"resources": {"limits": {"memory": "lots"}}},
            "spec.resources.limits.memory: String should match pattern '^[0-9.]+([eE][0-9]+|[numkMGTPE]i?)?$'",
        ),
        ({"resources": {"limits": {"cpu": 0.5}}}, "spec.resources.limits.cpu: Input should be a valid string"),
        ({"podTemplate": {"spec": []}}, "spec.podTemplate.spec: Input should be a valid dictionary"),
        (
            {"fallbacks": [{"name": "x", "triggers": []}]},
            "spec.fallbacks.0.triggers: List should have at least 1 item after validation, not 0",
        ),
        (
            {"fallbacks": [{"name": "x", "triggers": ["Cost"], "model": {}}]},
            "spec.fallbacks.0.triggers.0: Input should be 'Acceptance', 'Latency' or 'Startup'",
        ),
        (
            {"fallbacks": [{"name": "X_1", "triggers": ["Latency"], "model": {}}]},
            "spec.fallbacks.0.name: String should match pattern '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'",
        ),
        ({"rollout": {"readyTimeout": "30"}}, f"spec.rollout.readyTimeout: {DURATION_PATTERN}"),
        ({"rollout": {"strategy": "Fast"}}, "spec.rollout.strategy: Input should be 'Auto', 'Surge' or 'Replace'"),
        (
            windows(schedule="60 2 * * *"),
            "spec.rollout.windows.0.schedule: 60 2 * * * is no cron schedule (bad minute); 0 2 * * 1-5 is one",
        ),
        (
            windows(schedule="0 2 * * 1-8"),
            "spec.rollout.windows.0.schedule: 0 2 * * 1-8 is no cron schedule (bad day-of-week); 0 2 * * 1-5 is one",
        ),
        (
            windows(schedule="0 0 31 2 *"),
            "spec.rollout.windows.0.schedule: 0 0 31 2 * is no cron schedule (bad day-of-month); 0 2 * * 1-5 is one",
        ),
        (
            windows(schedule="0 0 */20 * 1L"),
            "spec.rollout.windows.0.schedule: 0 0 */20 * 1L names a day that never comes; correct day and month",
        ),
        (windows(schedule="0 0 2 * * *"), f"spec.rollout.windows.0.schedule: {SCHEDULE_PATTERN}"),
        (windows(schedule="@daily      "), f"spec.rollout.windows.0.schedule: {SCHEDULE_PATTERN}"),
        (
            windows(timeZone="Europe/Atlantis"),
            "spec.rollout.windows.0.timeZone: Europe/Atlantis is no time zone that is known here; Europe/Berlin is one",
        ),
        (
            windows(timeZone="../etc/passwd"),
            "spec.rollout.windows.0.timeZone: String should match pattern '^[A-Za-z0-9+_/-]+$'",
        ),
        (
            windows(timeZone="/etc/passwd"),
            "spec.rollout.windows.0.timeZone: /etc/passwd is no time zone that is known here; Europe/Berlin is one",
        ),
        (windows(duration="2d"), f"spec.rollout.windows.0.duration: {DURATION_PATTERN}"),
        (
            {"policy": {"budget": {"limits": [{"count": 0, "window": "1h"}]}}},
            "spec.policy.budget.limits.0.count: Input should be greater than or equal to 1",
        ),
        (
            {"policy": {"budget": {"limits": [{"count": 33, "window": "1h"}]}}},
            "spec.policy.budget.limits.0.count: Input should be less than or equal to 32",
        ),
        ({"policy": {"budget": {"limits": [{"count": 1}]}}}, "spec.policy.budget.limits.0.window: Field required"),
        (
            {"metrics": {"endpoint": "http://prometheus"}},
            "spec.metrics.endpoint: String should match pattern '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$'",
        ),
        ({"metrics": {"scrape": "PodMonitor"}}, "spec.metrics.scrape: Input should be 'None' or 'Annotations'"),
        ({"policy": {"mode": "Auto"}}, "spec.policy.mode: Input should be 'Observe', 'Recommend' or 'Enforce'"),
        (
            {"policy": {"acceptance": {"disableBelowPercent": 101}}},
            "spec.policy.acceptance.disableBelowPercent: Input should be less than or equal to 100",
        ),
        (
            {"policy": {"acceptance": {"rule": "Sprt"}}},
            "spec.policy.acceptance.rule: Input should be 'FixedRate' or 'BreakEven'",
        ),
        (
            {"policy": {"acceptance": {"minAcceptanceLength": "0.9"}}},
            f"spec.policy.acceptance.minAcceptanceLength: {LENGTH_PATTERN}",
        ),
        (
            {"policy": {"acceptance": {"minAcceptanceLength": 1.8}}},
            "spec.policy.acceptance.minAcceptanceLength: Input should be a valid string",
        ),
        (
            {"policy": {"acceptance": {"maxDropPoints": -1}}},
            "spec.policy.acceptance.maxDropPoints: Input should be greater than or equal to 0",
        ),
        (
            {"policy": {"acceptance": {"rule": "BreakEven", "stepCosts": []}}},
            "spec.policy.acceptance.stepCosts: List should have at least 1 item after validation, not 0",
        ),
        (
            {"policy": {"acceptance": {"rule": "BreakEven", "stepCosts": [{"concurrency": 0, "target": "1ms"}]}}},
            "spec.policy.acceptance.stepCosts.0.concurrency: Input should be greater than or equal to 1 (and 1 more)",
        ),
        (
            {"policy": {"acceptance": {"rule": "BreakEven", "stepCosts": [COST | {"speculative": "0.5ms"}]}}},
            f"spec.policy.acceptance.stepCosts.0.speculative: {STEP_PATTERN}",
        ),
        (
            {"policy": {"acceptance": {"rule": "BreakEven", "stepCosts": [COST, COST]}}},
            "spec.policy.acceptance: policy.acceptance.stepCosts: each concurrency only once",
        ),
        (
            {"policy": {"objectives": [{"metric": "Itl", "threshold": "1s"}]}},
            "spec.policy.objectives.0.metric: Input should be 'Tpot', 'Ttft' or 'E2e'",
        ),
        (
            {"policy": {"objectives": [{"metric": "Tpot", "threshold": "50"}]}},
            "spec.policy.objectives.0.threshold: String should match pattern '^[1-9][0-9]{0,5}(ms|s)$'",
        ),
        ({"policy": {"objectives": [{"metric": "Tpot"}]}}, "spec.policy.objectives.0.threshold: Field required"),
        (
            {"policy": {"objectives": [{"metric": "Tpot", "threshold": "5ms", "percentile": "98"}]}},
            "spec.policy.objectives.0.percentile: Input should be '50', '90', '95', '99' or '99.9'",
        ),
        (
            {"policy": {"window": {"minimumRequests": {"short": 0}}}},
            "spec.policy.window.minimumRequests.short: Input should be greater than or equal to 1",
        ),
        ({"policy": {"budget": {"cooldown": "0m"}}}, f"spec.policy.budget.cooldown: {DURATION_PATTERN}"),
        ({"replicas": -1, "model": {}}, "spec.replicas: Input should be greater than or equal to 0 (and 1 more)"),
    ],
)
def test_what_is_wrong_in_the_spec(fields: dict[str, Any], expected: str) -> None:
    assert sentence(body(**fields)) == expected


def test_a_value_is_never_quoted_since_it_may_be_a_secret() -> None:
    found = sentence(body(engine={"env": [{"name": "bad name", "value": "hunter2"}]}))
    assert ("hunter2" in found, "bad name" in found) == (False, False)


class TestAccepted:
    def test_the_least(self) -> None:
        manifest = body()
        manifest["spec"] = {"model": {"name": "org/target"}}
        found = parse(manifest).spec
        assert (found.replicas, found.speculation.method, found.policy.mode) == (1, Method.NONE, "Observe")

    def test_names_are_camel_case(self) -> None:
        found = parse(body(engine={"maxNumSeqs": 8, "max_model_len": 9})).spec.engine
        assert found.max_num_seqs == 8

    def test_metadata_that_counts_is_kept(self) -> None:
        extra = {"uid": "u1", "generation": 3, "resourceVersion": "77", "managedFields": [], "labels": {"a": "b"}}
        assert parse(body(metadata=extra)).metadata == Metadata(
            name="chat", namespace="prod", uid="u1", generation=3, resource_version="77"
        )

    def test_the_key_is_namespace_and_name(self) -> None:
        assert parse(body()).key == ("prod", "chat")

    def test_unknown_fields_are_left_to_the_api_server(self) -> None:
        assert parse(body(modell={"name": "x"})).spec == parse(body()).spec

    def test_quantities_may_be_numbers(self) -> None:
        found = parse(body(resources={"limits": {"cpu": 8, "memory": "64Gi"}})).spec.resources.limits
        assert found == {"cpu": "8", "memory": "64Gi"}

    @pytest.mark.parametrize("quantity", ["1", "0.5", "100m", "64Gi", "1e3", "1E9", "500M", "2k"])
    def test_quantities_in_all_their_forms(self, quantity: str) -> None:
        assert parse(body(resources={"limits": {"x": quantity}})).spec.resources.limits == {"x": quantity}

    def test_models_cannot_be_changed(self) -> None:
        found = parse(body()).spec
        with pytest.raises(ValueError, match="frozen"):
            found.replicas = 5  # type: ignore[misc]

    def test_what_is_written_can_be_read_again(self) -> None:
        fallbacks = [{"name": "fp8", "triggers": ["Latency"], "model": {"quantization": "fp8"}}]
        found = parse(body(fallbacks=fallbacks, policy={"objectives": [{"metric": "Tpot", "threshold": "50ms"}]})).spec
        assert Spec.model_validate(found.model_dump(mode="json", by_alias=True, exclude_none=True)) == found
