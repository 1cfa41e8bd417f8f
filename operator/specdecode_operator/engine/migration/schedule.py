"""Load-dependent speculation to `spec.speculation.batchSizeSchedule`."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from specdecode_operator.engine.migration.errors import MalformedCommand
from specdecode_operator.engine.migration.pieces import Field, Key, Pieces, dropped, lost
from specdecode_operator.engine.versions import Version

__all__ = ["schedule"]

_SINCE: Final = Version(0, 24, 0)
"""`num_speculative_tokens_per_batch_size`, absent in 0.23.0."""
_FIELD: Final = "speculation.batchSizeSchedule"
_RANGE: Final = 3
_TOO_OLD: Final = (
    f"this version cannot speculate less under load, which needs vLLM {_SINCE} or later",
    "choose a later version, or let a latency objective in policy.objectives turn speculation off",
)


def schedule(keys: Mapping[str, Key], tokens: int | None, version: Version) -> Pieces:
    """Yield the schedule in `keys`; `tokens` is the most that is proposed.

    Raises `MalformedCommand` where vLLM would refuse the ranges (`vllm/v1/spec_decode/dynamic/utils.py` 0.33.0).
    """
    ranges = keys.get("num_speculative_tokens_per_batch_size")
    limit = keys.get("disable_by_batch_size")
    if ranges is not None:
        yield from _ranges(ranges, tokens, version)
        if limit is not None:
            yield dropped(limit.flag, f"{ranges.flag} says it more exactly")
    elif limit is not None:
        yield from _limit(limit, tokens, version)


def _limit(key: Key, tokens: int | None, version: Version) -> Pieces:
    if version < _SINCE:
        yield lost(key.flag, *_TOO_OLD)
        return
    if tokens is None:
        yield lost(key.flag, "the number of tokens is the model's own", "set speculation.batchSizeSchedule")
        return
    size = key.value
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise MalformedCommand(f"{key.flag}: needs a whole number from 1 up")
    below = [{"upTo": size - 1, "tokens": tokens}] if size > 1 else []
    yield Field(_FIELD, [*below, {"tokens": 0}])
    yield dropped(key.flag, f"from {size} requests in one step on nothing is proposed; a draft model stays in memory")


def _ranges(key: Key, tokens: int | None, version: Version) -> Pieces:
    if version < _SINCE:
        yield lost(key.flag, *_TOO_OLD)
        return
    entries = _checked(key)
    capped = [min(entry[2], tokens or entry[2]) for entry in entries]
    following = [entry[0] - 1 for entry in entries[1:]]
    made = [{"upTo": up_to, "tokens": count} for up_to, count in zip(following, capped[:-1], strict=True)]
    yield Field(_FIELD, [*made, {"tokens": capped[-1]}])
    if capped != [entry[2] for entry in entries]:
        yield dropped(key.flag, f"ranges of more than {tokens} tokens are cut to num_speculative_tokens, as vLLM does")


def _checked(key: Key) -> Sequence[Sequence[int]]:
    """Return the ranges as vLLM takes them: the first begins at 1, and each after the end of the one before."""
    entries = key.value
    if not isinstance(entries, list) or not entries or not all(_is_range(entry) for entry in entries):
        raise MalformedCommand(f"{key.flag}: needs a list of [first, last, tokens]")
    ordered = all(after[0] > before[1] for before, after in pairwise(entries))
    if entries[0][0] != 1 or not ordered:
        raise MalformedCommand(f"{key.flag}: must begin at 1, and its ranges must not overlap")
    return entries


def _is_range(entry: Any) -> bool:  # noqa: ANN401 - any JSON value
    if not isinstance(entry, list) or len(entry) != _RANGE:
        return False
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in entry):
        return False
    first, last, tokens = entry
    return bool(0 < first <= last and tokens >= 0)
