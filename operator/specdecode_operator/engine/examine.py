"""All that can be said of one variant before a pod is made: an ordered table of small checks."""

from collections.abc import Callable, Iterable
from typing import Final

from specdecode_operator.api.remarks import Remark
from specdecode_operator.api.v1alpha1 import Engine, Model, Speculation
from specdecode_operator.engine.rules import conflicts, drafting, keys, quantization, release, serving
from specdecode_operator.engine.rules.setup import Setup

__all__ = ["CHECKS", "acceptance_counted", "examine"]

Check = Callable[[Setup], Iterable[Remark]]

CHECKS: Final[tuple[Check, ...]] = (
    release.known,
    release.image_agrees,
    release.drained,
    release.method_runs,
    release.method_stands,
    release.package_there,
    release.runner_fits,
    release.acceptance_measured,
    release.measured_across_engines,
    release.graphs_of_the_draft,
    release.flags_exist,
    keys.keys_are_known,
    conflicts.draft_tensor_parallelism,
    conflicts.draft_context,
    conflicts.draft_kv_cache,
    conflicts.heterogeneous_vocabulary,
    conflicts.padded_batches,
    conflicts.parallel_drafting,
    conflicts.adaptive_verification,
    conflicts.synthetic_acceptance,
    conflicts.fly,
    drafting.tokens_are_given,
    drafting.sampling_exists,
    drafting.sampling_has_effect,
    drafting.schedule_exists,
    drafting.schedule_is_honoured,
    drafting.schedule_is_reached,
    serving.batched_tokens,
    serving.cuda_graphs_suffice,
    serving.logits_processors,
    serving.fast_prefill,
    serving.asynchronous_scheduling,
    serving.double_batches,
    serving.watermarks,
    serving.structured_outputs,
    serving.request_options,
    quantization.quantization_exists,
    quantization.quantization_suits,
    quantization.online_is_described,
    quantization.quantization_fits,
    quantization.load_format_exists,
    quantization.kv_cache_exists,
)
"""The checks, in the order in which their remarks are given."""


def acceptance_counted(model: Model, speculation: Speculation, engine: Engine) -> bool:
    """Whether the engine's counters tell how much of what `speculation` proposes is accepted."""
    return release.counts_acceptance(Setup(model, speculation, engine))


def examine(
    model: Model, speculation: Speculation, engine: Engine, *, compute_capability: float | None = None
) -> tuple[Remark, ...]:
    """Return all that is wrong or surprising about serving `model` this way; empty where nothing is.

    `compute_capability` is that of the GPUs, such as 9.0 for an H100; None leaves out what depends on it.
    """
    setup = Setup(model, speculation, engine, compute_capability)
    return tuple(remark for check in CHECKS for remark in check(setup))
