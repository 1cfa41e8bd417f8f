"""A recording: what the operator's own queries were answered at each moment, and which pods there were."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from specdecode_operator.policy import (
    ArmQuery,
    Demand,
    PodArm,
    Query,
    Row,
    Scope,
    Snapshot,
    arm_queries,
    arm_samples,
    queries,
    snapshot,
)
from specdecode_operator.replay.errors import RecordingError
from specdecode_operator.replay.grid import Grid

__all__ = ["Answers", "Arms", "Column", "Labels", "RecordedPod", "Recording", "Table"]

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
class Arms:
    """What was asked for the comparisons of trials; nothing where no pod was on trial."""

    windows: tuple[float, ...] = ()
    """In seconds."""
    pods: tuple[tuple[str, str], ...] = ()
    """Namespace and name of all pods of the resources."""

    def queries(self, scope: Scope, scrape_interval: float) -> tuple[ArmQuery, ...]:
        """Return the queries; the interval is in seconds."""
        found = (arm_queries(self.pods, window, scope, scrape_interval) for window in self.windows)
        return tuple(query for queries in found for query in queries)


@dataclass(frozen=True)
class Recording:
    """The answers to `asked` at every moment of `grid`, by the text of the query."""

    grid: Grid
    scrape_interval: float
    """Seconds between scrapes."""
    scope: Scope
    demand: Demand
    tables: Mapping[str, Table]
    pods: tuple[RecordedPod, ...]
    arms: Arms = Arms()

    @property
    def asked(self) -> tuple[Query, ...]:
        """The queries of every evaluation."""
        return queries(self.demand, self.scope)

    @property
    def asked_of_arms(self) -> tuple[ArmQuery, ...]:
        """The queries of every look at a trial."""
        return self.arms.queries(self.scope, self.scrape_interval)

    def missing(self, wanted: Demand) -> str | None:
        """Return what `wanted` asks for and the recording lacks, in words, or None."""
        windows = wanted.windows - self.demand.windows
        if windows:
            return "a window of " + " and ".join(f"{seconds:g}s" for seconds in sorted(windows))
        for metric, edges in sorted(wanted.edges.items()):
            if lacking := edges - self.demand.edges.get(metric, frozenset()):
                return f"the {metric} bucket of " + " and ".join(f"{1000 * edge:g}ms" for edge in sorted(lacking))
        if wanted.loads - self.demand.loads:
            return "the load in a window of " + " and ".join(f"{one:g}s" for one in sorted(wanted.loads))
        if wanted.lengths and not self.demand.lengths:
            return "what acceptance lengths are computed from"
        others = ", ".join(map(str, sorted(wanted.versions - self.demand.versions)))
        return f"the series of vLLM {others}" if others else None


class Answers:
    """A recording's answers, moment by moment."""

    def __init__(self, recording: Recording) -> None:
        """Take `recording`; raise `RecordingError` where it lacks the answers to a query of today's operator."""
        self._recording = recording
        self._tables = [(one, _columns(recording, one.text)) for one in recording.asked]
        self._arms = [(one, _columns(recording, one.text)) for one in recording.asked_of_arms]

    def snapshot(self, index: int) -> Snapshot:
        """Return what the operator would have been answered at the moment number `index`."""
        return snapshot(
            ((query, _rows(columns, index)) for query, columns in self._tables),
            scope=self._recording.scope,
            at=self._recording.grid.at(index),
            scrape_interval=self._recording.scrape_interval,
        )

    def arms(self, index: int) -> Mapping[tuple[str, str], PodArm]:
        """Return what the operator would have been answered then about pods that it compares."""
        return arm_samples(((query, _rows(columns, index)) for query, columns in self._arms), self._recording.scope)


def _columns(recording: Recording, text: str) -> list[tuple[dict[str, str], Column]]:
    if text not in recording.tables:
        raise RecordingError(f"the recording lacks the query {text}; record it again with this version")
    return [(dict(labels), column) for labels, column in recording.tables[text].items()]


def _rows(columns: list[tuple[dict[str, str], Column]], index: int) -> list[Row]:
    return [Row(labels, value) for labels, column in columns if (value := column[index]) is not None]
