"""`specdecode record`."""

import sys
from pathlib import Path
from typing import TextIO

import click

from specdecode_operator.cli.asking import Asked, ask, asking_options
from specdecode_operator.cli.subjects import read_specs, recorded
from specdecode_operator.clients import ClientError
from specdecode_operator.replay import NothingRecorded, RecordingError, write

__all__ = ["record"]


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--spec", "files", type=click.File(), multiple=True, required=True, help="Resources; may be repeated.")
@click.option("-n", "--namespace", help="Namespace of resources whose manifest names none.  [default: default]")
@click.option("--pod-names", metavar="REGEX", help="Whole names of the pods, where the operator did not make them.")
@asking_options
def record(
    *, folder: Path, files: tuple[TextIO, ...], namespace: str | None, pod_names: str | None, asked: Asked
) -> None:
    """Write what Prometheus would have told the operator in a past time into DIR.

    The operator's own queries are asked for every evaluation of that time, for the windows and objectives of all the
    resources in --spec, and the answers are kept for their pods: plain CSV files, one a query, with a line an
    evaluation. `specdecode replay --data DIR` decides on them. A spec with another window or objective needs a
    recording of its own, or one that was made with both specs. Which variant a pod ran is
    inferred from its metrics, or asked of the cluster with --cluster; pods.csv in DIR is there to be corrected.

    Exit status: 0 written, 1 Prometheus does not answer or has nothing, 2 wrong usage. More in docs/replay.md.

    \b
    Examples:
      specdecode record --prometheus http://localhost:9090 --spec chat.yaml --from 24h --scrape-interval 15s chat-today
      specdecode record --settings operator.yaml --endpoint global --spec chat.yaml --spec stricter.yaml \\
          --from 2026-03-01T08:00:00Z --to 2026-03-01T18:00:00Z chat-march
      specdecode record --prometheus https://mimir.example.com/prometheus --header X-Scope-OrgID=platform \\
          --bearer-token-file token --spec chat.yaml --pod-names 'vllm-chat-.*' --from 7d chat-week
    """  # noqa: D301 - click takes the backspace for a verbatim block
    resources = [recorded(resource, pod_names) for resource in read_specs(files, namespace)]
    try:
        found = ask(asked, resources)
        write(found, folder)
    except RecordingError as error:
        raise click.UsageError(str(error)) from None
    except (ClientError, NothingRecorded) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{folder}: {found.grid.count} evaluations of {len(found.pods)} pods", file=sys.stderr)
