"""The way of the data for one resource: gather, decide, render, record, apply.

Who called is unknown here. A decision of the operator is recorded in the status, under the resourceVersion it was made
on, before it is carried out; every effect is idempotent. So a process killed at any await is continued by the next one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import structlog

from specdecode_operator.api.errors import InvalidResource
from specdecode_operator.api.names import (
    API_VERSION,
    APPROVE_ANNOTATION,
    KIND,
    PIN_ANNOTATION,
    TRIAL_SUFFIX,
    UNFREEZE_ANNOTATION,
)
from specdecode_operator.api.v1alpha1 import PreflightStatus, Status
from specdecode_operator.clients import (
    Conflict,
    Forbidden,
    Kubernetes,
    KubernetesError,
    Manifest,
    Rejected,
    Unavailable,
)
from specdecode_operator.controller.applier import Applier, NotOurs
from specdecode_operator.controller.evaluator import Evaluator
from specdecode_operator.controller.events import post
from specdecode_operator.controller.facts import FactsJobs
from specdecode_operator.controller.fleet import Fleet
from specdecode_operator.controller.gather import cluster_state, pod_facts
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.notifications import Notifier
from specdecode_operator.controller.reading import Reader, Reading, status_of
from specdecode_operator.controller.running import RunningReleases
from specdecode_operator.controller.store import Key, Store
from specdecode_operator.policy import (
    ClusterState,
    FactsStep,
    Observation,
    Plan,
    Problem,
    Situation,
    changed_decisions,
    decide,
    facts_ended,
    facts_known,
    notes,
    report,
    report_unreadable,
    report_waiting,
    with_facts_failure,
    with_releases,
)
from specdecode_operator.workload import Layout, WorkloadError, children, replaces

__all__ = ["Parts", "Reconciler"]

_RETRY_STALE: Final = 1.0
_RETRY_UNAVAILABLE: Final = 5.0
_RETRY_REJECTED: Final = 60.0

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Parts:
    """What a reconcile works with."""

    kubernetes: Kubernetes
    store: Store
    reader: Reader
    evaluator: Evaluator
    applier: Applier
    metrics: Metrics
    clock: Callable[[], datetime]
    fleet: Fleet
    notifier: Notifier
    running: RunningReleases | None = None
    """None where engines are not asked for their release."""
    facts: FactsJobs | None = None
    """None where no Job may read unknown models."""


class Reconciler:
    """Brings one resource at a time to its spec and its plan."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._problems: dict[Key, tuple[list[Manifest], Problem]] = {}
        self._seen: dict[Key, str] = {}

    async def __call__(self, key: Key) -> float | None:
        """Reconcile `key`; return seconds after which to come back, or None."""
        with self._parts.metrics.reconcile_seconds.time():
            outcome, again = await self._guarded(key)
        self._parts.metrics.reconciles.labels(outcome).inc()
        return again

    async def _guarded(self, key: Key) -> tuple[str, float | None]:
        """Turn every error into an outcome and a pause: the queue must go on whatever one resource does."""
        try:
            return "done", await self._reconcile(key)
        except Conflict:
            return "stale", _RETRY_STALE
        except Unavailable as error:
            _logger.warning("API server unavailable", key=key, error=str(error))
            return "unavailable", _RETRY_UNAVAILABLE
        except KubernetesError as error:
            _logger.warning("API server refused", key=key, error=str(error))
            return "refused", _RETRY_REJECTED
        except Exception:
            _logger.exception("reconcile failed", key=key)
            return "failed", _RETRY_REJECTED
        finally:
            self._parts.fleet.release(key)

    async def _reconcile(self, key: Key) -> float | None:
        body = self._parts.store.resource(key)
        if body is None or body["metadata"].get("deletionTimestamp"):
            self._forget(key)
            return None
        self._seen[key] = body["metadata"]["uid"]
        observation = self._observe(key, body)
        try:
            reading = self._parts.reader.read(body)
        except InvalidResource as error:
            await self._unreadable(body, observation, Problem("InvalidSpec", str(error)))
            return None
        return await self._carry_out(key, body, reading, observation)

    async def _carry_out(self, key: Key, body: Manifest, reading: Reading, observation: Observation) -> float | None:
        situation = self._situation(key, body, reading, observation)
        plan = decide(situation)
        self._parts.fleet.reserve(key, plan)
        if (problem := _refused(reading, situation, plan)) is not None:
            await self._unreadable(body, observation, problem)
            return None
        if (again := await self._read_facts(body, reading, situation)) is not None:
            return again
        try:
            rendered = await self._render(situation, plan, reading)
        except WorkloadError as error:
            await self._unreadable(body, observation, Problem("InvalidSpec", str(error)))
            return None
        except Rejected as error:
            await self._unreadable(body, observation, Problem(type(error).__name__, str(error)))
            return _RETRY_REJECTED
        before = observation.status
        if _decided(plan, before):
            ahead = report(situation, plan, self._known_problem(key, rendered), name=key[1])
            body, before = await self._record(body, before, ahead), ahead
        problem = await self._apply(key, reading, rendered)
        applied = replace(situation, cluster=self._cluster(key))
        after = report(applied, plan, problem, name=key[1])
        await self._record(body, before, after)
        self._parts.metrics.show_blocked(key, after.condition("RemediationBlocked"))
        self._parts.metrics.frozen.labels(*key).set(plan.frozen is not None)
        return plan.again if problem is None else _RETRY_REJECTED

    def _observe(self, key: Key, body: Manifest) -> Observation:
        return Observation(
            generation=body["metadata"].get("generation", 0),
            status=status_of(body),
            cluster=self._cluster(key),
            now=self._parts.clock(),
        )

    def _cluster(self, key: Key) -> ClusterState:
        store, (namespace, name) = self._parts.store, key
        trial = store.child("Deployment", (namespace, name + TRIAL_SUFFIX))
        return cluster_state(store.child("Deployment", key), [pod_facts(pod) for pod in store.pods(key)], trial)

    def _situation(self, key: Key, body: Manifest, reading: Reading, observation: Observation) -> Situation:
        annotations = body["metadata"].get("annotations") or {}
        return Situation(
            generation=observation.generation,
            status=observation.status,
            cluster=observation.cluster,
            now=observation.now,
            spec=reading.resource.spec,
            ladder=reading.ladder,
            judgement=self._parts.evaluator.judgement(key),
            preflight=self._preflight(key, reading, observation.status),
            unfreeze=annotations.get(UNFREEZE_ANNOTATION),
            approve=annotations.get(APPROVE_ANNOTATION),
            compared=self._parts.evaluator.compared(key),
            pin=annotations.get(PIN_ANNOTATION),
            fleet=self._parts.fleet.state(key, reading.resource.spec.metrics.endpoint),
            facts=facts_known(reading.sources, observation.status.facts),
        )

    def _preflight(self, key: Key, reading: Reading, status: Status) -> PreflightStatus | None:
        """Return what the checks say of the spec, and what the engines that run say of themselves."""
        running, variant = self._parts.running, reading.active
        releases = None if running is None else running.of(key, variant.hash)
        plan = with_facts_failure(reading.preflight(), facts_known(reading.sources, status.facts))
        return with_releases(plan, releases, spec=reading.resource.spec, status=status, variant=variant)

    async def _read_facts(self, body: Manifest, reading: Reading, situation: Situation) -> float | None:
        """Have unknown models read before the first pods are made; return when to look again, or None to go on."""
        jobs = self._parts.facts
        step = FactsStep(None) if jobs is None else await jobs.step(reading, situation)
        if jobs is None or step.again is None or step.facts is None:
            return None
        ahead = report_waiting(situation, step.facts)
        body = await self._record(body, situation.status, ahead)
        if not step.facts.finished and (refused := await jobs.begin(reading)) is not None:
            await self._record(body, ahead, report_waiting(situation, facts_ended(step.facts, refused)))
            return 0.0
        return step.again

    async def _render(self, situation: Situation, plan: Plan, reading: Reading) -> list[Manifest]:
        """Return the children of `plan`; where they would roll or try pods, the API server must accept them first."""
        cluster, spec = situation.cluster, situation.spec
        replace = replaces(
            spec.rollout,
            cluster,
            replicas=spec.replicas - plan.spared,
            rolled_out=cluster.rolled_out(plan.variant.hash),
        )
        layout = Layout(plan.variant, situation.ladder.primary.hash, replace, plan.trial, plan.spared)
        found = children(reading.resource, layout)
        if situation.status.variant_hash not in (None, plan.variant.hash):
            await self._parts.applier.rehearse(found[0])
        if plan.trial is not None and cluster.trial.variant_hash is None:
            await self._parts.applier.rehearse(found[-1])
        return found

    async def _unreadable(self, body: Manifest, observation: Observation, problem: Problem) -> None:
        await self._record(body, observation.status, report_unreadable(observation, problem))

    async def _record(self, body: Manifest, before: Status, status: Status) -> Manifest:
        """Write `status` if it differs from `before`, that of `body`, and post the Events that explain it."""
        if before == status:
            return body
        written = {**body, "apiVersion": API_VERSION, "kind": KIND, "status": _dump(status)}
        result = await self._parts.kubernetes.write_status(written)
        self._parts.metrics.writes.labels(kind=KIND, verb="status").inc()
        self._parts.store.put(KIND, result)
        await self._announce(result, before, status)
        return result

    async def _announce(self, body: Manifest, before: Status, after: Status) -> None:
        key = (body["metadata"]["namespace"], body["metadata"]["name"])
        for note in notes(before, after, key):
            _logger.info(note.message, key=key, reason=note.reason)
            await post(self._parts.kubernetes, body, note, self._parts.clock())
        for decision in changed_decisions(before, after):
            labels = (*key, decision.to_variant, decision.trigger, decision.outcome)
            self._parts.metrics.decisions.labels(*labels).inc()
            self._parts.notifier.tell(key, decision)

    def _known_problem(self, key: Key, rendered: list[Manifest]) -> Problem | None:
        known = self._problems.get(key)
        return known[1] if known is not None and known[0] == rendered else None

    async def _apply(self, key: Key, reading: Reading, rendered: list[Manifest]) -> Problem | None:
        """Apply, and return what the API server will not have."""
        try:
            await self._parts.applier.apply(reading.resource, rendered)
        except NotOurs as error:
            problem = Problem("NameTaken", str(error))
        except Forbidden as error:
            problem = Problem("Forbidden", str(error))
        except Rejected as error:
            problem = Problem("Rejected", str(error))
        else:
            self._problems.pop(key, None)
            return None
        self._problems[key] = (rendered, problem)
        return problem

    def _forget(self, key: Key) -> None:
        self._problems.pop(key, None)
        self._parts.evaluator.forget(key)
        self._parts.applier.forget(key)
        uid = self._seen.pop(key, "")
        self._parts.reader.forget(uid)
        if self._parts.facts is not None:
            self._parts.facts.forget(uid)


def _refused(reading: Reading, situation: Situation, plan: Plan) -> Problem | None:
    """Return why pre-flight keeps `plan` from being rolled out; what runs already is left running."""
    errors = reading.examination(plan.variant).errors
    if not errors or situation.cluster.variant_hash == plan.variant.hash:
        return None
    return Problem(errors[0].code, "; ".join(map(str, errors)))


def _decided(plan: Plan, status: Status) -> bool:
    """Whether `plan` leaves what the status says on the operator's own account, so that it must be recorded first."""
    moved = status.active_variant not in (None, plan.variant.name)
    return moved or _remembered(plan) != _remembered(status)


def _remembered(source: Plan | Status) -> tuple[object, ...]:
    actions = source.operation, tuple(source.decisions), source.probes
    return *actions, tuple(source.blocked), source.frozen, source.reversals


def _dump(status: Status) -> dict[str, Any]:
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)
