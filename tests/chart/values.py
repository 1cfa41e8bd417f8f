"""The chart's values as its files describe them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import yaml

from chart.files import CHART

Node = dict[str, Any]


@dataclass(frozen=True)
class Value:
    """One value, or one field of a list's entries, which have no default."""

    path: str
    description: str
    default: Any
    listed: bool


def defaults() -> Node:
    found: Node = yaml.safe_load((CHART / "values.yaml").read_text())
    return found


def schema() -> Node:
    found: Node = json.loads((CHART / "values.schema.json").read_text())
    return found


def described() -> Iterator[Value]:
    """Every value of the schema, in its order, without the sections around them."""
    sections = {name: node for name, node in schema()["properties"].items() if name != "global"}
    yield from _walk({"properties": sections}, "")


def leaves() -> set[str]:
    """Every value that can be set, without the fields of lists."""
    return {value.path for value in described() if not value.listed}


def comments() -> dict[str, str]:
    """What values.yaml says above each key."""
    found: dict[str, str] = {}
    path: list[str] = []
    lines: list[str] = []
    for line in (CHART / "values.yaml").read_text().splitlines():
        if key := re.match(r"( *)(\w+):", line):
            path = [*path[: len(key[1]) // 2], key[2]]
            found[".".join(path)] = " ".join(lines)
        comment = re.match(r" *# (.*)", line)
        lines = [*lines, comment[1]] if comment else []
    return found


def nested(path: str, value: Any) -> Node:
    """The values that set the one at a dotted path."""
    found: Node = reduce(lambda inner, name: {name: inner}, reversed(path.split(".")), value)
    return found


def merged(one: Node, other: Node) -> Node:
    """The values of both; what `other` has wins."""
    both = {name: merged(one[name], other[name]) for name in one.keys() & other.keys() if isinstance(one[name], dict)}
    return one | other | both


def default(path: str) -> Any:
    return reduce(lambda node, name: node[name], path.split("."), defaults())


def table() -> str:
    """All values as a Markdown table."""
    rows = (f"| `{value.path}` | {_shown(value)} | {value.description} |" for value in described())
    return "\n".join(["| value | default | meaning |", "| --- | --- | --- |", *rows])


def _walk(node: Node, prefix: str, *, listed: bool = False) -> Iterator[Value]:
    for name, child in node["properties"].items():
        path = f"{prefix}{name}"
        entry = child.get("items", {})
        if "properties" in child:
            yield from _walk(child, f"{path}.")
            continue
        yield Value(path, child["description"], None if listed else default(path), listed)
        if "properties" in entry:
            yield from _walk(entry, f"{path}[].", listed=True)


def _shown(value: Value) -> str:
    return "" if value.listed else f"`{json.dumps(value.default)}`"
