"""What the resources share: operations in flight, and who lately was in breach behind an endpoint.

Everything is kept as it comes, so that a reconcile asks for it in constant time. Workers are tasks of one event loop:
nothing else runs between the question for the state, the decision and its reservation, and a reservation counts until
the decision is in the caches. So no two workers take the last slot.
"""

from collections.abc import Iterable
from datetime import datetime

from specdecode_operator.api.v1alpha1 import Phase
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.settings import FleetSettings
from specdecode_operator.controller.store import Key, Store
from specdecode_operator.policy import FleetState, Plan

__all__ = ["Fleet"]


class Fleet:
    """All resources of this operator."""

    def __init__(self, settings: FleetSettings, store: Store, metrics: Metrics) -> None:
        self._settings = settings
        self._rules = settings.rules
        self._store = store
        self._metrics = metrics
        self._reserved: set[Key] = set()
        self._breached: dict[str, dict[Key, datetime]] = {}
        self._watched: dict[str, int] = {}

    def observe(self, endpoint: str, watched: Iterable[Key], breaching: Iterable[Key], now: datetime) -> None:
        """Take in one whole evaluation of an endpoint: the resources behind it, and those in confirmed breach."""
        present = set(watched)
        latest = self._breached.get(endpoint, {}) | dict.fromkeys(breaching, now)
        window = self._settings.hold_all.window_seconds
        self._breached[endpoint] = {
            key: at for key, at in latest.items() if key in present and (now - at).total_seconds() <= window
        }
        self._watched[endpoint] = len(present)
        self._metrics.breaching.labels(endpoint).set(len(self._breached[endpoint]))

    def state(self, key: Key, endpoint: str) -> FleetState:
        """Return what a decision on `key` has to know of the others."""
        return FleetState(
            rules=self._rules,
            rolling=self._in_flight() - (key in self._store.operating or key in self._reserved),
            breaching=len(self._breached.get(endpoint, ())),
            watched=self._watched.get(endpoint, 0),
        )

    def reserve(self, key: Key, plan: Plan) -> None:
        """Count the operation of `plan` from now on; to be called with no await after `state`."""
        if plan.operation is not None and plan.operation.phase is not Phase.VERIFYING:
            self._reserved.add(key)
        self._metrics.operations.set(self._in_flight())

    def release(self, key: Key) -> None:
        """Leave the counting to the caches again."""
        self._reserved.discard(key)
        self._metrics.operations.set(self._in_flight())

    def _in_flight(self) -> int:
        return len(self._store.operating) + sum(key not in self._store.operating for key in self._reserved)
