"""What the operator reports. Nothing here ticks; live numbers are metrics."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from specdecode_operator.api.v1alpha1.base import ApiModel
from specdecode_operator.api.v1alpha1.found import FactsStatus
from specdecode_operator.api.v1alpha1.preflight import PreflightStatus

__all__ = [
    "MAX_BLOCKED",
    "MAX_DECISIONS",
    "REVERT",
    "Blocked",
    "Condition",
    "ConditionStatus",
    "Decision",
    "EffectiveThreshold",
    "FailureReason",
    "Frozen",
    "Operation",
    "Outcome",
    "Phase",
    "Status",
]

MAX_DECISIONS: Final = 10
"""Decisions kept in the status; older ones are in Events and logs."""

MAX_BLOCKED: Final = 16
"""Rungs that were taken back and are remembered; the oldest are forgotten first."""

REVERT: Final = "Revert"
"""The trigger of a decision that takes an earlier one back; no fallback can name it."""

Text = Annotated[str, Field(max_length=256)]
Message = Annotated[str, Field(max_length=1024)]
Timestamp = Annotated[str, Field(max_length=32, json_schema_extra={"format": "date-time"})]


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Outcome(StrEnum):
    """What became of a decision."""

    STARTED = "Started"
    COMPLETED = "Completed"
    VERIFIED = "Verified"
    NOT_IMPROVED = "NotImproved"
    REVERTED = "Reverted"
    FAILED = "Failed"
    SUPERSEDED = "Superseded"
    OBSERVED = "Observed"


class Phase(StrEnum):
    """How far the operator's own roll is."""

    ROLLING = "Rolling"
    VERIFYING = "Verifying"


class FailureReason(StrEnum):
    """What was wrong with the pods that were left."""

    NOT_READY = "NotReady"
    CRASH_LOOP = "CrashLoop"
    WORSE = "Worse"


class Condition(ApiModel):
    """One aspect of the resource, in the form of Kubernetes' API conventions."""

    type: Text
    """Which aspect."""
    status: ConditionStatus
    """True, False or Unknown."""
    reason: Text
    """One word for programs."""
    message: Message
    """One sentence for people."""
    last_transition_time: Timestamp
    """When the status last changed."""
    observed_generation: Annotated[int, Field(ge=0)]
    """The generation of the spec that this was computed from."""


class EffectiveThreshold(ApiModel):
    """What a threshold of the policy really compares with."""

    signal: Text
    """The signal, such as `Acceptance` or `TpotP99`."""
    requested: Text
    """As the policy says."""
    effective: Text
    """As it is compared: latencies are moved up to the next bucket edge of the engine's histogram."""


class Operation(ApiModel):
    """The operator's own roll that is in flight or being verified."""

    id: Text
    """The decision that started it."""
    from_variant: Annotated[Text, Field(alias="from")]
    """The variant that is left."""
    to_variant: Annotated[Text, Field(alias="to")]
    """The variant that is rolled out."""
    trigger: Text
    """The decision's trigger."""
    phase: Phase = Phase.ROLLING
    """`Verifying` begins when every pod was rolled; decisions on metrics alone are verified."""
    started_at: Timestamp
    """When it was decided."""
    rolled_at: Timestamp | None = None
    """When every pod was rolled; what is verified came later."""
    sound: Annotated[list[Text], Field(max_length=16)] = []
    """Signals, with thresholds, that were not in breach at the decision; one that is afterwards takes the roll back."""


class Decision(ApiModel):
    """What was decided, on which evidence, and what became of it."""

    id: Text
    """Identifies the decision in Events, logs and metrics."""
    at: Timestamp
    """When."""
    generation: Annotated[int, Field(ge=0)]
    """The generation of the spec that was judged."""
    from_variant: Annotated[Text, Field(alias="from")]
    """The variant that was running."""
    to_variant: Annotated[Text, Field(alias="to")]
    """The variant that was chosen."""
    trigger: Text
    """`Acceptance`, `Latency`, `Startup`, or `Revert` for one that takes an earlier decision back."""
    reason: FailureReason | None = None
    """What was wrong with the pods that were left, where the trigger is `Startup` or `Revert`."""
    signal: Text | None = None
    """The signal in breach, such as `Acceptance` or `TpotP99`; absent, with its figures, where no metric was needed."""
    value: Text | None = None
    """Its value in both windows."""
    threshold: Text | None = None
    """What it was compared with."""
    window: Text | None = None
    """Short and long window."""
    samples: Text | None = None
    """Finished requests in both windows."""
    outcome: Outcome
    """`Started`, `Completed` (every pod rolled), `Verified`, `NotImproved` (kept), `Reverted`, `Failed` (pods do not
    start), `Superseded` by a change of the spec, or `Observed`: what Enforce would have done."""


class Blocked(ApiModel):
    """A rung that was taken back; it is not chosen again for this trigger until `primary` changes."""

    trigger: Text
    """The trigger that had led to it."""
    variant: Text
    """Its name."""
    variant_hash: Text
    """Hash of its configuration then; with another one it may be chosen again."""
    reason: FailureReason
    """Why it was taken back."""
    since: Timestamp
    """When."""


class Frozen(ApiModel):
    """The operator takes no action of its own until a person says so, or `primary` changes."""

    id: Text
    """What the annotation `specdecode.dev/unfreeze` must say."""
    reason: Text
    """`SecondReversal`, or `ReversalFailed` when the pods that were gone back to do not start either."""
    since: Timestamp
    """When."""


class Status(ApiModel):
    """What runs, why, and what was decided."""

    observed_generation: Annotated[int, Field(ge=0)] | None = None
    """The generation of the spec that this status was computed from."""
    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
        ),
    ] = []
    """Ready, Reconciling, Stalled, MetricsAvailable, SpeculationActive, ObjectivesMet, RemediationBlocked."""
    active_variant: Text | None = None
    """The variant that the pods run or are rolled to."""
    variant_hash: Text | None = None
    """Hash of that variant's configuration; the pods carry it as a label."""
    primary_hash: Text | None = None
    """Hash of `primary` when the active variant was chosen; another one starts the ladder anew."""
    speculation: Text | None = None
    """The active variant's speculation method."""
    replicas: Annotated[int, Field(ge=0)] | None = None
    """Pods that exist, for the scale subresource."""
    ready_replicas: Annotated[int, Field(ge=0)] | None = None
    """Pods that are ready."""
    selector: Annotated[str, Field(max_length=1024)] | None = None
    """Label selector of the pods, for the scale subresource."""
    operation: Operation | None = None
    """The operator's own roll that is in flight or being verified."""
    plan: PreflightStatus | None = None
    """What was found before the pods were made: warnings, and the memory plan."""
    facts: FactsStatus | None = None
    """What a Job read of models that no catalog knows, where the administrator allows it."""
    reversals: Annotated[int, Field(ge=0)] = 0
    """Decisions taken back since `primary` changed or a person unfroze the resource."""
    frozen: Frozen | None = None
    """Set while the operator takes no action of its own."""
    blocked: Annotated[
        list[Blocked],
        Field(
            max_length=MAX_BLOCKED,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["trigger", "variant"],
            },
        ),
    ] = []
    """Rungs that were taken back, oldest first."""
    effective_thresholds: Annotated[
        list[EffectiveThreshold],
        Field(
            max_length=16,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["signal"]},
        ),
    ] = []
    """What the policy's thresholds really compare with."""
    decisions: Annotated[
        list[Decision],
        Field(
            max_length=MAX_DECISIONS,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"]},
        ),
    ] = []
    """The last decisions, oldest first."""

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of type `kind`, if it was ever set."""
        return next((condition for condition in self.conditions if condition.type == kind), None)
