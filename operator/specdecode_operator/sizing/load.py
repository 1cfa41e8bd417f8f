"""What one engine is asked to hold: models, GPU and limits."""

from dataclasses import dataclass, replace
from typing import Final

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.engine.methods import Runner, default_runner
from specdecode_operator.engine.versions import Version
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.gpus import Gpu

__all__ = ["Load", "runs_v2"]

_NEWEST: Final = Version(0, 33, 0)
_HIGHER_UTILIZATION: Final = Version(0, 20, 0)


@dataclass(frozen=True)
class Load:
    """One engine. What is None is vLLM's own default."""

    target: ModelFacts
    gpu: Gpu
    version: Version = _NEWEST
    tensor_parallel: int = 1
    target_quantization: str | None = None
    """Value of `--quantization`; it is the target's alone."""
    method: Method = Method.NONE
    draft: ModelFacts | None = None
    """The draft model or EAGLE head; methods Mtp, NGram and Suffix need none."""
    draft_quantization: str | None = None
    draft_tokens: int = 0
    """Tokens proposed a step."""
    probabilistic: bool = False
    """Whether the draft draws its tokens, which keeps its logits."""
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    utilization_percent: int | None = None
    kv_cache_dtype: str | None = None
    plain_bits: int = 16
    """Bits of what is not quantized: 32 with `--dtype float32`."""
    eager: bool = False
    """Whether there are no CUDA graphs (`--enforce-eager`)."""

    @property
    def utilization(self) -> float:
        """Share of a GPU's memory that vLLM may use: 0.9, and 0.92 from 0.20 on (`vllm/config/cache.py`)."""
        percent = self.utilization_percent or (92 if self.version >= _HIGHER_UTILIZATION else 90)
        return percent / 100

    @property
    def sequences(self) -> int:
        """Most requests in one step; vLLM's defaults are 1024 on large GPUs and 256 elsewhere."""
        return self.max_num_seqs or (1024 if self.gpu.large else 256)

    @property
    def batched_tokens(self) -> int:
        """Most tokens in one step; vLLM's defaults for servers are 8192 on large GPUs and 2048 elsewhere.

        Source of both: `EngineArgs.get_batch_defaults` in `vllm/engine/arg_utils.py`.
        """
        return self.max_num_batched_tokens or (8192 if self.gpu.large else 2048)

    @property
    def wanted_length(self) -> int:
        """Longest request that must fit, in tokens: vLLM does not start where its cache holds less."""
        return self.max_model_len or self.target.context_length

    def without_speculation(self) -> "Load":
        """Return the same engine serving the target alone."""
        return replace(
            self,
            method=Method.NONE,
            draft=None,
            draft_quantization=None,
            draft_tokens=0,
            probabilistic=False,
        )


def runs_v2(load: Load) -> bool:
    """Whether vLLM's V2 model runner carries this load out, as it does by default.

    Measured with 0.25.1 on an H100, where a draft model makes vLLM use V1 and EAGLE-3 and no speculation do not.
    """
    return default_runner(load.method, load.version, mixture=load.target.experts > 0) is Runner.V2
