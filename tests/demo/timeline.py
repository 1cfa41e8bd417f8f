"""The timeline that the demo prints while it runs."""

import sys
import time


class Timeline:
    """Lines with the time since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """Print one line at once."""
        elapsed = round(time.monotonic() - self._started)
        sys.stdout.write(f"[{elapsed // 60:2}:{elapsed % 60:02}] {text}\n")
        sys.stdout.flush()
