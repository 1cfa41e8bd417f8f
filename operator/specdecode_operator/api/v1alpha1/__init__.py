"""Models of `specdecode.dev/v1alpha1`, one subject a module."""

from specdecode_operator.api.v1alpha1.base import Duration, LatencyThreshold, Trigger
from specdecode_operator.api.v1alpha1.engine import Dtype, Engine, EnvVar
from specdecode_operator.api.v1alpha1.facts import Facts
from specdecode_operator.api.v1alpha1.found import MAX_CONFIG, MAX_FACTS, FactsReport, FactsStatus, ModelFound
from specdecode_operator.api.v1alpha1.model import Model, ModelOverlay, Storage
from specdecode_operator.api.v1alpha1.policy import Acceptance, LatencyMetric, Mode, Objective, Policy, Window
from specdecode_operator.api.v1alpha1.preflight import (
    MAX_WARNINGS,
    MemoryFigures,
    PreflightStatus,
    PreflightWarning,
)
from specdecode_operator.api.v1alpha1.resource import Metadata, SpecDecodeDeployment, parse
from specdecode_operator.api.v1alpha1.spec import Fallback, Spec
from specdecode_operator.api.v1alpha1.speculation import Draft, DraftSampling, Method, Rejection, Speculation
from specdecode_operator.api.v1alpha1.status import (
    MAX_BLOCKED,
    MAX_DECISIONS,
    REVERT,
    Blocked,
    Condition,
    ConditionStatus,
    Decision,
    EffectiveThreshold,
    FailureReason,
    Frozen,
    Operation,
    Outcome,
    Phase,
    Status,
)
from specdecode_operator.api.v1alpha1.workload import (
    Gpu,
    PodTemplate,
    Resources,
    Rollout,
    RolloutStrategy,
    Scrape,
)

__all__ = [
    "MAX_BLOCKED",
    "MAX_CONFIG",
    "MAX_DECISIONS",
    "MAX_FACTS",
    "MAX_WARNINGS",
    "REVERT",
    "Acceptance",
    "Blocked",
    "Condition",
    "ConditionStatus",
    "Decision",
    "Draft",
    "DraftSampling",
    "Dtype",
    "Duration",
    "EffectiveThreshold",
    "Engine",
    "EnvVar",
    "Facts",
    "FactsReport",
    "FactsStatus",
    "FailureReason",
    "Fallback",
    "Frozen",
    "Gpu",
    "LatencyMetric",
    "LatencyThreshold",
    "MemoryFigures",
    "Metadata",
    "Method",
    "Mode",
    "Model",
    "ModelFound",
    "ModelOverlay",
    "Objective",
    "Operation",
    "Outcome",
    "Phase",
    "PodTemplate",
    "Policy",
    "PreflightStatus",
    "PreflightWarning",
    "Rejection",
    "Resources",
    "Rollout",
    "RolloutStrategy",
    "Scrape",
    "Spec",
    "SpecDecodeDeployment",
    "Speculation",
    "Status",
    "Storage",
    "Trigger",
    "Window",
    "parse",
]
