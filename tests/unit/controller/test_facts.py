"""Unknown models on a claim: the first pods wait for what a Job reads, and never for long."""

import copy
import json
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.clients import Forbidden, Unavailable
from specdecode_operator.controller.facts import FactsJobs
from specdecode_operator.workload import FactsJobOptions
from support.configs import LLAMA_8B
from support.world import DEPLOYMENT, KEY, SERVICE, STATUS, World

JOB = ("apply", "Job")
SPEC: dict[str, Any] = {
    "model": {"name": "org/target", "storage": {"claim": "weights"}},
    "speculation": {"method": "NGram", "numSpeculativeTokens": 4},
    "resources": {"gpu": {"product": "H100"}},
    "engine": {"maxModelLen": 8192, "maxNumSeqs": 64},
}


class Reading(World):
    """A world whose administrator allows the Job."""

    def start(self) -> None:
        self.facts = FactsJobs(self.kubernetes, FactsJobOptions("registry/operator:1"))
        super().start()

    @property
    def job(self) -> dict[str, Any] | None:
        jobs = [body for name, body in self.kubernetes.objects.items() if name[0] == "Job"]
        return jobs[0] if jobs else None

    def clear(self) -> None:
        """The cluster removes the Job, which has ended a while ago, and its pod."""
        kept = {name: body for name, body in self.kubernetes.objects.items() if name[0] not in ("Job", "Pod")}
        self.kubernetes.objects = kept

    def end(self, message: str, code: int = 0, labels: dict[str, str] | None = None) -> None:
        """The Job's pod ends with a last word."""
        assert self.job is not None
        known = self.job["spec"]["template"]["metadata"]["labels"] | (labels or {})
        state = {"terminated": {"exitCode": code, "message": message}}
        pod = {
            "kind": "Pod",
            "metadata": {"namespace": "prod", "name": f"{self.job['metadata']['name']}-x", "labels": known},
            "status": {"phase": "Succeeded", "containerStatuses": [{"name": "facts", "state": state}]},
        }
        self.kubernetes.put(pod)

    def tell(self, name: str = "org/target", failure: str | None = None, **config: Any) -> None:
        """It has read a config.json."""
        text = json.dumps(LLAMA_8B | config)
        self.end(json.dumps({"models": [{"name": name, "config": text}], "failure": failure}))

    @property
    def found(self) -> tuple[bool, list[str], str | None]:
        facts = self.status.facts
        assert facts is not None
        return facts.finished, [model.name for model in facts.models], facts.failure

    def warnings(self) -> list[str]:
        return [] if self.status.plan is None else [warning.code for warning in self.status.plan.warnings]


@pytest.fixture
def world() -> Reading:
    return Reading(**SPEC)


class TestBefore:
    async def test_the_record_comes_first_then_the_job_and_no_pod_is_made(self, world: Reading) -> None:
        assert await world.reconcile() == 5.0
        assert world.kubernetes.writes() == [STATUS, JOB]
        assert (world.state("Reconciling")[:2], world.state("Ready")[0], world.state("Stalled")[0]) == (
            ("True", "ReadingModels"),
            "False",
            "False",
        )

    async def test_while_it_runs_nothing_is_written(self, world: Reading) -> None:
        await world.reconcile()
        world.kubernetes.writes()
        world.now += timedelta(seconds=5)
        assert (await world.reconcile(), world.kubernetes.writes()) == (5.0, [])

    async def test_a_process_killed_between_record_and_job_is_continued_by_the_next(self, world: Reading) -> None:
        world.kubernetes.failures[JOB] = Unavailable("killed here")
        await world.reconcile()
        world.kubernetes.failures.clear()
        world.start()
        await world.reconcile()
        assert world.job is not None

    async def test_a_job_that_exists_is_left_as_it_is(self, world: Reading) -> None:
        await world.reconcile()
        before = copy.deepcopy(world.job)
        world.start()
        assert (await world.reconcile(), world.job) == (5.0, before)

    @pytest.mark.parametrize(
        "changes",
        [
            {"model": {"name": "org/target"}},
            {"model": {"name": "org/target", "storage": {"hostPath": "/srv"}}},
            {"model": {"name": "meta-llama/Llama-3.1-8B-Instruct", "storage": {"claim": "weights"}}},
        ],
        ids=["hub", "host-path", "in-the-catalog"],
    )
    async def test_no_job_is_made_where_it_could_read_nothing_new(self, changes: dict[str, Any]) -> None:
        world = Reading(**SPEC | changes)
        assert (await world.reconcile(), world.job, world.status.facts) == (None, None, None)

    async def test_an_error_that_needs_no_facts_is_said_at_once(self) -> None:
        world = Reading(**SPEC | {"engine": {"extraArgs": ["--swap-space=4"]}})
        await world.reconcile()
        assert (world.job, world.state("Stalled")[:2]) == (None, ("True", "FlagRemoved"))

    async def test_without_the_administrator_no_job_is_made(self) -> None:
        world = World(**SPEC)
        assert (await world.reconcile(), world.kubernetes.writes()) == (None, [DEPLOYMENT, SERVICE, STATUS])

    async def test_pods_that_exist_are_not_held_up(self, world: Reading) -> None:
        await world.reconcile()
        world.tell()
        for _ in range(2):
            await world.reconcile()
        world.change(
            **SPEC | {"model": {"name": "org/other", "storage": {"claim": "weights"}, "servedName": "org/target"}}
        )
        world.kubernetes.writes()
        await world.reconcile()
        assert (JOB not in world.kubernetes.writes(), world.status.facts) == (True, None)


class TestAfter:
    async def test_what_was_read_is_kept_and_pods_are_made_with_a_memory_plan(self, world: Reading) -> None:
        await world.reconcile()
        world.tell()
        world.kubernetes.writes()
        assert (await world.reconcile(), world.kubernetes.writes()) == (0.0, [STATUS])
        assert (await world.reconcile(), world.kubernetes.writes()) == (None, [DEPLOYMENT, SERVICE, STATUS])
        assert world.found == (True, ["org/target"], None)
        assert world.status.plan is not None
        assert world.status.plan.memory is not None

    async def test_a_restart_reads_nothing_again(self, world: Reading) -> None:
        await world.reconcile()
        world.tell()
        await world.reconcile()
        world.start()
        world.clear()
        await world.reconcile()
        assert (world.job, world.found[0]) == (None, True)

    async def test_what_cannot_run_is_refused_by_what_was_read(self, world: Reading) -> None:
        await world.reconcile()
        world.tell(max_position_embeddings=4096)
        for _ in range(2):
            await world.reconcile()
        assert (world.state("Stalled")[:2], DEPLOYMENT in world.kubernetes.writes()) == (
            ("True", "ContextExceeded"),
            False,
        )

    async def test_the_engines_pods_are_no_answer_and_its_own_are_no_engines(self, world: Reading) -> None:
        await world.reconcile()
        world.tell()
        assert world.store.pods(KEY) == []

    async def test_a_pod_of_another_digest_is_not_heard(self, world: Reading) -> None:
        await world.reconcile()
        world.end("{}", labels={"specdecode.dev/facts-of-digest": "another"})
        assert await world.reconcile() == 5.0

    async def test_only_models_that_were_asked_for_are_taken(self, world: Reading) -> None:
        await world.reconcile()
        world.tell(name="org/stranger")
        await world.reconcile()
        assert world.found == (True, [], None)

    async def test_figures_that_cannot_be_read_count_as_none(self, world: Reading) -> None:
        await world.reconcile()
        world.tell(hidden_size=10**400)
        for _ in range(2):
            await world.reconcile()
        assert (world.found[0], world.status.plan, "failed" in world.outcomes()) == (True, None, False)


FAILURES = [
    ("", 137, "it ended with exit code 137:"),
    ("Error: no such command\n", 2, "it ended with exit code 2: Error: no such command"),
    ("{}" * 3000, 1, "it ended with exit code 1: {}{}{}"),
    ("\x1b[31mred\x00\n" * 9, 1, "it ended with exit code 1: [31mred [31mred"),
    ('{"models": [{"name": "org/target"}]}', 0, "it ended with exit code 0: "),
    ('{"failure": "config.json cannot be read: PermissionError"}', 0, "config.json cannot be read: PermissionError"),
]


class TestFailure:
    @pytest.mark.parametrize(("message", "code", "failure"), FAILURES)
    async def test_it_is_warned_of_and_pods_are_made_without_facts(
        self, world: Reading, message: str, code: int, failure: str
    ) -> None:
        await world.reconcile()
        world.end(message, code)
        for _ in range(3):
            await world.reconcile()
        finished, models, said = world.found
        assert (finished, models, world.warnings()) == (True, [], ["FactsJobFailed"])
        assert (said or "").startswith(failure)
        assert len(said or "") <= 200
        assert (world.variant, world.reasons()) == ("primary", ["FactsJobFailed"])

    async def test_after_the_deadline_pods_are_made_all_the_same(self, world: Reading) -> None:
        await world.reconcile()
        world.now += timedelta(seconds=120)
        assert await world.reconcile() == 0.0
        await world.reconcile()
        assert (world.found, world.variant) == ((True, [], "no answer within 120 seconds"), "primary")

    async def test_a_cluster_that_will_not_have_the_job_is_a_failure_at_once(self, world: Reading) -> None:
        world.kubernetes.failures[JOB] = Forbidden('jobs.batch is forbidden: exceeded quota "small"')
        assert await world.reconcile() == 0.0
        await world.reconcile()
        assert (world.found[2], world.variant) == (
            'it cannot be created: jobs.batch is forbidden: exceeded quota "small"',
            "primary",
        )

    async def test_the_failure_is_not_tried_again(self, world: Reading) -> None:
        await world.reconcile()
        world.end("", 1)
        for _ in range(3):
            await world.reconcile()
        world.kubernetes.writes()
        world.start()
        await world.reconcile()
        assert JOB not in world.kubernetes.writes()
