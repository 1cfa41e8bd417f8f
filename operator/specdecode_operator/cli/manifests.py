"""Resources from a file of manifests."""

from typing import Any, TextIO

import click
import yaml

from specdecode_operator.api.names import KIND

__all__ = ["resources"]


def resources(file: TextIO) -> list[dict[str, Any]]:
    """Return the SpecDecodeDeployments in `file`; other kinds are passed over.

    Raises `click.ClickException` where it is no YAML or holds none.
    """
    try:
        bodies = [body for body in yaml.safe_load_all(file) if isinstance(body, dict)]
    except yaml.YAMLError as error:
        raise click.ClickException(f"{file.name} is no YAML: {' '.join(str(error).split())}") from None
    found = [body for body in bodies if body.get("kind") == KIND]
    if not found:
        raise click.ClickException(f"{file.name} holds no {KIND}")
    return found
