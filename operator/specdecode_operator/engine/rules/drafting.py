"""How drafts are drawn and accepted, and how many tokens are proposed at which batch size."""

from collections.abc import Iterator, Mapping
from typing import Final

from specdecode_operator.api.remarks import Remark, error, warning
from specdecode_operator.api.v1alpha1 import DraftSampling, Method, Rejection
from specdecode_operator.engine.keys import KEYS
from specdecode_operator.engine.methods import METHODS, Runner
from specdecode_operator.engine.rules.setup import Setup, needs
from specdecode_operator.engine.sampling import DRAFT_SAMPLINGS, REJECTIONS, word
from specdecode_operator.engine.versions import Span

__all__ = [
    "sampling_exists",
    "sampling_has_effect",
    "schedule_exists",
    "schedule_is_honoured",
    "schedule_is_reached",
    "tokens_are_given",
]

_SCHEDULE: Final = "speculation.batchSizeSchedule"
_RELEASES: Final = KEYS["num_speculative_tokens_per_batch_size"].releases


def tokens_are_given(setup: Setup) -> Iterator[Remark]:
    """`__post_init__` in `vllm/config/speculative.py` 0.11.2 to 0.33.0: the target drafts only if a number is given."""
    if setup.method is Method.MTP and setup.tokens is None and setup.speculation.draft is None:
        yield error(
            "TokensMissing",
            "speculation.numSpeculativeTokens",
            "vLLM uses the target's own multi-token prediction layers only if a number is given; set it to the number"
            " of those layers, which is 1 for most models",
        )


def sampling_exists(setup: Setup) -> Iterator[Remark]:
    """See `engine.sampling`."""
    sampling = setup.speculation.sampling
    if sampling is None:
        return
    asked: list[tuple[str, DraftSampling | Rejection | None, Mapping[str, Span]]] = [
        ("speculation.sampling.draft", sampling.draft, DRAFT_SAMPLINGS),
        ("speculation.sampling.rejection", sampling.rejection, REJECTIONS),
    ]
    for field, value, table in asked:
        if value is not None and (reason := needs(table[word(value)], setup.version)):
            yield error("SamplingUnavailable", field, f"{value} {reason}")


def sampling_has_effect(setup: Setup) -> Iterator[Remark]:
    """Block: `vllm/v1/worker/gpu/spec_decode/rejection_sampler.py` alone. Drafts: `llm_base_proposer.py`."""
    sampling = setup.speculation.sampling
    if sampling is None:
        return
    block = sampling.rejection is Rejection.BLOCK and setup.version in REJECTIONS["block"]
    if block and setup.runner is not Runner.V2:
        yield warning(
            "SamplingWithoutEffect",
            "speculation.sampling.rejection",
            f"Block is read by model runner V2 alone, {setup.method} runs in {setup.runner} and stays with Standard;"
            " remove it",
        )
    if sampling.draft is DraftSampling.PROBABILISTIC and not METHODS[setup.method].logits:
        yield warning(
            "SamplingWithoutEffect",
            "speculation.sampling.draft",
            f"{setup.method} copies its tokens and has no probabilities to draw them from; remove it",
        )


def schedule_exists(setup: Setup) -> Iterator[Remark]:
    """`num_speculative_tokens_per_batch_size` is absent in 0.23.0."""
    if setup.speculation.batch_size_schedule is not None and (reason := needs(_RELEASES, setup.version)):
        yield error("ScheduleUnavailable", _SCHEDULE, reason)


def schedule_is_honoured(setup: Setup) -> Iterator[Remark]:
    """`_maybe_disable_dynamic_sd_for_data_parallel`, `…_for_v1` and `_maybe_override_dynamic_sd_cudagraph_mode`.

    All in `vllm/config/vllm.py` 0.33.0. Releases before 0.26.0 lack the first check and may hang instead.
    """
    if setup.speculation.batch_size_schedule is None or setup.version not in _RELEASES:
        return
    ranks = setup.flags.number("--data-parallel-size") or 1
    if ranks > 1:
        message = f"vLLM switches it off under --data-parallel-size {ranks}; remove one of the two"
        yield error("ScheduleDisabled", _SCHEDULE, message)
    if setup.method is Method.SUFFIX:
        message = "vLLM switches it off for Suffix, which sets its own number of tokens; remove it"
        yield error("ScheduleDisabled", _SCHEDULE, message)
    elif setup.runner is Runner.V1 and not setup.flags.on("--enforce-eager"):
        yield warning(
            "ScheduleWithoutFullGraphs",
            _SCHEDULE,
            f"in model runner V1, which runs {setup.method} here, a schedule costs the full CUDA graphs; measure it"
            " against a fixed number",
        )


def schedule_is_reached(setup: Setup) -> Iterator[Remark]:
    """Batch size is the number of requests in a step (`vllm/v1/core/sched/scheduler.py`), so it ends at maxNumSeqs."""
    ranges = setup.speculation.batch_size_schedule or []
    most = setup.engine.max_num_seqs
    edges = [entry.up_to for entry in ranges if entry.up_to is not None]
    if most is not None and edges and edges[-1] >= most:
        message = f"no step holds more than engine.maxNumSeqs {most} requests, so what follows upTo {edges[-1]} is idle"
        yield warning("ScheduleUnreachable", _SCHEDULE, message)
    if ranges and not any(entry.tokens for entry in ranges):
        message = "every range proposes 0 tokens, so the draft only costs memory; set speculation.method to None"
        yield warning("SpeculationNeverUsed", _SCHEDULE, message)
