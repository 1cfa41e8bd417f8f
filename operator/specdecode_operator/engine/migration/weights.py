"""Where a model or draft named on a command line lies for a pod: on the hub, or in a folder of the node."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from specdecode_operator.engine.migration.options import Option
from specdecode_operator.engine.migration.pieces import Field, Finding, Pieces, dropped, lost
from specdecode_operator.engine.versions import Version

__all__ = ["Location", "locate", "target"]

_HUB_PARTS: Final = 2


@dataclass(frozen=True)
class Location:
    """One set of weights."""

    name: str
    storage: dict[str, str] | None = None
    """Where the weights lie, as the resource says it; the hub when None."""
    finding: Finding | None = None


def locate(text: str, flag: str, field: str) -> Location:
    """Return where `text` lies: `org/name` is on the hub, an absolute path on the node.

    `field` is the resource's field that holds the storage, for the finding.
    """
    path = PurePosixPath(text)
    if text.startswith("/") and path.name:
        return _on_node(path, flag, field)
    local = text.startswith((".", "~")) or "://" in text or len(path.parts) > _HUB_PARTS
    if not local:
        return Location(text)
    finding = lost(
        flag,
        "a pod knows neither this folder nor this address",
        f"put the weights into a claim, named by {field}.claim",
    )
    return Location(path.name or "model", finding=finding)


def target(option: Option, _version: Version) -> Pieces:
    """Yield the target's name and storage; clients go on sending the name that they sent."""
    found = locate(option.value, option.spelled, "model.storage")
    yield Field("model.name", found.name)
    if found.name != option.value:
        yield Field("model.servedName", option.value)
    if found.storage:
        yield Field("model.storage", found.storage)
    if found.finding:
        yield found.finding


def _on_node(path: PurePosixPath, flag: str, field: str) -> Location:
    root = path.parent == PurePosixPath("/")
    storage = {"hostPath": str(path if root else path.parent), "path": "." if root else path.name}
    note = f"read from this folder of the node; where it is on a volume, give {field}.claim in place of hostPath"
    return Location(path.name, storage, dropped(flag, note))
