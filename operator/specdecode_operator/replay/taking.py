"""The answers about the past while they come in: which pods there were, and what was said of them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from specdecode_operator.api.v1alpha1 import Spec
from specdecode_operator.clients import Series
from specdecode_operator.engine import Counter
from specdecode_operator.policy import ArmQuery, Query, Scope
from specdecode_operator.replay.errors import NothingRecorded
from specdecode_operator.replay.grid import Grid
from specdecode_operator.replay.recording import Labels, RecordedPod, Recording

__all__ = ["Presence", "Recorded", "Tables"]

PodKey = tuple[str, str]
Columns = dict[Labels, list[float | None]]

_SUFFIX: Final = "-[a-z0-9]+-[a-z0-9]{5}"
"""What Kubernetes adds to a Deployment's name: the ReplicaSet's hash and five random characters."""


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


class Presence:
    """When pods of the resources were there: from their first sample to their last."""

    def __init__(self, resources: Sequence[Recorded], scope: Scope, grid: Grid) -> None:
        self._resources = resources
        self._scope = scope
        self._grid = grid
        self._seen: dict[PodKey, tuple[float, float]] = {}

    def take(self, _: Query | ArmQuery, found: Iterable[Series]) -> None:
        """Keep what is about pods of the resources."""
        for series in found:
            pod = _pod(series, self._scope)
            if series.points and _owner(self._resources, pod) is not None:
                times = [at for at, _ in series.points]
                first, last = self._seen.get(pod, (times[0], times[-1]))
                self._seen[pod] = min(first, times[0]), max(last, times[-1])

    def pods(self) -> tuple[RecordedPod, ...]:
        """Return the pods that were there in the time itself; raise `NothingRecorded` where there was none."""
        found = sorted(self._pods(), key=lambda pod: (pod.namespace, pod.resource, pod.ready, pod.name))
        if not found:
            names = ", ".join(f"{resource.namespace}/{resource.name}" for resource in self._resources)
            raise NothingRecorded(
                f"Prometheus has no samples of pods of {names} in that time; check --from, --to, --pod-names, the"
                " resource's namespace and the endpoint's labels"
            )
        return tuple(found)

    def _pods(self) -> Iterator[RecordedPod]:
        for (namespace, name), (first, last) in self._seen.items():
            owner = _owner(self._resources, (namespace, name))
            if owner is not None and last >= self._grid.start.timestamp():
                ready, trial = self._moment(first), owner.tries(name)
                yield RecordedPod(namespace, owner.name, name, ready, self._gone(last), trial=trial)

    def _gone(self, last: float) -> datetime | None:
        ended = self._moment(last) + timedelta(seconds=self._grid.step)
        return ended if ended <= self._grid.end else None

    def _moment(self, timestamp: float) -> datetime:
        return datetime.fromtimestamp(timestamp, self._grid.start.tzinfo)


class Tables:
    """The answers to all queries of a recording."""

    def __init__(self, recording: Recording, resources: Sequence[Recorded]) -> None:
        """Fill the tables of `recording`, which has none yet."""
        self._recording = recording
        self._resources = resources
        asked: list[Query | ArmQuery] = [*recording.asked, *recording.asked_of_arms]
        self._tables: dict[str, Columns] = {query.text: {} for query in asked}
        self._speculating: set[PodKey] = set()

    def take(self, query: Query | ArmQuery, found: Iterable[Series]) -> None:
        """Keep what is about pods of the resources."""
        for series in found:
            pod = _pod(series, self._recording.scope)
            if not series.points or _owner(self._resources, pod) is None:
                continue
            self._fill(self._tables[query.text], series)
            if isinstance(query, Query) and query.counter is Counter.DRAFT_TOKENS:
                self._speculating.add(pod)

    def recording(self) -> Recording:
        """Return the recording with all that was taken."""
        pods = tuple(
            replace(pod, speculating=(pod.namespace, pod.name) in self._speculating) for pod in self._recording.pods
        )
        return replace(self._recording, tables=self._tables, pods=pods)

    def _fill(self, columns: Columns, series: Series) -> None:
        grid, labels = self._recording.grid, tuple(sorted(series.labels.items()))
        for at, value in series.points:
            index = grid.index(at)
            if index is not None:
                columns.setdefault(labels, [None] * grid.count)[index] = value


def _pod(series: Series, scope: Scope) -> PodKey:
    return series.labels.get(scope.namespace_label, ""), series.labels.get(scope.pod_label, "")


def _owner(resources: Iterable[Recorded], pod: PodKey) -> Recorded | None:
    return next((resource for resource in resources if resource.owns(*pod)), None)
