"""How tokens can be proposed: vLLM's word for each method, and the releases in which it really runs.

A method may be accepted by a release's configuration and still have nothing that carries it out; only what runs is
listed. Sources: `vllm/config/speculative.py` (before 0.11 `vllm/config.py`), `vllm/engine/arg_utils.py` and
`vllm/config/vllm.py` of the releases in `versions.READ`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.engine.versions import ALWAYS, Span, Version, span

__all__ = ["METHODS", "NAME_WORDS", "V0_GONE", "EngineMethod", "Runner", "default_runner", "method_word"]


class Runner(StrEnum):
    """What carries the method out. V2 replaces V1 within one release, as V1 replaced the engine V0."""

    V0 = "V0"
    V1 = "V1"
    V2 = "V2"


@dataclass(frozen=True)
class EngineMethod:
    """One method in vLLM."""

    word: str
    """Value of the key `method`."""
    runs: tuple[Span, ...]
    """Releases in which it runs, ascending."""
    v1: Version
    """From here on the engine V1 runs it; before, V0 does."""
    v2: Version | None = None
    """From here on the V2 model runner runs it by default; None where it never does."""
    lookahead: bool = True
    """Whether each request takes as many further slots of a step as tokens are proposed."""
    logits: bool = True
    """Whether a draft's probabilities exist, from which tokens could be drawn."""
    former: tuple[str, Version] | None = None
    """An older word, and the first release that was seen to take the new one."""


_V2_DENSE: Final = Version(0, 25, 0)
_V2_MIXTURES: Final = Version(0, 29, 0)
V0_GONE: Final = Version(0, 10, 0)
"""The first release without the engine V0 (`vllm/engine/arg_utils.py`)."""

METHODS: Final[Mapping[Method, EngineMethod]] = {
    Method.DRAFT_MODEL: EngineMethod(
        "draft_model",
        (span("0.8.3", "0.10.0"), span("0.15.0")),
        v1=Version(0, 15, 0),
        v2=Version(0, 31, 0),
    ),
    Method.NGRAM: EngineMethod(
        "ngram",
        (span(),),
        v1=Version(0, 9, 0),
        v2=Version(0, 32, 0),
        lookahead=False,
        logits=False,
    ),
    Method.EAGLE: EngineMethod("eagle", (span(),), v1=Version(0, 9, 0), v2=Version(0, 25, 0)),
    Method.EAGLE3: EngineMethod("eagle3", (span("0.9.2"),), v1=Version(0, 9, 2), v2=Version(0, 25, 0)),
    Method.MTP: EngineMethod(
        "mtp",
        (span("0.9.0"),),
        v1=Version(0, 9, 0),
        v2=Version(0, 25, 0),
        former=("deepseek_mtp", Version(0, 11, 0)),
    ),
    Method.SUFFIX: EngineMethod("suffix", (span("0.11.2"),), v1=Version(0, 11, 2), lookahead=False, logits=False),
}
"""All methods of the API but `None`."""

NAME_WORDS: Final[Mapping[str, Span]] = {
    "eagle-": ALWAYS,
    "eagle3-": span("0.8.5", "0.10.2"),
    "eagle3": span("0.10.2"),
    "dflash": span("0.20.0"),
    "dspark": span("0.25.0"),
}
"""Words in a draft's name by which vLLM takes it for a head, in small letters, even where `method` says otherwise.

The methods `eagle` and `eagle3` stand as they are, from 0.8.5 on.
"""


def method_word(method: Method, version: Version) -> str:
    """Return the value of the key `method` in `version`."""
    found = METHODS[method]
    if found.former is not None and version < found.former[1]:
        return found.former[0]
    return found.word


def default_runner(method: Method, version: Version, *, mixture: bool = False) -> Runner:
    """Return what carries `method` out in `version` where the environment says nothing.

    V2 is for text generation by dense models from 0.25.0 on, and for nearly all, a `mixture` of experts too, from
    0.29.0 on.
    """
    found, first = METHODS.get(method), _V2_MIXTURES if mixture else _V2_DENSE
    if found is None:
        return Runner.V2 if version >= first else Runner.V1
    if found.v2 is not None and version >= max(found.v2, first):
        return Runner.V2
    return Runner.V1 if version >= min(found.v1, V0_GONE) else Runner.V0
