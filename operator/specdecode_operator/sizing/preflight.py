"""All checks before a pod is made, for one variant: the engine's rules, the pair, the memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from specdecode_operator.api.names import NO_SPECULATION_VARIANT, PRIMARY_VARIANT
from specdecode_operator.api.remarks import Level, Remark, error
from specdecode_operator.api.v1alpha1 import (
    MAX_WARNINGS,
    Draft,
    DraftSampling,
    Dtype,
    MemoryFigures,
    Method,
    Model,
    PreflightStatus,
    PreflightWarning,
    Spec,
    Speculation,
)
from specdecode_operator.engine import Flags, Version, examine, unmeasured
from specdecode_operator.sizing.errors import UnreadableConfig
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.given import from_facts
from specdecode_operator.sizing.gpus import Gpu, find_gpu
from specdecode_operator.sizing.load import Load
from specdecode_operator.sizing.memory import MemoryPlan, memory_plan
from specdecode_operator.sizing.memory_remarks import memory_remarks, memory_unknown
from specdecode_operator.sizing.pairing import pairing
from specdecode_operator.sizing.pairs import find_draft

__all__ = ["Examination", "Lookup", "examine_rungs", "gathered", "located", "preflight", "summary"]

Lookup = Callable[[str], ModelFacts | None]
"""What is known of the model of a name."""

_OWN_WEIGHTS: Final = frozenset({Method.DRAFT_MODEL, Method.EAGLE, Method.EAGLE3})
_LONGEST_MESSAGE: Final = 1024


@dataclass(frozen=True)
class Examination:
    """What the checks say of one variant."""

    remarks: tuple[Remark, ...]
    memory: MemoryPlan | None = None
    """None where GPU or models are not known."""

    @property
    def errors(self) -> tuple[Remark, ...]:
        """What keeps it from running."""
        return tuple(remark for remark in self.remarks if remark.level is Level.ERROR)

    @property
    def warnings(self) -> tuple[Remark, ...]:
        """What makes it run otherwise than one would expect."""
        return tuple(remark for remark in self.remarks if remark.level is Level.WARNING)


class _Rung(Protocol):
    """What is looked at of a variant."""

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> Model: ...
    @property
    def speculation(self) -> Speculation: ...


def preflight(spec: Spec, model: Model, speculation: Speculation, *, facts: Lookup) -> Examination:
    """Return what is to be said of serving `model` with `speculation` on the engine and GPUs of `spec`.

    Facts that the resource gives come before those of `facts`.
    """
    try:
        target, draft = _facts(model, facts), _facts(speculation.draft, facts)
    except UnreadableConfig as unreadable:
        return Examination((error("FactsImpossible", "model.facts", str(unreadable)),))
    gpu = find_gpu(spec.resources.gpu.product or "")
    capability = None if gpu is None or gpu.capability is None else float("{}.{}".format(*gpu.capability))
    remarks = (
        *examine(model, speculation, spec.engine, compute_capability=capability),
        *unmeasured((objective.metric for objective in spec.policy.objectives), Version.parse(spec.engine.version)),
        *pairing(target, draft, model, speculation, spec.engine),
    )
    memory = _memory(spec, model, speculation, target, draft, gpu)
    if isinstance(memory, Remark):
        return Examination((*remarks, memory))
    return Examination((*remarks, *memory_remarks(memory)), memory)


def examine_rungs(spec: Spec, rungs: Iterable[_Rung], *, facts: Lookup) -> dict[str, Examination]:
    """Return what is to be said of each of `rungs`, by name and in their order."""
    return {rung.name: preflight(spec, rung.model, rung.speculation, facts=facts) for rung in rungs}


def gathered(found: Mapping[str, Examination]) -> Iterator[Remark]:
    """Yield the remarks on every rung, of which `primary` is the first; what a fallback shares with it is said once."""
    primary, *fallbacks = found.items()
    yield from primary[1].remarks
    for name, examination in fallbacks:
        for remark in examination.remarks:
            if remark not in primary[1].remarks:
                yield replace(remark, field=located(remark.field, name))


def located(field: str, rung: str) -> str:
    """Return where `field` of a fallback's remark stands in the spec."""
    own = field.split(".", 1)[0] in {"model", "speculation"}
    return f"fallbacks[{rung}].{field}" if own else field


def summary(examinations: Mapping[str, Examination], active: str) -> PreflightStatus | None:
    """Return what the status says of all rungs, or None where there is nothing to say.

    Warnings are those of `primary`, and the errors of rungs that are therefore never chosen; memory is that of
    `active`.
    """
    warnings = [_warning(remark) for remark in examinations[PRIMARY_VARIANT].warnings]
    warnings += _refused(examinations)
    memory = examinations[active].memory
    if not warnings and memory is None:
        return None
    return PreflightStatus(warnings=warnings[:MAX_WARNINGS], memory=None if memory is None else _figures(memory))


def _facts(model: Model | Draft | None, lookup: Lookup) -> ModelFacts | None:
    if model is None:
        return None
    return lookup(model.name) if model.facts is None else from_facts(model.name, model.facts)


def _memory(
    spec: Spec,
    model: Model,
    speculation: Speculation,
    target: ModelFacts | None,
    draft: ModelFacts | None,
    gpu: Gpu | None,
) -> MemoryPlan | Remark:
    """Return the plan, or why there is none."""
    if gpu is None:
        product = spec.resources.gpu.product
        return memory_unknown("resources.gpu.product", "the GPU" if product is None else product)
    if target is None:
        return memory_unknown("model.name", model.name)
    if speculation.draft is not None and speculation.method in _OWN_WEIGHTS:
        draft = draft or find_draft(speculation.draft.name, speculation.method, target)
        if draft is None:
            return memory_unknown("speculation.draft.name", speculation.draft.name)
    return memory_plan(_load(spec, model, speculation, target, draft, gpu))


def _load(
    spec: Spec, model: Model, speculation: Speculation, target: ModelFacts, draft: ModelFacts | None, gpu: Gpu
) -> Load:
    engine = spec.engine
    flags = Flags.read(engine.extra_args)
    return Load(
        target=target,
        gpu=gpu,
        version=Version.parse(engine.version),
        tensor_parallel=engine.tensor_parallel_size,
        target_quantization=model.quantization,
        method=speculation.method,
        draft=draft,
        draft_quantization=None if speculation.draft is None else speculation.draft.quantization,
        draft_tokens=speculation.num_speculative_tokens or 0,
        probabilistic=speculation.sampling is not None and speculation.sampling.draft is DraftSampling.PROBABILISTIC,
        max_model_len=engine.max_model_len,
        max_num_seqs=engine.max_num_seqs,
        max_num_batched_tokens=flags.number("--max-num-batched-tokens"),
        utilization_percent=engine.gpu_memory_utilization_percent,
        kv_cache_dtype=engine.kv_cache_dtype,
        plain_bits=32 if engine.dtype is Dtype.FLOAT32 else 16,
        eager=flags.on("--enforce-eager"),
    )


def _refused(examinations: Mapping[str, Examination]) -> Iterator[PreflightWarning]:
    for rung, examination in examinations.items():
        if rung not in (PRIMARY_VARIANT, NO_SPECULATION_VARIANT):
            for remark in examination.errors:
                field, message = located(remark.field, rung), f"this fallback is never chosen: {remark.message}"
                yield _warning(replace(remark, field=field, message=message))


def _warning(remark: Remark) -> PreflightWarning:
    return PreflightWarning(code=remark.code, field=remark.field, message=remark.message[:_LONGEST_MESSAGE])


def _figures(memory: MemoryPlan) -> MemoryFigures:
    return MemoryFigures(
        kv_cache_tokens=memory.kv_tokens,
        kv_cache_tokens_without_speculation=memory.kv_tokens_without_speculation,
        target_share_percent=round(memory.target_share_percent),
        draft_share_percent=round(memory.draft_share_percent),
        max_model_len_that_fits=memory.max_model_len_that_fits,
    )
