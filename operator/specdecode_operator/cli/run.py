"""`specdecode run`."""

import asyncio
import signal
from pathlib import Path

import click

from specdecode_operator.clients import ClientError, NotFound
from specdecode_operator.controller import InvalidSettings, Settings, configure, load
from specdecode_operator.controller import run as run_controller

__all__ = ["run"]


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file (YAML); every setting can also be given as SPECDECODE_<NAME>.",
)
def run(config: Path | None) -> None:
    """Run the operator until it is told to stop.

    In a pod it uses the service account, elsewhere the current kubeconfig. Prometheus endpoints come from the settings
    alone; a resource names one of them. See docs/settings.md.
    """
    try:
        settings = load(config)
    except InvalidSettings as error:
        raise click.ClickException(str(error)) from None
    configure(settings)
    try:
        asyncio.run(_until_stopped(settings))
    except NotFound:
        raise click.ClickException("the cluster has no SpecDecodeDeployment; apply the CRD first") from None
    except ClientError as error:
        raise click.ClickException(str(error)) from None


async def _until_stopped(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run_controller(settings, stop)
