"""Where weights and caches lie in the pod."""

from dataclasses import dataclass
from typing import Any, Final

from specdecode_operator.api.v1alpha1 import Storage
from specdecode_operator.policy import Variant

__all__ = ["Weights", "mounts", "volumes", "weights"]

_TARGET_FOLDER: Final = "/models"
_DRAFT_FOLDER: Final = "/draft-models"
CACHE_FOLDER: Final = "/cache"


@dataclass(frozen=True)
class Weights:
    """The paths that vLLM is given, and the volumes behind them by name."""

    target_path: str
    draft_path: str | None
    sources: tuple[tuple[str, str, Storage], ...]
    """Volume name, folder in the pod, and what is mounted there."""

    @property
    def offline(self) -> bool:
        """Whether all weights come from volumes, so that the hub is not needed."""
        return self.target_path.startswith("/") and (self.draft_path is None or self.draft_path.startswith("/"))


def weights(variant: Variant) -> Weights:
    """Return where the variant's weights are found: hub names, or folders of read-only volumes."""
    target, draft = variant.model.storage, variant.speculation.draft
    sources = [] if target is None else [("models", _TARGET_FOLDER, target)]
    target_path = variant.model.name if target is None else _folder(_TARGET_FOLDER, target, variant.model.name)
    if draft is None:
        return Weights(target_path, None, tuple(sources))
    if draft.storage is not None and not _same_volume(draft.storage, target):
        sources.append(("draft-models", _DRAFT_FOLDER, draft.storage))
        return Weights(target_path, _folder(_DRAFT_FOLDER, draft.storage, draft.name), tuple(sources))
    return Weights(target_path, _shared_path(draft.storage, target, draft.name), tuple(sources))


def volumes(found: Weights) -> list[dict[str, Any]]:
    """Return the pod's volumes: weights, caches and shared memory."""
    return [
        *({"name": name, **_source(storage)} for name, _, storage in found.sources),
        {"name": "cache", "emptyDir": {}},
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "4Gi"}},
    ]


def mounts(found: Weights) -> list[dict[str, Any]]:
    """Return where the engine's container sees them."""
    return [
        *({"name": name, "mountPath": folder, "readOnly": True} for name, folder, _ in found.sources),
        {"name": "cache", "mountPath": CACHE_FOLDER},
        {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108 - vLLM's worker rings need more than the default 64 MiB
    ]


def _same_volume(storage: Storage, other: Storage | None) -> bool:
    return other is not None and (storage.claim, storage.host_path) == (other.claim, other.host_path)


def _shared_path(own: Storage | None, target: Storage | None, name: str) -> str:
    """The draft lies beside the target: its own path where given, else its name."""
    if target is None:
        return name
    return f"{_TARGET_FOLDER}/{own.path if own is not None and own.path else name}"


def _folder(root: str, storage: Storage, name: str) -> str:
    return f"{root}/{storage.path or name}"


def _source(storage: Storage) -> dict[str, Any]:
    if storage.claim is not None:
        return {"persistentVolumeClaim": {"claimName": storage.claim, "readOnly": True}}
    return {"hostPath": {"path": storage.host_path, "type": "Directory"}}
