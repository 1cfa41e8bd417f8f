"""Keys of `speculation.config` against each other, the target and the server's flags."""

from collections.abc import Iterator
from typing import Final

from specdecode_operator.api.remarks import Remark, error, warning
from specdecode_operator.api.v1alpha1 import DraftSampling, Method, Rejection
from specdecode_operator.engine.methods import Runner
from specdecode_operator.engine.quantization import KV_CACHE_DTYPES
from specdecode_operator.engine.rules.setup import Setup, needs
from specdecode_operator.engine.sampling import REJECTIONS
from specdecode_operator.engine.versions import Version

__all__ = [
    "adaptive_verification",
    "draft_context",
    "draft_kv_cache",
    "draft_tensor_parallelism",
    "fly",
    "heterogeneous_vocabulary",
    "padded_batches",
    "parallel_drafting",
    "synthetic_acceptance",
]

_CONFIG: Final = "speculation.config"
_SAME_SIZE: Final = Version(0, 15, 0)


def draft_tensor_parallelism(setup: Setup) -> Iterator[Remark]:
    """`_verify_and_get_draft_tp` in `vllm/config/speculative.py`, and `vllm/v1/spec_decode/draft_model.py`.

    The configuration takes 1 or the target's size; the draft model's proposer, since 0.15.0, the target's alone.
    """
    asked, target = setup.key("draft_tensor_parallel_size"), setup.engine.tensor_parallel_size
    if asked is None or asked == target:
        return
    equal = setup.method is Method.DRAFT_MODEL and setup.version >= _SAME_SIZE
    if asked != 1 or equal:
        allowed = f"{target}, that of the target" if equal else f"1 or {target}, that of the target"
        yield error(
            "DraftTensorParallelMismatch",
            f"{_CONFIG}.draft_tensor_parallel_size",
            f"{asked} is refused, it must be {allowed}; leave it out",
        )


def draft_context(setup: Setup) -> Iterator[Remark]:
    """`_maybe_override_draft_max_model_len` in `vllm/config/speculative.py`."""
    asked, target = setup.key("max_model_len"), setup.engine.max_model_len
    if asked is not None and target is not None and asked > target:
        yield error(
            "DraftContextTooLong",
            f"{_CONFIG}.max_model_len",
            f"{asked} is more than engine.maxModelLen {target}; leave it out",
        )


def draft_kv_cache(setup: Setup) -> Iterator[Remark]:
    """Type `CacheDType` in `vllm/config/cache.py`; other platforms may add to it."""
    asked = setup.key("kv_cache_dtype")
    if asked is None:
        return
    found = KV_CACHE_DTYPES.get(asked)
    reason = needs(found, setup.version) if found else "vLLM does not know it"
    if reason:
        yield error("KvCacheDtypeUnavailable", f"{_CONFIG}.kv_cache_dtype", f"{asked}: {reason}")


def heterogeneous_vocabulary(setup: Setup) -> Iterator[Remark]:
    """`_verify_args` in `vllm/config/speculative.py` 0.33.0."""
    if not setup.key("use_heterogeneous_vocab"):
        return
    field = f"{_CONFIG}.use_heterogeneous_vocab"
    sampling = setup.speculation.sampling
    if sampling is not None and sampling.draft is DraftSampling.PROBABILISTIC:
        yield error(
            "HeterogeneousVocabularyConflict",
            field,
            "two vocabularies allow greedy drafts alone; set speculation.sampling.draft to Greedy",
        )
    if setup.key("use_local_argmax_reduction"):
        yield error(
            "HeterogeneousVocabularyConflict",
            field,
            "two vocabularies need all of the draft's logits; remove use_local_argmax_reduction",
        )


def padded_batches(setup: Setup) -> Iterator[Remark]:
    """`_raise_if_padded_drafter_batch_disabled` in `vllm/v1/spec_decode/llm_base_proposer.py`: at the start."""
    if not setup.key("disable_padded_drafter_batch"):
        return
    field = f"{_CONFIG}.disable_padded_drafter_batch"
    unpadded = setup.method is Method.DRAFT_MODEL or setup.key("parallel_drafting")
    if unpadded and setup.runner is Runner.V1:
        message = "a draft model and parallel drafting work with padded batches alone; remove it"
        yield error("PaddedBatchesNeeded", field, message)
    elif setup.flags.on("--async-scheduling") and setup.runner is Runner.V1:
        message = "asynchronous scheduling needs padded batches; remove it or --async-scheduling"
        yield error("PaddedBatchesNeeded", field, message)


def parallel_drafting(setup: Setup) -> Iterator[Remark]:
    """All tokens in one pass: only a draft that was trained for it, such as PARD, proposes anything of use."""
    if setup.key("parallel_drafting"):
        yield warning(
            "ParallelDraftingNeedsCheckpoint",
            f"{_CONFIG}.parallel_drafting",
            "it needs a draft that was trained to propose all tokens at once (PARD, P-EAGLE); others propose noise",
        )


def adaptive_verification(setup: Setup) -> Iterator[Remark]:
    """`_validate_adaptive_verification` in `vllm/config/vllm.py` 0.33.0."""
    if not setup.key("enable_adaptive_verification"):
        return
    stages = setup.flags.number("--pipeline-parallel-size") or 1
    conflicts = {
        "LoRA; remove --enable-lora": setup.flags.on("--enable-lora"),
        "pipeline parallelism; remove --pipeline-parallel-size": stages > 1,
        "eager execution, for it needs full CUDA graphs; remove --enforce-eager": setup.flags.on("--enforce-eager"),
        "use_local_argmax_reduction, for it needs the draft's logits; remove one": setup.key(
            "use_local_argmax_reduction"
        ),
    }
    for conflict, there in conflicts.items():
        if there:
            field = f"{_CONFIG}.enable_adaptive_verification"
            yield error("AdaptiveVerificationConflict", field, f"it does not work with {conflict}")


def synthetic_acceptance(setup: Setup) -> Iterator[Remark]:
    """Tokens are accepted by chance, whatever the target says (`vllm/v1/sample/rejection_sampler.py`)."""
    for key in ("synthetic_acceptance_rate", "synthetic_acceptance_rates", "synthetic_acceptance_length"):
        if setup.key(key) is not None:
            yield error(
                "SyntheticAcceptance",
                f"{_CONFIG}.{key}",
                "it accepts tokens by chance, so that answers are not the target's; it is for load tests, not for a"
                " service",
            )


def fly(setup: Setup) -> Iterator[Remark]:
    """`_verify_args` in `vllm/config/speculative.py` 0.33.0; FLy gives up the target's distribution."""
    sampling = setup.speculation.sampling
    window = setup.key("fly_window_size")
    if sampling is None or sampling.rejection is not Rejection.FLY:
        for key in ("fly_window_size", "fly_entropy_threshold", "fly_entropy_top_k"):
            if setup.key(key) is not None:
                message = "only speculation.sampling.rejection Fly reads it; remove it"
                yield warning("ConfigKeyWithoutEffect", f"{_CONFIG}.{key}", message)
        return
    if setup.version not in REJECTIONS["fly"]:
        return
    yield warning(
        "LossyAcceptance",
        "speculation.sampling.rejection",
        "Fly accepts tokens that the target would not have drawn, so answers change; Standard and Block keep them",
    )
    if setup.tokens is not None and setup.tokens < 2:  # noqa: PLR2004 - two tokens: one to accept, one to look ahead
        message = f"Fly needs at least 2 tokens, there is {setup.tokens}"
        yield error("FlyWindow", "speculation.numSpeculativeTokens", message)
    elif setup.tokens is not None and window is not None and window >= setup.tokens:
        message = f"{window} must be less than numSpeculativeTokens {setup.tokens}"
        yield error("FlyWindow", f"{_CONFIG}.fly_window_size", message)
