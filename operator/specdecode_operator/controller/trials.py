"""The trials of one tick: one set of queries a window, whatever their number."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from specdecode_operator.controller.gather import pod_facts
from specdecode_operator.controller.reading import Reading
from specdecode_operator.controller.store import Key, Store
from specdecode_operator.policy import (
    ArmQuery,
    Compared,
    Look,
    PodArm,
    Scope,
    Snapshot,
    arm_queries,
    compared,
    look_at,
)

__all__ = ["Trials", "queries_for"]

PodKey = tuple[str, str]


class Trials:
    """Keeps the last comparison of every trial."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._compared: dict[Key, Compared] = {}

    def compared(self, key: Key) -> Compared | None:
        """Return the last comparison of the trial of `key`."""
        return self._compared.get(key)

    def forget(self, keys: Iterable[Key]) -> None:
        """Drop what is remembered of `keys`: an evaluation that failed confirms nothing."""
        for key in keys:
            self._compared.pop(key, None)

    def looks(self, group: Mapping[Key, Reading], now: datetime) -> dict[Key, Look]:
        """Return the trials in `group` that are due for a look at `now`, and forget those that are not."""
        found = {key: look for key, reading in group.items() if (look := self._look(key, reading, now)) is not None}
        self.forget(group.keys() - found.keys())
        return found

    def compare(
        self,
        group: Mapping[Key, Reading],
        looks: Mapping[Key, Look],
        snapshot: Snapshot,
        samples: Mapping[PodKey, PodArm],
    ) -> set[Key]:
        """Compare, and return the resources for which there is something confirmed."""
        for key, look in looks.items():
            spec = group[key].resource.spec
            found = compared(look, spec, snapshot, samples, self._compared.get(key))
            self.forget([key])
            if found is not None:
                self._compared[key] = found
        return {key for key, found in self._compared.items() if key in looks and found.repeated}

    def _look(self, key: Key, reading: Reading, now: datetime) -> Look | None:
        status = reading.resource.status
        if status.operation is None:
            return None
        pods = [pod_facts(pod) for pod in self._store.pods(key)]
        return look_at(reading.resource.spec, status, reading.ladder, pods, now)


def queries_for(looks: Iterable[Look], scope: Scope, scrape_interval: float) -> list[ArmQuery]:
    """Return what has to be asked for all of `looks` together; the interval is in seconds."""
    pods: dict[float, list[PodKey]] = defaultdict(list)
    for look in looks:
        pods[look.window] += look.pods
    found = (arm_queries(keys, window, scope, scrape_interval) for window, keys in sorted(pods.items()))
    return [query for queries in found for query in queries]
