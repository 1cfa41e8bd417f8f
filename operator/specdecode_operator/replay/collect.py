"""From a live Prometheus to a recording."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from specdecode_operator.api.v1alpha1 import Spec
from specdecode_operator.clients import Moments, Series
from specdecode_operator.engine import Counter
from specdecode_operator.policy import Query, Scope, demand, queries
from specdecode_operator.policy.evidence import WARM_UP
from specdecode_operator.policy.queries import Kind
from specdecode_operator.replay.errors import NothingRecorded
from specdecode_operator.replay.grid import Grid
from specdecode_operator.replay.recording import Labels, RecordedPod, Recording

__all__ = ["History", "Recorded", "collect", "pods_of"]

_CHUNK: Final = 500
"""Moments asked for at once; Prometheus allows 11,000 a series."""

_SUFFIX: Final = "-[a-z0-9]+-[a-z0-9]{5}"
"""What Kubernetes adds to a Deployment's name: the ReplicaSet's hash and five random characters."""

Columns = dict[Labels, list[float | None]]


class History(Protocol):
    """Something that answers queries about the past, as `clients.Prometheus` does."""

    async def history(self, queries: Sequence[Query], moments: Moments) -> list[tuple[Query, list[Series]]]:
        """Return the series of every query at each of `moments`."""
        ...


@dataclass(frozen=True)
class Recorded:
    """A resource whose pods are recorded."""

    namespace: str
    name: str
    spec: Spec
    pods: re.Pattern[str] | None = None
    """Whole names of its pods; None where the operator made them."""

    def owns(self, namespace: str, pod: str) -> bool:
        """Whether a pod of that name is the resource's."""
        pattern = self.pods or re.compile(f"{re.escape(self.name)}(-trial)?{_SUFFIX}")
        return namespace == self.namespace and pattern.fullmatch(pod) is not None

    def tries(self, pod: str) -> bool:
        """Whether the pod is the one of a trial."""
        return re.fullmatch(f"{re.escape(self.name)}-trial{_SUFFIX}", pod) is not None


def pods_of(name: str) -> str:
    """Return the regular expression for the pods of the Deployment `name`."""
    return f"{re.escape(name)}{_SUFFIX}"


async def collect(
    prometheus: History,
    resources: Sequence[Recorded],
    grid: Grid,
    *,
    scope: Scope,
    scrape_interval: float,
    progress: Callable[[float], None] = lambda _: None,
) -> Recording:
    """Return what the operator would have been answered at each moment of `grid`; `progress` gets the share done.

    Raises `NothingRecorded` where Prometheus knows no pod of `resources` then, and what `prometheus` raises.
    """
    asked = _Asked(resources, _narrowed(scope, resources), grid)
    pieces = [(asked.presence, piece) for piece in asked.lead.chunks(_CHUNK)]
    pieces += [(asked.queries, piece) for piece in grid.chunks(_CHUNK)]
    for number, (questions, piece) in enumerate(pieces):
        for query, found in await prometheus.history(questions, Moments(piece.start, piece.end, piece.step)):
            asked.take(query, found)
        progress((number + 1) / len(pieces))
    return asked.recording(scrape_interval)


def _narrowed(scope: Scope, resources: Iterable[Recorded]) -> Scope:
    """Ask for one namespace where all resources are in one: the pods of others are no business of the recording."""
    namespaces = {resource.namespace for resource in resources}
    if len(namespaces) != 1 or scope.namespace_label in scope.matchers:
        return scope
    return replace(scope, matchers={**scope.matchers, scope.namespace_label: namespaces.pop()})


class _Asked:
    """What is asked, and the answers while they come in."""

    def __init__(self, resources: Sequence[Recorded], scope: Scope, grid: Grid) -> None:
        self._resources = resources
        self._scope = scope
        self._grid = grid
        self._demand = demand(resource.spec for resource in resources)
        self.queries = queries(self._demand, scope)
        self.presence = tuple(query for query in self.queries if query.kind is Kind.AGE)
        self.lead = grid.before(max(self._demand.windows) + WARM_UP)
        """Before the recording: whether a pod is old enough to count shows only there."""
        self._tables: dict[str, Columns] = {query.text: {} for query in self.queries}
        self._seen: dict[tuple[str, str], tuple[float, float]] = {}
        self._speculating: set[tuple[str, str]] = set()

    def take(self, query: Query, found: Iterable[Series]) -> None:
        """Keep what is about pods of the resources."""
        for series in found:
            pod = self._pod(series)
            if self._owner(*pod) is None or not series.points:
                continue
            if query.kind is Kind.AGE:
                self._see(pod, series)
            if query.counter is Counter.DRAFT_TOKENS:
                self._speculating.add(pod)
            self._fill(self._tables[query.text], series)

    def recording(self, scrape_interval: float) -> Recording:
        """Return all of it."""
        pods = tuple(sorted(self._pods(), key=lambda pod: (pod.namespace, pod.resource, pod.ready, pod.name)))
        if not pods:
            names = ", ".join(f"{resource.namespace}/{resource.name}" for resource in self._resources)
            raise NothingRecorded(
                f"Prometheus has no samples of pods of {names} in that time; check --from, --to, --pod-names, the"
                " resource's namespace and the endpoint's labels"
            )
        return Recording(self._grid, scrape_interval, self._scope, self._demand, self._tables, pods)

    def _pod(self, series: Series) -> tuple[str, str]:
        labels = series.labels
        return labels.get(self._scope.namespace_label, ""), labels.get(self._scope.pod_label, "")

    def _owner(self, namespace: str, pod: str) -> Recorded | None:
        return next((resource for resource in self._resources if resource.owns(namespace, pod)), None)

    def _see(self, pod: tuple[str, str], series: Series) -> None:
        times = [at for at, _ in series.points]
        first, last = self._seen.get(pod, (times[0], times[-1]))
        self._seen[pod] = min(first, times[0]), max(last, times[-1])

    def _fill(self, columns: Columns, series: Series) -> None:
        labels = tuple(sorted(series.labels.items()))
        for at, value in series.points:
            index = self._grid.index(at)
            if index is not None:
                columns.setdefault(labels, [None] * self._grid.count)[index] = value

    def _pods(self) -> Iterable[RecordedPod]:
        for (namespace, name), (first, last) in self._seen.items():
            owner = self._owner(namespace, name)
            if owner is not None and last >= self._grid.start.timestamp():
                yield RecordedPod(
                    namespace=namespace,
                    resource=owner.name,
                    name=name,
                    ready=self._moment(first),
                    gone=self._gone(last),
                    speculating=(namespace, name) in self._speculating,
                    trial=owner.tries(name),
                )

    def _gone(self, last: float) -> datetime | None:
        ended = self._moment(last) + timedelta(seconds=self._grid.step)
        return ended if ended <= self._grid.end else None

    def _moment(self, timestamp: float) -> datetime:
        return datetime.fromtimestamp(timestamp, self._grid.start.tzinfo)
