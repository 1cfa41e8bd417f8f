"""Models of `specdecode.dev/v1alpha1`, one subject a module."""

from specdecode_operator.api.v1alpha1.base import Duration, LatencyThreshold, Trigger
from specdecode_operator.api.v1alpha1.engine import Engine, EnvVar
from specdecode_operator.api.v1alpha1.model import Model, ModelOverlay, Storage
from specdecode_operator.api.v1alpha1.policy import Acceptance, LatencyMetric, Mode, Objective, Policy, Window
from specdecode_operator.api.v1alpha1.resource import Metadata, SpecDecodeDeployment, parse
from specdecode_operator.api.v1alpha1.spec import Fallback, Spec
from specdecode_operator.api.v1alpha1.speculation import Draft, DraftSampling, Method, Rejection, Speculation
from specdecode_operator.api.v1alpha1.status import (
    MAX_DECISIONS,
    Condition,
    ConditionStatus,
    Decision,
    EffectiveThreshold,
    Operation,
    Outcome,
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
    "MAX_DECISIONS",
    "Acceptance",
    "Condition",
    "ConditionStatus",
    "Decision",
    "Draft",
    "DraftSampling",
    "Duration",
    "EffectiveThreshold",
    "Engine",
    "EnvVar",
    "Fallback",
    "Gpu",
    "LatencyMetric",
    "LatencyThreshold",
    "Metadata",
    "Method",
    "Mode",
    "Model",
    "ModelOverlay",
    "Objective",
    "Operation",
    "Outcome",
    "PodTemplate",
    "Policy",
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
