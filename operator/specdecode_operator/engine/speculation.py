"""The value of vLLM's `--speculative-config`.

The method is always explicit, since vLLM otherwise guesses it from the model's name.
The keys are those of `engine.keys`.
"""

from collections.abc import Iterator
from typing import Any

from specdecode_operator.api.v1alpha1 import Method, Speculation
from specdecode_operator.engine.methods import method_word
from specdecode_operator.engine.sampling import word
from specdecode_operator.engine.versions import Version

__all__ = ["drafts_every_step", "speculative_config"]


def speculative_config(
    speculation: Speculation, *, version: Version, draft_path: str | None, max_num_seqs: int | None
) -> dict[str, Any] | None:
    """Return the JSON object for `--speculative-config`, or None where nothing is proposed.

    `draft_path` is the draft as vLLM finds it (hub name or folder in the pod). Whether `version` can do what is asked
    is for `examine` to say.
    """
    if not speculation.active:
        return None
    config: dict[str, Any] = {"method": method_word(speculation.method, version)}
    config |= _draft(speculation, draft_path)
    config |= _proposal(speculation, max_num_seqs)
    config |= _sampling(speculation)
    return config | (speculation.config or {})


def drafts_every_step(speculation: Speculation) -> bool:
    """Whether every step of a request that yields tokens verifies a draft.

    n-gram and suffix find nothing to propose in many steps, and a range of the schedule may propose 0 tokens. vLLM's
    counters leave such steps out (`v1/spec_decode/metrics.py`).
    """
    ranges = speculation.batch_size_schedule or ()
    return speculation.method not in (Method.NGRAM, Method.SUFFIX) and all(entry.tokens for entry in ranges)


def _draft(speculation: Speculation, draft_path: str | None) -> dict[str, Any]:
    draft = speculation.draft
    if draft is None:
        return {}
    keys = {"model": draft_path, "revision": draft.revision, "quantization": draft.quantization}
    return {key: value for key, value in keys.items() if value is not None}


def _proposal(speculation: Speculation, max_num_seqs: int | None) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    if speculation.num_speculative_tokens is not None:
        keys["num_speculative_tokens"] = speculation.num_speculative_tokens
    if speculation.prompt_lookup is not None:
        keys["prompt_lookup_min"] = speculation.prompt_lookup.min
        keys["prompt_lookup_max"] = speculation.prompt_lookup.max
    if speculation.batch_size_schedule is not None:
        keys["num_speculative_tokens_per_batch_size"] = list(_ranges(speculation, max_num_seqs))
    return keys


def _ranges(speculation: Speculation, max_num_seqs: int | None) -> Iterator[list[int]]:
    """Yield `[first, last, tokens]`; the last range goes on past its end (`v1/spec_decode/dynamic/utils.py`)."""
    first = 1
    for entry in speculation.batch_size_schedule or []:
        last = entry.up_to or max(first, max_num_seqs or first)
        yield [first, last, entry.tokens]
        first = last + 1


def _sampling(speculation: Speculation) -> dict[str, Any]:
    sampling = speculation.sampling
    if sampling is None:
        return {}
    keys = {"draft_sample_method": sampling.draft, "rejection_sample_method": sampling.rejection}
    return {key: word(value) for key, value in keys.items() if value is not None}
