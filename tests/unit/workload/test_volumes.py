"""Where the weights lie, and what is mounted for them."""

from dataclasses import dataclass
from typing import Any

import pytest

from specdecode_operator.workload.volumes import Weights, mounts, volumes, weights
from support.builders import resource, rung

CLAIM = {"claim": "weights"}
CLAIM_VOLUME = {"name": "models", "persistentVolumeClaim": {"claimName": "weights", "readOnly": True}}
HOST = {"hostPath": "/srv/models"}
HOST_VOLUME = {"name": "models", "hostPath": {"path": "/srv/models", "type": "Directory"}}
DRAFTS_VOLUME = {"name": "draft-models", "persistentVolumeClaim": {"claimName": "drafts", "readOnly": True}}
CACHE = {"name": "cache", "emptyDir": {}}
SHM = {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "4Gi"}}


def pair(target: dict[str, Any] | None, draft: dict[str, Any] | None) -> dict[str, Any]:
    """Return the fields of a pair with these storages."""
    model: dict[str, Any] = {"name": "org/target"} | ({} if target is None else {"storage": target})
    small: dict[str, Any] = {"name": "org/draft"} | ({} if draft is None else {"storage": draft})
    return {"model": model, "speculation": {"method": "DraftModel", "draft": small, "numSpeculativeTokens": 4}}


@dataclass(frozen=True)
class Pair:
    """Storage of a target and its draft, and what comes of it."""

    target: dict[str, Any] | None
    draft: dict[str, Any] | None
    target_path: str
    draft_path: str
    sources: list[dict[str, Any]]

    @property
    def weights(self) -> Weights:
        return weights(rung(resource(**pair(self.target, self.draft)).spec))


CASES = [
    Pair(None, None, "org/target", "org/draft", []),
    Pair(CLAIM, None, "/models/org/target", "/models/org/draft", [CLAIM_VOLUME]),
    Pair(CLAIM | {"path": "t"}, None, "/models/t", "/models/org/draft", [CLAIM_VOLUME]),
    Pair(HOST, None, "/models/org/target", "/models/org/draft", [HOST_VOLUME]),
    Pair(HOST | {"path": "a/b"}, HOST | {"path": "c/d"}, "/models/a/b", "/models/c/d", [HOST_VOLUME]),
    Pair(CLAIM, CLAIM, "/models/org/target", "/models/org/draft", [CLAIM_VOLUME]),
    Pair(CLAIM, CLAIM | {"path": "d"}, "/models/org/target", "/models/d", [CLAIM_VOLUME]),
    Pair(
        CLAIM,
        {"claim": "drafts"},
        "/models/org/target",
        "/draft-models/org/draft",
        [CLAIM_VOLUME, DRAFTS_VOLUME],
    ),
    Pair(HOST, {"claim": "drafts", "path": "d"}, "/models/org/target", "/draft-models/d", [HOST_VOLUME, DRAFTS_VOLUME]),
    Pair(None, {"claim": "drafts"}, "org/target", "/draft-models/org/draft", [DRAFTS_VOLUME]),
]


@pytest.mark.parametrize("case", CASES)
class TestPairs:
    def test_vllm_is_given_hub_names_or_folders(self, case: Pair) -> None:
        assert (case.weights.target_path, case.weights.draft_path) == (case.target_path, case.draft_path)

    def test_the_volumes_and_nothing_twice(self, case: Pair) -> None:
        assert volumes(case.weights) == [*case.sources, CACHE, SHM]

    def test_weights_are_mounted_read_only_where_the_paths_lead(self, case: Pair) -> None:
        mounted = mounts(case.weights)
        folders = {mount["mountPath"] for mount in mounted if mount.get("readOnly")}
        used = {"/" + path.split("/")[1] for path in (case.target_path, case.draft_path) if path.startswith("/")}
        names = [*(source["name"] for source in case.sources), "cache", "shm"]
        assert (folders, [mount["name"] for mount in mounted]) == (used, names)

    def test_the_hub_is_needed_as_long_as_one_name_is_left(self, case: Pair) -> None:
        assert case.weights.offline is all(path.startswith("/") for path in (case.target_path, case.draft_path))


def test_without_a_draft_only_the_target_counts() -> None:
    found = weights(rung(resource(**pair(CLAIM, {"claim": "drafts"})).spec, "no-speculation"))
    assert (found.target_path, found.draft_path, found.offline) == ("/models/org/target", None, True)
    assert volumes(found) == [CLAIM_VOLUME, CACHE, SHM]


def test_a_fallback_with_a_volume_of_its_own() -> None:
    fallbacks = [{"name": "int4", "triggers": ["Latency"], "model": {"name": "int4", "storage": {"claim": "int4"}}}]
    found = weights(rung(resource(**pair(CLAIM, CLAIM), fallbacks=fallbacks).spec, "int4"))
    assert (found.target_path, found.draft_path) == ("/models/int4", "/draft-models/org/draft")
    assert [name for name, _, _ in found.sources] == ["models", "draft-models"]


def test_a_draft_without_a_volume_stays_beside_the_weights_of_the_spec() -> None:
    fallbacks = [{"name": "int4", "triggers": ["Latency"], "model": {"name": "int4", "storage": {"claim": "int4"}}}]
    found = weights(rung(resource(**pair(CLAIM | {"path": "t"}, None), fallbacks=fallbacks).spec, "int4"))
    assert (found.target_path, found.draft_path) == ("/models/int4", "/draft-models/org/draft")
    assert [(folder, storage.claim) for _, folder, storage in found.sources] == [
        ("/models", "int4"),
        ("/draft-models", "weights"),
    ]


def test_other_weights_do_not_inherit_the_folder_of_the_first() -> None:
    fallbacks = [{"name": "fp8", "triggers": ["Latency"], "model": {"name": "llama-fp8"}}]
    found = weights(rung(resource(**pair(CLAIM | {"path": "llama"}, None), fallbacks=fallbacks).spec, "fp8"))
    assert (found.target_path, found.draft_path) == ("/models/llama-fp8", "/models/org/draft")
