"""The command `specdecode`, one module a command."""

import click

from specdecode_operator import __version__
from specdecode_operator.cli.crds import crds
from specdecode_operator.cli.migrate_flags import migrate_flags
from specdecode_operator.cli.reference import reference
from specdecode_operator.cli.render import render
from specdecode_operator.cli.run import run

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def main() -> None:
    """Run vLLM with speculative decoding on Kubernetes, and roll it off when it stops paying.

    `specdecode run` is the operator itself; the other commands work offline, on files.
    """


for _command in (run, render, migrate_flags, crds, reference):
    main.add_command(_command)
