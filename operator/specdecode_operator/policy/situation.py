"""Everything one decision depends on, gathered once."""

from dataclasses import dataclass
from datetime import datetime

from specdecode_operator.api.v1alpha1 import FactsStatus, PreflightStatus, Spec, Status
from specdecode_operator.policy.ladder import Ladder
from specdecode_operator.policy.verdicts import Finding, Verdict

__all__ = ["ClusterState", "Judgement", "Observation", "Situation"]


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

    @property
    def confirmed(self) -> bool:
        """Whether any breach was found twice."""
        return bool(self.repeated)

    def breaches(self) -> tuple[Finding, ...]:
        """Return the findings in breach that were found twice."""
        return tuple(one for one in self.findings if one.verdict is Verdict.BREACH and one.signal.name in self.repeated)


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

    def judged(self, variant_hash: str) -> Judgement | None:
        """Return the last evaluation, if it was of `variant_hash`."""
        same = self.judgement is not None and self.judgement.variant_hash == variant_hash
        return self.judgement if same else None
