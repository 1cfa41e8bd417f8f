"""The command line: `python -m devcluster`."""

import sys
from pathlib import Path

import click

from devcluster import binaries, cluster, prometheus
from devcluster.errors import DevClusterError
from devcluster.pair import pair


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run a real Kubernetes cluster on this machine, with vLLM on CPUs and Prometheus, but without Docker."""


@main.command()
def up() -> None:
    """Start the cluster; a healthy one is left alone, a broken one is replaced.

    The first time it builds the programs and installs vLLM, which takes about twenty minutes on two cores.
    """
    cluster.up()


@main.command()
def down() -> None:
    """Remove the cluster and everything that it left on the machine; the caches stay."""
    cluster.down()


@main.command()
def status() -> None:
    """Print what works; the exit code is 0 only if everything does."""
    checks = cluster.status()
    for check in checks:
        click.echo(f"{'ok' if check.healthy else 'BAD':4}{check.part:25}{check.detail}")
    sys.exit(0 if all(check.healthy for check in checks) else 1)


@main.command("load-operator")
@click.argument("repository", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
def load_operator(repository: Path) -> None:
    """Build the operator's image from the Dockerfile in REPOSITORY and give it to the node."""
    cluster.load_operator(repository)


@main.command()
def tools() -> None:
    """Build every program that the cluster and the tests need; what is built already stays."""
    for program in binaries.PROGRAMS:
        binaries.binary(program)


@main.command()
@click.argument("repository", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
def prepare(repository: Path) -> None:
    """Start the cluster and make all that is put on it: test models, and the operator's image from REPOSITORY."""
    cluster.up()
    pair()
    cluster.load_operator(repository)


@main.command("prometheus")
@click.argument("action", type=click.Choice(["start", "stop"]))
def control_prometheus(action: str) -> None:
    """Start or stop Prometheus alone; it keeps its data."""
    {"start": prometheus.start, "stop": prometheus.stop}[action]()


@main.command()
@click.argument("program", type=click.Choice(sorted(binaries.PROGRAMS)))
def which(program: str) -> None:
    """Print the path of PROGRAM, which is built first if it has to be."""
    click.echo(binaries.binary(program))


def run() -> None:
    """Run the command line and print an error of ours as one line."""
    try:
        main.main(prog_name="devcluster")
    except DevClusterError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    run()
