"""From a live Prometheus to a recording."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

from specdecode_operator.api.v1alpha1 import Spec
from specdecode_operator.clients import Moments, Series
from specdecode_operator.policy import ArmQuery, Query, Scope, demand, queries
from specdecode_operator.policy.judging.evidence import WARM_UP
from specdecode_operator.policy.judging.queries import Kind
from specdecode_operator.policy.trials.looks import looks
from specdecode_operator.replay.grid import Grid
from specdecode_operator.replay.recording import Arms, RecordedPod, Recording
from specdecode_operator.replay.taking import Presence, Recorded, Tables

__all__ = ["History", "collect"]

Recalled = TypeVar("Recalled", bound=Query | ArmQuery)

_CHUNK: Final = 500
"""Moments asked for at once; Prometheus allows 11,000 a series."""

_FIRST: Final = 0.1
"""Share of the time that the look for pods takes."""


@dataclass(frozen=True)
class Piece:
    """Queries, and moments at which they are asked together."""

    queries: Sequence[Query | ArmQuery]
    grid: Grid


class History(Protocol):
    """Something that answers queries about the past, as `clients.Prometheus` does."""

    async def history(self, queries: Sequence[Recalled], moments: Moments) -> list[tuple[Recalled, list[Series]]]:
        """Return the series of every query at each of `moments`."""
        ...


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

    Pods are looked for first: whether one was on trial decides what else is asked. Raises `NothingRecorded` where
    Prometheus knows no pod of `resources` then, and what `prometheus` raises.
    """
    narrow, specs = _narrowed(scope, resources), [resource.spec for resource in resources]
    seen = Presence(resources, narrow, grid)
    await _ask(prometheus, _present(specs, narrow, grid), seen.take, lambda done: progress(_FIRST * done))
    pods = seen.pods()
    arms = _arms(specs, pods)
    recording = Recording(grid, scrape_interval, narrow, demand(specs, arms.windows), {}, pods, arms)
    tables = Tables(recording, resources)
    await _ask(prometheus, _wanted(recording), tables.take, lambda done: progress(_FIRST + (1 - _FIRST) * done))
    return tables.recording()


async def _ask(
    prometheus: History,
    pieces: Sequence[Piece],
    take: Callable[[Query | ArmQuery, Iterable[Series]], None],
    progress: Callable[[float], None],
) -> None:
    for number, piece in enumerate(pieces):
        moments = Moments(piece.grid.start, piece.grid.end, piece.grid.step)
        for query, found in await prometheus.history(piece.queries, moments):
            take(query, found)
        progress((number + 1) / len(pieces))


def _present(specs: Sequence[Spec], scope: Scope, grid: Grid) -> list[Piece]:
    """Ask for pods in the time and before it: whether one is old enough to count shows only there."""
    wanted = demand(specs)
    lead = grid.before(max(wanted.windows) + WARM_UP)
    asked = tuple(query for query in queries(wanted, scope) if query.kind is Kind.AGE)
    return [Piece(asked, piece) for part in (lead, grid) for piece in part.chunks(_CHUNK)]


def _wanted(recording: Recording) -> list[Piece]:
    """Ask for everything, and for what trials are judged by while there was one."""
    arms = recording.asked_of_arms
    pieces = list(recording.grid.chunks(_CHUNK))
    on_trial = [piece for piece in pieces if arms and any(_lives(pod, piece) for pod in recording.pods if pod.trial)]
    return [Piece(recording.asked, piece) for piece in pieces] + [Piece(arms, piece) for piece in on_trial]


def _lives(pod: RecordedPod, grid: Grid) -> bool:
    return pod.ready <= grid.end and (pod.gone is None or pod.gone > grid.start)


def _arms(specs: Iterable[Spec], pods: Sequence[RecordedPod]) -> Arms:
    if not any(pod.trial for pod in pods):
        return Arms()
    trials = [spec.policy.trial for spec in specs]
    windows = {one for trial in trials for one in looks(trial.min_duration.seconds, trial.max_duration.seconds)}
    return Arms(tuple(sorted(windows)), tuple(sorted((pod.namespace, pod.name) for pod in pods)))


def _narrowed(scope: Scope, resources: Iterable[Recorded]) -> Scope:
    """Ask for one namespace where all resources are in one: the pods of others are no business of the recording."""
    namespaces = {resource.namespace for resource in resources}
    if len(namespaces) != 1 or scope.namespace_label in scope.matchers:
        return scope
    return replace(scope, matchers={**scope.matchers, scope.namespace_label: namespaces.pop()})
