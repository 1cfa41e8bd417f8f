"""Bodies to models, each version of a body and each generation of a spec only once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from specdecode_operator.api.v1alpha1 import FactsStatus, Metadata, PreflightStatus, SpecDecodeDeployment, Status, parse
from specdecode_operator.policy import Ladder, Variant, facts_known, ladder
from specdecode_operator.sizing import Examination, Lookup, facts_found, find, preflight, summary
from specdecode_operator.workload import Source, digest, sources

__all__ = ["Reader", "Reading", "reading_of", "status_of"]


@dataclass(frozen=True)
class Reading:
    """A resource, its ladder, and what pre-flight says of every rung."""

    resource: SpecDecodeDeployment
    ladder: Ladder
    examinations: Mapping[str, Examination]
    """By name of the rung."""
    unknown: tuple[Source, ...] = ()
    """Models of `primary` that neither the resource nor the catalog tells about, on claims."""

    @property
    def sources(self) -> str | None:
        """Digest of `unknown`; None where there is nothing to read."""
        return digest(self.unknown)

    def examination(self, variant: Variant) -> Examination:
        """Return what pre-flight says of `variant`."""
        return self.examinations[variant.name]

    @property
    def active(self) -> Variant:
        """The variant that the pods run or are rolled to."""
        return self.ladder.find(self.resource.status.active_variant) or self.ladder.primary

    def preflight(self) -> PreflightStatus | None:
        """Return what the status is to say of it."""
        return summary(self.examinations, self.active.name)


class Reader:
    """Reads bodies and remembers the last reading of each."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Reading]] = {}

    def read(self, body: Mapping[str, Any]) -> Reading:
        """Return the reading of `body`; raise `InvalidResource` where it cannot be read."""
        metadata = body["metadata"]
        uid, version = metadata["uid"], metadata["resourceVersion"]
        known = self._known.get(uid)
        if known is not None and known[0] == version:
            return known[1]
        reading = _of_same_spec(known[1], body) if known is not None else None
        if reading is None:
            reading = reading_of(parse({**body, "status": status_of(body)}))
        self._known[uid] = (version, reading)
        return reading

    def forget(self, uid: str) -> None:
        """Drop what is remembered of one resource."""
        self._known.pop(uid, None)


def reading_of(resource: SpecDecodeDeployment) -> Reading:
    """Return the reading of `resource`; rungs that pre-flight refuses are never chosen."""
    rungs = ladder(resource.spec)
    unknown = sources(rungs.primary, find)
    examinations = {
        rung.name: preflight(
            resource.spec, rung.model, rung.speculation, facts=_lookup(resource.status.facts, unknown, rung)
        )
        for rung in rungs.rungs
    }
    refused = {rung.name for rung in rungs.fallbacks if examinations[rung.name].errors}
    return Reading(resource, replace(rungs, unusable=frozenset(refused)), examinations, unknown)


def _lookup(facts: FactsStatus | None, unknown: tuple[Source, ...], rung: Variant) -> Lookup:
    """Return what is known of the models of `rung`: the catalog, and what a Job read of the very same weights."""
    known = facts_known(digest(unknown), facts)
    if known is None or not known.models:
        return find
    same = {source.name for source in sources(rung, find) if source in unknown}
    read = {name: model for name, model in facts_found(known.models).items() if name in same}
    return lambda name: find(name) or read.get(name)


def _of_same_spec(known: Reading, body: Mapping[str, Any]) -> Reading | None:
    """Return the reading of `body` if its spec was read before: every change of a spec is a new generation."""
    metadata = Metadata.model_validate(body["metadata"])
    if not metadata.generation or metadata.generation != known.resource.metadata.generation:
        return None
    if status_of(body).facts != known.resource.status.facts:
        return None
    resource = known.resource.model_copy(update={"metadata": metadata, "status": status_of(body)})
    return replace(known, resource=resource)


def status_of(body: Mapping[str, Any]) -> Status:
    """Return the status in `body`, or an empty one where it is missing or cannot be read.

    A status that a newer operator wrote is adopted like a lost one: from the Deployment's labels.
    """
    try:
        return Status.model_validate(body.get("status") or {})
    except ValueError:
        return Status()
