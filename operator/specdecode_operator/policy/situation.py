"""Everything one decision depends on, gathered once."""

from dataclasses import dataclass, field
from datetime import datetime

from specdecode_operator.api.v1alpha1 import Baseline, FactsStatus, PreflightStatus, Spec, Status, Trigger
from specdecode_operator.policy.brakes.fleet import FleetState
from specdecode_operator.policy.judging.pressure import Pressure, Strain
from specdecode_operator.policy.judging.verdicts import Finding, Verdict
from specdecode_operator.policy.ladder import Ladder
from specdecode_operator.policy.trials.comparison import Comparison

__all__ = ["ClusterState", "Compared", "Judgement", "Observation", "Situation", "TrialPod"]


@dataclass(frozen=True)
class TrialPod:
    """The pod on trial, as the API server reports it. All zero where there is none."""

    variant_hash: str | None = None
    """What the trial's Deployment is for."""
    total: int = 0
    ready: int = 0
    created: datetime | None = None
    """When its pod was created."""
    ready_since: datetime | None = None
    unschedulable: bool = False
    """Whether it finds no node."""
    deadline_exceeded: bool = False
    """Whether it did not become ready within its deadline."""
    crash_looping: bool = False


@dataclass(frozen=True)
class ClusterState:
    """What runs: the Deployment as the API server reports it. All zero where there is none yet."""

    exists: bool = False
    variant: str | None = None
    """The variant in the Deployment's labels."""
    variant_hash: str | None = None
    """Its hash there."""
    primary_hash: str | None = None
    """Hash of `primary` when that variant was applied."""
    observed: bool = False
    """Whether the Deployment's controller has seen its latest spec."""
    desired: int = 0
    total: int = 0
    updated: int = 0
    ready: int = 0
    available: bool = False
    """Whether enough pods are available by the Deployment's own rule."""
    deadline_exceeded: bool = False
    """Whether the rollout made no progress within its deadline."""
    unschedulable: bool = False
    """Whether a new pod finds no node."""
    replacing: bool = False
    """Whether the Deployment replaces pods one at a time."""
    completed: bool = False
    """Whether the rollout of this variant has once come to its end."""
    serving: int = 0
    """Ready pods of the Deployment's own variant; `ready` counts those of others too."""
    since: datetime | None = None
    """When the oldest pod of that variant was created."""
    crash_looping: bool = False
    """Whether a pod of that variant crashes again and again."""
    trial: TrialPod = TrialPod()

    def carries(self, variant_hash: str) -> bool:
        """Whether the Deployment is for `variant_hash` and its controller knows."""
        return self.exists and self.observed and self.variant_hash == variant_hash

    def rolled_out(self, variant_hash: str) -> bool:
        """Whether every pod runs `variant_hash` and none of another is left."""
        pods = self.updated == self.total == self.desired and self.ready >= self.desired
        return self.carries(variant_hash) and pods


@dataclass(frozen=True)
class Judgement:
    """The findings of the last evaluation, and for which variant they were made."""

    variant_hash: str
    findings: tuple[Finding, ...]
    repeated: frozenset[str] = frozenset()
    """Names of the signals in breach that were in breach in the evaluation before as well."""
    unavailable: str | None = None
    """Why the metrics cannot be trusted."""
    waiting: str | None = None
    """Why there is not enough to judge yet."""
    pressure: Pressure = field(default_factory=Pressure)
    """The load of the judged pods over the short window."""
    baseline: Baseline | None = None
    """What to remember of the judged variant if it is left now."""
    dry: tuple[Finding, ...] = ()
    """Findings of the signals that are only written down."""
    dry_repeated: frozenset[str] = frozenset()
    """Names of those of them in breach that were in breach in the evaluation before as well."""

    @property
    def confirmed(self) -> bool:
        """Whether any breach was found twice."""
        return bool(self.repeated)

    def dry_breaches(self) -> tuple[Finding, ...]:
        """Return the findings in breach that were found twice and are only written down."""
        return tuple(one for one in self.dry if one.verdict is Verdict.BREACH and one.signal.name in self.dry_repeated)

    def breaches(self) -> tuple[Finding, ...]:
        """Return the findings in breach that were found twice."""
        return tuple(one for one in self.findings if one.verdict is Verdict.BREACH and one.signal.name in self.repeated)

    def strains(self) -> tuple[Strain, ...]:
        """Return what the pods are short of, where a latency is in breach: why its tail may have grown."""
        slow = any(one.verdict is Verdict.BREACH and one.signal.trigger is Trigger.LATENCY for one in self.findings)
        return self.pressure.reasons() if slow else ()


@dataclass(frozen=True)
class Compared:
    """What the last evaluation of a trial found."""

    decision: str
    """Id of the decision whose trial it was."""
    comparison: Comparison
    repeated: bool = False
    """Whether the evaluation before found the same."""
    last: bool = False
    """Whether this was the longest look, after which there is none."""


@dataclass(frozen=True)
class Observation:
    """What is known of a resource even when its spec cannot be read."""

    generation: int
    status: Status
    cluster: ClusterState
    now: datetime


@dataclass(frozen=True)
class Situation(Observation):
    """One resource at one moment."""

    spec: Spec
    ladder: Ladder
    judgement: Judgement | None
    preflight: PreflightStatus | None = None
    """What the checks before the pods say of the spec."""
    facts: FactsStatus | None = None
    """What a Job read of models that no catalog knows."""
    unfreeze: str | None = None
    """What the annotation `specdecode.dev/unfreeze` says."""
    compared: Compared | None = None
    """The last evaluation of the trial that is going on."""
    approve: str | None = None
    """What the annotation `specdecode.dev/approve` says."""
    pin: str | None = None
    """What the annotation `specdecode.dev/pin` says."""
    fleet: FleetState = field(default_factory=FleetState)
    """The other resources of the operator."""

    def judged(self, variant_hash: str) -> Judgement | None:
        """Return the last evaluation, if it was of `variant_hash`."""
        same = self.judgement is not None and self.judgement.variant_hash == variant_hash
        return self.judgement if same else None
