"""Which ways of speculating fit a target and its GPUs, in the order in which they are worth a trial."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.engine.versions import Version
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.gpus import Gpu
from specdecode_operator.sizing.load import Load
from specdecode_operator.sizing.memory import MemoryPlan, memory_plan
from specdecode_operator.sizing.pairs import drafts_for
from specdecode_operator.sizing.quantized import PLAIN_BITS

__all__ = ["Advice", "Candidate", "Question", "advise"]


@dataclass(frozen=True)
class Question:
    """What is to be served, on what."""

    target: ModelFacts
    gpu: Gpu
    gpus: int
    version: Version
    context: int
    """Longest request, in tokens."""
    requests: int = 1
    """Requests of that length at once."""


@dataclass(frozen=True)
class _Weights:
    """One way to hold the target's weights."""

    name: str
    quantization: str | None
    note: str | None = None


@dataclass(frozen=True)
class _Way:
    """One way to speculate."""

    method: Method
    reason: str
    draft: str | None = None
    facts: ModelFacts | None = None
    source: str | None = None


@dataclass(frozen=True)
class Candidate:
    """One configuration with its plan."""

    method: Method
    draft: str | None
    weights: str
    """How the target's weights are held: `as they are`, `fp8`, `awq`."""
    plan: MemoryPlan
    reason: str
    """Why it stands where it stands: a prior, not a measurement of this pair."""
    next_step: str
    """What to measure before it is believed."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON shows it."""
        return {
            "method": str(self.method),
            "draft": self.draft,
            "weights": self.weights,
            "reason": self.reason,
            "next": self.next_step,
            "memory": self.plan.to_dict(),
        }


@dataclass(frozen=True)
class Advice:
    """The answer: what fits, best first, and what does not."""

    candidates: tuple[Candidate, ...]
    refused: tuple[Candidate, ...]


_LARGE_TARGET: Final = 30 * 10**9
_TOKENS: Final = {Method.NONE: 0, Method.MTP: 1, Method.NGRAM: 3, Method.EAGLE3: 3, Method.DRAFT_MODEL: 3}
_AS_IT_IS: Final = _Weights("as they are", None)
_FP8: Final = _Weights("fp8", "fp8", "8-bit weights: compare the answers' quality with the plain ones")
_AWQ: Final = _Weights("awq", "awq", "4-bit weights: take an AWQ or GPTQ checkpoint and compare the answers' quality")

_NEXT: Final[Mapping[Method, str]] = {
    Method.NONE: "measure TPOT and TTFT at your arrival rate: the baseline of every trial",
    Method.NGRAM: "measure how often answers repeat their prompt: acceptance length over all steps",
    Method.MTP: "trial against no speculation at your arrival rate, P99 included",
    Method.EAGLE3: "trial against no speculation at your arrival rate, P99 included; it was measured to pay at low load"
    " and to cost at 256 requests with low acceptance",
    Method.DRAFT_MODEL: "measure the draft's own step time, then trial against no speculation at your arrival rate",
}


def advise(question: Question) -> Advice:
    """Return the ways to speculate that fit `question`, in the order of the priors, each with the plainest weights.

    Priors, no promises: prediction layers, then EAGLE-3 heads, then small drafts for targets from 30 B parameters on,
    then n-grams; for smaller targets a draft model comes last (a 1B draft was measured to double an 8B target's time
    per token, vLLM 0.25.1). Smaller drafts come first, since the draft's latency decides more than its quality
    (arXiv 2402.01528).
    """
    tried = [_plainest(question, way) for way in _ways(question.target)]
    return Advice(
        candidates=tuple(candidate for candidate in tried if _enough(question, candidate.plan)),
        refused=tuple(candidate for candidate in tried if not _enough(question, candidate.plan)),
    )


def _enough(question: Question, plan: MemoryPlan) -> bool:
    return plan.kv_tokens >= question.context * question.requests


def _ways(target: ModelFacts) -> Iterator[_Way]:
    drafts = drafts_for(target)
    if target.mtp_layers:
        yield _Way(Method.MTP, "the checkpoint brings prediction layers trained with it")
    for draft in drafts:
        if draft.method is Method.EAGLE3:
            reason = f"a head made for this target: one layer to run and to keep ({draft.source})"
            yield _Way(draft.method, reason, draft.name, draft.facts)
    models = [draft for draft in drafts if draft.method is Method.DRAFT_MODEL]
    small = [
        _Way(model.method, _model_reason(target, model.facts), model.name, model.facts)
        for model in sorted(models, key=lambda model: model.facts.parameters)
    ]
    rest = [
        _Way(Method.NGRAM, "costs no memory; pays only where answers repeat their prompt"),
        _Way(Method.NONE, "the baseline; right at high load"),
    ]
    yield from small + rest if target.parameters >= _LARGE_TARGET else rest + small


def _model_reason(target: ModelFacts, draft: ModelFacts) -> str:
    ratio = f"a smaller model of the family, 1:{target.parameters / draft.parameters:.0f}"
    if target.parameters >= _LARGE_TARGET:
        return ratio
    return f"{ratio}; targets below 30 B leave a draft model little time to win"


def _plainest(question: Question, way: _Way) -> Candidate:
    """Return `way` with the first weights that fit, or the last of all where none do."""
    candidates = [_candidate(question, way, weights) for weights in _held(question.target)]
    return next((found for found in candidates if _enough(question, found.plan)), candidates[-1])


def _held(target: ModelFacts) -> tuple[_Weights, ...]:
    """FP8 weights run on every GPU of the catalog: before compute capability 8.9 vLLM computes in 16 bits."""
    return (_AS_IT_IS,) if target.weight_bits < PLAIN_BITS else (_AS_IT_IS, _FP8, _AWQ)


def _candidate(question: Question, way: _Way, weights: _Weights) -> Candidate:
    load = Load(
        target=question.target,
        gpu=question.gpu,
        version=question.version,
        tensor_parallel=question.gpus,
        target_quantization=weights.quantization,
        method=way.method,
        draft=way.facts,
        draft_tokens=_TOKENS[way.method],
        max_model_len=question.context,
        max_num_seqs=question.requests if question.requests > 1 else None,
    )
    step = _NEXT[way.method] if weights.note is None else f"{_NEXT[way.method]}; {weights.note}"
    return Candidate(way.method, way.draft, weights.name, memory_plan(load), way.reason, step)
