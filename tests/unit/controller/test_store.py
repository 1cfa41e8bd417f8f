"""The caches: nothing is decided on a stale view."""

from typing import Any

import pytest

from specdecode_operator.controller.store import Store

Manifest = dict[str, Any]
KEY = ("prod", "chat")


def child(version: str = "5", kind: str = "Deployment", name: str = "chat", **metadata: Any) -> Manifest:
    base = {
        "name": name,
        "namespace": "prod",
        "uid": "u1",
        "resourceVersion": version,
        "labels": {"specdecode.dev/name": "chat"},
    }
    return {"kind": kind, "metadata": base | metadata, "spec": {"replicas": 1}}


def ours(version: str = "5", **metadata: Any) -> Manifest:
    return child(version, "SpecDecodeDeployment", labels={}, **metadata)


def pod(name: str, version: str = "5", **metadata: Any) -> Manifest:
    return child(version, "Pod", name, **({"uid": f"uid-{name}"} | metadata))


@pytest.fixture
def store() -> Store:
    return Store()


class TestOperating:
    def test_a_resource_counts_while_its_status_has_an_operation(self, store: Store) -> None:
        found = []
        for version, status in enumerate(({}, {"operation": {"id": "d1"}}, {"operation": {"id": "d1"}}, {}), start=1):
            store.put("SpecDecodeDeployment", ours(str(version)) | {"status": status})
            found.append(set(store.operating))
        assert found == [set(), {KEY}, {KEY}, set()]

    def test_one_that_is_only_being_verified_does_not_count(self, store: Store) -> None:
        found = []
        for version, phase in ((1, "Rolling"), (2, "Verifying")):
            status = {"operation": {"id": "d1", "phase": phase}}
            store.put("SpecDecodeDeployment", ours(str(version)) | {"status": status})
            found.append(set(store.operating))
        assert found == [{KEY}, set()]

    def test_an_older_version_changes_nothing(self, store: Store) -> None:
        store.put("SpecDecodeDeployment", ours("5") | {"status": {"operation": {"id": "d1"}}})
        store.put("SpecDecodeDeployment", ours("4"))
        assert store.operating == {KEY}

    def test_one_that_is_gone_does_not_count(self, store: Store) -> None:
        body = ours("5") | {"status": {"operation": {"id": "d1"}}}
        store.put("SpecDecodeDeployment", body)
        store.remove("SpecDecodeDeployment", body)
        assert store.operating == set()

    def test_a_child_never_does(self, store: Store) -> None:
        store.put("Deployment", child() | {"status": {"operation": {"id": "d1"}}})
        assert store.operating == set()


class TestVersions:
    @pytest.mark.parametrize(
        ("versions", "kept"),
        [(["5", "6"], "6"), (["6", "5"], "6"), (["9", "10"], "10"), (["10", "9"], "10"), (["5", "5"], "5")],
    )
    def test_the_newest_is_kept_whatever_the_order(self, store: Store, versions: list[str], kept: str) -> None:
        for version in versions:
            store.put("Deployment", child(version))
        found = store.child("Deployment", KEY)
        assert found is not None
        assert found["metadata"]["resourceVersion"] == kept

    def test_what_is_new_names_the_resource_and_what_is_old_nobody(self, store: Store) -> None:
        assert [store.put("Deployment", child(version)) for version in ("5", "5", "4", "6")] == [KEY, None, None, KEY]

    def test_a_successor_of_the_same_name_replaces(self, store: Store) -> None:
        store.put("Deployment", child("5"))
        assert store.put("Deployment", child("7", uid="u2")) == KEY
        assert (store.child("Deployment", KEY) or {})["metadata"]["uid"] == "u2"

    def test_the_end_of_a_predecessor_leaves_the_successor(self, store: Store) -> None:
        store.put("Deployment", child("7", uid="u2"))
        store.remove("Deployment", child("6"))
        assert (store.child("Deployment", KEY) or {})["metadata"]["uid"] == "u2"

    def test_an_object_without_a_version_is_older_than_any(self, store: Store) -> None:
        store.put("Deployment", child("1"))
        assert store.put("Deployment", child("opaque")) is None


class TestNames:
    def test_a_resource_is_found_by_its_key(self, store: Store) -> None:
        assert store.put("SpecDecodeDeployment", ours()) == KEY
        assert (store.resource(KEY), list(store.keys())) == (ours(), [KEY])

    def test_children_of_each_kind_are_kept_apart(self, store: Store) -> None:
        store.put("Deployment", child())
        assert (store.child("Deployment", KEY), store.child("Service", KEY)) == (child(), None)

    def test_a_child_belongs_to_the_resource_in_its_label(self, store: Store) -> None:
        assert store.put("Deployment", child(labels={"specdecode.dev/name": "other"})) == ("prod", "other")

    @pytest.mark.parametrize("labels", [{}, None, {"app": "x"}])
    def test_an_object_without_our_label_belongs_to_nobody(self, store: Store, labels: Any) -> None:
        assert store.put("Deployment", child(labels=labels)) is None

    def test_keys_can_be_read_while_the_store_changes(self, store: Store) -> None:
        store.put("SpecDecodeDeployment", ours())
        for key in store.keys():
            store.put("SpecDecodeDeployment", ours(name="second"))
            assert key == KEY


class TestPods:
    def test_they_are_found_by_their_resource(self, store: Store) -> None:
        for name in ("chat-1", "chat-2"):
            store.put("Pod", pod(name))
        store.put("Pod", pod("other-1", labels={"specdecode.dev/name": "other"}))
        assert {found["metadata"]["name"] for found in store.pods(KEY)} == {"chat-1", "chat-2"}

    def test_one_that_is_gone_is_no_longer_found(self, store: Store) -> None:
        store.put("Pod", pod("chat-1"))
        assert (store.remove("Pod", pod("chat-1", "6")), store.pods(KEY)) == (KEY, [])

    def test_one_that_changed_its_resource_is_gone_from_the_first(self, store: Store) -> None:
        store.put("Pod", pod("chat-1"))
        store.put("Pod", pod("chat-1", "6", labels={"specdecode.dev/name": "other"}))
        assert [len(store.pods(key)) for key in (KEY, ("prod", "other"))] == [0, 1]

    def test_one_that_changed_its_resource_and_went_is_gone_from_both(self, store: Store) -> None:
        other = {"specdecode.dev/name": "other"}
        store.put("Pod", pod("chat-1"))
        store.put("Pod", pod("chat-1", "6", labels=other))
        store.remove("Pod", pod("chat-1", "7", labels=other))
        assert [store.pods(key) for key in (KEY, ("prod", "other"))] == [[], []]

    def test_the_end_of_a_predecessor_leaves_the_successor(self, store: Store) -> None:
        store.put("Pod", pod("chat-1", "9", uid="u2"))
        store.remove("Pod", pod("chat-1", "6"))
        assert [found["metadata"]["uid"] for found in store.pods(KEY)] == ["u2"]

    def test_a_late_word_of_a_predecessor_does_not_replace_the_successor(self, store: Store) -> None:
        store.put("Pod", pod("chat-1", "9", uid="u2"))
        store.put("Pod", pod("chat-1", "6"))
        assert [found["metadata"]["uid"] for found in store.pods(KEY)] == ["u2"]

    def test_a_resource_without_any_has_none(self, store: Store) -> None:
        assert store.pods(("nowhere", "nothing")) == []

    def test_only_what_is_read_is_kept(self, store: Store) -> None:
        ready = {"type": "Ready", "status": "True"}
        full = pod("chat-1", managedFields=[{"manager": "kubelet"}])
        full["spec"] = {"containers": [{"name": "engine"}]}
        full["status"] = {"conditions": [ready], "podIP": "10.0.0.1", "hostIP": "10.1.0.1"}
        store.put("Pod", full)
        kept = {"conditions": [ready], "podIP": "10.0.0.1"}
        assert store.pods(KEY) == [{**pod("chat-1"), "spec": {}, "status": kept}]

    def test_of_the_containers_only_those_that_were_restarted_are_kept(self, store: Store) -> None:
        state = {"waiting": {"reason": "CrashLoopBackOff"}}
        crashing = {"name": "engine", "image": "vllm", "restartCount": 3, "state": state}
        calm = {"name": "proxy", "restartCount": 0, "state": {"running": {}}}
        full = pod("chat-1")
        full["status"] = {"containerStatuses": [calm, crashing], "initContainerStatuses": [calm]}
        store.put("Pod", full)
        assert store.pods(KEY)[0]["status"] == {
            "conditions": [],
            "containerStatuses": [{"restartCount": 3, "state": state}],
        }

    def test_one_without_a_status_has_no_conditions(self, store: Store) -> None:
        store.put("Pod", pod("chat-1"))
        assert store.pods(KEY)[0]["status"] == {"conditions": []}


class TestReplace:
    def test_a_list_is_the_truth_for_its_kind(self, store: Store) -> None:
        store.put("Deployment", child())
        store.put("Service", child(kind="Service"))
        store.put("Deployment", child(name="gone", labels={"specdecode.dev/name": "gone"}))
        assert store.replace("Deployment", [child("6")]) == {("prod", "gone")}
        assert [store.child(kind, KEY) is None for kind in ("Deployment", "Service")] == [False, False]
        assert store.child("Deployment", ("prod", "gone")) is None

    def test_what_is_newer_than_the_list_stays(self, store: Store) -> None:
        store.put("Deployment", child("9"))
        store.replace("Deployment", [child("6")])
        assert (store.child("Deployment", KEY) or {})["metadata"]["resourceVersion"] == "9"

    def test_pods_that_vanished_are_forgotten(self, store: Store) -> None:
        store.put("Pod", pod("chat-1"))
        store.put("Pod", pod("chat-2"))
        assert store.replace("Pod", [pod("chat-2")]) == {KEY}
        assert [found["metadata"]["name"] for found in store.pods(KEY)] == ["chat-2"]

    def test_an_empty_list_empties(self, store: Store) -> None:
        store.put("SpecDecodeDeployment", ours())
        assert (store.replace("SpecDecodeDeployment", []), list(store.keys())) == ({KEY}, [])

    def test_nothing_vanished_is_nothing(self, store: Store) -> None:
        assert store.replace("Deployment", [child()]) == set()
