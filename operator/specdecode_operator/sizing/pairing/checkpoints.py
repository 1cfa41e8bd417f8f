"""Whether the quantization that is asked for is the checkpoint's.

vLLM takes the method from the checkpoint's `quantization_config`, and a different flag is an error
(`vllm/config/model.py`, `_verify_quantization`). Methods that only load a quantized checkpoint fail on plain weights
(`Cannot find the config file for awq`, seen with 0.33.0).
"""

from collections.abc import Iterator
from typing import Final

from specdecode_operator.api.remarks import Remark, error, warning
from specdecode_operator.engine.quantization import QUANTIZERS
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.pairing.asked import Asked

__all__ = ["draft_quantization", "target_quantization"]

_MODELOPT: Final = frozenset({"modelopt", "modelopt_fp4", "modelopt_mxfp8", "modelopt_mixed", "petit_nvfp4", "mxfp8"})
_AWQ: Final = frozenset({"awq", "auto_awq", "awq_marlin", "moe_wna16", "ipex", "cpu_awq"})
_GPTQ: Final = frozenset(
    {"gptq", "auto_gptq", "gptq_marlin", "gptq_marlin_24", "gptq_bitblas", "bitblas", "moe_wna16", "ipex", "cpu_gptq"}
)
_KINDRED: Final = (
    _AWQ,
    _GPTQ,
    _MODELOPT,
    frozenset({"fp8", "deepseek_v4_fp8"}),
    frozenset({"inc", "auto-round", "auto_round"}),
    frozenset({"mxfp4", "gpt_oss_mxfp4"}),
)
"""Names that load the same checkpoints with different kernels (`override_quantization_method` of each method)."""

_ANY_CHECKPOINT: Final = frozenset({"humming"})
"""Kernels that take over checkpoints of several methods."""

_CHECKPOINT_ONLY: Final = (_AWQ | _GPTQ | {"compressed-tensors", "quark", "fp_quant", "inc"}) - {"ipex"}
"""Methods that cannot quantize plain weights at load."""

_REMOVED: Final = frozenset({"bitsandbytes"})
"""Methods of checkpoints that vLLM no longer loads once it lacks them."""


def target_quantization(target: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Compare `model.quantization` with the target's checkpoint."""
    yield from _removed(target, asked, "model.name")
    yield from _compared(target, asked.model.quantization, "model.quantization")


def draft_quantization(draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Compare `speculation.draft.quantization` with the draft's checkpoint."""
    yield from _removed(draft, asked, "speculation.draft.name")
    wanted = asked.draft.quantization if asked.draft else None
    yield from _compared(draft, wanted, "speculation.draft.quantization")


def _removed(facts: ModelFacts, asked: Asked, field: str) -> Iterator[Remark]:
    carried = _normal(facts.quantization)
    if carried not in _REMOVED or asked.version in QUANTIZERS[carried].releases:
        return
    yield error(
        "CheckpointQuantizerRemoved",
        field,
        f"{facts.name} is a {carried} checkpoint, which vLLM {asked.version} no longer loads; take the model's"
        " compressed-tensors, AWQ, GPTQ or FP8 weights, or its plain ones with quantization fp8_per_channel",
    )


def _compared(facts: ModelFacts, wanted: str | None, field: str) -> Iterator[Remark]:
    carried, asked_for = _normal(facts.quantization), _normal(wanted)
    if asked_for is None:
        return
    if carried is None:
        yield from _plain(facts, asked_for, field)
    elif not _same(carried, asked_for):
        yield error(
            "QuantizationConflict",
            field,
            f"{asked_for} is asked for, but {facts.name} is a {carried} checkpoint; leave the field out, vLLM reads the"
            " method from the checkpoint",
        )


def _plain(facts: ModelFacts, asked_for: str, field: str) -> Iterator[Remark]:
    if asked_for in _CHECKPOINT_ONLY:
        yield error(
            "QuantizationNotInCheckpoint",
            field,
            f"{asked_for} loads weights that are already quantized, and those of {facts.name} are plain; name a"
            " quantized checkpoint and leave the field out, or let vLLM quantize at load with fp8_per_channel or"
            " fp8_per_tensor",
        )
    elif asked_for.startswith("modelopt"):
        yield warning(
            "QuantizationNotInCheckpoint",
            field,
            f"{asked_for} loads weights that are already quantized, and config.json of {facts.name} says nothing of it;"
            " make sure that the checkpoint has an hf_quant_config.json",
        )


def _same(carried: str, asked_for: str) -> bool:
    if carried == asked_for or asked_for in _ANY_CHECKPOINT:
        return True
    return any(carried in names and asked_for in names for names in _KINDRED)


def _normal(method: str | None) -> str | None:
    """Return the method as vLLM spells it: in small letters, and `compressed-tensors` with a hyphen."""
    return method.lower().replace("compressed_tensors", "compressed-tensors") if method else None
