"""Waiting for a condition with a deadline."""

import time
from collections.abc import Callable

from devcluster.errors import NotReadyError

POLL_SECONDS = 0.1


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Return as soon as `condition` holds.

    Raises:
        NotReadyError: `condition` did not hold within `seconds`; the message names `what`.

    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            message = f"{what} was not so within {seconds:.0f} seconds"
            raise NotReadyError(message)
        time.sleep(POLL_SECONDS)
