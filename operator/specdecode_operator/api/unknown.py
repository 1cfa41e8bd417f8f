"""Fields that no model knows: what strict validation of the API server would refuse."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from specdecode_operator.api.schema import structural
from specdecode_operator.api.v1alpha1 import Spec

__all__ = ["unknown_fields"]


def unknown_fields(body: Mapping[str, Any]) -> list[str]:
    """Return the paths in `body` that the schema does not know."""
    top = [name for name in body if name not in ("apiVersion", "kind", "metadata", "spec", "status")]
    return top + list(_unknown(body.get("spec"), _schema(), "spec"))


@cache
def _schema() -> Mapping[str, Any]:
    return structural(Spec)


def _unknown(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:  # noqa: ANN401 - any YAML value
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from _unknown(item, schema["items"], f"{path}[{index}]")
    if not isinstance(value, Mapping) or "properties" not in schema:
        return
    for name, child in value.items():
        known = schema["properties"].get(name)
        if known is None:
            yield f"{path}.{name}"
        else:
            yield from _unknown(child, known, f"{path}.{name}")
