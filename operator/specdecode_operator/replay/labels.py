"""What the cluster still knows of pods that may be gone: the ReplicaSets that made them carry their labels."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from specdecode_operator.api.names import VARIANT_HASH_LABEL
from specdecode_operator.replay.recording import RecordedPod, Recording

__all__ = ["labelled"]


def labelled(recording: Recording, replica_sets: Iterable[Mapping[str, Any]]) -> Recording:
    """Return `recording` with the variant's hash of each pod whose ReplicaSet is among `replica_sets`.

    A pod is named after its ReplicaSet, with a dash and five characters more.
    """
    hashes = {_key(one["metadata"]): _hash(one["metadata"]) for one in replica_sets}
    return replace(recording, pods=tuple(_labelled(pod, hashes) for pod in recording.pods))


def _labelled(pod: RecordedPod, hashes: Mapping[tuple[str, str], str | None]) -> RecordedPod:
    found = hashes.get((pod.namespace, pod.name.rpartition("-")[0]))
    return pod if found is None else replace(pod, variant_hash=found)


def _key(metadata: Mapping[str, Any]) -> tuple[str, str]:
    return metadata["namespace"], metadata["name"]


def _hash(metadata: Mapping[str, Any]) -> str | None:
    return (metadata.get("labels") or {}).get(VARIANT_HASH_LABEL)
