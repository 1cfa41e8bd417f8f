"""How the operator scales: `python -m bench`."""

import json
import tempfile
from pathlib import Path

import click

from bench.report import as_dict, table
from bench.run import Conditions, measure
from devcluster.controlplane import ControlPlane


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--resources", default=500, show_default=True, help="Resources created at once.")
@click.option("--rest", "rest_seconds", default=60, show_default=True, help="Seconds of rest in which writes count.")
@click.option("--json", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures here too.")
def main(resources: int, rest_seconds: int, target: Path | None) -> None:
    """Create many resources at once against a real etcd and kube-apiserver, and measure.

    The operator is a process of its own; Prometheus is a double that counts queries. No controller-manager runs, so
    that all writes are the operator's. Created-to-applied ends when the last child of a resource exists, by the audit
    log of the API server.
    """
    with tempfile.TemporaryDirectory(prefix="specdecode-bench-") as name:
        folder = Path(name)
        with ControlPlane(folder / "plane", audit=True) as plane:
            figures = measure(plane, folder, Conditions(resources, rest_seconds))
    click.echo(table(figures))
    click.echo(json.dumps(as_dict(figures), indent=2))
    if target is not None:
        target.write_text(json.dumps(as_dict(figures), indent=2) + "\n")


if __name__ == "__main__":
    main()
