"""What the memory plan says to the user: what does not fit, and what costs more than one would expect."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from specdecode_operator.api.remarks import Level, Remark, advice, error, warning
from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.sizing.load import Load
from specdecode_operator.sizing.memory import MemoryPlan, memory_plan
from specdecode_operator.sizing.quantized import PLAIN_BITS
from specdecode_operator.sizing.weights import weight_format

__all__ = ["memory_remarks", "memory_unknown"]

_MOST_TARGET_PERCENT: Final = 70
_MOST_DRAFT_PERCENT: Final = 15
_MOST_DROP_PERCENT: Final = 25
_GIB: Final = 2**30
_ACCURACY: Final = 0.03
"""How far the plan was from measured servers (docs/memory.md): what is short by no more is not refused."""

_LARGEST_TENSOR_PARALLEL: Final = 64
_ONLINE_8_BIT: Final = "fp8"


def memory_remarks(plan: MemoryPlan) -> tuple[Remark, ...]:
    """Return what `plan` says: an error where vLLM would not start, warnings where memory goes to the wrong things."""
    exceeded = None if plan.fits else _exceeded(plan)
    return (*([exceeded] if exceeded else []), *_warnings(plan))


def memory_unknown(field: str, what: str) -> Remark:
    """Return the advice that no plan was made since `what`, which `field` names, is not known."""
    fix = (
        "set it to a GPU of the catalog"
        if field == "resources.gpu.product"
        else f"give {field.rsplit('.', 1)[0]}.facts from its config.json"
    )
    return advice("MemoryUnknown", field, f"no memory plan, since {what} is not known; {fix}")


def _exceeded(plan: MemoryPlan) -> Remark:
    if plan.kv_tokens == 0:
        return error("MemoryExceeded", "model.name", _weights_exceed(plan))
    if plan.load.max_model_len is None:
        length = f"the model's context of {plan.load.target.context_length:,} tokens"
    else:
        length = f"{plan.load.max_model_len:,}"
    close = plan.kv_tokens >= (1 - _ACCURACY) * plan.load.wanted_length
    message = (
        f"{length} is more than the {plan.kv_tokens:,} tokens that the KV cache would hold, so vLLM"
        f" {'may' if close else 'would'} not start; set engine.maxModelLen to {plan.max_model_len_that_fits} or"
        f" less{_draft_to_blame(plan)}"
    )
    return Remark(Level.WARNING if close else Level.ERROR, "MemoryExceeded", "engine.maxModelLen", message)


def _draft_to_blame(plan: MemoryPlan) -> str:
    alone = plan.kv_tokens_without_speculation
    return f", or leave the draft out: {alone:,} tokens fit without it" if alone >= plan.load.wanted_length else ""


def _weights_exceed(plan: MemoryPlan) -> str:
    needed = plan.target_weights + plan.draft_weights + plan.reserves.total * plan.load.tensor_parallel
    usable = plan.gpu_total * plan.load.utilization
    fixes = ", or ".join(_fixes(plan.load)) or "take GPUs with more memory or a smaller model"
    return (
        f"weights and vLLM's own reserves take {needed / _GIB:.1f} GiB of the {usable / _GIB:.1f} GiB that"
        f" {plan.load.tensor_parallel} x {plan.load.gpu.name} give it, which leaves nothing for the KV cache; {fixes}"
    )


def _fixes(load: Load) -> Iterator[str]:
    """Say what would leave room for at least one block of the KV cache."""
    wider = next((ranks for ranks in _wider(load) if _holds(replace(load, tensor_parallel=ranks))), None)
    if wider is not None:
        yield f"set engine.tensorParallelSize to {wider}"
    plain = weight_format(load.target, load.target_quantization).bits >= PLAIN_BITS
    if plain and _holds(replace(load, target_quantization=_ONLINE_8_BIT)):
        yield "use 8-bit weights"
    if load.method is not Method.NONE and _holds(load.without_speculation()):
        yield "leave the draft out"


def _holds(load: Load) -> bool:
    return memory_plan(load).kv_tokens > 0


def _wider(load: Load) -> Iterator[int]:
    ranks = load.tensor_parallel * 2
    while ranks <= _LARGEST_TENSOR_PARALLEL and load.target.attention_heads % ranks == 0:
        yield ranks
        ranks *= 2


def _warnings(plan: MemoryPlan) -> Iterator[Remark]:
    target, draft, drop = plan.target_share_percent, plan.draft_share_percent, plan.kv_drop_percent
    if target > _MOST_TARGET_PERCENT:
        yield warning(
            "TargetShareHigh",
            "model.name",
            f"its weights take {target:.0f} % of the GPUs' memory (over {_MOST_TARGET_PERCENT} %), which leaves little"
            " for requests and a draft; quantize the target, or use more GPUs",
        )
    if draft > _MOST_DRAFT_PERCENT:
        yield warning(
            "DraftShareHigh",
            "speculation.draft.name",
            f"its weights take {draft:.0f} % of the GPUs' memory (over {_MOST_DRAFT_PERCENT} %); choose a smaller"
            " draft, quantize it, or use an EAGLE-3 head",
        )
    if drop > _MOST_DROP_PERCENT:
        yield warning(
            "DraftCostsCache",
            "speculation.draft.name" if plan.load.draft else "speculation.method",
            f"speculation shrinks the KV cache by {drop:.0f} %, from {plan.kv_tokens_without_speculation:,} to"
            f" {plan.kv_tokens:,} tokens, since the draft keeps keys and values of its own for every token; choose a"
            " draft with fewer layers or KV heads, an EAGLE-3 head, or an 8-bit engine.kvCacheDtype",
        )
