"""The CRD's schema: Kubernetes' structural rules, bounds, and CEL rules that say what the models say."""

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import BaseModel, Field

import specdecode_operator
from specdecode_operator.api.crd import custom_resource_definition
from specdecode_operator.api.errors import InvalidResource
from specdecode_operator.api.schema import structural
from specdecode_operator.api.v1alpha1 import Spec, Status, parse
from support.builders import DRAFT_MODEL, body
from support.structural import defaulted, refusals, rules, unbounded, violations

VERSION = custom_resource_definition()["spec"]["versions"][0]
ROOT: dict[str, Any] = VERSION["schema"]["openAPIV3Schema"]


def at(path: str) -> dict[str, Any]:
    """Return the schema of one field, such as `spec.model.name` or `spec.fallbacks[].name`."""
    node = ROOT
    for part in path.split("."):
        node = node["properties"][part.removesuffix("[]")]
        node = node["items"] if part.endswith("[]") else node
    return node


def test_the_schema_is_structural() -> None:
    assert list(violations(ROOT)) == []


def test_everything_a_user_writes_is_bounded() -> None:
    assert [path for path in unbounded(ROOT) if path not in ("$.apiVersion", "$.kind")] == []


def test_names_and_scope() -> None:
    found = custom_resource_definition()
    assert (found["metadata"]["name"], found["spec"]["group"], found["spec"]["scope"], found["spec"]["names"]) == (
        "specdecodedeployments.specdecode.dev",
        "specdecode.dev",
        "Namespaced",
        {
            "kind": "SpecDecodeDeployment",
            "listKind": "SpecDecodeDeploymentList",
            "plural": "specdecodedeployments",
            "singular": "specdecodedeployment",
            "shortNames": ["sdd"],
        },
    )


def test_scale_reads_the_replicas_where_the_schema_has_them() -> None:
    assert VERSION["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }
    assert [at(path)["type"] for path in ("spec.replicas", "status.replicas", "status.selector")] == [
        "integer",
        "integer",
        "string",
    ]


@pytest.mark.parametrize("column", VERSION["additionalPrinterColumns"], ids=lambda column: column["name"])
def test_every_column_reads_a_field_that_exists(column: dict[str, Any]) -> None:
    path = column["jsonPath"].removeprefix(".").split("[")[0]
    if not path.startswith("metadata"):
        assert at(path)["type"] in (column["type"], "array")


DEFAULTS: list[tuple[str, Any]] = [
    ("spec.replicas", 1),
    ("spec.suspend", False),
    ("spec.speculation", {"method": "None"}),
    ("spec.engine", {"version": "0.33.0", "tensorParallelSize": 1}),
    ("spec.resources", {"gpu": {"resourceName": "nvidia.com/gpu"}}),
    ("spec.rollout", {"strategy": "Auto", "allowDowntime": False, "readyTimeout": "30m", "drainTimeout": "5m"}),
    ("spec.metrics", {"endpoint": "default", "scrape": "Annotations"}),
    ("spec.policy.mode", "Observe"),
    ("spec.policy.window.minimumRequests", {"short": 30, "long": 100}),
    ("spec.policy.acceptance", {"rule": "FixedRate", "disableBelowPercent": 50, "maxDropPoints": 5, "dryRun": False}),
]


@pytest.mark.parametrize(("path", "default"), DEFAULTS)
def test_defaults_are_shown_by_the_api_server(path: str, default: Any) -> None:
    assert at(path)["default"] == default


@pytest.mark.parametrize("path", ["spec.fallbacks", "spec.podTemplate", "spec.engine.env", "spec.engine.extraArgs"])
def test_an_empty_default_would_only_show_as_drift(path: str) -> None:
    assert "default" not in at(path)


def test_what_the_api_server_fills_in_is_what_the_models_assume() -> None:
    bare = body()
    bare["spec"] = {"model": {"name": "org/target"}}
    assert parse(defaulted(bare, ROOT)).spec == parse(bare).spec


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("spec.fallbacks", ["name"]),
        ("spec.engine.env", ["name"]),
        ("spec.policy.objectives", ["metric", "percentile"]),
        ("spec.policy.acceptance.stepCosts", ["concurrency"]),
        ("status.conditions", ["type"]),
        ("status.decisions", ["id"]),
        ("status.effectiveThresholds", ["signal"]),
    ],
)
def test_lists_of_named_items_are_merged_by_name(path: str, keys: list[str]) -> None:
    found = at(path)
    assert (found["x-kubernetes-list-type"], found["x-kubernetes-list-map-keys"]) == ("map", keys)


@pytest.mark.parametrize("path", ["spec.speculation.config", "spec.podTemplate.spec", "spec.podTemplate.metadata"])
def test_what_belongs_to_others_keeps_its_unknown_fields(path: str) -> None:
    assert at(path)["x-kubernetes-preserve-unknown-fields"] is True


def test_quantities_are_numbers_or_text() -> None:
    assert at("spec.resources.limits")["additionalProperties"] == {
        "x-kubernetes-int-or-string": True,
        "pattern": r"^[0-9.]+([eE][0-9]+|[numkMGTPE]i?)?$",
        "maxLength": 32,
    }


def described(schema: dict[str, Any], path: str) -> list[str]:
    missing = [] if schema.get("description") else [path]
    for name, child in schema.get("properties", {}).items():
        missing += described(child, f"{path}.{name}")
    items = schema.get("items")
    return missing + (described(items, f"{path}[]") if items and "properties" in items else [])


@pytest.mark.parametrize("model", [Spec, Status])
def test_every_field_explains_itself(model: type[BaseModel]) -> None:
    assert described(structural(model), model.__name__.lower()) == []


def test_no_description_has_a_line_break() -> None:
    assert "\\n" not in json.dumps(structural(Spec))


class TestWhatCannotBeSaid:
    def test_a_union(self) -> None:
        class Loose(BaseModel):
            value: int | str

        with pytest.raises(TypeError, match="a union cannot be expressed"):
            structural(Loose)

    def test_a_tuple(self) -> None:
        class Pair(BaseModel):
            value: tuple[int, int]

        with pytest.raises(TypeError, match="a tuple cannot be expressed"):
            structural(Pair)


class TestConversion:
    def test_an_optional_field_is_left_out_never_null(self) -> None:
        class Maybe(BaseModel):
            value: Annotated[int, Field(ge=1)] | None = None

        assert structural(Maybe) == {
            "type": "object",
            "properties": {"value": {"type": "integer", "format": "int64", "minimum": 1}},
        }

    def test_a_nested_model_is_written_out(self) -> None:
        class Inner(BaseModel):
            size: int = 3

        class Outer(BaseModel):
            inner: Inner = Inner()

        size = {"type": "integer", "format": "int64", "default": 3}
        assert structural(Outer)["properties"]["inner"] == {
            "type": "object",
            "properties": {"size": size},
            "default": {"size": 3},
        }

    def test_a_field_may_be_called_title(self) -> None:
        class Book(BaseModel):
            title: str

        assert structural(Book)["properties"] == {"title": {"type": "string"}}


# The same examples for the API server's rules and for the models: fields of the spec, and the message or None.
STORAGE = "storage: set exactly one of claim and hostPath, or leave storage out to download from the hub"
NEEDS_DRAFT = "speculation.draft: method DraftModel, Eagle or Eagle3 needs draft.name"
UNUSED_DRAFT = (
    "speculation.draft: only DraftModel, Eagle, Eagle3 and Mtp use a draft; remove it or change speculation.method"
)
NEEDS_TOKENS = "speculation.numSpeculativeTokens: method DraftModel, NGram, Eagle or Eagle3 needs it; 3 is a good start"
LOOKUP = "speculation.promptLookup: only method NGram uses it; remove it or set speculation.method to NGram"
LOOKUP_ORDER = "speculation.promptLookup: min must not exceed max"
NONE_IS_EMPTY = "speculation: method None takes no further fields; remove them or choose a method"
SCHEDULE_BOUND = "speculation.batchSizeSchedule: tokens must not exceed numSpeculativeTokens"
SCHEDULE_END = "speculation.batchSizeSchedule: every range but the last needs upTo, and the last has none"
SCHEDULE_ORDER = "speculation.batchSizeSchedule: upTo must grow from range to range"
RENDERED = (
    "engine.extraArgs: a flag here has a field of its own (spec.model, spec.speculation, spec.engine or spec.rollout);"
    " use the field"
)
REFUSED = (
    "engine.extraArgs: --api-key and --hf-token would show a secret (use podTemplate with a secretKeyRef), and"
    " --disable-log-stats would blind the operator; remove it"
)
DEV_MODE = "engine.env: VLLM_SERVER_DEV_MODE opens unauthenticated control endpoints; remove it"
TOO_OLD = (
    "engine.version: vLLM before 0.8.3 is not supported; up to 0.8.2 it took --speculative-model,"
    " --num-speculative-tokens and their kin, which are gone: use 0.8.3 or later"
)
GPUS = "resources.gpu.count: must be at least engine.tensorParallelSize"
PRIMARY = "fallbacks: the name primary stands for the spec itself; choose another name"
RUNG = "fallbacks: a rung needs model or speculation, and the built-in no-speculation takes neither"
WINDOW = "policy.window: long must be at least twice short"
LONGEST = "policy.window: long must be at most 24h"
REENABLE = (
    "policy.acceptance.reenableAbovePercent: must be at least disableBelowPercent; raise it, or leave it out for 5 more"
)
COSTS_NEEDED = (
    "policy.acceptance.stepCosts: rule BreakEven needs them; add what you have measured, or set rule to FixedRate"
)
COSTS_UNUSED = "policy.acceptance.stepCosts: only rule BreakEven uses them; set rule to BreakEven, or remove them"
WINDOW_LENGTH = "rollout.windows: duration must be at most 24h"
NAME_LENGTH = "metadata.name: at most 50 characters, so that the names of the children fit"
NAME_SUFFIX = "metadata.name: must not end in -trial, since the trial of another resource may be called so"
TRIAL_ORDER = "policy.trial: maxDuration must be at least minDuration"
TRIAL_LENGTH = "policy.trial: maxDuration must be at most 24h"
PROBE_ORDER = "policy.probe: maxBackoff must be at least minBackoff"
LIMIT = "policy.budget.limits: window must be at most 168h"


def model(**fields: Any) -> dict[str, Any]:
    return {"model": {"name": "org/target"} | fields}


def speculation(method: str, **fields: Any) -> dict[str, Any]:
    return {"speculation": {"method": method} | fields}


def schedule(*ranges: dict[str, int], tokens: int = 4) -> dict[str, Any]:
    return {"speculation": DRAFT_MODEL | {"numSpeculativeTokens": tokens, "batchSizeSchedule": list(ranges)}}


def flags(*words: str) -> dict[str, Any]:
    return {"engine": {"extraArgs": list(words)}}


def fallback(name: str, **fields: Any) -> dict[str, Any]:
    return {"fallbacks": [{"name": name, "triggers": ["Latency"]} | fields]}


def acceptance(**fields: Any) -> dict[str, Any]:
    return {"policy": {"acceptance": fields}}


COSTS = [{"concurrency": 1, "target": "6.73ms", "speculative": "9ms"}]
DRAFT = {"draft": {"name": "org/draft"}}
EXAMPLES: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    (model(storage={"claim": "weights"}), None),
    (model(storage={"hostPath": "/srv/models", "path": "llama"}), None),
    (model(storage={}), STORAGE),
    (model(storage={"path": "llama"}), STORAGE),
    (model(storage={"claim": "weights", "hostPath": "/srv"}), STORAGE),
    (speculation("DraftModel", **DRAFT, numSpeculativeTokens=1), None),
    (speculation("Eagle", **DRAFT, numSpeculativeTokens=64), None),
    (speculation("Mtp"), None),
    (speculation("Mtp", **DRAFT), None),
    (speculation("Suffix"), None),
    (speculation("NGram", numSpeculativeTokens=3), None),
    (speculation("None"), None),
    (speculation("DraftModel", numSpeculativeTokens=3), NEEDS_DRAFT),
    (speculation("Eagle", numSpeculativeTokens=3), NEEDS_DRAFT),
    (speculation("Eagle3", numSpeculativeTokens=3), NEEDS_DRAFT),
    (speculation("NGram", **DRAFT, numSpeculativeTokens=3), UNUSED_DRAFT),
    (speculation("Suffix", **DRAFT), UNUSED_DRAFT),
    (speculation("None", **DRAFT), UNUSED_DRAFT),
    (speculation("DraftModel", **DRAFT), NEEDS_TOKENS),
    (speculation("Eagle3", **DRAFT), NEEDS_TOKENS),
    (speculation("NGram"), NEEDS_TOKENS),
    (speculation("NGram", numSpeculativeTokens=3, promptLookup={"min": 2, "max": 2}), None),
    (speculation("NGram", numSpeculativeTokens=3, promptLookup={"min": 3, "max": 2}), LOOKUP_ORDER),
    (speculation("Suffix", promptLookup={"min": 1, "max": 2}), LOOKUP),
    (speculation("None", promptLookup={"min": 1, "max": 2}), LOOKUP),
    (speculation("None", numSpeculativeTokens=3), NONE_IS_EMPTY),
    (speculation("None", sampling={}), NONE_IS_EMPTY),
    (speculation("None", config={}), NONE_IS_EMPTY),
    (speculation("None", batchSizeSchedule=[{"tokens": 1}]), NONE_IS_EMPTY),
    (schedule({"tokens": 4}), None),
    (schedule({"upTo": 8, "tokens": 4}, {"upTo": 9, "tokens": 0}, {"tokens": 1}), None),
    (speculation("Mtp", batchSizeSchedule=[{"tokens": 64}]), None),
    (schedule({"tokens": 5}), SCHEDULE_BOUND),
    (schedule({"upTo": 8, "tokens": 5}, {"tokens": 0}), SCHEDULE_BOUND),
    (schedule({"upTo": 8, "tokens": 4}), SCHEDULE_END),
    (schedule({"tokens": 4}, {"upTo": 8, "tokens": 4}), SCHEDULE_END),
    (schedule({"tokens": 4}, {"tokens": 4}), SCHEDULE_END),
    (schedule({"upTo": 8, "tokens": 4}, {"upTo": 7, "tokens": 2}, {"tokens": 1}), SCHEDULE_ORDER),
    (schedule({"upTo": 8, "tokens": 4}, {"upTo": 8, "tokens": 2}, {"tokens": 1}), SCHEDULE_ORDER),
    (
        schedule({"upTo": 8, "tokens": 4}, {"upTo": 9, "tokens": 2}, {"upTo": 8, "tokens": 1}, {"tokens": 0}),
        SCHEDULE_ORDER,
    ),
    (flags("--seed", "1", "--enable-prefix-caching"), None),
    (flags("--model-loader-extra-config={}"), None),
    (flags("--speculative-config-extra"), None),
    (flags("-O3"), None),
    (flags("--model=x"), RENDERED),
    (flags("--seed", "--max_num_seqs", "8"), RENDERED),
    (flags("--speculative-config.method=ngram"), RENDERED),
    (flags("--speculative_config.num_speculative_tokens", "4"), RENDERED),
    (flags("-sc", "{}"), RENDERED),
    (flags("-tp=2"), RENDERED),
    (flags("--spec-tokens=3"), RENDERED),
    (flags("--port", "9000"), RENDERED),
    (flags("--api-key", "secret"), REFUSED),
    (flags("--api_key=secret"), REFUSED),
    (flags("--hf-token=secret"), REFUSED),
    (flags("--disable-log-stats"), REFUSED),
    ({"engine": {"env": [{"name": "VLLM_LOGGING_LEVEL", "value": "DEBUG"}]}}, None),
    ({"engine": {"env": [{"name": "A", "value": "1"}, {"name": "VLLM_SERVER_DEV_MODE", "value": "0"}]}}, DEV_MODE),
    ({"engine": {"version": "0.8.3"}}, None),
    ({"engine": {"version": "0.10.0"}}, None),
    ({"engine": {"version": "1.0.0"}}, None),
    ({"engine": {"version": "0.8.2"}}, TOO_OLD),
    ({"engine": {"version": "0.7.3"}}, TOO_OLD),
    ({"engine": {"version": "0.6.6"}}, TOO_OLD),
    ({"engine": {"tensorParallelSize": 4}}, None),
    ({"engine": {"tensorParallelSize": 4}, "resources": {"gpu": {"count": 4}}}, None),
    ({"engine": {"tensorParallelSize": 4}, "resources": {"gpu": {"count": 3}}}, GPUS),
    ({"engine": {"tensorParallelSize": 4}, "resources": {"requests": {"cpu": 8}}}, None),
    (fallback("fp8", model={"quantization": "fp8"}), None),
    (fallback("ngram", speculation={"method": "NGram", "numSpeculativeTokens": 2}), None),
    (fallback("no-speculation"), None),
    (fallback("primary", model={"name": "x"}), PRIMARY),
    (fallback("fp8"), RUNG),
    (fallback("no-speculation", model={"name": "x"}), RUNG),
    (fallback("no-speculation", speculation={"method": "None"}), RUNG),
    (fallback("eagle", speculation={"method": "Eagle", **DRAFT}), NEEDS_TOKENS),
    (fallback("other", model={"name": "x", "storage": {}}), STORAGE),
    ({"policy": {"window": {"short": "20s", "long": "60s"}}}, None),
    ({"policy": {"window": {"short": "30s", "long": "1m"}}}, None),
    ({"policy": {"window": {"short": "31s", "long": "1m"}}}, WINDOW),
    ({"policy": {"window": {"short": "20m"}}}, WINDOW),
    ({"policy": {"window": {"long": "9m"}}}, WINDOW),
    ({"policy": {"window": {"long": "24h"}}}, None),
    ({"policy": {"window": {"long": "86400s"}}}, None),
    ({"policy": {"window": {"short": "12h", "long": "1440m"}}}, None),
    ({"policy": {"window": {"long": "25h"}}}, LONGEST),
    ({"policy": {"window": {"long": "1441m"}}}, LONGEST),
    ({"policy": {"window": {"long": "86401s"}}}, LONGEST),
    (acceptance(disableBelowPercent=40, reenableAbovePercent=40), None),
    (acceptance(disableBelowPercent=98), None),
    (acceptance(disableBelowPercent=0, reenableAbovePercent=0), None),
    (acceptance(disableBelowPercent=40, reenableAbovePercent=39), REENABLE),
    (acceptance(reenableAbovePercent=49), REENABLE),
    (acceptance(minAcceptanceLength="1.8", maxDropPoints=0), None),
    (acceptance(rule="BreakEven", stepCosts=COSTS), None),
    (acceptance(rule="BreakEven", stepCosts=COSTS, minAcceptanceLength="1"), None),
    (acceptance(rule="BreakEven"), COSTS_NEEDED),
    (acceptance(rule="BreakEven", reenableAbovePercent=60), COSTS_NEEDED),
    (acceptance(stepCosts=COSTS), COSTS_UNUSED),
    (acceptance(rule="FixedRate", stepCosts=COSTS), COSTS_UNUSED),
    ({"rollout": {"windows": [{"schedule": "0 2 * * 1-5", "duration": "24h", "timeZone": "Asia/Tokyo"}]}}, None),
    ({"rollout": {"windows": [{"schedule": "*/5 0-6,22 1,L JAN MON#1", "duration": "1m"}]}}, None),
    ({"rollout": {"windows": [{"schedule": "0 2 * * 1-5", "duration": "25h"}]}}, WINDOW_LENGTH),
    ({"policy": {"trial": {"mode": "Always", "minDuration": "1h", "maxDuration": "24h"}}}, None),
    ({"policy": {"trial": {"minDuration": "61m"}}}, TRIAL_ORDER),
    ({"policy": {"trial": {"maxDuration": "9m"}}}, TRIAL_ORDER),
    ({"policy": {"trial": {"maxDuration": "25h"}}}, TRIAL_LENGTH),
    ({"policy": {"probe": {"mode": "Never", "minBackoff": "24h"}}}, None),
    ({"policy": {"probe": {"minBackoff": "25h"}}}, PROBE_ORDER),
    ({"policy": {"budget": {"limits": []}}}, None),
    ({"policy": {"budget": {"limits": [{"count": 32, "window": "168h"}]}}}, None),
    ({"policy": {"budget": {"limits": [{"count": 1, "window": "1h"}, {"count": 1, "window": "169h"}]}}}, LIMIT),
]


@pytest.mark.parametrize(("fields", "message"), EXAMPLES)
class TestRulesAndModelsAgree:
    def test_the_rules_of_the_crd(self, fields: dict[str, Any], message: str | None) -> None:
        found = refusals(body(**fields), ROOT)
        assert message in found if message else found == []

    def test_the_models(self, fields: dict[str, Any], message: str | None) -> None:
        assert refused_by_models(body(**fields)) == message


def refused_by_models(manifest: dict[str, Any]) -> str | None:
    try:
        parse(manifest)
    except InvalidResource as error:
        return str(error).split(": ", 1)[1].split(" (and ")[0]
    return None


def test_every_rule_has_an_example() -> None:
    transitions = {rule["message"] for rule in rules(ROOT) if "oldSelf" in rule["rule"]}
    shown = {message for _, message in EXAMPLES} | {NAME_LENGTH, NAME_SUFFIX}
    assert {rule["message"] for rule in rules(ROOT)} - transitions <= shown


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a" * 50, []), ("a" * 51, [NAME_LENGTH]), ("chat-trial", [NAME_SUFFIX]), ("chat-trials", []), ("trial", [])],
)
def test_the_rules_about_the_name(name: str, expected: list[str]) -> None:
    assert refusals(body(name), ROOT) == expected
    assert refused_by_models(body(name)) == (expected[0].split(": ", 1)[1] if expected else None)


def test_the_source_root_holds_no_package_that_would_shadow_the_standard_library() -> None:
    root = Path(specdecode_operator.__file__).parents[1]
    assert (root.name, (root / "__init__.py").exists()) == ("operator", False)


def test_the_crd_survives_yaml() -> None:
    assert yaml.safe_load(yaml.safe_dump(custom_resource_definition())) == custom_resource_definition()
