"""The command `specdecode`, one module a command."""

import importlib
from typing import Final

import click

from specdecode_operator import __version__

__all__ = ["main"]

_COMMANDS: Final = {
    "run": "run",
    "plan": "plan",
    "advise": "advise",
    "render": "render",
    "migrate-flags": "migrate_flags",
    "facts": "facts",
    "crds": "crds",
    "record": "record",
    "replay": "replay",
    "reference": "reference",
}
"""Name of each command, and the name of its module and of the function in it."""


class _Commands(click.Group):
    """Imports a command when it is called: the offline ones need neither kopf nor a client, which take a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        """Return all names, in the order in which `--help` shows them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's own
        """Return the command called `cmd_name`, if there is one."""
        if cmd_name not in _COMMANDS:
            return None
        name = _COMMANDS[cmd_name]
        found: click.Command = getattr(importlib.import_module(f"specdecode_operator.cli.{name}"), name)
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def main() -> None:
    """Run vLLM with speculative decoding on Kubernetes, and roll it off when it stops paying.

    `specdecode run` is the operator itself; the other commands work offline, on files.
    """
