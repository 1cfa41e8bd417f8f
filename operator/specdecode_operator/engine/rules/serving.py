"""Speculation beside the server's other flags and limits, and what clients notice of it."""

from collections.abc import Iterator
from typing import Final

from specdecode_operator.api.remarks import Remark, advice, error, warning
from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.engine.methods import METHODS, Runner
from specdecode_operator.engine.rules.setup import V2_SWITCH, Setup
from specdecode_operator.engine.versions import Version, span

__all__ = [
    "asynchronous_scheduling",
    "batched_tokens",
    "cuda_graphs_suffice",
    "double_batches",
    "fast_prefill",
    "logits_processors",
    "request_options",
    "structured_outputs",
    "watermarks",
]

_ARGS: Final = "engine.extraArgs"
_HEADS: Final = frozenset({Method.EAGLE, Method.EAGLE3, Method.MTP})
_SLOTS_CHECKED: Final = Version(0, 33, 0)
_LORA_CHECKED: Final = Version(0, 11, 2)
_REFUSING: Final = Version(0, 14, 0)
_MIN_TOKENS_REFUSED: Final = span("0.14.0", "0.17.0")
_ASYNC: Final = {
    Method.EAGLE: Version(0, 11, 2),
    Method.EAGLE3: Version(0, 11, 2),
    Method.MTP: Version(0, 11, 2),
    Method.DRAFT_MODEL: Version(0, 16, 0),
}
"""Methods that go with asynchronous scheduling in model runner V1, and the first release seen to allow it."""


_ASYNC_FREE: Final = Version(0, 33, 0)
"""From here on model runner V2 goes with every method; in 0.32.0 the method alone decided."""


def batched_tokens(setup: Setup) -> Iterator[Remark]:
    """`vllm/config/scheduler.py`, `vllm/config/vllm.py` (from 0.29.0) and `vllm/engine/arg_utils.py` (from 0.11.2)."""
    budget, most = setup.flags.number("--max-num-batched-tokens"), setup.engine.max_num_seqs
    if budget is None:
        return
    if most is not None and budget < most:
        message = f"--max-num-batched-tokens {budget} must be at least engine.maxNumSeqs {most}"
        yield error("BatchedTokensTooFew", _ARGS, message)
    if not setup.active or setup.tokens is None:
        return
    if METHODS[setup.method].lookahead and budget <= setup.tokens and setup.version >= _SLOTS_CHECKED:
        message = f"--max-num-batched-tokens {budget} must be more than the {setup.tokens} tokens proposed a step"
        yield error("BatchedTokensTooFew", _ARGS, message)
    need = (most or 0) * (setup.tokens + 1)
    if setup.flags.on("--enable-lora") and budget < need and setup.version >= _LORA_CHECKED:
        message = (
            f"with LoRA --max-num-batched-tokens {budget} must be at least maxNumSeqs times (numSpeculativeTokens + 1),"
            f" {need}"
        )
        yield error("BatchedTokensTooFew", _ARGS, message)


def cuda_graphs_suffice(setup: Setup) -> Iterator[Remark]:
    """`_set_cudagraph_sizes` in `vllm/config/vllm.py`: graphs are captured up to 512 tokens, 1024 on sm_100.

    One step of decoding is `requests x (tokens + 1)` tokens; above the ceiling it runs eagerly.
    """
    explicit = ("--enforce-eager", "--compilation-config", "--max-cudagraph-capture-size", "--cudagraph-capture-sizes")
    graphs = setup.active and setup.runner is not Runner.V0
    if not graphs or any(flag.startswith(explicit) for flag in setup.flags.values):
        return
    most, tokens = setup.engine.max_num_seqs, setup.tokens
    large = setup.compute_capability is not None and int(setup.compute_capability) == 10  # noqa: PLR2004 - sm_100
    ceiling = 1024 if large and setup.version >= Version(0, 29, 0) else 512
    if most is not None and tokens is not None and most * (tokens + 1) > ceiling:
        yield warning(
            "CudaGraphCeiling",
            "engine.maxNumSeqs",
            f"{most} requests of {tokens} + 1 tokens are {most * (tokens + 1)} a step, CUDA graphs end at {ceiling};"
            f" above {ceiling // (tokens + 1)} requests steps slow down: lower one, or set"
            " --max-cudagraph-capture-size",
        )


def logits_processors(setup: Setup) -> Iterator[Remark]:
    """`vllm/v1/sample/logits_processor/__init__.py` (V1): at the start."""
    if setup.active and setup.runner is not Runner.V2 and setup.flags.on("--logits-processors"):
        message = f"speculation in model runner {setup.runner} excludes custom --logits-processors; remove one of them"
        yield error("FlagConflictsWithSpeculation", _ARGS, message)


def fast_prefill(setup: Setup) -> Iterator[Remark]:
    """`vllm/config/vllm.py`: EAGLE needs the logits of all prompt tokens."""
    if setup.method in _HEADS and setup.flags.on("--kv-sharing-fast-prefill"):
        message = f"{setup.method} excludes --kv-sharing-fast-prefill, which computes wrong logits for the prompt"
        yield error("FlagConflictsWithSpeculation", _ARGS, message)


def asynchronous_scheduling(setup: Setup) -> Iterator[Remark]:
    """`vllm/config/vllm.py` (before 0.11 `vllm/engine/arg_utils.py`): only an explicit flag is refused."""
    free = setup.runner is Runner.V2 and setup.version >= _ASYNC_FREE
    if not setup.active or free or not setup.flags.on("--async-scheduling"):
        return
    allowed = _ASYNC.get(setup.method)
    if allowed is None or setup.version < allowed:
        message = f"--async-scheduling does not go with {setup.method} in model runner {setup.runner}; remove it"
        yield error("FlagConflictsWithSpeculation", _ARGS, message)


def double_batches(setup: Setup) -> Iterator[Remark]:
    """`_get_dbo_unsupported_features` in `vllm/config/vllm.py` 0.33.0."""
    if setup.active and setup.flags.on("--enable-dbo") and setup.variable(V2_SWITCH):
        message = f"with {V2_SWITCH}=1 --enable-dbo excludes speculation; remove one of them"
        yield error("FlagConflictsWithSpeculation", _ARGS, message)


def watermarks(setup: Setup) -> Iterator[Remark]:
    """`vllm/config/vllm.py` 0.33.0: drafts must be drawn, and by a head."""
    if not setup.active or setup.flags.text("--watermark-config") is None:
        return
    sampling = setup.speculation.sampling
    drawn = sampling is not None and sampling.draft == "Probabilistic"
    standard = sampling is None or sampling.rejection in {None, "Standard"}
    if setup.method not in _HEADS or not drawn or not standard:
        message = (
            "--watermark-config goes with Eagle, Eagle3 and Mtp, Probabilistic drafts and Standard rejection alone"
        )
        yield error("FlagConflictsWithSpeculation", _ARGS, message)


def structured_outputs(setup: Setup) -> Iterator[Remark]:
    """`vllm/v1/structured_output/backend_lm_format_enforcer.py`: an error a request."""
    backend = setup.flags.setting("--structured-outputs-config", "backend")
    legacy = setup.flags.text("--guided-decoding-backend")
    if setup.active and "lm-format-enforcer" in {backend, legacy}:
        message = "lm-format-enforcer cannot take back drafted tokens and fails each request; use xgrammar or guidance"
        yield warning("StructuredOutputRefused", _ARGS, message)


def request_options(setup: Setup) -> Iterator[Remark]:
    """`_validate_spec_decode` in `vllm/sampling_params.py`; up to 0.13 `vllm/v1/spec_decode/utils.py`."""
    if not setup.active or setup.runner is Runner.V0:
        return
    if setup.version < _REFUSING:
        message = f"vLLM {setup.version} serves requests with penalties, min_p or logprobs without speculation"
        yield warning("RequestOptionsIgnored", "speculation.method", message)
        return
    more = ", min_tokens" if setup.version in _MIN_TOKENS_REFUSED else ""
    message = f"with speculation on, vLLM answers requests that set min_p{more} or logit_bias with an error"
    yield advice("RequestOptionsRefused", "speculation.method", message)
