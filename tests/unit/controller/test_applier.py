"""Children to the API server: only what differs, and only what is ours."""

import copy
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment
from specdecode_operator.clients import Forbidden, Manifest, Rejected, type_of
from specdecode_operator.controller.applier import Applier, NotOurs, stamped
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.store import CHILD_KINDS, Store
from specdecode_operator.policy import ladder
from specdecode_operator.workload import Layout, children
from support.builders import resource
from support.fake_kubernetes import FakeKubernetes

KEY = ("prod", "chat")


def ours(**spec: Any) -> SpecDecodeDeployment:
    return resource(metadata={"uid": "owner"}, **spec)


def rendered(found: SpecDecodeDeployment) -> list[Manifest]:
    primary = ladder(found.spec).primary
    return children(found, Layout(primary, primary.hash))


class Cluster:
    """An API server, the operator's cache of it, and the applier."""

    def __init__(self) -> None:
        self.kubernetes = FakeKubernetes()
        self.store = Store()
        self.metrics = Metrics()
        self.applier = self.restarted()

    def restarted(self) -> Applier:
        """Return the applier of a new process: what the last one remembered is lost."""
        self.applier = Applier(self.kubernetes, self.store, self.metrics)
        return self.applier

    async def bring(self, found: SpecDecodeDeployment) -> list[tuple[str, str]]:
        """Apply the children of `found` and return what was written."""
        await self.applier.apply(found, rendered(found))
        return self.kubernetes.writes()

    def drift(self, kind: str, change: Manifest) -> None:
        """Somebody changes fields of a child, and the watch shows it."""
        live = copy.deepcopy(self.kubernetes.objects[kind, *KEY])
        node: Any
        for path, value in change.items():
            *parents, last = path.split(".")
            node = live
            for parent in parents:
                node = node[int(parent)] if isinstance(node, list) else node[parent]
            node[last] = value
        self.store.put(kind, self.kubernetes.put(live))


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


ALL = [("apply", "Deployment"), ("apply", "Service"), ("apply", "PodDisruptionBudget")]


class TestApply:
    async def test_everything_is_made_in_its_order(self, cluster: Cluster) -> None:
        assert await cluster.bring(ours(replicas=2)) == ALL

    async def test_nobody_is_asked_whether_the_names_are_free(self, cluster: Cluster) -> None:
        await cluster.bring(ours(replicas=2))
        assert cluster.kubernetes.got == []

    async def test_a_child_of_ours_that_the_cache_lacks_is_brought_to_the_spec(self, cluster: Cluster) -> None:
        await cluster.bring(ours(replicas=2))
        cluster.store.remove("Deployment", cluster.kubernetes.objects["Deployment", *KEY])
        await cluster.bring(ours(replicas=3))
        assert cluster.kubernetes.got == ["Deployment"]
        assert cluster.kubernetes.objects["Deployment", *KEY]["spec"]["replicas"] == 3

    async def test_a_name_that_was_given_up_meanwhile_is_taken(self, cluster: Cluster) -> None:
        cluster.kubernetes.put({"kind": "Service", "metadata": {"name": "chat", "namespace": "prod"}, "spec": {}})
        with pytest.raises(NotOurs):
            await cluster.bring(ours())
        del cluster.kubernetes.objects["Service", *KEY]
        await cluster.bring(ours())
        assert cluster.store.child("Service", KEY) == cluster.kubernetes.objects["Service", *KEY]

    async def test_what_a_write_returns_is_in_the_cache_at_once(self, cluster: Cluster) -> None:
        await cluster.bring(ours())
        assert cluster.store.child("Deployment", KEY) == cluster.kubernetes.objects["Deployment", *KEY]

    async def test_the_second_time_nothing_is_written(self, cluster: Cluster) -> None:
        await cluster.bring(ours(replicas=2))
        assert await cluster.bring(ours(replicas=2)) == []

    async def test_after_a_restart_nothing_is_written_where_nothing_was_completed(self, cluster: Cluster) -> None:
        await cluster.bring(ours())
        cluster.restarted()
        assert ("apply", "PodDisruptionBudget") not in await cluster.bring(ours())

    async def test_after_a_restart_a_child_is_applied_at_most_once(self, cluster: Cluster) -> None:
        await cluster.bring(ours(replicas=2))
        cluster.restarted()
        await cluster.bring(ours(replicas=2))
        assert await cluster.bring(ours(replicas=2)) == []

    async def test_after_a_restart_nothing_is_written_where_the_lists_show_it_equal(self, cluster: Cluster) -> None:
        await cluster.bring(ours(replicas=2))
        cluster.store = Store()
        for kind in CHILD_KINDS:
            listed = await cluster.kubernetes.list(kind)
            cluster.store.replace(kind, [{**type_of(kind), **item} for item in listed])
        cluster.restarted()
        assert await cluster.bring(ours(replicas=2)) == []

    async def test_what_is_forgotten_is_that_of_one_resource(self, cluster: Cluster) -> None:
        await cluster.bring(ours(replicas=2))
        code = resource("code", metadata={"uid": "owner"})
        await cluster.bring(code)
        cluster.applier.forget(KEY)
        assert set(cluster.applier._applied) == {("Deployment", code.key), ("Service", code.key)}

    async def test_only_what_changed_is_written(self, cluster: Cluster) -> None:
        await cluster.bring(ours(replicas=2))
        assert await cluster.bring(ours(replicas=3)) == [("apply", "Deployment")]

    async def test_writes_are_counted(self, cluster: Cluster) -> None:
        await cluster.bring(ours())
        value = cluster.metrics.registry.get_sample_value
        assert value("specdecode_api_writes_total", {"kind": "Deployment", "verb": "apply"}) == 1.0


class TestDrift:
    @pytest.mark.parametrize(
        ("kind", "change"),
        [
            ("Deployment", {"spec.replicas": 9}),
            ("Deployment", {"spec.template.spec.containers.0.image": "evil"}),
            ("Deployment", {"spec.template.spec.containers.0.args": ["--model", "evil"]}),
            ("Deployment", {"metadata.labels": {"specdecode.dev/name": "chat"}}),
            ("Service", {"spec.selector": {"app": "evil"}}),
            ("Service", {"spec.ports": []}),
            ("PodDisruptionBudget", {"spec.maxUnavailable": 5}),
        ],
    )
    async def test_a_field_of_ours_is_set_back(self, cluster: Cluster, kind: str, change: Manifest) -> None:
        await cluster.bring(ours(replicas=2))
        cluster.drift(kind, change)
        assert await cluster.bring(ours(replicas=2)) == [("apply", kind)]
        assert await cluster.bring(ours(replicas=2)) == []

    @pytest.mark.parametrize(
        ("kind", "change"),
        [
            ("Deployment", {"status": {"replicas": 2}}),
            ("Deployment", {"metadata.finalizers": ["example.com/x"]}),
            ("Deployment", {"spec.paused": True}),
            ("Deployment", {"spec.template.spec.schedulerName": "default-scheduler"}),
            ("Deployment", {"spec.template.spec.containers.0.terminationMessagePath": "/dev/termination-log"}),
            ("Service", {"spec.sessionAffinity": "None"}),
            ("Service", {"spec.ports.0.nodePort": 30000}),
        ],
    )
    async def test_a_field_of_others_is_left_alone(self, cluster: Cluster, kind: str, change: Manifest) -> None:
        await cluster.bring(ours(replicas=2))
        cluster.drift(kind, change)
        assert await cluster.bring(ours(replicas=2)) == []

    async def test_it_is_set_back_again_after_a_pass_that_found_nothing(self, cluster: Cluster) -> None:
        for _ in range(3):
            await cluster.bring(ours(replicas=2))
            assert await cluster.bring(ours(replicas=2)) == []
            cluster.drift("Deployment", {"spec.replicas": 9})
            assert await cluster.bring(ours(replicas=2)) == [("apply", "Deployment")]

    async def test_a_sidecar_of_others_is_left_alone(self, cluster: Cluster) -> None:
        await cluster.bring(ours())
        live = cluster.kubernetes.objects["Deployment", *KEY]
        containers = live["spec"]["template"]["spec"]["containers"]
        cluster.drift("Deployment", {"spec.template.spec.containers": [{"name": "mesh", "image": "m"}, *containers]})
        assert await cluster.bring(ours()) == []

    async def test_a_child_that_was_deleted_comes_back(self, cluster: Cluster) -> None:
        await cluster.bring(ours())
        cluster.store.remove("Service", cluster.kubernetes.objects.pop(("Service", *KEY)))
        assert await cluster.bring(ours()) == [("apply", "Service")]


FOREIGN: list[dict[str, Any]] = [
    {},
    {"ownerReferences": None},
    {"ownerReferences": []},
    {"ownerReferences": [{"uid": "another", "controller": True, "kind": "Rollout", "name": "x"}]},
    {"ownerReferences": [{"uid": "owner", "controller": False, "kind": "SpecDecodeDeployment", "name": "chat"}]},
    {"ownerReferences": [{"uid": "owner", "kind": "SpecDecodeDeployment", "name": "chat"}]},
]


class TestForeign:
    @pytest.mark.parametrize("metadata", FOREIGN)
    async def test_an_object_of_somebody_else_is_left_alone(self, cluster: Cluster, metadata: dict[str, Any]) -> None:
        foreign = {"kind": "Service", "metadata": {"name": "chat", "namespace": "prod"} | metadata, "spec": {"x": 1}}
        before = cluster.kubernetes.put(foreign)
        with pytest.raises(NotOurs) as caught:
            await cluster.bring(ours())
        assert str(caught.value) == (
            "a Service called chat exists and belongs to somebody else; delete it or rename this resource"
        )
        assert cluster.kubernetes.objects["Service", *KEY] == before

    async def test_it_costs_one_attempt_and_then_only_reads(self, cluster: Cluster) -> None:
        cluster.kubernetes.put({"kind": "Deployment", "metadata": {"name": "chat", "namespace": "prod"}, "spec": {}})
        for _ in range(3):
            with pytest.raises(NotOurs):
                await cluster.bring(ours())
        assert (cluster.kubernetes.writes(), cluster.kubernetes.got) == ([("apply", "Deployment")], ["Deployment"] * 3)

    async def test_a_resource_that_is_made_anew_tries_anew(self, cluster: Cluster) -> None:
        cluster.kubernetes.put({"kind": "Deployment", "metadata": {"name": "chat", "namespace": "prod"}, "spec": {}})
        for _ in range(2):
            cluster.applier.forget(KEY)
            with pytest.raises(NotOurs):
                await cluster.bring(ours())
        assert cluster.kubernetes.writes() == [("apply", "Deployment")] * 2

    async def test_it_is_left_alone_when_it_bears_our_label_too(self, cluster: Cluster) -> None:
        labels = {"specdecode.dev/name": "chat"}
        foreign = {
            "kind": "Deployment",
            "metadata": {"name": "chat", "namespace": "prod", "labels": labels},
            "spec": {},
        }
        cluster.store.put("Deployment", cluster.kubernetes.put(foreign))
        with pytest.raises(NotOurs):
            await cluster.bring(ours())
        assert cluster.kubernetes.writes() == []

    async def test_one_is_not_pruned(self, cluster: Cluster) -> None:
        labels = {"specdecode.dev/name": "chat"}
        metadata = {"name": "chat", "namespace": "prod", "labels": labels}
        cluster.store.put(
            "PodDisruptionBudget", cluster.kubernetes.put({"kind": "PodDisruptionBudget", "metadata": metadata})
        )
        assert ("delete", "PodDisruptionBudget") not in await cluster.bring(ours(replicas=1))


class TestPrune:
    async def test_a_child_that_is_no_longer_needed_goes(self, cluster: Cluster) -> None:
        await cluster.bring(ours(replicas=2))
        assert await cluster.bring(ours(replicas=1)) == [("apply", "Deployment"), ("delete", "PodDisruptionBudget")]
        assert cluster.store.child("PodDisruptionBudget", KEY) is None

    async def test_once(self, cluster: Cluster) -> None:
        await cluster.bring(ours(replicas=2))
        await cluster.bring(ours(replicas=1))
        assert await cluster.bring(ours(replicas=1)) == []

    async def test_and_comes_back_when_it_is_needed_again(self, cluster: Cluster) -> None:
        for replicas in (2, 1):
            await cluster.bring(ours(replicas=replicas))
        assert ("apply", "PodDisruptionBudget") in await cluster.bring(ours(replicas=2))


class TestErrors:
    async def test_a_deployment_that_is_refused_leaves_the_others_as_they_were(self, cluster: Cluster) -> None:
        cluster.kubernetes.failures["apply", "Deployment"] = Rejected("no")
        with pytest.raises(Rejected, match=r"^no$"):
            await cluster.bring(ours())
        assert cluster.kubernetes.writes() == [("apply", "Deployment")]

    async def test_after_a_failure_the_next_time_goes_on(self, cluster: Cluster) -> None:
        cluster.kubernetes.failures["apply", "Service"] = Forbidden("quota")
        with pytest.raises(Forbidden):
            await cluster.bring(ours())
        cluster.kubernetes.failures.clear()
        cluster.kubernetes.writes()
        assert await cluster.bring(ours()) == [("apply", "Service")]


class TestRehearsal:
    async def test_a_change_is_judged_by_the_server_and_not_kept(self, cluster: Cluster) -> None:
        await cluster.bring(ours())
        before = copy.deepcopy(cluster.kubernetes.objects)
        await cluster.applier.rehearse(rendered(ours(replicas=5))[0])
        assert (cluster.kubernetes.writes(), cluster.kubernetes.objects) == ([("rehearse", "Deployment")], before)

    async def test_without_a_change_nobody_is_asked(self, cluster: Cluster) -> None:
        await cluster.bring(ours())
        await cluster.applier.rehearse(rendered(ours())[0])
        assert cluster.kubernetes.writes() == []

    async def test_one_that_does_not_exist_is_judged_too(self, cluster: Cluster) -> None:
        await cluster.applier.rehearse(rendered(ours())[0])
        assert (cluster.kubernetes.writes(), cluster.kubernetes.objects) == ([("rehearse", "Deployment")], {})


class TestStamp:
    def test_the_same_children_have_the_same_digest(self) -> None:
        assert [stamped(child) for child in rendered(ours())] == [stamped(child) for child in rendered(ours())]

    def test_a_change_changes_it(self) -> None:
        digests = {
            stamped(rendered(found)[0])["metadata"]["annotations"]["specdecode.dev/rendered"]
            for found in (ours(), ours(replicas=2))
        }
        assert len(digests) == 2

    def test_other_annotations_stay(self) -> None:
        child = rendered(ours())[0]
        found = stamped(child)["metadata"]["annotations"]
        assert found == child["metadata"]["annotations"] | {"specdecode.dev/rendered": found["specdecode.dev/rendered"]}


class TestTrial:
    @staticmethod
    def trying(found: SpecDecodeDeployment) -> list[Manifest]:
        primary, off = ladder(found.spec).rungs
        return children(found, Layout(primary, primary.hash, trial=off))

    async def test_a_trial_is_made_beside_the_others_and_leaves_with_its_trial(self, cluster: Cluster) -> None:
        await cluster.bring(ours())
        await cluster.applier.apply(ours(), self.trying(ours()))
        assert cluster.kubernetes.writes() == [("apply", "Deployment")]
        assert ("Deployment", "prod", "chat-trial") in cluster.kubernetes.objects
        assert await cluster.bring(ours()) == [("delete", "Deployment")]
        assert ("Deployment", "prod", "chat-trial") not in cluster.kubernetes.objects

    async def test_after_a_restart_it_is_still_taken_away(self, cluster: Cluster) -> None:
        await cluster.applier.apply(ours(), self.trying(ours()))
        cluster.kubernetes.writes()
        cluster.restarted()
        assert ("delete", "Deployment") in await cluster.bring(ours())

    async def test_one_of_somebody_else_is_neither_used_nor_deleted(self, cluster: Cluster) -> None:
        theirs = {"kind": "Deployment", "metadata": {"name": "chat-trial", "namespace": "prod"}, "spec": {}}
        cluster.store.put("Deployment", cluster.kubernetes.put(theirs))
        with pytest.raises(NotOurs, match="chat-trial"):
            await cluster.applier.apply(ours(), self.trying(ours()))
        await cluster.bring(ours())
        assert ("Deployment", "prod", "chat-trial") in cluster.kubernetes.objects

    async def test_what_is_remembered_of_it_is_forgotten_with_its_resource(self, cluster: Cluster) -> None:
        await cluster.applier.apply(ours(), self.trying(ours()))
        cluster.applier.forget(KEY)
        assert (cluster.applier._applied, cluster.applier._equal) == ({}, {})
