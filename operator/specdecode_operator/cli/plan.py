"""`specdecode plan`."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

import click

from specdecode_operator.api.errors import InvalidResource
from specdecode_operator.api.faults import read
from specdecode_operator.api.remarks import Level, Remark
from specdecode_operator.cli.folder import folder_facts
from specdecode_operator.cli.manifests import resources
from specdecode_operator.policy import ladder
from specdecode_operator.sizing import Lookup, MemoryPlan, examine_rungs, find, gathered

__all__ = ["plan"]

_USAGE: Final = 2
_SPELLED: Final = {"gpu": "GPU", "kv": "KV", "GiB": "GiB"}


@click.command()
@click.argument("file", type=click.File())
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--facts",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of ORG/NAME/config.json (and tokenizer.json) for models that the catalog lacks.",
)
@click.option("--name", help="The resource to look at, where FILE holds several.")
def plan(file: TextIO, output: str, facts: Path | None, name: str | None) -> None:
    """Check the resource in FILE before a GPU is taken, and plan its memory.

    Schema, the rules of its vLLM version, the pair of models and the memory of the GPUs, for the spec and every
    fallback, all faults at once; nothing is asked of a cluster or a hub. What is known of a model comes from
    model.facts, then from --facts, then from the catalog. The memory plan needs resources.gpu.product.

    Exit status: 0 nothing stands in the way, 1 errors, 2 FILE or the options cannot be used. Every code has a page in
    docs/codes.

    \b
    Examples:
      specdecode plan chat.yaml
      specdecode plan chat.yaml --facts ./models -o json | jq .memory
    """  # noqa: D301 - click takes the backspace for a verbatim block
    try:
        remarks, memory = _examined(_chosen(resources(file), name), _lookup(facts))
    except (InvalidResource, click.ClickException) as error:
        failure = error if isinstance(error, click.ClickException) else click.ClickException(str(error))
        failure.show()
        raise SystemExit(_USAGE) from None
    click.echo(_json(remarks, memory) if output == "json" else _text(remarks, memory))
    if any(remark.level is Level.ERROR for remark in remarks):
        raise SystemExit(1)


def _chosen(bodies: list[dict[str, Any]], name: str | None) -> dict[str, Any]:
    names = [str((body.get("metadata") or {}).get("name")) for body in bodies]
    found = [body for body, known in zip(bodies, names, strict=True) if name in (None, known)]
    if len(found) != 1:
        raise click.ClickException(f"choose one resource with --name: the file holds {', '.join(names)}")
    return found[0]


def _lookup(folder: Path | None) -> Lookup:
    if folder is None:
        return find
    in_folder = folder_facts(folder)
    return lambda name: in_folder(name) or find(name)


def _examined(body: Mapping[str, Any], facts: Lookup) -> tuple[list[Remark], MemoryPlan | None]:
    """Return the remarks on the whole manifest, and the memory plan of its primary variant."""
    resource, faults = read(body)
    if resource is None:
        return list(faults), None
    rungs = ladder(resource.spec)
    found = examine_rungs(resource.spec, (rungs.primary, *rungs.fallbacks), facts=facts)
    remarks = dict.fromkeys(faults) | dict.fromkeys(gathered(found))
    return list(remarks), found[rungs.primary.name].memory


def _json(remarks: list[Remark], memory: MemoryPlan | None) -> str:
    sides: dict[str, Any] = {"errors": [], "warnings": []}
    for remark in remarks:
        side = "errors" if remark.level is Level.ERROR else "warnings"
        sides[side].append({"code": remark.code, "field": remark.field, "message": remark.message})
    return json.dumps(sides | {"memory": None if memory is None else memory.to_dict()}, indent=2)


def _text(remarks: list[Remark], memory: MemoryPlan | None) -> str:
    lines = [f"{remark.level.upper():<8} {remark.code:<24} {remark}" for remark in _sorted(remarks)]
    errors = sum(remark.level is Level.ERROR for remark in remarks)
    lines += [] if memory is None else ["", *_table(memory)]
    return "\n".join([*lines, "", f"{errors} errors, {len(remarks) - errors} warnings"]).lstrip("\n")


def _sorted(remarks: list[Remark]) -> list[Remark]:
    return sorted(remarks, key=lambda remark: list(Level).index(remark.level))


def _table(memory: MemoryPlan) -> Iterator[str]:
    """Yield the memory plan, a figure a line."""
    load = memory.load
    yield f"Memory of {load.tensor_parallel} x {load.gpu.name}, {load.utilization:.0%} of it for vLLM:"
    for name, value in memory.to_dict().items():
        shown = str(value).lower() if isinstance(value, bool) else f"{value:,}"
        yield f"  {_words(name):<48}{shown:>14}"


def _words(name: str) -> str:
    """Return a camelCase name as words."""
    words = re.findall(r"GiB|[A-Z]?[a-z]+", name)
    return " ".join(_SPELLED.get(word, word.lower()) for word in words)
