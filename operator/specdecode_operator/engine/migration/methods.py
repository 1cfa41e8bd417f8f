"""Which method a speculative configuration means, and which methods have no equivalent."""

from typing import Final

from specdecode_operator.api.v1alpha1 import Method

__all__ = ["METHODS", "UNSUPPORTED", "guessed"]

METHODS: Final = {
    "draft_model": Method.DRAFT_MODEL,
    "ngram": Method.NGRAM,
    "[ngram]": Method.NGRAM,
    "eagle": Method.EAGLE,
    "eagle3": Method.EAGLE3,
    "mtp": Method.MTP,
    "suffix": Method.SUFFIX,
}
"""vLLM's names of the resource's methods; every `…_mtp` of older versions is `mtp` (`vllm/config/speculative.py`)."""

_NO_FIELD: Final = "the resource has no method for it"
_HEAD: Final = "use Eagle3 with a head that is made for this target, or DraftModel"
UNSUPPORTED: Final = {
    "medusa": ("vLLM 0.33 has no Medusa heads any more", _HEAD),
    "mlp_speculator": ("vLLM's V1 engine does not run MLP speculators", _HEAD),
    "dflash": (_NO_FIELD, _HEAD),
    "dspark": (_NO_FIELD, _HEAD),
    "custom_class": (_NO_FIELD, "use a method of vLLM's own"),
    "extract_hidden_states": ("it speeds nothing up, but exports hidden states", "run it outside of the operator"),
    "ngram_gpu": ("the resource looks n-grams up on the CPU", "use NGram"),
}
"""Methods without an equivalent: the reason, and what comes nearest."""

_MARKS: Final = (
    ("eagle-", "eagle"),
    ("eagle3", "eagle3"),
    ("dflash", "dflash"),
    ("dspark", "dspark"),
    ("medusa", "medusa"),
    ("accelerator", "mlp_speculator"),
)
"""Parts of a draft's name by which vLLM or its authors tell the method, in vLLM's order."""


def guessed(model: str) -> str:
    """Return the method that vLLM takes for a draft called `model` when none is given.

    As `vllm/config/speculative.py` does, which also looks into the draft's configuration; Medusa heads and MLP
    speculators are told by the names that they usually bear.
    """
    if model in ("ngram", "[ngram]"):
        return "ngram"
    return next((method for mark, method in _MARKS if mark in model.lower()), "draft_model")
