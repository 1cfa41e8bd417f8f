"""What the API server refuses, by schema, CEL and strict validation, and what it says."""

from collections.abc import Callable
from typing import Any

import pytest

from devcluster.controlplane import ControlPlane
from support.api import Api, Manifest, RefusedError

Make = Callable[..., Manifest]

DRAFT = {"method": "DraftModel", "draft": {"name": "d"}, "numSpeculativeTokens": 4}
RUNG = {"name": "a", "triggers": ["Latency"], "model": {"name": "x"}}
NIGHT = {"schedule": "0 2 * * *", "duration": "2h"}
OBJECTIVE = {"metric": "Tpot", "threshold": "1s"}
COST = {"concurrency": 1, "target": "6.73ms", "speculative": "9ms"}
SHRINKING = [{"upTo": 9, "tokens": 2}, {"upTo": 4, "tokens": 1}]


def limits(count: int, window: str) -> dict[str, Any]:
    return {"policy": {"budget": {"limits": [{"count": count, "window": window}]}}}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("replicas as text", {"replicas": "two"}, "spec.replicas: Invalid value"),
    ("negative replicas", {"replicas": -1}, "spec.replicas"),
    ("too many replicas", {"replicas": 1001}, "spec.replicas"),
    ("no model", {"model": None}, "spec.model: Required value"),
    ("model without a name", {"model": {"revision": "main"}}, "spec.model.name: Required value"),
    ("model name with a space", {"model": {"name": "a b"}}, "spec.model.name"),
    ("unknown method", {"speculation": {"method": "Medusa"}}, "Unsupported value"),
    ("unknown field", {"modell": {"name": "x"}}, 'unknown field "spec.modell"'),
    ("unknown nested field", {"engine": {"maxModelLength": 1}}, 'unknown field "spec.engine.maxModelLength"'),
    ("draft model, no draft", {"speculation": {"method": "DraftModel", "numSpeculativeTokens": 4}}, "needs draft."),
    ("n-gram with a draft", {"speculation": DRAFT | {"method": "NGram"}}, "speculation.draft: only DraftModel"),
    ("eagle without tokens", {"speculation": {"method": "Eagle", "draft": {"name": "d"}}}, "numSpeculativeTokens:"),
    ("too many tokens", {"speculation": DRAFT | {"numSpeculativeTokens": 65}}, "numSpeculativeTokens"),
    ("lookup without n-gram", {"speculation": DRAFT | {"promptLookup": {"min": 1, "max": 2}}}, "promptLookup: only"),
    (
        "lookup upside down",
        {"speculation": {"method": "NGram", "numSpeculativeTokens": 3, "promptLookup": {"min": 5, "max": 2}}},
        "promptLookup: min must not exceed max",
    ),
    ("tokens without a method", {"speculation": {"method": "None", "numSpeculativeTokens": 3}}, "method None takes no"),
    (
        "schedule without an open end",
        {"speculation": DRAFT | {"batchSizeSchedule": [{"upTo": 4, "tokens": 2}]}},
        "every range but the last needs upTo",
    ),
    (
        "schedule that shrinks",
        {"speculation": DRAFT | {"batchSizeSchedule": [*SHRINKING, {"tokens": 0}]}},
        "upTo must grow",
    ),
    (
        "schedule beyond the tokens",
        {"speculation": DRAFT | {"batchSizeSchedule": [{"upTo": 9, "tokens": 5}, {"tokens": 0}]}},
        "tokens must not exceed numSpeculativeTokens",
    ),
    ("two volumes", {"model": {"name": "m", "storage": {"claim": "c", "hostPath": "/m"}}}, "exactly one of claim"),
    ("no volume", {"model": {"name": "m", "storage": {"path": "x"}}}, "exactly one of claim"),
    ("a version as a tag", {"engine": {"version": "v0.33.0"}}, "spec.engine.version"),
    ("a version too old", {"engine": {"version": "0.8.2"}}, "engine.version: vLLM before 0.8.3"),
    ("a flag with a field", {"engine": {"extraArgs": ["--speculative-config={}"]}}, "a flag here has a field"),
    ("a flag in dotted form", {"engine": {"extraArgs": ["--speculative_config.method=x"]}}, "a flag here has a field"),
    ("a secret in the flags", {"engine": {"extraArgs": ["--api-key", "x"]}}, "would show a secret"),
    ("dev mode", {"engine": {"env": [{"name": "VLLM_SERVER_DEV_MODE", "value": "1"}]}}, "VLLM_SERVER_DEV_MODE opens"),
    ("fewer GPUs than shards", {"engine": {"tensorParallelSize": 4}, "resources": {"gpu": {"count": 2}}}, "gpu.count"),
    ("a rung called primary", {"fallbacks": [RUNG | {"name": "primary"}]}, "stands for the spec itself"),
    ("a rung without a change", {"fallbacks": [{"name": "a", "triggers": ["Latency"]}]}, "a rung needs model or"),
    (
        "two rungs of one name",
        {"fallbacks": [RUNG, RUNG]},
        "Duplicate value",
    ),
    ("no triggers", {"fallbacks": [RUNG | {"triggers": []}]}, "triggers"),
    ("windows too near", {"policy": {"window": {"short": "5m", "long": "6m"}}}, "long must be at least twice short"),
    ("a window without a unit", {"policy": {"window": {"short": "300"}}}, "policy.window.short"),
    ("a threshold in hours", {"policy": {"objectives": [OBJECTIVE | {"threshold": "1h"}]}}, "threshold"),
    ("a percentile of 100", {"policy": {"objectives": [OBJECTIVE | {"percentile": "100"}]}}, "percentile"),
    ("a URL as endpoint", {"metrics": {"endpoint": "http://x"}}, "spec.metrics.endpoint"),
    ("an unknown rule", {"policy": {"acceptance": {"rule": "Sprt"}}}, "policy.acceptance.rule: Unsupported value"),
    ("break-even without costs", {"policy": {"acceptance": {"rule": "BreakEven"}}}, "rule BreakEven needs them"),
    ("costs without break-even", {"policy": {"acceptance": {"stepCosts": [COST]}}}, "only rule BreakEven uses them"),
    (
        "two costs of one load",
        {"policy": {"acceptance": {"rule": "BreakEven", "stepCosts": [COST, COST]}}},
        "Duplicate value",
    ),
    ("re-enabling below the line", {"policy": {"acceptance": {"reenableAbovePercent": 49}}}, "at least disableBelow"),
    ("a length that is a number", {"policy": {"acceptance": {"minAcceptanceLength": 1.8}}}, "minAcceptanceLength"),
    ("a length below one", {"policy": {"acceptance": {"minAcceptanceLength": "0.9"}}}, "minAcceptanceLength"),
    ("more points than there are", {"policy": {"acceptance": {"maxDropPoints": 101}}}, "maxDropPoints"),
    ("a limit that looks back too far", limits(1, "169h"), "window must be at most 168h"),
    ("a limit of nothing", limits(0, "1h"), "limits[0].count"),
    ("a limit that nobody counts", limits(33, "1h"), "limits[0].count"),
    ("a window of days", {"rollout": {"windows": [NIGHT | {"duration": "25h"}]}}, "duration must be at most 24h"),
    ("a schedule with seconds", {"rollout": {"windows": [NIGHT | {"schedule": "0 0 2 * * *"}]}}, "windows[0].schedule"),
    ("a time zone that is a path", {"rollout": {"windows": [NIGHT | {"timeZone": "../x"}]}}, "windows[0].timeZone"),
    ("an unknown mode", {"policy": {"mode": "Auto"}}, "policy.mode: Unsupported value"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_wrong_manifest_is_refused_with_a_reason(
    api: Api, manifest: Make, spec: dict[str, Any], message: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        api.create(manifest(**spec), dry_run=True)
    assert message in refused.value.message


def test_there_are_at_least_thirty_wrong_manifests() -> None:
    assert len(REFUSED) >= 30


def test_a_long_name_is_refused_with_the_limit(api: Api, manifest: Make) -> None:
    with pytest.raises(RefusedError) as refused:
        api.create(manifest("x" * 51), dry_run=True)
    assert "metadata.name: at most 50 characters" in refused.value.message


def test_the_served_name_cannot_change(api: Api, manifest: Make, namespace: str) -> None:
    api.create(manifest())
    with pytest.raises(RefusedError) as refused:
        api.merge("SpecDecodeDeployment", namespace, "chat", {"spec": {"model": {"name": "org/other"}}})
    assert "model.servedName: the name that clients use cannot change" in refused.value.message


def test_the_weights_can_change_under_the_same_served_name(api: Api, manifest: Make, namespace: str) -> None:
    api.create(manifest())
    change = {"spec": {"model": {"name": "org/other", "servedName": "org/target"}}}
    found = api.merge("SpecDecodeDeployment", namespace, "chat", change)
    assert found["spec"]["model"] == {"name": "org/other", "servedName": "org/target"}


def test_a_minimal_manifest_is_completed_with_safe_defaults(api: Api, manifest: Make) -> None:
    body = manifest()
    body["spec"] = {"model": {"name": "org/target"}}
    found = api.create(body, dry_run=True)["spec"]
    assert found["replicas"] == 1
    assert found["speculation"] == {"method": "None"}
    assert found["policy"]["mode"] == "Observe"
    assert found["rollout"]["allowDowntime"] is False


def test_kubectl_explain_reads_well(plane: ControlPlane, api: Api) -> None:
    assert api.url
    text = plane.kubectl("explain", "sdd.spec")
    assert "KIND:       SpecDecodeDeployment" in text
    for field in ("speculation", "fallbacks", "podTemplate", "policy"):
        assert f"  {field}\t<" in text
    assert "<no description>" not in plane.kubectl("explain", "sdd.spec.policy")


def test_every_field_has_a_description() -> None:
    from specdecode_operator.api.crd import custom_resource_definition  # noqa: PLC0415 - only this test walks it

    schema = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert _undescribed(schema["properties"]["spec"], "spec") == []


def _undescribed(schema: dict[str, Any], path: str) -> list[str]:
    found = [] if schema.get("description") else [path]
    for name, child in schema.get("properties", {}).items():
        found += _undescribed(child, f"{path}.{name}")
    if schema.get("items", {}).get("properties"):
        for name, child in schema["items"]["properties"].items():
            found += _undescribed(child, f"{path}[].{name}")
    return found
