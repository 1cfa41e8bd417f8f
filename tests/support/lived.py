"""A resource that lives for hours: the real evaluator and reconciler, with a kubelet and a Prometheus in memory."""

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from specdecode_operator.api.v1alpha1 import Decision
from specdecode_operator.controller.evaluator import Watched
from specdecode_operator.controller.settings import Endpoint
from specdecode_operator.policy import Scope
from specdecode_operator.replay import Grid, Recorded, Recording, collect
from support.builders import NOW, rung, spec_of, stamp
from support.past_prometheus import INTERVAL, Past, PastPod
from support.world import KEY, World

STEP = 15
Manifest = dict[str, Any]
_LOADING = timedelta(minutes=2)
"""How long a new pod loads its model before the next old one goes."""


class Lived:
    """A world whose time passes in steps of an evaluation."""

    def __init__(self, **spec: Any) -> None:
        self.world = World(**spec)
        self.past = Past(now=self.world.clock)
        endpoint = Endpoint(name="default", url="http://prometheus:9090", scrape_interval_seconds=INTERVAL)
        self.world.endpoints["default"] = Watched(endpoint, self.past)
        self.spec = spec
        self.decisions: dict[str, Decision] = {}
        self.room = True
        """Whether there is a GPU for a pod on trial."""
        self._last_roll = NOW

    async def live(self, minutes: float, meanwhile: Callable[[datetime], None] = lambda _: None) -> None:
        """Evaluate, decide and roll until `minutes` have passed."""
        end = self.world.now + timedelta(minutes=minutes)
        while self.world.now < end:
            meanwhile(self.world.now)
            self._kubelet()
            await self.world.evaluator.tick()
            await self.world.reconcile()
            self.decisions |= {decision.id: decision for decision in self.world.status.decisions}
            self.world.now += timedelta(seconds=STEP)

    async def recorded(self, start: datetime = NOW) -> Recording:
        """Return a recording of all that was lived."""
        grid = Grid.between(start, self.world.now - timedelta(seconds=STEP), STEP)
        resource = Recorded(*KEY, spec_of(**self.spec))
        return await collect(self.past, [resource], grid, scope=Scope(), scrape_interval=INTERVAL)

    def hashes(self) -> dict[str, str]:
        """Return the variant's hash of every pod there ever was, by its name."""
        return {pod.name: pod.name.split("-")[-2] for pod in self.past.pods}

    def _kubelet(self) -> None:
        """Bring one pod at a time to what the Deployment asks for."""
        deployment = self.world.kubernetes.objects.get(("Deployment", *KEY))
        if deployment is None:
            return
        wanted = deployment["spec"]["template"]["metadata"]["labels"]["specdecode.dev/variant-hash"]
        old = [pod for pod in self._alive() if f"-{wanted}-" not in pod.name]
        if not self._alive():
            for _ in range(deployment["spec"]["replicas"]):
                self._start(wanted)
        elif old and self.world.now >= max(self._last_roll, self._changed) + _LOADING:
            self._start(wanted)
            self._stop(old[0])
            self._last_roll = self.world.now
        self._report(wanted)
        self._tries()

    @property
    def _changed(self) -> datetime:
        operation = self.world.status.operation
        return datetime.fromisoformat(operation.started_at) if operation else NOW

    def _alive(self) -> list[PastPod]:
        return [pod for pod in self.past.pods if pod.gone is None and not _on_trial(pod)]

    def _tries(self) -> None:
        """Start the pod of a trial a minute after it was asked for, and stop it when it is no longer."""
        trial = self.world.kubernetes.objects.get(("Deployment", "prod", "chat-trial"))
        running = [pod for pod in self.past.pods if pod.gone is None and _on_trial(pod)]
        if trial is None:
            for pod in running:
                self._stop(pod)
        elif not running and self.room and self.world.now >= self._changed + timedelta(minutes=1):
            self._start(trial["spec"]["template"]["metadata"]["labels"]["specdecode.dev/variant-hash"], trial=True)
        elif not running and not self.room:
            self._wait_for_a_node(trial)

    def _wait_for_a_node(self, trial: Manifest) -> None:
        if any(name[2] == "chat-trial-waiting" for name in self.world.kubernetes.objects):
            return
        labels = trial["spec"]["template"]["metadata"]["labels"]
        metadata = {"namespace": "prod", "name": "chat-trial-waiting", "labels": labels}
        metadata["creationTimestamp"] = stamp(self.world.now)
        unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        pod = {"kind": "Pod", "metadata": metadata, "status": {"conditions": [unscheduled]}}
        self.world.store.put("Pod", self.world.kubernetes.put(pod))

    def _start(self, variant_hash: str, *, trial: bool = False) -> None:
        infix, role = ("-trial", "trial") if trial else ("", "stable")
        name, now = f"chat{infix}-{variant_hash}-{len(self.past.pods):05}", self.world.now
        off = rung(spec_of(**self.spec), "no-speculation").hash
        self.past.pods.append(PastPod(name, now, speculating=variant_hash != off))
        labels = {"specdecode.dev/name": "chat", "specdecode.dev/variant-hash": variant_hash}
        labels["specdecode.dev/role"] = role
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": stamp(now)}
        metadata = {"namespace": "prod", "name": name, "labels": labels, "creationTimestamp": stamp(now)}
        pod = {"kind": "Pod", "metadata": metadata, "status": {"conditions": [ready]}}
        self.world.store.put("Pod", self.world.kubernetes.put(pod))

    def _stop(self, pod: PastPod) -> None:
        pod.gone = self.world.now
        self.world.store.remove("Pod", self.world.kubernetes.objects.pop(("Pod", "prod", pod.name)))

    def _report(self, wanted: str) -> None:
        """Write the Deployment's status as its controller would."""
        live = copy.deepcopy(self.world.kubernetes.objects["Deployment", *KEY])
        pods = self._alive()
        status = {
            "observedGeneration": live["metadata"]["generation"],
            "replicas": len(pods),
            "updatedReplicas": sum(f"-{wanted}-" in pod.name for pod in pods),
            "readyReplicas": len(pods),
            "conditions": [{"type": "Available", "status": "True"}],
        }
        if live.get("status") != status:
            self.world.store.put("Deployment", self.world.kubernetes.put(live | {"status": status}))


def _on_trial(pod: PastPod) -> bool:
    return pod.name.startswith("chat-trial-")
