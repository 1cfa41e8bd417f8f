"""What the cluster still knows of pods that are gone."""

from typing import Any

from specdecode_operator.replay import labelled
from support.past_prometheus import Past
from support.recordings import AFTER, STABLE, pod, recorded


def replica_set(name: str, variant_hash: str | None, namespace: str = "prod") -> dict[str, Any]:
    labels = {} if variant_hash is None else {"specdecode.dev/variant-hash": variant_hash}
    return {"metadata": {"namespace": namespace, "name": name, "labels": labels}}


def test_pods_run_what_their_replica_set_is_for() -> None:
    found = labelled(
        recorded(Past([pod(gone=12), pod(AFTER, 11)])),
        [
            replica_set("chat-5f7c9d", "0a1b2c3d4e"),
            replica_set("chat-6d8e1f", None),
            replica_set("chat-6d8e1f", "ffffffffff", namespace="test"),
            replica_set("other", "ffffffffff"),
        ],
    )
    assert {one.name: one.variant_hash for one in found.pods} == {STABLE: "0a1b2c3d4e", AFTER: None}


def test_a_cluster_that_knows_nothing_changes_nothing() -> None:
    found = recorded(Past([pod()]))
    assert labelled(found, []) == found
