"""`specdecode render`."""

from collections.abc import Callable
from typing import Any, Final, TextIO

import click

from specdecode_operator.api.errors import InvalidResource
from specdecode_operator.api.remarks import Level
from specdecode_operator.api.unknown import unknown_fields
from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment, parse
from specdecode_operator.cli.manifests import resources
from specdecode_operator.cli.output import to_json, to_yaml
from specdecode_operator.engine import examine
from specdecode_operator.policy import ladder
from specdecode_operator.workload import Layout, WorkloadError, children

__all__ = ["render"]

_FORMATS: Final[dict[str, Callable[[list[dict[str, Any]]], str]]] = {"yaml": to_yaml, "json": to_json}


@click.command()
@click.argument("file", type=click.File())
@click.option("-o", "--output", type=click.Choice(list(_FORMATS)), default="yaml", show_default=True)
@click.option("--variant", default="primary", show_default=True, help="Rung of the ladder to render.")
def render(file: TextIO, output: str, variant: str) -> None:
    """Print the children of the resources in FILE, as the operator would apply them.

    Nothing is asked of a cluster. FILE may hold several documents, and `-` reads standard input; other kinds are
    passed over. Owner references are missing, since only the API server knows the owner's uid.

    \b
    Examples:
      specdecode render chat.yaml
      specdecode render chat.yaml --variant no-speculation | kubectl diff -f -
    """  # noqa: D301 - click takes the backspace for a verbatim block
    documents: list[dict[str, Any]] = []
    for body in resources(file):
        documents += _children(_parse(body), variant)
    click.echo(_FORMATS[output](documents), nl=False)


def _parse(body: dict[str, Any]) -> SpecDecodeDeployment:
    try:
        resource = parse(body)
    except InvalidResource as error:
        raise click.ClickException(str(error)) from None
    unknown = unknown_fields(body)
    if unknown:
        raise click.ClickException(f"unknown field {unknown[0]}; see kubectl explain sdd.spec")
    return resource


def _children(resource: SpecDecodeDeployment, variant: str) -> list[dict[str, Any]]:
    rungs = ladder(resource.spec)
    chosen = rungs.find(variant)
    if chosen is None:
        known = ", ".join(rung.name for rung in rungs.rungs)
        raise click.ClickException(f"{resource.metadata.name} has no variant {variant}; it has {known}")
    for remark in examine(chosen.model, chosen.speculation, resource.spec.engine):
        if remark.level is Level.ERROR:
            raise click.ClickException(str(remark))
    try:
        return children(resource, Layout(chosen, rungs.primary.hash))
    except WorkloadError as error:
        raise click.ClickException(str(error)) from None
