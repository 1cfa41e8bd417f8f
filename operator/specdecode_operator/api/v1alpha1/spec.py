"""The whole spec, and the ladder of fallbacks in it."""

from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, model_validator

from specdecode_operator.api.names import MAX_NAME_LENGTH, NO_SPECULATION_VARIANT, PRIMARY_VARIANT, TRIAL_SUFFIX
from specdecode_operator.api.v1alpha1.base import ApiModel, ContainerName, Trigger, rule
from specdecode_operator.api.v1alpha1.engine import Engine
from specdecode_operator.api.v1alpha1.model import Model, ModelOverlay
from specdecode_operator.api.v1alpha1.policy import Policy
from specdecode_operator.api.v1alpha1.speculation import Method, Speculation
from specdecode_operator.api.v1alpha1.workload import Metrics, PodTemplate, Resources, Rollout

__all__ = ["NAME_RULE", "SUFFIX_RULE", "Fallback", "Spec"]

NAME_RULE: Final = rule(
    f"self.metadata.name.size() <= {MAX_NAME_LENGTH}",
    f"metadata.name: at most {MAX_NAME_LENGTH} characters, so that the names of the children fit",
)
SUFFIX_RULE: Final = rule(
    f"!self.metadata.name.endsWith('{TRIAL_SUFFIX}')",
    f"metadata.name: must not end in {TRIAL_SUFFIX}, since the trial of another resource may be called so",
)
_FALLBACK_RULES: Final = [
    rule(
        f"self.name != '{PRIMARY_VARIANT}'",
        f"fallbacks: the name {PRIMARY_VARIANT} stands for the spec itself; choose another name",
    ),
    rule(
        f"self.name == '{NO_SPECULATION_VARIANT}' ? !has(self.model) && !has(self.speculation)"
        " : has(self.model) || has(self.speculation)",
        f"fallbacks: a rung needs model or speculation, and the built-in {NO_SPECULATION_VARIANT} takes neither",
    ),
]
_ENOUGH_GPUS: Final = rule(
    "!has(self.resources.gpu.count) || self.resources.gpu.count >= self.engine.tensorParallelSize",
    "resources.gpu.count: must be at least engine.tensorParallelSize",
)


class Fallback(ApiModel):
    """One rung: the spec with other weights or another speculation."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [*_FALLBACK_RULES]})

    name: ContainerName
    """The variant's name; it appears in labels, status and Events."""
    triggers: Annotated[
        list[Trigger],
        Field(min_length=1, max_length=3, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ]
    """The triggers that lead to this rung; others skip it. `Startup` is a rollout of which no pod becomes ready."""
    model: ModelOverlay | None = None
    """Other weights, for instance the same model in another quantization."""
    speculation: Speculation | None = None
    """Another speculation, in place of `spec.speculation` as a whole."""

    @model_validator(mode="after")
    def _meaningful(self) -> Self:
        if self.name == PRIMARY_VARIANT:
            raise ValueError(_FALLBACK_RULES[0]["message"])
        changes = self.model is not None or self.speculation is not None
        if changes == (self.name == NO_SPECULATION_VARIANT):
            raise ValueError(_FALLBACK_RULES[1]["message"])
        return self


class Spec(ApiModel):
    """What to serve, how to speculate, and when to stop speculating. The operator never writes it."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [_ENOUGH_GPUS]})

    replicas: Annotated[int, Field(ge=0, le=1000, json_schema_extra={"format": "int32"})] = 1
    """Pods to run; leave it out where an autoscaler sets it."""
    suspend: bool = False
    """Stops the operator's own actions, not its evaluation; changes of the spec still roll."""
    model: Model
    """The target model."""
    speculation: Speculation = Speculation(method=Method.NONE)
    """How the pods speculate."""
    engine: Engine = Engine()
    """The vLLM server."""
    resources: Resources = Resources()
    """What one pod requests."""
    pod_template: PodTemplate = PodTemplate()
    """What to add to the pods: node selectors, tolerations, volumes, sidecars, runtime class."""
    fallbacks: Annotated[
        list[Fallback],
        Field(
            max_length=8,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = []
    """The ladder, tried in this order; `no-speculation` is built in and comes last unless listed."""
    rollout: Rollout = Rollout()
    """How a change reaches the pods."""
    metrics: Metrics = Metrics()
    """Where the pods' metrics are read."""
    policy: Policy = Policy()
    """When the operator acts."""

    @model_validator(mode="after")
    def _enough_gpus(self) -> Self:
        count = self.resources.gpu.count
        if count is not None and count < self.engine.tensor_parallel_size:
            raise ValueError(_ENOUGH_GPUS["message"])
        return self
