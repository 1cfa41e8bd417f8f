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


def requests(log: Path) -> Iterator[Request]:
    """Yield every request whose answer is complete, in the order of the log."""
    with log.open() as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["stage"] == "ResponseComplete" and "objectRef" in entry:
                yield _request(entry)


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
