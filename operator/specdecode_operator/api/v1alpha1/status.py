"""What the operator reports. Nothing here ticks; live numbers are metrics."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from specdecode_operator.api.v1alpha1.base import ApiModel
from specdecode_operator.api.v1alpha1.found import FactsStatus
from specdecode_operator.api.v1alpha1.preflight import PreflightStatus

__all__ = [
    "MAX_ACTIONS",
    "MAX_BLOCKED",
    "MAX_DECISIONS",
    "PIN",
    "PROBE",
    "REVERT",
    "UNPIN",
    "Baseline",
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
    "Pin",
    "Status",
]

MAX_DECISIONS: Final = 10
"""Decisions kept in the status; older ones are in Events and logs."""

MAX_BLOCKED: Final = 16
"""Rungs that were dropped or taken back and are remembered; the oldest are forgotten first."""

MAX_ACTIONS: Final = 32
"""Actions whose time is remembered, the newest ones; no limit of `policy.budget` counts further."""

REVERT: Final = "Revert"
"""The trigger of a decision that takes an earlier one back; no fallback can name it."""

PROBE: Final = "Probe"
"""The trigger of a decision that tries speculation again; no fallback can name it."""
PIN: Final = "Pin"
"""The trigger of a decision that follows the annotation `specdecode.dev/pin`."""

UNPIN: Final = "Unpin"
"""The trigger of the decision that goes back when the pin is over."""

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

    TRIAL = "Trial"
    DROPPED = "Dropped"
    UNCLEAR = "Unclear"
    STARTED = "Started"
    COMPLETED = "Completed"
    VERIFIED = "Verified"
    NOT_IMPROVED = "NotImproved"
    REVERTED = "Reverted"
    FAILED = "Failed"
    SUPERSEDED = "Superseded"
    OBSERVED = "Observed"
    PROPOSED = "Proposed"
    EXPIRED = "Expired"


class Phase(StrEnum):
    """How far the operator's own action is."""

    TRIAL = "Trial"
    ROLLING = "Rolling"
    VERIFYING = "Verifying"


class FailureReason(StrEnum):
    """Why pods were left, or a trial ended without a roll."""

    NOT_READY = "NotReady"
    CRASH_LOOP = "CrashLoop"
    WORSE = "Worse"
    LOW_ACCEPTANCE = "LowAcceptance"
    NO_ROOM = "NoRoom"
    TIMED_OUT = "TimedOut"


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
    """The operator's own action that is in flight: a trial, a roll, or the verification of one."""

    id: Text
    """The decision that started it."""
    from_variant: Annotated[Text, Field(alias="from")]
    """The variant that is left."""
    to_variant: Annotated[Text, Field(alias="to")]
    """The variant that is tried or rolled out."""
    trigger: Text
    """The decision's trigger."""
    phase: Phase = Phase.ROLLING
    """`Trial` runs one pod beside the stable ones, `Rolling` begins when that was better or where nothing is tried,
    and `Verifying` when every pod was rolled; decisions on metrics alone are verified."""
    started_at: Timestamp
    """When the trial, or the roll, was decided."""
    trial_of: Text | None = None
    """Hash of what is tried and of the policy, while the phase is `Trial`; with another one the trial ends."""
    made_room: bool = False
    """Whether a stable pod has made room for the one on trial."""
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
    """`Acceptance`, `Latency`, `Startup`, `Probe`, `Revert` for one that takes an earlier decision back, `Pin` or
    `Unpin`."""
    reason: FailureReason | None = None
    """What was wrong with the pods that were left, where the trigger is `Startup` or `Revert`, or with a trial:
    `NotReady`, `CrashLoop`, `Worse`, `LowAcceptance`, `NoRoom` for its pod, or `TimedOut` without evidence."""
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
    dry_run: bool | None = None
    """True where nothing was done because of the signal's own `dryRun`."""
    pressure: Text | None = None
    """What the pods were short of beside a latency in breach: KV cache, or a queue."""
    comparison: Text | None = None
    """What the trial measured: candidate over stable pods, with 95 % intervals, and the requests of both."""
    concluded_at: Timestamp | None = None
    """When the trial ended, where there was one."""
    outcome: Outcome
    """`Trial` (running), `Dropped` (worse, or its pod failed), `Unclear` (nothing changed), `Started`, `Completed`
    (every pod rolled), `Verified`, `NotImproved` (kept), `Reverted`, `Failed` (pods do
    not start), `Superseded` by a change of the spec or a pin, `Observed`: what Enforce would have done, `Proposed`:
    what waits for `specdecode.dev/approve`, or `Expired`: what nobody approved in time."""


class Baseline(ApiModel):
    """What the variant before the active one accepted when it was left; never updated."""

    variant: Text
    """Its name."""
    variant_hash: Text
    """Hash of its configuration."""
    kin: Text
    """Hash of its configuration without weights and quantization; the acceptance is compared with its like alone."""
    acceptance_percent: Annotated[str, Field(max_length=8, pattern=r"^[0-9]{1,3}(\.[0-9]+)?$")]
    """Accepted / drafted tokens over the long window, in percent."""


class Blocked(ApiModel):
    """A rung that was dropped or taken back; it is not chosen again for this trigger until `primary` changes."""

    trigger: Text
    """The trigger that had led to it."""
    variant: Text
    """Its name."""
    variant_hash: Text
    """Hash of its configuration then; with another one it may be chosen again."""
    reason: FailureReason
    """Why it was dropped or taken back."""
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


class Pin(ApiModel):
    """The variant that a person holds by the annotation `specdecode.dev/pin`."""

    variant: Text
    """The variant that runs until the pin is over."""
    from_variant: Annotated[Text, Field(alias="from")]
    """Where the ladder stood; the pods go back to it afterwards."""
    until: Timestamp | None = None
    """When it is over; absent where that is when the annotation goes."""


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
    """The operator's own action that is in flight."""
    plan: PreflightStatus | None = None
    """What was found before the pods were made: warnings, and the memory plan."""
    baseline: Baseline | None = None
    """The acceptance of the variant before, to see what another quantization costs; written on transitions alone."""
    pin: Pin | None = None
    """Set while a person holds a variant."""
    facts: FactsStatus | None = None
    """What a Job read of models that no catalog knows, where the administrator allows it."""
    reversals: Annotated[int, Field(ge=0)] = 0
    """Decisions taken back since `primary` changed or a person unfroze the resource."""
    probes: Annotated[int, Field(ge=0)] = 0
    """Times that speculation was tried again without staying on; each doubles the pause before the next."""
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
    """Rungs that were dropped or taken back, oldest first."""
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
    actions: Annotated[list[Timestamp], Field(max_length=MAX_ACTIONS)] = []
    """When the operator's own actions of the last seven days began, oldest first; `policy.budget` counts them."""

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of type `kind`, if it was ever set."""
        return next((condition for condition in self.conditions if condition.type == kind), None)
