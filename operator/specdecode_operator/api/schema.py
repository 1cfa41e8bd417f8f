"""Pydantic models to the structural OpenAPI that apiextensions.k8s.io/v1 accepts.

The rules are those of the Kubernetes documentation on structural schemas: no `$ref`, no `null`, no
`additionalProperties: false`, exclusive bounds as booleans.
"""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema as cs

__all__ = ["structural"]

Node = dict[str, Any]


class StructuralSchema(GenerateJsonSchema):
    """Emit only what JSONSchemaProps knows."""

    def nullable_schema(self, schema: cs.NullableSchema) -> JsonSchemaValue:
        """`X | None` means "may be left out", never an explicit null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: cs.WithDefaultSchema) -> JsonSchemaValue:
        """Drop empty defaults, which would only show as drift.

        A nested model defaults to all of its own defaults, since CEL judges the default itself.
        """
        node = super().default_schema(schema)
        if isinstance(schema.get("default"), BaseModel):
            dumped = schema["default"].model_dump(mode="json", by_alias=True, exclude_none=True)
            node["default"] = _without_empty(dumped)
        if node.get("default") in (None, [], {}):
            node.pop("default", None)
        return node

    def literal_schema(self, schema: cs.LiteralSchema) -> JsonSchemaValue:
        """`const` is unknown to Kubernetes."""
        node = super().literal_schema(schema)
        if "const" in node:
            node["enum"] = [node.pop("const")]
        return node

    def int_schema(self, schema: cs.IntSchema) -> JsonSchemaValue:
        """Integers are 64 bits wide unless the field says otherwise."""
        return super().int_schema(schema) | {"format": "int64"}

    def dict_schema(self, schema: cs.DictSchema) -> JsonSchemaValue:
        """A dict of anything keeps its unknown fields; others say what their values are."""
        node = super().dict_schema(schema)
        if node.get("additionalProperties") in (True, {}, None):
            node.pop("additionalProperties", None)
            node["x-kubernetes-preserve-unknown-fields"] = True
            node.pop("maxProperties", None)
        return node

    def tuple_schema(self, schema: cs.TupleSchema) -> JsonSchemaValue:
        """Refuse what cannot be said."""
        raise TypeError(f"a tuple cannot be expressed in a structural schema: {schema}")

    def union_schema(self, schema: cs.UnionSchema) -> JsonSchemaValue:
        """Refuse what cannot be said."""
        raise TypeError(f"a union cannot be expressed in a structural schema: {schema}")


def structural(model: type[BaseModel]) -> Node:
    """Return the structural schema of `model`, with every reference written out."""
    raw = model.model_json_schema(by_alias=True, schema_generator=StructuralSchema, mode="validation")
    definitions = raw.pop("$defs", {})
    return _expand(raw, definitions)


def _expand(node: Node, definitions: dict[str, Node]) -> Node:
    """Inline references, drop titles, and descend."""
    merged = _resolve(node, definitions)
    if not isinstance(merged.get("title"), dict):
        merged.pop("title", None)
    if merged.get("additionalProperties") is False:
        del merged["additionalProperties"]
    if "description" in merged:
        merged["description"] = " ".join(merged["description"].split())
    return {word: _descend(word, value, definitions) for word, value in merged.items()}


def _resolve(node: Node, definitions: dict[str, Node]) -> Node:
    merged = dict(node)
    for part in merged.pop("allOf", []):
        merged = part | merged
    while "$ref" in merged:
        name = merged.pop("$ref").rsplit("/", 1)[1]
        merged = definitions[name] | merged
    return merged


def _descend(word: str, value: Any, definitions: dict[str, Node]) -> Any:  # noqa: ANN401 - any JSON value
    if word == "properties":
        return {name: _expand(child, definitions) for name, child in value.items()}
    if word in ("items", "additionalProperties") and isinstance(value, dict):
        return _expand(value, definitions)
    return value


def _without_empty(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(value, dict):
        return value
    return {name: _without_empty(child) for name, child in value.items() if child not in (None, [], {})}
