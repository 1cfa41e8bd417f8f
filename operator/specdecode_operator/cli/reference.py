"""`specdecode reference`."""

from collections.abc import Iterator
from typing import Any

import click

from specdecode_operator.api.schema import structural
from specdecode_operator.api.v1alpha1 import Spec, Status

__all__ = ["reference"]

Node = dict[str, Any]


@click.command()
def reference() -> None:
    """Print the field reference of the resource as Markdown."""
    click.echo("# Field reference of `SpecDecodeDeployment`\n")
    click.echo("Made by `specdecode reference`; `kubectl explain sdd.spec --recursive` shows the same on a cluster.\n")
    for title, model in (("spec", Spec), ("status", Status)):
        click.echo(f"## `{title}`\n")
        click.echo("| field | type | default | meaning |\n| --- | --- | --- | --- |")
        for row in _rows(structural(model), ""):
            click.echo(row)
        click.echo()


def _rows(schema: Node, prefix: str) -> Iterator[str]:
    required = set(schema.get("required", []))
    for name, child in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        default = "required" if name in required else _default(child)
        meaning = child.get("description", "").replace("|", "\\|")
        yield f"| `{path}` | {_type(child)} | {default} | {meaning} |"
        yield from _rows(child, f"{path}.")
        if isinstance(child.get("items"), dict):
            yield from _rows(child["items"], f"{path}[].")


def _default(schema: Node) -> str:
    value = schema.get("default")
    if value in (None, [], "") or isinstance(value, dict):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(schema: Node) -> str:
    if schema.get("enum"):
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    bounds = [f"{word} {schema[key]}" for key, word in (("minimum", "≥"), ("maximum", "≤")) if key in schema]
    return " ".join([schema.get("type", "int or string"), *bounds])
