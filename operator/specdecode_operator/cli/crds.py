"""`specdecode crds`."""

import click

from specdecode_operator.api.crd import custom_resource_definition
from specdecode_operator.cli.output import to_yaml

__all__ = ["crds"]


@click.command()
def crds() -> None:
    """Print the CustomResourceDefinition, ready for `kubectl apply --server-side -f -`."""
    click.echo(to_yaml([custom_resource_definition()]), nl=False)
