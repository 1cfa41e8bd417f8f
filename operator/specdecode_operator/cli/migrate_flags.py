"""`specdecode migrate-flags`."""

import json
import re
from typing import Final

import click

from specdecode_operator.cli.output import to_yaml
from specdecode_operator.engine.migration import DEFAULT_VERSION, CannotMigrate, MalformedCommand, Migration, migrate

__all__ = ["migrate_flags"]

_VERSION: Final = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}")
_NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,48}[a-z0-9])?")


def _version(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not _VERSION.fullmatch(value):
        raise click.BadParameter(f"{value} is no version of vLLM; give it as 0.33.0")
    return value


def _name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _NAME.fullmatch(value):
        raise click.BadParameter(f"{value} is no name; use up to 50 letters, digits and dashes, a small letter first")
    return value


@click.command(name="migrate-flags")
@click.option("--version", default=DEFAULT_VERSION, show_default=True, callback=_version, help="vLLM for the pods.")
@click.option("--name", callback=_name, help="Name of the resource; made of the served model's when left out.")
@click.option("--allow-lossy", is_flag=True, help="Exit 0 even if something has no equivalent.")
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
@click.argument("flags", nargs=-1, required=True, type=click.UNPROCESSED)
def migrate_flags(flags: tuple[str, ...], *, version: str, name: str | None, allow_lossy: bool, output: str) -> None:
    """Write the resource for a vLLM command line, old or new, that stands after `--`.

    FLAGS may begin with the program (`vllm serve …`, `python -m vllm.entrypoints.openai.api_server …`) and assignments
    (`VLLM_LOGGING_LEVEL=DEBUG vllm …`), or be one quoted text as it stands in a script. What has no equivalent is named
    on standard error with the reason and what comes nearest; values of tokens and keys are never shown.

    \b
    Exit status: 0 all kept, 1 something was lost (unless --allow-lossy) or no resource can be made, 2 wrong usage.

    \b
    Examples:
      specdecode migrate-flags -- vllm serve Qwen/Qwen3-32B -tp 2 --spec-method ngram --spec-tokens 4
      specdecode migrate-flags -- --model org/target --speculative-model org/draft --num-speculative-tokens 5
      specdecode migrate-flags --version 0.24.0 --name chat -- "$(cat serve.sh)" > chat.yaml
      specdecode migrate-flags --allow-lossy -- vllm serve org/model --quantization bitsandbytes | specdecode render -
    """  # noqa: D301 - click takes the backspace for a verbatim block
    try:
        made = migrate(flags, version=version, name=name)
    except MalformedCommand as error:
        raise click.UsageError(str(error)) from None
    except CannotMigrate as error:
        raise click.ClickException(str(error)) from None
    _show(made, output)
    if made.fault is not None:
        raise click.ClickException(f"vLLM {version} cannot run this resource: {made.fault}")
    if made.losses and not allow_lossy:
        raise SystemExit(1)


def _show(made: Migration, output: str) -> None:
    text = to_yaml([made.resource]) if output == "yaml" else json.dumps(made.resource, indent=2) + "\n"
    click.echo(text, nl=False)
    for finding in made.findings:
        click.echo(str(finding), err=True)
    if made.losses:
        count = len(made.losses)
        click.echo(f"{count} lost; --allow-lossy accepts that", err=True)
