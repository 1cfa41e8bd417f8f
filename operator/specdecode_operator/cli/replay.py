"""`specdecode replay`."""

import json
from collections.abc import Callable
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Final, TextIO

import click

from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment
from specdecode_operator.cli.asking import Asked, ask, asking_options
from specdecode_operator.cli.progress import progress
from specdecode_operator.cli.subjects import chosen, read_specs, recorded, subject
from specdecode_operator.clients import ClientError
from specdecode_operator.replay import NothingRecorded, Recording, RecordingError, Replay, read, read_pods
from specdecode_operator.replay import replay as replayed
from specdecode_operator.replay.document import document
from specdecode_operator.replay.page import to_html
from specdecode_operator.replay.text import to_text

__all__ = ["replay"]

_FORMATS: Final[dict[str, Callable[[Replay], str]]] = {
    "text": lambda found: to_text(found) + "\n",
    "json": lambda found: json.dumps(document(found), indent=2) + "\n",
    "html": to_html,
}
_FOLDER: Final = click.Path(path_type=Path, exists=True, file_okay=False)
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--spec", "file", type=click.File(), required=True, help="The resource to decide for.")
@click.option("--data", "folder", metavar="DIR", type=_FOLDER, help="A directory of specdecode record.")
@click.option("-o", "--output", type=click.Choice(list(_FORMATS)), default="text", show_default=True)
@click.option("--name", help="The resource to look at, where --spec holds several.")
@click.option("-n", "--namespace", help="Its namespace, where the manifest names none.  [default: default]")
@click.option("--pods", "pods", type=_FILE, help="A corrected pods.csv, instead of the recording's.")
@click.option("--pod-names", metavar="REGEX", help="Whole names of the pods, where the operator did not make them.")
@asking_options
def replay(  # noqa: PLR0913 - one argument an option
    *,
    file: TextIO,
    folder: Path | None,
    output: str,
    name: str | None,
    namespace: str | None,
    pods: Path | None,
    pod_names: str | None,
    asked: Asked,
) -> None:
    """Say what the operator would have decided on recorded metrics, and why.

    The metrics come from a directory of `specdecode record`, or straight from a Prometheus with --prometheus or
    --settings. They go through the operator's own code, evaluation by evaluation. A decision is followed where the
    recorded pods were rolled the same way; where they were not, the output says so, and what follows shows the service
    without that roll.

    Exit status: 0 replayed, 1 nothing to replay, 2 wrong usage or an unusable recording. More in docs/replay.md.

    \b
    Examples:
      specdecode replay --spec chat.yaml --data chat-march
      specdecode replay --spec chat.yaml --data chat-march -o html > chat-march.html
      specdecode replay --spec chat.yaml --data chat-march -o json | jq .summary
      specdecode replay --spec stricter.yaml --prometheus http://localhost:9090 --from 24h --scrape-interval 15s
    """  # noqa: D301 - click takes the backspace for a verbatim block
    resource = chosen(read_specs([file], namespace), name)
    try:
        recording = _recording(folder, asked, resource, pod_names)
        if pods is not None:
            recording = with_changes(recording, pods=read_pods(pods))
        with progress("replaying") as done:
            found = replayed(recording, subject(resource), done)
    except RecordingError as error:
        raise click.UsageError(str(error)) from None
    except (ClientError, NothingRecorded) as error:
        raise click.ClickException(str(error)) from None
    click.echo(_FORMATS[output](found), nl=False)


def _recording(folder: Path | None, asked: Asked, resource: SpecDecodeDeployment, pod_names: str | None) -> Recording:
    if folder is None:
        return ask(asked, [recorded(resource, pod_names)])
    if asked.any:
        raise click.UsageError("the metrics come from --data or from a Prometheus, not from both; leave one out")
    return read(folder)
