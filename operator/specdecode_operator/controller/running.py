"""Which release the engines run: every pod that becomes ready is asked once."""

import asyncio
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from itertools import islice
from typing import Any, Final

import structlog

from specdecode_operator.api.names import VARIANT_HASH_LABEL
from specdecode_operator.clients import Engines, EngineUnreachable, Manifest
from specdecode_operator.controller.gather import pod_facts
from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.store import Key, Store
from specdecode_operator.engine import PORT, Version

__all__ = ["RunningReleases"]

_ATTEMPTS: Final = 3
_BATCH: Final = 256
"""Pods asked in one round: behind a firewall each takes the whole deadline."""

_logger = structlog.get_logger(__name__)


class RunningReleases:
    """Remembers what every pod said. One that does not answer stays unknown, which means nothing."""

    def __init__(self, store: Store, queue: WorkQueue, engines: Engines) -> None:
        self._store = store
        self._queue = queue
        self._engines = engines
        self._known: dict[str, Version | None] = {}
        """By uid of the pod; None where it named no release or did not answer any time."""
        self._attempts: dict[str, int] = {}

    def of(self, key: Key, variant_hash: str) -> frozenset[Version]:
        """Return what the pods of one variant have said so far."""
        said = (self._known.get(_uid(pod)) for pod in self._store.pods(key) if _variant(pod) == variant_hash)
        return frozenset(version for version in said if version is not None)

    async def tick(self) -> None:
        """Ask the pods that have become ready, and forget those that are gone."""
        pods = [(key, pod) for key in self._store.keys() for pod in self._store.pods(key)]
        self._forget({_uid(pod) for _, pod in pods})
        unknown = ((key, pod) for key, pod in pods if _uid(pod) not in self._known)
        await asyncio.gather(*(self._ask(key, pod, host) for key, pod, host in _batch(unknown)))

    async def _ask(self, key: Key, pod: Manifest, host: str) -> None:
        uid = _uid(pod)
        self._attempts[uid] = self._attempts.get(uid, 0) + 1
        try:
            self._known[uid] = await self._engines.release(host, PORT)
        except EngineUnreachable as error:
            _logger.debug("engine not asked for its release", key=key, pod=pod["metadata"]["name"], error=str(error))
            if self._attempts[uid] >= _ATTEMPTS:
                self._known[uid] = None
            return
        self._queue.mark(key)

    def _forget(self, present: set[str]) -> None:
        for known in (self._known, self._attempts):
            for uid in known.keys() - present:
                del known[uid]


def _batch(pods: Iterator[tuple[Key, Manifest]]) -> Iterator[tuple[Key, Manifest, str]]:
    return islice(((key, pod, host) for key, pod in pods if (host := _host(pod)) is not None), _BATCH)


def _host(pod: Manifest) -> str | None:
    """Return the pod's address while it serves; one that no pod can have is not asked."""
    facts = pod_facts(pod)
    if facts.ready_since is None or facts.terminating:
        return None
    try:
        address = ip_address((pod.get("status") or {}).get("podIP") or "")
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    impossible = address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified
    return None if impossible else str(address)


def _uid(pod: Manifest) -> str:
    return str(pod["metadata"].get("uid", ""))


def _variant(pod: Manifest) -> Any:  # noqa: ANN401 - a label's value
    return (pod["metadata"].get("labels") or {}).get(VARIANT_HASH_LABEL)
