"""The vLLM server: version, image, parallelism, limits and further flags."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from specdecode_operator.api.v1alpha1.base import ApiModel, EnvName, rule

__all__ = ["Dtype", "Engine", "EnvVar"]

RENDERED_FLAGS: Final = (
    "--model",
    "--served-model-name",
    "--revision",
    "--quantization",
    "-q",
    "--tensor-parallel-size",
    "-tp",
    "--dtype",
    "--max-model-len",
    "--max-num-seqs",
    "--gpu-memory-utilization",
    "--kv-cache-dtype",
    "--host",
    "--port",
    "--shutdown-timeout",
    "--custom-histogram-buckets",
    "--speculative-config",
    "-sc",
    "--spec-method",
    "--spec-model",
    "--spec-tokens",
)
"""Flags that the operator renders from fields; twice on one command line, the last would win silently."""

REFUSED_FLAGS: Final = ("--api-key", "--hf-token", "--disable-log-stats")
"""Secrets do not belong into arguments, and without `/metrics` nothing can be judged."""

_NO_RENDERED: Final = rule(
    "self.all(a, !(a.split('=')[0].split('.')[0].replace('_', '-') in ["
    + ", ".join(f"'{flag}'" for flag in RENDERED_FLAGS)
    + "]))",
    "engine.extraArgs: a flag here has a field of its own (spec.model, spec.speculation, spec.engine or spec.rollout);"
    " use the field",
)
_NO_REFUSED: Final = rule(
    "self.all(a, !(a.split('=')[0].replace('_', '-') in [" + ", ".join(f"'{flag}'" for flag in REFUSED_FLAGS) + "]))",
    "engine.extraArgs: --api-key and --hf-token would show a secret (use podTemplate with a secretKeyRef), and"
    " --disable-log-stats would blind the operator; remove it",
)
_NO_DEV_MODE: Final = rule(
    "self.all(e, e.name != 'VLLM_SERVER_DEV_MODE')",
    "engine.env: VLLM_SERVER_DEV_MODE opens unauthenticated control endpoints; remove it",
)
_SUPPORTED: Final = rule(
    "int(self.split('.')[0]) > 0 || int(self.split('.')[1]) > 8"
    " || (int(self.split('.')[1]) == 8 && int(self.split('.')[2]) >= 3)",
    "engine.version: vLLM before 0.8.3 is not supported; up to 0.8.2 it took --speculative-model,"
    " --num-speculative-tokens and their kin, which are gone: use 0.8.3 or later",
)


class Dtype(StrEnum):
    """Number format of weights and activations."""

    AUTO = "auto"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"


class EnvVar(ApiModel):
    """One environment variable with a plain value; for one from a Secret use `podTemplate`."""

    name: EnvName
    """Its name."""
    value: Annotated[str, Field(max_length=4096)] = ""
    """Its value."""


class Engine(ApiModel):
    """The vLLM server and its limits; what is left out is vLLM's own default."""

    version: Annotated[
        str,
        Field(
            max_length=16,
            pattern=r"^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$",
            json_schema_extra={"x-kubernetes-validations": [_SUPPORTED]},
        ),
    ] = "0.33.0"
    """vLLM's version, which decides flags, metric names and histogram buckets."""
    image: Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\s]+$")] | None = None
    """Image whose entrypoint is `vllm serve`; `docker.io/vllm/vllm-openai:v<version>` when left out."""
    tensor_parallel_size: Annotated[int, Field(ge=1, le=64)] = 1
    """GPUs that share one copy of the target; the draft is sharded over the same GPUs."""
    dtype: Dtype | None = None
    """Number format of weights and activations."""
    max_model_len: Annotated[int, Field(ge=1, le=16777216)] | None = None
    """Longest context of a request, in tokens."""
    max_num_seqs: Annotated[int, Field(ge=1, le=65536)] | None = None
    """Most requests in one engine step."""
    gpu_memory_utilization_percent: Annotated[int, Field(ge=10, le=99)] | None = None
    """Share of each GPU's memory that vLLM may use."""
    kv_cache_dtype: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9_]+$")] | None = None
    """Number format of the KV cache, such as `fp8`."""
    extra_args: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=1024)]],
        Field(
            max_length=64,
            json_schema_extra={
                "x-kubernetes-list-type": "atomic",
                "x-kubernetes-validations": [_NO_RENDERED, _NO_REFUSED],
            },
        ),
    ] = []
    """Further flags of `vllm serve`, one string each, for what has no field."""
    env: Annotated[
        list[EnvVar],
        Field(
            max_length=64,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "x-kubernetes-validations": [_NO_DEV_MODE],
            },
        ),
    ] = []
    """Further environment variables."""

    @property
    def image_reference(self) -> str:
        """The image that the pods run."""
        return self.image or f"docker.io/vllm/vllm-openai:v{self.version}"

    @model_validator(mode="after")
    def _allowed(self) -> Self:
        flags = [arg.split("=")[0].replace("_", "-") for arg in self.extra_args]
        if any(flag.split(".")[0] in RENDERED_FLAGS for flag in flags):
            raise ValueError(_NO_RENDERED["message"])
        if any(flag in REFUSED_FLAGS for flag in flags):
            raise ValueError(_NO_REFUSED["message"])
        if any(variable.name == "VLLM_SERVER_DEV_MODE" for variable in self.env):
            raise ValueError(_NO_DEV_MODE["message"])
        if tuple(map(int, self.version.split("."))) < (0, 8, 3):
            raise ValueError(_SUPPORTED["message"])
        return self
