"""A resource in a cluster, and a reconciler that looks after it: an API server in memory, a clock that stands still."""

import copy
from dataclasses import replace
from datetime import datetime
from typing import Any

from specdecode_operator.api.v1alpha1 import Status
from specdecode_operator.controller.applier import Applier
from specdecode_operator.controller.evaluator import Evaluator, Watched
from specdecode_operator.controller.facts import FactsJobs
from specdecode_operator.controller.fleet import Fleet
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.notifications import Notifier
from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.reading import Reader
from specdecode_operator.controller.reconcile import Parts, Reconciler
from specdecode_operator.controller.running import RunningReleases
from specdecode_operator.controller.settings import FleetSettings, NotificationSettings
from specdecode_operator.controller.store import Store
from specdecode_operator.policy import Compared, Finding, Judgement, Verdict
from specdecode_operator.policy.trials.comparison import ArmVerdict, Comparison, Counts
from support.builders import ACCEPTANCE, NOW, body, rung, spec_of
from support.fake_engines import FakeEngines
from support.fake_kubernetes import FakeKubernetes

KEY = ("prod", "chat")
OURS = "SpecDecodeDeployment"
STATUS, DEPLOYMENT, SERVICE = ("status", OURS), ("apply", "Deployment"), ("apply", "Service")
BREACH = (Finding(ACCEPTANCE, Verdict.BREACH, "AcceptanceBelowThreshold", 0.3, 0.3, 300, 900),)


class World:
    """A resource in a cluster, and a reconciler that looks after it."""

    notifications = NotificationSettings()
    """Nowhere, unless a test says so before it starts the process."""
    facts: FactsJobs | None = None

    def __init__(self, **spec: Any) -> None:
        self.kubernetes = FakeKubernetes()
        self.store = Store()
        self.metrics = Metrics()
        self.engines = FakeEngines()
        self.now = NOW
        self.endpoints: dict[str, Watched] = {}
        self.start()
        self.change(**spec)

    def start(self) -> None:
        """Start a process: nothing is remembered but the caches and the cluster."""
        reader = Reader()
        clock = self.clock
        self.notifier = Notifier(self.notifications, self.metrics)
        fleet = Fleet(FleetSettings(), self.store, self.metrics)
        self.evaluator = Evaluator(self.store, reader, WorkQueue(), self.metrics, self.endpoints, clock, fleet)
        applier = Applier(self.kubernetes, self.store, self.metrics)
        self.running = RunningReleases(self.store, WorkQueue(), self.engines)
        parts = Parts(
            self.kubernetes,
            self.store,
            reader,
            self.evaluator,
            applier,
            self.metrics,
            clock,
            fleet,
            self.notifier,
            running=self.running,
            facts=self.facts,
        )
        self.reconciler = Reconciler(parts)

    def clock(self) -> datetime:
        return self.now

    def change(self, **spec: Any) -> None:
        """The user applies a spec."""
        self.spec = spec
        live = self.kubernetes.objects.get((OURS, *KEY), body())
        metadata = live["metadata"] | {"generation": live["metadata"].get("generation", 0) + 1}
        self.store.put(OURS, self.kubernetes.put(live | {"metadata": metadata, "spec": body(**spec)["spec"]}))

    def roll_out(self) -> None:
        """The Deployment's controller and the kubelet do all that they have to."""
        live = copy.deepcopy(self.kubernetes.objects["Deployment", *KEY])
        pods = live["spec"]["replicas"]
        live["status"] = {
            "observedGeneration": live["metadata"]["generation"],
            "replicas": pods,
            "updatedReplicas": pods,
            "readyReplicas": pods,
            "conditions": [{"type": "Available", "status": "True"}],
        }
        self.store.put("Deployment", self.kubernetes.put(live))

    def crash(self) -> None:
        """The pods of the Deployment's variant crash, and its controller knows."""
        live = copy.deepcopy(self.kubernetes.objects["Deployment", *KEY])
        live["status"] = live.get("status", {}) | {"observedGeneration": live["metadata"]["generation"], "replicas": 2}
        self.store.put("Deployment", self.kubernetes.put(live))
        labels = live["spec"]["template"]["metadata"]["labels"]
        crashing = {"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
        name = f"chat-{labels['specdecode.dev/variant-hash']}"
        metadata = {"namespace": "prod", "name": name, "labels": labels}
        pod = {"kind": "Pod", "metadata": metadata, "status": {"containerStatuses": [crashing]}}
        self.store.put("Pod", self.kubernetes.put(pod))

    def annotate(self, annotations: dict[str, str]) -> None:
        """A person annotates the resource."""
        live = self.kubernetes.objects[OURS, *KEY]
        metadata = live["metadata"] | {"annotations": annotations}
        self.store.put(OURS, self.kubernetes.put(live | {"metadata": metadata}))

    def breach(self) -> None:
        """The metrics loop has found the active variant in breach, twice."""
        name = self.status.active_variant or "primary"
        judged = Judgement(rung(spec_of(**self.spec), name).hash, BREACH, frozenset({"Acceptance"}))
        self.evaluator._judgements[KEY] = judged

    def compare(self, verdict: ArmVerdict, **changes: Any) -> None:
        """The metrics loop has compared the pod on trial with the others, twice."""
        operation = self.status.operation
        assert operation is not None
        measured = Comparison(verdict, "Because", (), Counts(400, 400), Counts(0, 0), 0.7, 5000)
        found = replace(Compared(operation.id, measured, repeated=True), **changes)
        self.evaluator._trials._compared[KEY] = found

    async def reconcile(self) -> float | None:
        return await self.reconciler(KEY)

    async def serving(self) -> None:
        """Bring the resource up."""
        await self.reconcile()
        self.roll_out()
        await self.reconcile()
        self.kubernetes.writes()
        self.kubernetes.events.clear()

    @property
    def status(self) -> Status:
        return Status.model_validate(self.kubernetes.objects[OURS, *KEY].get("status") or {})

    def state(self, kind: str) -> tuple[str, str, str]:
        found = self.status.condition(kind)
        assert found is not None
        return found.status, found.reason, found.message

    @property
    def variant(self) -> str:
        labels: dict[str, str] = self.kubernetes.objects["Deployment", *KEY]["metadata"]["labels"]
        return labels["specdecode.dev/variant"]

    def frozen(self) -> float | None:
        return self.metrics.registry.get_sample_value("specdecode_frozen", {"namespace": "prod", "name": "chat"})

    def outcomes(self) -> dict[str, float]:
        names = ("done", "stale", "unavailable", "refused", "failed")
        value = self.metrics.registry.get_sample_value
        found = {name: value("specdecode_reconciles_total", {"outcome": name}) for name in names}
        return {name: count for name, count in found.items() if count}

    def reasons(self) -> list[str]:
        return [event["reason"] for event in self.kubernetes.events]
