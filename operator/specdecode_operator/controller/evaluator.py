"""The metrics loop: one set of queries an endpoint, one judgement a resource."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from specdecode_operator.api.errors import InvalidResource
from specdecode_operator.clients import Prometheus, PrometheusError
from specdecode_operator.controller.fleet import Fleet
from specdecode_operator.controller.gather import pod_facts
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.reading import Reader, Reading
from specdecode_operator.controller.settings import Endpoint
from specdecode_operator.controller.store import Key, Store
from specdecode_operator.controller.trials import Trials, queries_for
from specdecode_operator.policy import (
    Compared,
    Evidence,
    Finding,
    Judgement,
    Look,
    PodArm,
    Snapshot,
    Variant,
    arm_samples,
    demand,
    evaluate,
    evidence_of,
    queries,
    snapshot,
)

__all__ = ["Evaluator", "Watched"]

_SILENCE: Final = timedelta(seconds=60)
"""How long an endpoint may give no answer before its metrics count as unavailable."""

_BATCH: Final = 100
"""Resources judged before other tasks get their turn."""

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Watched:
    """An endpoint's settings and its connection."""

    endpoint: Endpoint
    prometheus: Prometheus


class Evaluator:
    """Keeps the last judgement of every resource, and marks those whose judgement changed."""

    def __init__(  # noqa: PLR0913, PLR0917 - it stands between all of them
        self,
        store: Store,
        reader: Reader,
        queue: WorkQueue,
        metrics: Metrics,
        endpoints: Mapping[str, Watched],
        clock: Callable[[], datetime],
        fleet: Fleet,
    ) -> None:
        self._store = store
        self._reader = reader
        self._queue = queue
        self._metrics = metrics
        self._endpoints = endpoints
        self._clock = clock
        self._fleet = fleet
        self._judgements: dict[Key, Judgement] = {}
        self._trials = Trials(store)
        self._answered: dict[str, datetime] = {}

    def judgement(self, key: Key) -> Judgement | None:
        """Return the last judgement of `key`."""
        return self._judgements.get(key)

    def compared(self, key: Key) -> Compared | None:
        """Return the last comparison of the trial of `key`."""
        return self._trials.compared(key)

    def forget(self, key: Key) -> None:
        """Drop what is remembered of one resource."""
        self._judgements.pop(key, None)
        self._trials.forget([key])
        self._metrics.forget(key)

    async def tick(self) -> None:
        """Evaluate every resource once."""
        groups = self._by_endpoint()
        await asyncio.gather(*(self._evaluate(name, group) for name, group in groups.items()))
        self._metrics.resources.set(sum(map(len, groups.values())))
        self._metrics.last_evaluation.set(self._clock().timestamp())

    def _by_endpoint(self) -> dict[str, dict[Key, Reading]]:
        groups: dict[str, dict[Key, Reading]] = defaultdict(dict)
        for key in self._store.keys():
            body = self._store.resource(key)
            try:
                reading = self._reader.read(body) if body is not None else None
            except InvalidResource:
                reading = None
            if reading is None:
                self._judgements.pop(key, None)
                self._metrics.forget_signals(key)
            else:
                groups[reading.resource.spec.metrics.endpoint][key] = reading
        return groups

    async def _evaluate(self, name: str, group: Mapping[Key, Reading]) -> None:
        watched = self._endpoints.get(name)
        if watched is None:
            await self._judge_all(name, group, None, "EndpointUnknown")
            return
        try:
            found = await self._ask(watched, group)
        except PrometheusError as error:
            await self._failed(name, group, error)
            return
        except Exception as error:
            _logger.exception("evaluation failed", endpoint=name)
            await self._failed(name, group, PrometheusError(type(error).__name__))
            return
        self._answered[name] = found.at
        await self._judge_all(name, group, found, None)

    async def _ask(self, watched: Watched, group: Mapping[Key, Reading]) -> Snapshot:
        """Ask for what all resources need, and then for the trials among them."""
        endpoint, at = watched.endpoint, self._clock()
        looks = self._trials.looks(group, at)
        windows = {look.window for look in looks.values()}
        asked = queries(demand((reading.resource.spec for reading in group.values()), windows), endpoint.scope)
        with self._metrics.query_seconds.labels(endpoint.name).time():
            answers = await watched.prometheus.answer(asked)
        self._metrics.queries.labels(endpoint.name).inc(len(asked))
        found = snapshot(answers, scope=endpoint.scope, at=at, scrape_interval=endpoint.scrape_interval_seconds)
        if looks:
            samples = await self._arms(watched, looks)
            for key in self._trials.compare(group, looks, found, samples):
                self._queue.mark(key)
        return found

    async def _arms(self, watched: Watched, looks: Mapping[Key, Look]) -> Mapping[tuple[str, str], PodArm]:
        """Return what the arms of all trials did, or nothing: then no trial is judged, and everything else goes on."""
        endpoint = watched.endpoint
        asked = queries_for(looks.values(), endpoint.scope, endpoint.scrape_interval_seconds)
        self._metrics.queries.labels(endpoint.name).inc(len(asked))
        try:
            return arm_samples(await watched.prometheus.answer(asked), endpoint.scope)
        except PrometheusError as error:
            _logger.warning("trials cannot be judged", endpoint=endpoint.name, error=str(error))
            return {}

    async def _failed(self, name: str, group: Mapping[Key, Reading], error: PrometheusError) -> None:
        """Hold at once, and say so after a while: one lost answer is no outage."""
        self._trials.forget(group)
        self._metrics.failures.labels(name).inc()
        _logger.warning("prometheus gives no usable answer", endpoint=name, error=str(error))
        since = self._answered.setdefault(name, self._clock())
        if self._clock() - since >= _SILENCE:
            await self._judge_all(name, group, None, "EndpointUnavailable")
            return
        for key in group:
            if (known := self._judgements.get(key)) is not None:
                self._judgements[key] = replace(known, repeated=frozenset(), dry_repeated=frozenset())

    async def _judge_all(
        self, endpoint: str, group: Mapping[Key, Reading], found: Snapshot | None, unavailable: str | None
    ) -> None:
        """Judge every resource before any of it counts: what is decided shall not depend on their order."""
        judged: dict[Key, Judgement] = {}
        for index, (key, reading) in enumerate(group.items()):
            if index % _BATCH == _BATCH - 1:
                await asyncio.sleep(0)
            if self._store.resource(key) is None:
                continue
            evidence = Evidence(unavailable=unavailable) if found is None else self._evidence(key, reading, found)
            judged[key] = self._judge(key, reading, evidence)
        self._keep_all(endpoint, {key: one for key, one in judged.items() if self._store.resource(key) is not None})

    def _evidence(self, key: Key, reading: Reading, found: Snapshot) -> Evidence:
        pods = [pod_facts(pod) for pod in self._store.pods(key)]
        return evidence_of(reading.resource.spec, _active(reading), found, pods)

    def _judge(self, key: Key, reading: Reading, evidence: Evidence) -> Judgement:
        resource = reading.resource
        judgement = evaluate(
            resource.spec, _active(reading), evidence, self._judgements.get(key), resource.status.baseline
        )
        self._show(key, judgement.findings + judgement.dry)
        return judgement

    def _show(self, key: Key, findings: tuple[Finding, ...]) -> None:
        """Expose the findings; signals that the policy no longer has lose their series."""
        before = self._judgements.get(key)
        shown = {finding.signal.name for finding in before.findings + before.dry} if before else set()
        if not shown <= {finding.signal.name for finding in findings}:
            self._metrics.forget_signals(key)
        for finding in findings:
            self._metrics.show(key, finding)

    def _keep_all(self, endpoint: str, judged: Mapping[Key, Judgement]) -> None:
        breaching = [key for key, judgement in judged.items() if judgement.confirmed]
        self._fleet.observe(endpoint, judged, breaching, self._clock())
        for key, judgement in judged.items():
            self._keep(key, judgement)

    def _keep(self, key: Key, judgement: Judgement) -> None:
        before = self._judgements.get(key)
        self._judgements[key] = judgement
        if judgement.confirmed or before is None or _signature(before) != _signature(judgement):
            self._queue.mark(key)


def _active(reading: Reading) -> Variant:
    return reading.ladder.find(reading.resource.status.active_variant) or reading.ladder.primary


def _signature(judgement: Judgement) -> tuple[object, ...]:
    verdicts = tuple((finding.verdict, finding.reason) for finding in judgement.findings + judgement.dry)
    again = judgement.repeated, judgement.dry_repeated
    return judgement.variant_hash, verdicts, again, judgement.unavailable, judgement.waiting
