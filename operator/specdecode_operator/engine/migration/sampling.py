"""How tokens are drawn and accepted, under the names of every version, to `spec.speculation.sampling`."""

from collections.abc import Mapping
from typing import Final

from specdecode_operator.engine.migration.errors import MalformedCommand
from specdecode_operator.engine.migration.pieces import Field, Finding, Key, Piece, Pieces, dropped, lost
from specdecode_operator.engine.versions import Version

__all__ = ["sampling"]

_STANDARD_SINCE: Final = Version(0, 21, 0)
"""The first release that was seen to call it `standard`; 0.18.0 to 0.20.2 said `strict`."""

_DRAFT_SINCE: Final = Version(0, 23, 0)
"""`draft_sample_method: greedy|probabilistic`; 0.21.0 called it `gumbel`."""
_BLOCK_SINCE: Final = Version(0, 26, 0)
"""`rejection_sample_method: block`, absent in 0.24.0."""

_DRAFT: Final = {"greedy": "Greedy", "probabilistic": "Probabilistic", "gumbel": "Probabilistic"}
_LOSSY: Final = {
    "fly": "it changes the answers' distribution, and the resource keeps the target's",
    "synthetic": "it accepts tokens by a fixed rate, whatever they are, and answers are garbage",
}
_TYPICAL: Final = (
    "typical acceptance is gone since vLLM 0.10.0, and it changed the answers' distribution",
    (
        "leave it out: rejection sampling keeps the target's distribution, and speculation.sampling.draft Probabilistic"
        " raises acceptance at temperatures above 0"
    ),
)


def sampling(keys: Mapping[str, Key], version: Version) -> Pieces:
    """Yield what the keys on sampling become where the pods run `version`."""
    yield from _acceptance(keys)
    if "draft_sample_method" in keys:
        yield from _draft(keys["draft_sample_method"], version)
    if "rejection_sample_method" in keys:
        yield from _rejection(keys["rejection_sample_method"], version)


def _acceptance(keys: Mapping[str, Key]) -> Pieces:
    method = keys.get("acceptance_method")
    if method is not None and method.value == "rejection_sampler":
        yield dropped(method.flag, "rejection sampling is what vLLM does")
    elif method is not None:
        yield lost(method.flag, *_TYPICAL)
    for name in ("posterior_threshold", "posterior_alpha"):
        if name in keys:
            yield lost(keys[name].flag, *_TYPICAL)


def _draft(key: Key, version: Version) -> Pieces:
    value = _known(key, _DRAFT)
    if version >= _DRAFT_SINCE:
        yield Field("speculation.sampling.draft", value)
    elif value == "Greedy":
        yield dropped(key.flag, "a greedy draft is what this version has")
    else:
        yield _too_old(key, _DRAFT_SINCE)


def _rejection(key: Key, version: Version) -> Pieces:
    value = _known(key, {name: name for name in ("standard", "strict", "probabilistic", "block", *_LOSSY)})
    if value in _LOSSY:
        yield lost(key.flag, f"{value}: {_LOSSY[value]}", "leave it out for Standard")
    elif value == "block":
        yield _block(key, version)
    elif value == "probabilistic":
        yield from _draft(key, version)
    elif value == "standard" and version >= _STANDARD_SINCE:
        yield Field("speculation.sampling.rejection", "Standard")
    else:
        yield dropped(key.flag, f"{value} is what vLLM does without it")


def _block(key: Key, version: Version) -> Piece:
    if version >= _BLOCK_SINCE:
        return Field("speculation.sampling.rejection", "Block")
    return _too_old(key, _BLOCK_SINCE)


def _too_old(key: Key, since: Version) -> Finding:
    return lost(key.flag, f"{key.value} needs vLLM {since} or later", "choose a later version")


def _known(key: Key, choices: Mapping[str, str]) -> str:
    if not isinstance(key.value, str) or key.value not in choices:
        raise MalformedCommand(f"{key.flag}: needs one of {', '.join(choices)}")
    return choices[key.value]
