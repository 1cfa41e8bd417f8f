"""One resource from its caches to the cluster and back to its status, with an API server in memory."""

from dataclasses import replace
from datetime import timedelta

import pytest

from specdecode_operator.clients import Conflict, Forbidden, KubernetesError, NotFound, Rejected, Unavailable
from support.builders import ENFORCE
from support.world import DEPLOYMENT, KEY, OURS, SERVICE, STATUS, World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def enforcing() -> World:
    return World(**ENFORCE)


class TestFirstSight:
    async def test_the_children_are_made_and_the_status_is_written_once(self, world: World) -> None:
        """Nothing was decided, so nothing has to be recorded ahead."""
        assert await world.reconcile() is None
        assert world.kubernetes.writes() == [DEPLOYMENT, SERVICE, STATUS]

    async def test_the_second_time_nothing_is_written(self, world: World) -> None:
        await world.serving()
        await world.reconcile()
        assert world.kubernetes.writes() == []

    async def test_time_alone_changes_nothing(self, world: World) -> None:
        await world.serving()
        world.now += timedelta(days=7)
        await world.reconcile()
        assert world.kubernetes.writes() == []

    async def test_a_restart_changes_nothing(self, world: World) -> None:
        await world.serving()
        world.start()
        world.now += timedelta(minutes=1)
        await world.reconcile()
        assert STATUS not in world.kubernetes.writes()

    async def test_when_the_pods_are_ready_the_status_says_so(self, world: World) -> None:
        await world.reconcile()
        world.roll_out()
        await world.reconcile()
        assert (world.state("Ready")[0], world.state("Reconciling")[0], world.reasons()) == ("True", "False", ["Ready"])


class TestRemediation:
    async def test_the_decision_is_recorded_before_it_is_carried_out(self, enforcing: World) -> None:
        await enforcing.serving()
        enforcing.breach()
        await enforcing.reconcile()
        assert enforcing.kubernetes.writes() == [("rehearse", "Deployment"), STATUS, DEPLOYMENT]

    async def test_the_deployment_gets_the_next_rung(self, enforcing: World) -> None:
        await enforcing.serving()
        enforcing.breach()
        await enforcing.reconcile()
        labels = enforcing.kubernetes.objects["Deployment", *KEY]["metadata"]["labels"]
        assert (labels["specdecode.dev/variant"], enforcing.status.active_variant, enforcing.reasons()) == (
            "no-speculation",
            "no-speculation",
            ["RemediationStarted"],
        )

    async def test_the_same_breach_again_does_nothing(self, enforcing: World) -> None:
        await enforcing.serving()
        enforcing.breach()
        await enforcing.reconcile()
        enforcing.kubernetes.writes()
        await enforcing.reconcile()
        assert (
            [write for write in enforcing.kubernetes.writes() if write != STATUS],
            len(enforcing.status.decisions),
        ) == (
            [],
            1,
        )

    async def test_when_it_is_rolled_out_the_decision_is_completed(self, enforcing: World) -> None:
        await enforcing.serving()
        enforcing.breach()
        await enforcing.reconcile()
        enforcing.roll_out()
        await enforcing.reconcile()
        operation = enforcing.status.operation
        assert ([entry.outcome for entry in enforcing.status.decisions], operation and operation.phase) == (
            ["Completed"],
            "Verifying",
        )
        assert enforcing.reasons()[-1] == "RemediationCompleted"

    async def test_a_process_killed_between_record_and_roll_is_continued_by_the_next(self, enforcing: World) -> None:
        await enforcing.serving()
        enforcing.breach()
        enforcing.kubernetes.failures["apply", "Deployment"] = Unavailable("killed here")
        await enforcing.reconcile()
        enforcing.kubernetes.failures.clear()
        enforcing.start()
        await enforcing.reconcile()
        labels = enforcing.kubernetes.objects["Deployment", *KEY]["metadata"]["labels"]
        assert (labels["specdecode.dev/variant"], len(enforcing.status.decisions)) == ("no-speculation", 1)

    async def test_decisions_are_counted_by_their_outcome(self, enforcing: World) -> None:
        await enforcing.serving()
        enforcing.breach()
        await enforcing.reconcile()
        enforcing.roll_out()
        await enforcing.reconcile()
        labels = {"namespace": "prod", "name": "chat", "to": "no-speculation", "trigger": "Acceptance"}
        value = enforcing.metrics.registry.get_sample_value
        assert [
            value("specdecode_decisions_total", labels | {"outcome": outcome}) for outcome in ("Started", "Completed")
        ] == [1.0, 1.0]

    async def test_observe_writes_it_down_and_touches_no_pod(self, world: World) -> None:
        await world.serving()
        world.breach()
        for _ in range(3):
            await world.reconcile()
        assert (world.kubernetes.writes(), world.reasons()) == ([STATUS], ["RemediationSuggested"])

    async def test_a_lost_status_is_adopted_from_the_deployment(self, enforcing: World) -> None:
        await enforcing.serving()
        enforcing.breach()
        await enforcing.reconcile()
        enforcing.roll_out()
        restored = {**enforcing.kubernetes.objects[OURS, *KEY], "status": {}}
        enforcing.store.put(OURS, enforcing.kubernetes.put(restored))
        enforcing.start()
        enforcing.kubernetes.writes()
        await enforcing.reconcile()
        assert (enforcing.status.active_variant, DEPLOYMENT in enforcing.kubernetes.writes()) == (
            "no-speculation",
            False,
        )

    async def test_a_status_of_a_later_operator_is_adopted_from_the_deployment(self, enforcing: World) -> None:
        await enforcing.serving()
        enforcing.breach()
        await enforcing.reconcile()
        enforcing.roll_out()
        live = enforcing.kubernetes.objects[OURS, *KEY]
        later = live["status"]["decisions"][0] | {"outcome": "Promoted"}
        status = live["status"] | {"decisions": [later]}
        enforcing.store.put(OURS, enforcing.kubernetes.put(live | {"status": status}))
        await enforcing.reconcile()
        assert (enforcing.status.active_variant, "failed" in enforcing.outcomes()) == ("no-speculation", False)

    async def test_a_changed_primary_starts_anew(self, enforcing: World) -> None:
        await enforcing.serving()
        enforcing.breach()
        await enforcing.reconcile()
        enforcing.change(engine={"maxNumSeqs": 64}, **ENFORCE)
        await enforcing.reconcile()
        assert (enforcing.status.active_variant, [entry.outcome for entry in enforcing.status.decisions]) == (
            "primary",
            ["Superseded"],
        )


class TestReversal:
    """The pods of the rung that was decided crash."""

    async def failing(self, world: World) -> None:
        await world.serving()
        world.breach()
        await world.reconcile()
        world.crash()
        world.kubernetes.writes()
        world.kubernetes.events.clear()

    async def test_it_is_recorded_before_it_is_carried_out(self, enforcing: World) -> None:
        await self.failing(enforcing)
        await enforcing.reconcile()
        assert enforcing.kubernetes.writes() == [("rehearse", "Deployment"), STATUS, DEPLOYMENT]
        assert (enforcing.variant, enforcing.status.active_variant, enforcing.reasons()) == (
            "primary",
            "primary",
            ["RemediationReverted"],
        )

    @pytest.mark.parametrize("place", [STATUS, DEPLOYMENT], ids=["before-the-record", "before-the-roll"])
    async def test_a_process_killed_at_any_point_is_continued_by_the_next(
        self, enforcing: World, place: tuple[str, str]
    ) -> None:
        await self.failing(enforcing)
        enforcing.kubernetes.failures[place] = Unavailable("killed here")
        await enforcing.reconcile()
        enforcing.kubernetes.failures.clear()
        enforcing.start()
        await enforcing.reconcile()
        assert (enforcing.variant, enforcing.status.reversals) == ("primary", 1)
        assert [entry.outcome for entry in enforcing.status.decisions] == ["Reverted", "Started"]

    async def test_at_its_end_nothing_is_stalled(self, enforcing: World) -> None:
        await self.failing(enforcing)
        await enforcing.reconcile()
        enforcing.roll_out()
        await enforcing.reconcile()
        assert [enforcing.state(kind)[0] for kind in ("Ready", "Reconciling", "Stalled")] == ["True", "False", "False"]
        assert [entry.outcome for entry in enforcing.status.decisions] == ["Reverted", "Completed"]

    async def test_time_alone_wakes_it_while_a_roll_is_under_way_or_being_verified(self, enforcing: World) -> None:
        await enforcing.serving()
        enforcing.breach()
        assert await enforcing.reconcile() == 31 * 60.0
        enforcing.roll_out()
        assert await enforcing.reconcile() == 31 * 60.0
        enforcing.now += timedelta(minutes=32)
        assert await enforcing.reconcile() is None

    async def test_a_frozen_resource_is_thawed_by_the_annotation(self, enforcing: World) -> None:
        await self.failing(enforcing)
        await enforcing.reconcile()
        enforcing.crash()
        await enforcing.reconcile()
        frozen = enforcing.status.frozen
        assert frozen is not None
        assert enforcing.state("RemediationBlocked")[:2] == ("True", "Frozen")
        assert enforcing.frozen() == 1.0
        assert enforcing.reasons() == ["RemediationReverted", "RemediationFailed", "Frozen"]
        enforcing.annotate({"specdecode.dev/unfreeze": frozen.id})
        await enforcing.reconcile()
        assert (enforcing.status.frozen, enforcing.frozen()) == (None, 0.0)
        assert enforcing.reasons()[-1] == "RemediationUnfrozen"


class TestProblems:
    async def test_a_spec_that_cannot_be_read_stalls_and_leaves_the_pods(self, world: World) -> None:
        await world.serving()
        world.change(model={})
        assert await world.reconcile() is None
        assert world.state("Stalled") == ("True", "InvalidSpec", "spec.model.name: Field required")
        assert (world.state("Ready")[0], world.kubernetes.writes()) == ("True", [STATUS])

    async def test_a_spec_that_vllm_cannot_run_stalls_and_leaves_the_pods(self, world: World) -> None:
        await world.serving()
        world.change(speculation={"method": "Suffix", "config": {"method": "x"}})
        assert await world.reconcile() is None
        assert world.state("Stalled") == (
            "True",
            "ConfigKeyHasField",
            "speculation.config.method: it has a field of its own; use speculation.method",
        )
        assert (world.status.active_variant, world.kubernetes.writes()) == ("primary", [STATUS])

    async def test_a_pod_template_that_cannot_be_merged_stalls(self, world: World) -> None:
        world.change(podTemplate={"spec": {"containers": [{"image": "x"}]}})
        await world.reconcile()
        assert world.state("Stalled")[:2] == ("True", "InvalidSpec")

    async def test_a_change_that_the_api_server_will_not_have_is_found_before_it_is_recorded(
        self, world: World
    ) -> None:
        await world.serving()
        before = world.status
        world.kubernetes.failures["rehearse", "Deployment"] = Rejected("spec.template: Invalid value")
        world.change(podTemplate={"spec": {"nodeSelector": {"a": "b"}}})
        assert await world.reconcile() == 60.0
        assert world.state("Stalled") == ("True", "Rejected", "spec.template: Invalid value")
        assert (world.status.variant_hash, DEPLOYMENT in world.kubernetes.writes()) == (before.variant_hash, False)

    @pytest.mark.parametrize(
        ("error", "reason"),
        [(Rejected("is invalid"), "Rejected"), (Forbidden("exceeded quota"), "Forbidden")],
    )
    async def test_a_child_that_is_refused_stalls_and_is_tried_again(
        self, world: World, error: KubernetesError, reason: str
    ) -> None:
        world.kubernetes.failures["apply", "Service"] = error
        assert await world.reconcile() == 60.0
        assert world.state("Stalled") == ("True", reason, str(error))

    async def test_an_object_of_somebody_else_stalls(self, world: World) -> None:
        world.kubernetes.put({"kind": "Service", "metadata": {"name": "chat", "namespace": "prod"}})
        assert await world.reconcile() == 60.0
        assert world.state("Stalled")[:2] == ("True", "NameTaken")

    async def test_a_problem_that_lasts_is_written_once(self, world: World) -> None:
        await world.serving()
        world.change(replicas=2)
        world.kubernetes.failures["apply", "PodDisruptionBudget"] = Forbidden("exceeded quota")
        await world.reconcile()
        world.roll_out()
        await world.reconcile()
        world.kubernetes.writes()
        for _ in range(3):
            await world.reconcile()
        assert world.kubernetes.writes() == [("apply", "PodDisruptionBudget")] * 3

    async def test_a_problem_that_is_gone_is_gone_from_the_status(self, world: World) -> None:
        world.kubernetes.failures["apply", "Service"] = Forbidden("exceeded quota")
        await world.reconcile()
        world.kubernetes.failures.clear()
        assert await world.reconcile() is None
        assert world.state("Stalled")[:2] == ("False", "Progressing")

    async def test_a_long_sentence_stalls_like_a_short_one(self) -> None:
        world = World(speculation={"method": "Suffix", "config": {"k" * 2000: 1}})
        await world.reconcile()
        assert (world.outcomes(), world.state("Stalled")[:2]) == ({"done": 1.0}, ("True", "ConfigKeyUnknown"))


class TestEdge:
    @pytest.mark.parametrize(
        ("error", "outcome", "pause"),
        [
            (Conflict("changed"), "stale", 1.0),
            (Unavailable("timeout"), "unavailable", 5.0),
            (NotFound("the namespace is gone"), "refused", 60.0),
            (Forbidden("no right"), "refused", 60.0),
            (Rejected("status: too long"), "refused", 60.0),
        ],
    )
    async def test_an_error_becomes_an_outcome_and_a_pause(
        self, world: World, error: KubernetesError, outcome: str, pause: float
    ) -> None:
        world.kubernetes.failures["status", OURS] = error
        assert (await world.reconcile(), world.outcomes()) == (pause, {outcome: 1.0})

    async def test_a_fault_of_our_own_stops_neither_the_queue_nor_the_process(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(world.evaluator, "judgement", lambda _: 1 / 0)
        assert (await world.reconcile(), world.outcomes()) == (60.0, {"failed": 1.0})

    async def test_of_two_operators_the_one_with_the_older_view_writes_nothing(self, world: World) -> None:
        await world.serving()
        world.breach()
        world.kubernetes.put(world.kubernetes.objects[OURS, *KEY])
        assert (await world.reconcile(), world.outcomes()["stale"]) == (1.0, 1.0)
        assert world.kubernetes.writes() == [STATUS]

    async def test_outcomes_are_counted(self, world: World) -> None:
        for _ in range(3):
            await world.reconcile()
        assert world.outcomes() == {"done": 3.0}

    async def test_events_that_cannot_be_posted_stop_nothing(self, world: World) -> None:
        world.kubernetes.failures["create", "Event"] = Forbidden("no right")
        await world.serving()
        assert world.state("Ready")[0] == "True"


class TestEnd:
    async def test_a_resource_that_is_gone_is_forgotten(self, world: World) -> None:
        await world.serving()
        world.breach()
        world.store.remove(OURS, world.kubernetes.objects[OURS, *KEY])
        assert (await world.reconcile(), world.evaluator.judgement(KEY), world.kubernetes.writes()) == (None, None, [])

    async def test_one_that_is_being_deleted_is_left_alone(self, world: World) -> None:
        live = world.kubernetes.objects[OURS, *KEY]
        metadata = live["metadata"] | {"deletionTimestamp": "2026-03-01T12:00:00Z"}
        world.store.put(OURS, world.kubernetes.put(live | {"metadata": metadata}))
        assert (await world.reconcile(), world.kubernetes.writes()) == (None, [])

    async def test_one_that_was_never_seen_is_nothing(self, world: World) -> None:
        assert await world.reconciler(("nowhere", "nothing")) is None


async def test_a_judgement_of_another_variant_is_not_acted_upon(enforcing: World) -> None:
    await enforcing.serving()
    enforcing.breach()
    judged = enforcing.evaluator._judgements[KEY]
    enforcing.evaluator._judgements[KEY] = replace(judged, variant_hash="another")
    await enforcing.reconcile()
    assert (enforcing.status.active_variant, enforcing.status.decisions) == ("primary", [])
