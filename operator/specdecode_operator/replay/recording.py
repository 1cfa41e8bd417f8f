"""A recording: what the operator's own queries were answered at each moment, and which pods there were."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from specdecode_operator.policy import Demand, Query, Row, Scope, Snapshot, queries, snapshot
from specdecode_operator.replay.errors import RecordingError
from specdecode_operator.replay.grid import Grid

__all__ = ["Answers", "Column", "Labels", "RecordedPod", "Recording", "Table"]

Labels = tuple[tuple[str, str], ...]
"""Names and values of a series' labels, sorted."""

Column = Sequence[float | None]
"""One value a moment; None where the series had none."""

Table = Mapping[Labels, Column]
"""The answers to one query, by series."""


@dataclass(frozen=True)
class RecordedPod:
    """One pod of a resource, and when Prometheus had samples of it."""

    namespace: str
    resource: str
    name: str
    ready: datetime
    """When it was first seen, which stands for becoming ready."""
    gone: datetime | None = None
    """When it was no longer seen; None where it outlived the recording."""
    speculating: bool = False
    """Whether it exposed the speculation counters."""
    trial: bool = False
    variant: str | None = None
    """Its variant, where somebody said so."""
    variant_hash: str | None = None
    """Its variant's hash, where the cluster said so."""

    def serves(self, at: datetime) -> bool:
        """Whether it is ready at that moment."""
        return self.ready <= at and (self.gone is None or at < self.gone)


@dataclass(frozen=True)
class Recording:
    """The answers to `queries(demand, scope)` at every moment of `grid`, by the text of the query."""

    grid: Grid
    scrape_interval: float
    """Seconds between scrapes."""
    scope: Scope
    demand: Demand
    tables: Mapping[str, Table]
    pods: tuple[RecordedPod, ...]

    def missing(self, wanted: Demand) -> str | None:
        """Return what `wanted` asks for and the recording lacks, in words, or None."""
        windows = wanted.windows - self.demand.windows
        if windows:
            return "a window of " + " and ".join(f"{seconds:g}s" for seconds in sorted(windows))
        for metric, edges in sorted(wanted.edges.items()):
            if lacking := edges - self.demand.edges.get(metric, frozenset()):
                return f"the {metric} bucket of " + " and ".join(f"{1000 * edge:g}ms" for edge in sorted(lacking))
        return None


class Answers:
    """A recording's answers, moment by moment."""

    def __init__(self, recording: Recording) -> None:
        """Take `recording`; raise `RecordingError` where it lacks the answers to a query of today's operator."""
        self._recording = recording
        self._tables: list[tuple[Query, list[tuple[dict[str, str], Column]]]] = []
        for query in queries(recording.demand, recording.scope):
            if query.text not in recording.tables:
                raise RecordingError(f"the recording lacks the query {query.text}; record it again with this version")
            columns = [(dict(labels), column) for labels, column in recording.tables[query.text].items()]
            self._tables.append((query, columns))

    def snapshot(self, index: int) -> Snapshot:
        """Return what the operator would have been answered at the moment number `index`."""
        return snapshot(
            ((query, _rows(columns, index)) for query, columns in self._tables),
            scope=self._recording.scope,
            at=self._recording.grid.at(index),
            scrape_interval=self._recording.scrape_interval,
        )


def _rows(columns: list[tuple[dict[str, str], Column]], index: int) -> list[Row]:
    return [Row(labels, value) for labels, column in columns if (value := column[index]) is not None]
