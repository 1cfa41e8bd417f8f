"""Stands in for kubelet and scheduler where only the API server is real: pods become ready at once, or fail."""

import contextlib
import threading
from datetime import UTC, datetime, timedelta
from typing import Self

from support.api import Api, Manifest, RefusedError

_LONG_AGO = timedelta(hours=2)
_READY = {"type": "Ready", "status": "True"}


class KubeletDouble:
    """Makes every pod that carries our label ready; use it as a context manager."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: list[tuple[str, str]] = []
        self._failing: list[tuple[str, str, Manifest]] = []
        self._written: dict[str, Manifest] = {}
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

    def keep_unready(self, namespace: str, argument: str) -> None:
        """Have pods of `namespace` whose engine has `argument` among its arguments never become ready."""
        self._failing.insert(0, (namespace, argument, _status(_READY | {"status": "False"})))

    def crash(self, namespace: str, argument: str) -> None:
        """Have such pods crash again and again."""
        waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
        container = {
            "name": "engine",
            "image": "x",
            "imageID": "x",
            "ready": False,
            "restartCount": 3,
            "state": waiting,
        }
        failing = _status(_READY | {"status": "False"}) | {"containerStatuses": [container]}
        self._failing.insert(0, (namespace, argument, failing))

    def _pods(self) -> list[Manifest]:
        found: list[Manifest] = self._api.call("GET", "/api/v1/pods?labelSelector=specdecode.dev/name")["items"]
        return found

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            pods = self._pods()
            self._known = [_name(pod) for pod in pods]
            for pod in pods:
                self._write(pod, self._wanted(pod))

    def _wanted(self, pod: Manifest) -> Manifest:
        arguments = pod["spec"]["containers"][0].get("args") or []
        for namespace, argument, status in list(self._failing):
            if namespace == pod["metadata"]["namespace"] and argument in arguments:
                return status
        return _status(_READY)

    def _write(self, pod: Manifest, status: Manifest) -> None:
        uid = pod["metadata"]["uid"]
        if self._written.get(uid) == status:
            return
        with contextlib.suppress(RefusedError):
            self._api.merge("Pod", *_name(pod), {"status": _since_long(status)}, sub="/status")
            self._written[uid] = status


def _status(ready: Manifest) -> Manifest:
    return {"phase": "Running", "conditions": [ready]}


def _since_long(status: Manifest) -> Manifest:
    since = (datetime.now(UTC) - _LONG_AGO).strftime("%Y-%m-%dT%H:%M:%SZ")
    return status | {"conditions": [entry | {"lastTransitionTime": since} for entry in status["conditions"]]}


def _name(pod: Manifest) -> tuple[str, str]:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]
