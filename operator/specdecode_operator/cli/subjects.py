"""The resources that are recorded or replayed, from files of manifests."""

import re
from collections.abc import Iterable, Iterator
from typing import TextIO

import click

from specdecode_operator.api.errors import InvalidResource
from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment, parse
from specdecode_operator.cli.manifests import resources
from specdecode_operator.controller.reading import reading_of
from specdecode_operator.replay import Recorded, Subject

__all__ = ["chosen", "read_specs", "recorded", "subject"]


def read_specs(files: Iterable[TextIO], namespace: str | None) -> list[SpecDecodeDeployment]:
    """Return every resource in `files`, in `namespace` where its manifest names none.

    Raises `click.UsageError` with one sentence where a file cannot be used.
    """
    try:
        return [found for file in files for found in _parsed(file, namespace)]
    except click.ClickException as error:
        raise click.UsageError(error.message) from None


def chosen(found: list[SpecDecodeDeployment], name: str | None) -> SpecDecodeDeployment:
    """Return the one of that name, or the only one."""
    fitting = [one for one in found if name in (None, one.metadata.name)]
    if len(fitting) != 1:
        names = ", ".join(one.metadata.name for one in found)
        raise click.UsageError(f"choose one resource with --name: the file holds {names}")
    return fitting[0]


def recorded(resource: SpecDecodeDeployment, pods: str | None) -> Recorded:
    """Return what is recorded of `resource`; `pods` is a regular expression for the names of its pods."""
    try:
        pattern = None if pods is None else re.compile(pods)
    except re.error as error:
        raise click.UsageError(f"--pod-names is no regular expression: {error}") from None
    return Recorded(*resource.key, resource.spec, pattern)


def subject(resource: SpecDecodeDeployment) -> Subject:
    """Return what is replayed; rungs that pre-flight refuses are never chosen, as in the operator."""
    return Subject(*resource.key, resource.spec, reading_of(resource).ladder)


def _parsed(file: TextIO, namespace: str | None) -> Iterator[SpecDecodeDeployment]:
    for body in resources(file):
        try:
            found = parse(body)
        except InvalidResource as error:
            raise click.UsageError(f"{file.name}: {error}") from None
        unplaced = namespace is not None and "namespace" not in body["metadata"]
        metadata = found.metadata.model_copy(update={"namespace": namespace})
        yield found.model_copy(update={"metadata": metadata}) if unplaced else found
