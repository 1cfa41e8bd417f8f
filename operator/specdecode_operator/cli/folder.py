"""What is known of models from a folder of their config files, as the hub lays it out."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from specdecode_operator.sizing import ModelFacts, SizingError, from_config

__all__ = ["folder_facts", "read_config", "tokenizer_digest"]

_LARGEST_CONFIG: Final = 4 * 1024 * 1024
_TOKENIZERS: Final = ("tokenizer.json", "tokenizer.model")


def folder_facts(folder: Path) -> Callable[[str], ModelFacts | None]:
    """Return a look-up of `<folder>/<model name>/config.json`, with the tokenizer's digest where its file is there.

    The look-up returns None for a model that the folder lacks, and raises `click.ClickException` for a file that is no
    model's config.
    """

    def find(name: str) -> ModelFacts | None:
        model = (folder / name).resolve()
        config = model / "config.json"
        if not model.is_relative_to(folder.resolve()) or not config.is_file():
            return None
        try:
            return from_config(name, read_config(config), tokenizer=tokenizer_digest(model))
        except SizingError as error:
            raise click.ClickException(f"{config}: {error}") from None

    return find


def read_config(config: Path) -> dict[str, Any]:
    """Return the JSON object in the file `config`; raise `click.ClickException` where it holds none."""
    try:
        if config.stat().st_size > _LARGEST_CONFIG:
            raise click.ClickException(f"{config} is larger than 4 MiB; give the model's own config.json")
        found = json.loads(config.read_bytes())
    except (ValueError, OSError, RecursionError) as error:
        raise click.ClickException(f"{config} cannot be read: {type(error).__name__}") from None
    if not isinstance(found, dict):
        raise click.ClickException(f"{config} is no JSON object; give the model's own config.json")
    return found


def tokenizer_digest(model: Path) -> str | None:
    """Return the SHA-256 of the tokenizer in the folder `model`, or None where it has none."""
    file = next((model / name for name in _TOKENIZERS if (model / name).is_file()), None)
    if file is None:
        return None
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
