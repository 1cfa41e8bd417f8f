"""Which children there are, who owns them, and how their pods are rolled."""

from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment
from specdecode_operator.policy import ladder
from specdecode_operator.workload import Layout, children
from support.builders import resource

Manifest = dict[str, Any]


def rendered(found: SpecDecodeDeployment, variant: str = "primary", *, replace: bool = False) -> dict[str, Manifest]:
    rungs = ladder(found.spec)
    chosen = rungs.find(variant)
    assert chosen is not None
    made = children(found, Layout(chosen, rungs.primary.hash, replace=replace))
    return {child["kind"]: child for child in made}


@pytest.mark.parametrize(
    ("replicas", "kinds"),
    [
        (0, ["Deployment", "Service"]),
        (1, ["Deployment", "Service"]),
        (2, ["Deployment", "Service", "PodDisruptionBudget"]),
        (1000, ["Deployment", "Service", "PodDisruptionBudget"]),
    ],
)
def test_a_disruption_budget_makes_sense_from_two_replicas_on(replicas: int, kinds: list[str]) -> None:
    assert list(rendered(resource(replicas=replicas))) == kinds


def test_every_child_bears_the_name_of_the_resource() -> None:
    found = rendered(resource("chat", replicas=2))
    assert {(child["metadata"]["namespace"], child["metadata"]["name"]) for child in found.values()} == {
        ("prod", "chat")
    }


def test_every_child_is_owned_and_controlled() -> None:
    owner = {
        "apiVersion": "specdecode.dev/v1alpha1",
        "kind": "SpecDecodeDeployment",
        "name": "chat",
        "uid": "u1",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    found = rendered(resource(metadata={"uid": "u1"}, replicas=2))
    assert [child["metadata"]["ownerReferences"] for child in found.values()] == [[owner]] * 3


def test_a_resource_from_a_file_owns_nothing() -> None:
    assert all("ownerReferences" not in child["metadata"] for child in rendered(resource(replicas=2)).values())


def test_the_selectors_find_the_pods() -> None:
    found = rendered(resource(replicas=2))
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels for selector in selectors)


def test_the_selector_of_the_deployment_is_the_same_for_every_variant() -> None:
    found = resource(engine={"maxNumSeqs": 8}, replicas=7)
    selectors = [
        rendered(each, name)["Deployment"]["spec"]["selector"]
        for each in (resource(), found)
        for name in ("primary", "no-speculation")
    ]
    assert selectors == [{"matchLabels": {"specdecode.dev/name": "chat", "specdecode.dev/role": "stable"}}] * 4


def test_the_deployment_names_the_variant_and_its_pods_carry_the_hash_alone() -> None:
    """A new name alone is no reason to roll."""
    found = resource()
    chosen = ladder(found.spec).rungs[1]
    deployment = rendered(found, "no-speculation")["Deployment"]
    shown = [
        {name: value for name, value in labels.items() if name.startswith("specdecode.dev/variant")}
        for labels in (deployment["metadata"]["labels"], deployment["spec"]["template"]["metadata"]["labels"])
    ]
    assert shown == [
        {"specdecode.dev/variant": "no-speculation", "specdecode.dev/variant-hash": chosen.hash},
        {"specdecode.dev/variant-hash": chosen.hash},
    ]


def test_the_hash_of_the_primary_is_kept_for_adoption() -> None:
    found = resource()
    primary = ladder(found.spec).primary.hash
    annotations = [
        rendered(found, name)["Deployment"]["metadata"]["annotations"] for name in ("primary", "no-speculation")
    ]
    assert annotations == [{"specdecode.dev/primary-hash": primary}] * 2


@pytest.mark.parametrize(
    ("replace", "rolling"),
    [(False, {"maxSurge": 1, "maxUnavailable": 0}), (True, {"maxSurge": 0, "maxUnavailable": 1})],
)
def test_pods_surge_or_are_replaced_one_at_a_time(*, replace: bool, rolling: dict[str, int]) -> None:
    strategy = rendered(resource(replicas=4), replace=replace)["Deployment"]["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": rolling}


@pytest.mark.parametrize(("timeout", "deadline"), [("30m", 1860), ("90s", 150), ("2h", 7260)])
def test_the_deployment_waits_a_minute_longer_than_a_pod_may_take(timeout: str, deadline: int) -> None:
    found = rendered(resource(rollout={"readyTimeout": timeout}))["Deployment"]
    assert found["spec"]["progressDeadlineSeconds"] == deadline


def test_the_service_is_the_same_for_every_variant() -> None:
    assert rendered(resource())["Service"] == rendered(resource(), "no-speculation")["Service"]


def test_rendering_twice_gives_the_same() -> None:
    found = resource(replicas=2, podTemplate={"metadata": {"labels": {"team": "a"}}})
    assert rendered(found) == rendered(found)


class TestTrial:
    """One pod of another variant beside the stable ones."""

    @staticmethod
    def both(spared: int = 0, **spec: Any) -> tuple[Manifest, Manifest]:
        """Return the stable Deployment and that of the trial."""
        found = resource(**({"replicas": 3} | spec))
        primary, off = ladder(found.spec).rungs
        made = children(found, Layout(primary, primary.hash, trial=off, spared=spared))
        assert [child["kind"] for child in made] == ["Deployment", "Service", "PodDisruptionBudget", "Deployment"]
        return made[0], made[3]

    def test_it_has_a_name_a_role_and_a_selector_of_its_own(self) -> None:
        stable, trial = self.both()
        assert (trial["metadata"]["name"], trial["metadata"]["labels"]["specdecode.dev/role"]) == (
            "chat-trial",
            "trial",
        )
        selectors = [each["spec"]["selector"]["matchLabels"] for each in (stable, trial)]
        labels = [each["spec"]["template"]["metadata"]["labels"] for each in (stable, trial)]
        matches = [[selector.items() <= label.items() for label in labels] for selector in selectors]
        assert matches == [[True, False], [False, True]]

    def test_the_service_and_the_budget_cover_both_roles(self) -> None:
        _, trial = self.both()
        labels = trial["spec"]["template"]["metadata"]["labels"].items()
        found = rendered(resource(replicas=3))
        assert found["Service"]["spec"]["selector"].items() <= labels
        assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"].items() <= labels

    def test_it_is_one_pod_that_runs_the_candidate_exactly_as_a_roll_would(self) -> None:
        _, trial = self.both()
        rolled = rendered(resource(replicas=3), "no-speculation")["Deployment"]
        assert trial["spec"]["replicas"] == 1
        assert trial["spec"]["template"]["spec"] == rolled["spec"]["template"]["spec"]

    @pytest.mark.parametrize(("spared", "replicas"), [(0, 3), (1, 2)])
    def test_stable_pods_make_room_for_it(self, spared: int, replicas: int) -> None:
        stable, _ = self.both(spared)
        assert stable["spec"]["replicas"] == replicas

    def test_the_pods_beside_it_do_not_roll(self) -> None:
        stable, _ = self.both()
        alone = rendered(resource(replicas=3))["Deployment"]
        assert stable == alone

    def test_it_is_owned_like_every_child(self) -> None:
        stable, trial = self.both(metadata={"uid": "u1"})
        assert trial["metadata"]["ownerReferences"] == stable["metadata"]["ownerReferences"]
