"""`specdecode facts`."""

import json
from pathlib import Path
from typing import Final

import click

from specdecode_operator.api.v1alpha1 import MAX_CONFIG, MAX_FACTS, FactsReport, ModelFound
from specdecode_operator.cli.folder import read_config, tokenizer_digest
from specdecode_operator.sizing import SizingError, from_config, reduced

__all__ = ["facts"]

_LONGEST_FAILURE: Final = 200


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="NAME=FOLDER...")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write to instead of printing.")
def facts(models: tuple[str, ...], output: Path | None) -> None:
    """Print what the checks need of the config.json in each FOLDER, as one line of JSON.

    The operator runs this in a Job of its own where a model's weights lie on a claim, nothing is known of the model,
    and the administrator has set factsJob.enabled. A folder that cannot be read is named under `failure`; the others
    are printed all the same.

    \b
    Example:
      specdecode facts org/target=/models/org/target org/draft=/models/org/draft
    """  # noqa: D301 - click takes the backspace for a verbatim block
    if len(models) > MAX_FACTS:
        raise click.UsageError(f"at most {MAX_FACTS} models at a time")
    text = _report(models).model_dump_json(exclude_none=True)
    if output is None:
        click.echo(text)
    else:
        output.write_text(text)


def _report(models: tuple[str, ...]) -> FactsReport:
    found: list[ModelFound] = []
    failures: list[str] = []
    for model in models:
        name, _, folder = model.partition("=")
        try:
            found.append(_found(name, Path(folder)))
        except (click.ClickException, SizingError, ValueError) as error:
            failures.append(error.message if isinstance(error, click.ClickException) else str(error).splitlines()[0])
    return FactsReport(models=found, failure="; ".join(failures)[:_LONGEST_FAILURE] or None)


def _found(name: str, folder: Path) -> ModelFound:
    """Return what is found in `folder`; what the checks could not read is no finding."""
    config = read_config(folder / "config.json")
    from_config(name, config)
    text = json.dumps(reduced(config), separators=(",", ":"))
    if len(text) > MAX_CONFIG:
        raise click.ClickException(f"config.json of {name} says more of its layers than can be kept; give facts")
    return ModelFound(name=name, config=text, tokenizer=tokenizer_digest(folder))
