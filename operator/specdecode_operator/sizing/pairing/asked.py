"""What the resource asks for, as the checks look at it, and words that they share."""

from typing import Final

from specdecode_operator.api.v1alpha1 import Draft, Method
from specdecode_operator.engine.rules.setup import Setup
from specdecode_operator.sizing.facts import ModelFacts

__all__ = ["HEADS", "Asked", "active", "billions"]

HEADS: Final = frozenset({Method.EAGLE, Method.EAGLE3})
"""Methods whose draft is a head on the target's hidden states, not a model of its own."""

_BILLION: Final = 10**9


class Asked(Setup):
    """A variant as vLLM will see it, and what of it concerns the pair."""

    @property
    def draft(self) -> Draft | None:
        """The draft that the resource names."""
        return self.speculation.draft

    @property
    def draft_parallel_size(self) -> int:
        """GPUs that share the draft: vLLM's default is those of the target (`vllm/config/speculative.py` 0.33.0)."""
        return self.key("draft_tensor_parallel_size") or self.engine.tensor_parallel_size


def active(facts: ModelFacts) -> int:
    """Return the parameters that one token uses: all of them, unless the model is a mixture of experts."""
    return facts.active_parameters or facts.parameters


def billions(parameters: int) -> str:
    """Return a parameter count as people say it: `70.6B`, `494M`."""
    if parameters < _BILLION:
        return f"{parameters / 1e6:.3g}M"
    return f"{parameters / _BILLION:.3g}B"
