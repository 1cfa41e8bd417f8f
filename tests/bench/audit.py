"""The API server's audit log: who wrote what, and when."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

WRITES = {"create", "update", "patch", "delete", "deletecollection"}


@dataclass(frozen=True)
class Request:
    """One finished request."""

    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    agent: str
    received: datetime
    finished: datetime
    status: int


class Follower:
    """Reads a log that grows; each request once."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = 0

    def new(self) -> Iterator[Request]:
        """Yield every request whose answer is complete and that was not there the last time, in the log's order."""
        with self._log.open("rb") as lines:
            lines.seek(self._offset)
            for line in lines:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                entry = json.loads(line)
                if entry["stage"] == "ResponseComplete" and "objectRef" in entry:
                    yield _request(entry)


def requests(log: Path) -> Iterator[Request]:
    """Yield every request of the log whose answer is complete."""
    return Follower(log).new()


def _request(entry: dict) -> Request:  # type: ignore[type-arg]
    reference = entry["objectRef"]
    return Request(
        verb=entry["verb"],
        resource=reference.get("resource", ""),
        subresource=reference.get("subresource", ""),
        namespace=reference.get("namespace", ""),
        name=reference.get("name", ""),
        agent=entry.get("userAgent", ""),
        received=datetime.fromisoformat(entry["requestReceivedTimestamp"]),
        finished=datetime.fromisoformat(entry["stageTimestamp"]),
        status=entry.get("responseStatus", {}).get("code", 0),
    )
