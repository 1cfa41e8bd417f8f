"""Whether context lengths, GPUs and the number of tokens fit the models."""

from collections.abc import Iterator
from typing import Final

from specdecode_operator.api.remarks import Level, Remark, advice, error, warning
from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.engine import Version
from specdecode_operator.engine.methods import Runner
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.pairing.asked import Asked

__all__ = ["draft_context", "draft_heads", "draft_length", "target_context", "target_heads", "tokens"]

_LENGTH: Final = "engine.maxModelLen"
_GPUS: Final = "engine.tensorParallelSize"

_LOWERS_LENGTH: Final = Version(0, 32, 0)
"""From here on the V2 runner was seen to lower the server's limit to a draft model's (`vllm/config/vllm.py`)."""
_LONGER: Final = ("--hf-overrides", "--rope-scaling", "--hf-config-path")
"""Flags that may change the model's context."""
_MOST_TOKENS: Final = 8


def target_context(target: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Compare the asked context with the target's (`vllm/config/model.py`), unless a flag may change the latter."""
    length = asked.engine.max_model_len
    if length is None or length <= target.context_length or _stretched(asked):
        return
    yield error(
        "ContextExceeded",
        _LENGTH,
        f"{length} tokens exceed the {target.context_length} of {target.name}; set at most {target.context_length}, or"
        " stretch the context with --hf-overrides in engine.extraArgs",
    )


def draft_context(target: ModelFacts, draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Compare the draft's context with the server's.

    The V1 runner stops to speculate where the draft's context ends (`vllm/v1/worker/gpu_model_runner.py`). The V2
    runner lowers the limit of the whole server for draft models, without a word (`vllm/config/vllm.py` 0.33.0): an
    error where the resource asks for more.
    """
    context = min(draft.context_length, asked.key("max_model_len") or draft.context_length)
    length, given = asked.engine.max_model_len or target.context_length, asked.engine.max_model_len is not None
    longest = length if _stretched(asked) else min(length, target.context_length)
    if context >= longest:
        return
    subject = f"{length} tokens exceed" if given else f"the {length} tokens of {target.name} exceed"
    lowered = _lowers_length(asked)
    consequence = (
        f"silently lowers the server's limit to {context} and refuses longer requests"
        if lowered
        else "serves longer requests without speculation from there on"
    )
    yield Remark(
        Level.ERROR if given and lowered else Level.WARNING,
        "DraftContextShort",
        _LENGTH,
        f"{subject} the {context} of {draft.name}; vLLM {asked.version} {consequence}: set at most {context}, or take a"
        " draft with a longer context",
    )


def draft_length(target: ModelFacts, draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Compare `max_model_len` of the draft with what both models can (`vllm/config/speculative.py` 0.33.0).

    Comparing it with `engine.maxModelLen` needs no facts; that is a rule of the engine's.
    """
    length = asked.key("max_model_len")
    bounded = asked.engine.max_model_len is not None or _stretched(asked)
    most = draft.context_length if bounded else min(draft.context_length, target.context_length)
    if length is None or length <= most:
        return
    yield error(
        "DraftLengthExceeded",
        "speculation.config.max_model_len",
        f"{length} is more than the {most} tokens that {draft.name} and its target can; set at most {most}, or leave it"
        " out",
    )


def target_heads(target: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Divide the target's heads by the GPUs, and say where its KV cache is held more than once."""
    gpus = asked.engine.tensor_parallel_size
    yield from _heads(target, gpus, "TargetHeadsIndivisible")
    if _shared(target, gpus) and not _latent(target) and gpus > target.kv_heads:
        yield warning(
            "KvHeadsReplicated",
            _GPUS,
            f"{target.name} has {target.kv_heads} KV heads, so {gpus} GPUs hold each of them"
            f" {gpus // target.kv_heads} times, and a token takes as much of each GPU's KV cache as with"
            f" {target.kv_heads} GPUs; prefer {target.kv_heads} GPUs a pod and more replicas if the weights fit",
        )


def draft_heads(draft: ModelFacts, asked: Asked) -> Iterator[Remark]:
    """Divide the draft's heads by the GPUs that share it."""
    if asked.method in {Method.DRAFT_MODEL, Method.EAGLE, Method.EAGLE3}:
        yield from _heads(draft, asked.draft_parallel_size, "DraftHeadsIndivisible")


def tokens(asked: Asked) -> Iterator[Remark]:
    """Advise against long chains: a token counts only if all before it were right."""
    asked_for = asked.speculation.num_speculative_tokens
    chained = asked.method not in {Method.NONE, Method.NGRAM, Method.SUFFIX}
    if not chained or asked_for is None or asked_for <= _MOST_TOKENS:
        return
    yield advice(
        "ManyTokens",
        "speculation.numSpeculativeTokens",
        f"{asked_for} tokens are proposed and verified in every step, and late ones are rarely right: in published"
        " traces of an EAGLE head for Llama-3.1-8B the eighth was accepted in 3 % of the steps; start with 3 to 5",
    )


def _heads(facts: ModelFacts, gpus: int, code: str) -> Iterator[Remark]:
    """Divide attention heads (`vllm/config/model.py`) and KV heads (the attention layer of each model in vLLM)."""
    if facts.attention_heads % gpus:
        yield error(
            code,
            _GPUS,
            f"{facts.name} has {facts.attention_heads} attention heads, which {gpus} GPUs cannot share evenly;"
            f" {_choices(facts)}",
        )
    elif not _shared(facts, gpus):
        yield error(
            "KvHeadsIndivisible",
            _GPUS,
            f"{facts.name} has {facts.kv_heads} KV heads for {gpus} GPUs, and one number must divide the other;"
            f" {_choices(facts)}",
        )


def _choices(facts: ModelFacts) -> str:
    """Say which usual numbers of GPUs share the heads evenly."""
    *first, last = (str(gpus) for gpus in (1, 2, 4, 8, 16) if _shared(facts, gpus))
    return f"set {', '.join(first)} or {last}" if first else f"set {last}"


def _shared(facts: ModelFacts, gpus: int) -> bool:
    """Whether all heads can be shared evenly; KV heads may be fewer than GPUs if they divide their number."""
    kv_heads = max(facts.kv_heads, 1)
    even = _latent(facts) or max(kv_heads, gpus) % min(kv_heads, gpus) == 0
    return even and facts.attention_heads % gpus == 0


def _latent(facts: ModelFacts) -> bool:
    """Whether every GPU holds the whole (small) KV cache anyway, or there is none."""
    return facts.latent_kv_dim is not None or facts.kv_heads < 1


def _lowers_length(asked: Asked) -> bool:
    """Whether this draft's context becomes the limit of the server."""
    on_v2 = asked.runner is Runner.V2 and asked.version >= _LOWERS_LENGTH
    return on_v2 and asked.method is Method.DRAFT_MODEL


def _stretched(asked: Asked) -> bool:
    """Whether a flag or variable may give the target another context than its config.json."""
    flags = {flag.partition(".")[0] for flag in asked.flags.values}
    return bool(asked.variable("VLLM_ALLOW_LONG_MAX_MODEL_LEN")) or not flags.isdisjoint(_LONGER)
