"""Manifests to text."""

import json
from typing import Any

import yaml

__all__ = ["to_json", "to_yaml"]


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - the base class's signature
        """Write repeated values out: anchors confuse readers and some tools."""
        return True


def to_yaml(documents: list[dict[str, Any]]) -> str:
    """Return `documents` as YAML, in the order of their fields."""
    return yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=110, explicit_start=True, allow_unicode=True)


def to_json(documents: list[dict[str, Any]]) -> str:
    """Return `documents` as a Kubernetes List."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}, indent=2) + "\n"
