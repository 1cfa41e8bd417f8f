"""How far a long command is, on standard error, with the time left."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Final

import click

__all__ = ["progress"]

_PARTS: Final = 1000


@contextlib.contextmanager
def progress(label: str) -> Iterator[Callable[[float], None]]:
    """Yield a function that takes the share done, from 0 to 1; where nobody watches, only the label is written."""
    with click.progressbar(length=_PARTS, label=label, file=sys.stderr) as bar:

        def show(done: float) -> None:
            bar.update(round(_PARTS * done) - bar.pos)

        yield show
