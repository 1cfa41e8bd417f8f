"""Kubernetes' rules for structural schemas, its defaulting, and CEL rules, without an API server.

Sources: kubernetes.io "Specifying a structural schema" and
`k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation`.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

import cel

Node = dict[str, Any]

_KNOWN: Final = frozenset(
    {
        *("type", "format", "title", "description", "default", "nullable", "enum", "pattern", "minLength", "maxLength"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "items"),
        *("minProperties", "maxProperties", "properties", "additionalProperties", "required", "anyOf", "allOf"),
        *("oneOf", "not", "example", "externalDocs", "x-kubernetes-validations", "x-kubernetes-int-or-string"),
        *("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-list-type"),
        *("x-kubernetes-list-map-keys", "x-kubernetes-map-type"),
    }
)
_UNTYPED: Final = ("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields")
_LIST_TYPES: Final = ("atomic", "set", "map")


def violations(schema: Node, path: str = "$") -> Iterator[str]:
    """Yield one sentence for every rule that `schema` breaks."""
    yield from (f"{path}: unknown keyword {word}" for word in schema if word not in _KNOWN)
    yield from _type_violations(schema, path)
    yield from _map_violations(schema, path)
    yield from _list_violations(schema, path)
    yield from _rule_violations(schema, path)
    for child, below in _children(schema, path):
        yield from violations(child, below)


def unbounded(schema: Node, path: str = "$") -> Iterator[str]:
    """Yield every string, list and map of any length: CEL's cost is computed from the bounds."""
    text = schema.get("type") == "string" and not schema.get("enum")
    if text and "maxLength" not in schema and schema.get("format") != "date-time":
        yield path
    if schema.get("type") == "array" and "maxItems" not in schema:
        yield path
    if isinstance(schema.get("additionalProperties"), dict) and "maxProperties" not in schema:
        yield path
    for child, below in _children(schema, path):
        yield from unbounded(child, below)


def defaulted(value: Any, schema: Node) -> Any:
    """Return `value` as the API server stores it: defaults filled in, at every level that is there."""
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [defaulted(item, schema["items"]) for item in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    found = dict(value)
    for name, child in schema["properties"].items():
        if name not in found and "default" in child:
            found[name] = deepcopy(child["default"])
        if name in found:
            found[name] = defaulted(found[name], child)
    return found


def refusals(value: Any, schema: Node) -> list[str]:
    """Return the messages of all CEL rules that `value` breaks; transition rules need an old value and are left out."""
    return list(_refusals(defaulted(value, schema), schema))


def rules(schema: Node) -> Iterator[Node]:
    """Yield every CEL rule in `schema`."""
    yield from schema.get("x-kubernetes-validations", [])
    for child, _ in _children(schema, ""):
        yield from rules(child)


def holds(expression: str, value: Any) -> bool:
    """Evaluate one CEL rule over `value`, with the functions of Kubernetes' libraries that our rules use."""
    context = cel.Context()
    context.add_function("isSorted", lambda items: list(items) == sorted(items))
    context.add_function("split", lambda text, separator: text.split(separator))
    context.add_function("replace", lambda text, old, new: text.replace(old, new))
    context.add_variable("self", value)
    found = cel.evaluate(expression, context)
    if not isinstance(found, bool):
        raise TypeError(f"{expression} is {found!r}, not true or false")
    return found


def _refusals(value: Any, schema: Node) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", []):
        if "oldSelf" not in rule["rule"] and not holds(rule["rule"], value):
            yield rule["message"]
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if name in value:
                yield from _refusals(value[name], child)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for item in value:
            yield from _refusals(item, schema["items"])


def _children(schema: Node, path: str) -> Iterator[tuple[Node, str]]:
    for name, child in schema.get("properties", {}).items():
        yield child, f"{path}.{name}"
    if isinstance(schema.get("items"), dict):
        yield schema["items"], f"{path}[]"
    if isinstance(schema.get("additionalProperties"), dict):
        yield schema["additionalProperties"], f"{path}{{}}"


def _type_violations(schema: Node, path: str) -> Iterator[str]:
    if not schema.get("type") and not any(schema.get(word) for word in _UNTYPED):
        yield f"{path}: no type"
    if schema.get("type") == "null":
        yield f"{path}: type null"
    if "default" in schema and schema["default"] is None:
        yield f"{path}: null default"
    for bound in ("exclusiveMinimum", "exclusiveMaximum"):
        if bound in schema and not isinstance(schema[bound], bool):
            yield f"{path}: {bound} is no boolean"


def _map_violations(schema: Node, path: str) -> Iterator[str]:
    if schema.get("additionalProperties") is False:
        yield f"{path}: additionalProperties false"
    if "additionalProperties" in schema and "properties" in schema:
        yield f"{path}: properties beside additionalProperties"
    missing = set(schema.get("required", [])) - set(schema.get("properties", {}))
    yield from (f"{path}: requires {name}, which is no property" for name in sorted(missing))


def _list_violations(schema: Node, path: str) -> Iterator[str]:
    kind = schema.get("x-kubernetes-list-type")
    if schema.get("type") == "array" and "items" not in schema:
        yield f"{path}: array without items"
    if kind is not None and kind not in _LIST_TYPES:
        yield f"{path}: list type {kind}"
    if kind != "map":
        return
    items = schema.get("items", {})
    for key in schema.get("x-kubernetes-list-map-keys", [None]):
        known = items.get("properties", {}).get(key, {})
        if key not in items.get("required", []) and "default" not in known:
            yield f"{path}: key {key} is neither required nor defaulted"


def _rule_violations(schema: Node, path: str) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", []):
        if set(rule) != {"rule", "message"}:
            yield f"{path}: a rule has {', '.join(sorted(rule))}"
        elif "\n" in rule["message"] or not rule["message"].strip():
            yield f"{path}: a rule's message is empty or has two lines"
