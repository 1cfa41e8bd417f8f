"""The process: caches filled, workers and loops started, kopf's watches run, everything closed again."""

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import kopf
import structlog

from specdecode_operator.api.names import FIELD_MANAGER, KIND, NAME_LABEL
from specdecode_operator.clients import Engines, Kubernetes, KubernetesError, Manifest, Prometheus, type_of
from specdecode_operator.controller.applier import Applier
from specdecode_operator.controller.evaluator import Evaluator, Watched
from specdecode_operator.controller.facts import FactsJobs
from specdecode_operator.controller.fleet import Fleet
from specdecode_operator.controller.handlers import kopf_settings, registry
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.notifications import Notifier
from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.reading import Reader
from specdecode_operator.controller.reconcile import Parts, Reconciler
from specdecode_operator.controller.running import RunningReleases
from specdecode_operator.controller.server import Server
from specdecode_operator.controller.settings import Settings
from specdecode_operator.controller.store import CHILD_KINDS, Key, Store

if TYPE_CHECKING:
    from specdecode_operator.controller.webhook import Webhook

__all__ = ["Runtime", "run"]

_LONGEST_RECONCILE: Final = 300.0
_COLLECTION: Final = (20_000, 20, 50)
"""Thresholds of the cyclic garbage collector: JSON makes many objects and hardly any cycle (measured: a sixth of all
CPU time goes into looking with Python's own)."""

_logger = structlog.get_logger(__name__)


class Runtime:
    """The operator's parts, wired together."""

    def __init__(self, settings: Settings, kubernetes: Kubernetes) -> None:
        self._settings = settings
        self._kubernetes = kubernetes
        self._metrics = Metrics()
        self._store = Store()
        self._queue = WorkQueue()
        self._endpoints = {
            endpoint.name: Watched(endpoint, Prometheus(endpoint.connection)) for endpoint in settings.endpoints
        }
        reader, fleet = Reader(), Fleet(settings.fleet, self._store, self._metrics)
        self._evaluator = Evaluator(self._store, reader, self._queue, self._metrics, self._endpoints, _now, fleet)
        self._engines = Engines()
        self._running = RunningReleases(self._store, self._queue, self._engines)
        applier = Applier(kubernetes, self._store, self._metrics)
        options = settings.facts_job.options
        self._notifier = Notifier(settings.notifications, self._metrics)
        self._reconciler = Reconciler(
            Parts(
                kubernetes,
                self._store,
                reader,
                self._evaluator,
                applier,
                self._metrics,
                _now,
                fleet,
                self._notifier,
                running=self._running if settings.check_engine_version else None,
                facts=None if options is None else FactsJobs(kubernetes, options),
            )
        )
        self._webhook = _webhook(settings, kubernetes, self._metrics) if settings.webhook.enabled else None
        self._ticked = _now()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set or a part fails."""
        await self._fill()
        address, port = self._settings.listen_address, self._settings.listen_port
        with Server(address, port, self._metrics, self._health) as server:
            async with self._engines, self._webhook or contextlib.nullcontext():
                _logger.info("started", port=server.port, resources=sum(1 for _ in self._store.keys()))
                await self._work(stop)

    def close(self) -> None:
        """Close the connections to Prometheus."""
        for watched in self._endpoints.values():
            watched.prometheus.close()

    async def _work(self, stop: asyncio.Event) -> None:
        """Run our loops and kopf; our tasks start first, since kopf ends every task that is younger than itself."""
        loops = [asyncio.create_task(self._queue.work(self._reconciler)) for _ in range(self._settings.workers)]
        loops.append(asyncio.create_task(self._notifier.run()))
        loops.append(asyncio.create_task(self._every(self._settings.evaluation_interval_seconds, self._evaluate)))
        loops.append(asyncio.create_task(self._every(self._settings.resync_interval_seconds, self._resync)))
        if self._settings.check_engine_version:
            loops.append(
                asyncio.create_task(self._every(self._settings.evaluation_interval_seconds, self._running.tick))
            )
        if self._webhook is not None:
            loops.append(asyncio.create_task(self._every(self._webhook.pause, self._webhook.renew)))
        await asyncio.sleep(0)
        watches = asyncio.create_task(self._watch(stop))
        try:
            done, _ = await asyncio.wait([*loops, watches], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _cancel([*loops, watches])

    async def _watch(self, stop: asyncio.Event) -> None:
        namespaces = self._settings.namespaces
        await kopf.operator(
            registry=registry(self._store, self._queue),
            settings=kopf_settings(),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=list(namespaces),
            identity=FIELD_MANAGER,  # type: ignore[arg-type] # kopf would look up the user's name, which a pod lacks
            stop_flag=stop,
        )

    async def _every(self, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await step()

    async def _evaluate(self) -> None:
        self._metrics.queue.set(len(self._queue))
        await self._evaluator.tick()
        self._ticked = _now()

    async def _resync(self) -> None:
        """Compare the caches with the cluster, so that an event that never came is noticed too."""
        try:
            await self._fill()
        except KubernetesError as error:
            _logger.warning("resync put off", error=str(error))

    async def _fill(self) -> None:
        """Make the caches what the cluster is, and mark all that is or was there."""
        marked: set[Key] = set()
        for kind in (*CHILD_KINDS, "Pod", KIND):
            marked |= self._store.replace(kind, await self._list(kind))
        for key in marked.union(self._store.keys()):
            self._queue.mark(key)

    async def _list(self, kind: str) -> list[Manifest]:
        selector = None if kind == KIND else NAME_LABEL
        found: list[Manifest] = []
        for namespace in self._settings.namespaces or (None,):
            found += await self._kubernetes.list(kind, namespace, label_selector=selector)
        return [{**type_of(kind), **item} for item in found]

    def _health(self) -> str | None:
        allowed = max(60.0, 4 * self._settings.evaluation_interval_seconds)
        if (_now() - self._ticked).total_seconds() > allowed:
            return "the metrics loop has stopped"
        if self._queue.longest_run() > _LONGEST_RECONCILE:
            return "a reconcile hangs"
        return None


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Connect to the cluster and work until `stop` is set."""
    gc.set_threshold(*_COLLECTION)
    async with await Kubernetes.connect() as kubernetes:
        runtime = Runtime(settings, kubernetes)
        try:
            await runtime.run(stop)
        finally:
            runtime.close()


def _webhook(settings: Settings, kubernetes: Kubernetes, metrics: Metrics) -> "Webhook":
    from specdecode_operator.controller.webhook import Webhook  # noqa: PLC0415 - 9 MB that most operators need not hold

    return Webhook(settings, kubernetes, metrics, _now)


def _now() -> datetime:
    return datetime.now(UTC)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
