"""Stands in for kubelet and scheduler where only the API server is real: pods become ready at once."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Self

from support.api import Api, Manifest, RefusedError

_LONG_AGO = timedelta(hours=2)


class KubeletDouble:
    """Makes every pod that carries our label ready; use it as a context manager."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: list[tuple[str, str]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def pods(self) -> list[tuple[str, str]]:
        """Return namespace and name of every pod."""
        return list(self._known)

    def _pods(self) -> list[Manifest]:
        found: list[Manifest] = self._api.call("GET", "/api/v1/pods?labelSelector=specdecode.dev/name")["items"]
        return found

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            pods = self._pods()
            self._known = [_name(pod) for pod in pods]
            for pod in pods:
                if not (pod.get("status") or {}).get("conditions"):
                    self._make_ready(*_name(pod))

    def _make_ready(self, namespace: str, name: str) -> None:
        since = (datetime.now(UTC) - _LONG_AGO).strftime("%Y-%m-%dT%H:%M:%SZ")
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": since}
        try:
            status = {"phase": "Running", "conditions": [ready]}
            self._api.merge("Pod", namespace, name, {"status": status}, sub="/status")
        except RefusedError:
            return


def _name(pod: Manifest) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]
