"""Progress lines: what is being done, and how long it took."""

import contextlib
import sys
import time
from collections.abc import Iterator


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Print `title` to standard error at the start and the elapsed seconds at the end of the block."""
    say(f"{title} ...")
    started = time.monotonic()
    try:
        yield
    except BaseException:
        say(f"{title}: failed after {time.monotonic() - started:.1f} s")
        raise
    say(f"{title}: done in {time.monotonic() - started:.1f} s")


def say(line: str) -> None:
    """Print one line to standard error at once."""
    sys.stderr.write(f"[devcluster] {line}\n")
    sys.stderr.flush()
