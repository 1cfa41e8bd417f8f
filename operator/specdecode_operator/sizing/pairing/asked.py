"""What the resource asks for, as the checks look at it, and words that they share."""

from dataclasses import dataclass
from typing import Any, Final

from specdecode_operator.api.v1alpha1 import Draft, Engine, Method, Model, Speculation
from specdecode_operator.engine import Version
from specdecode_operator.sizing.facts import ModelFacts

__all__ = ["HEADS", "Asked", "active", "billions"]

HEADS: Final = frozenset({Method.EAGLE, Method.EAGLE3})
"""Methods whose draft is a head on the target's hidden states, not a model of its own."""

_BILLION: Final = 10**9


@dataclass(frozen=True)
class Asked:
    """The fields that concern a pair."""

    model: Model
    speculation: Speculation
    engine: Engine

    @property
    def method(self) -> Method:
        """How tokens are proposed."""
        return self.speculation.method

    @property
    def draft(self) -> Draft | None:
        """The draft that the resource names."""
        return self.speculation.draft

    @property
    def version(self) -> Version:
        """The version of vLLM."""
        return Version.parse(self.engine.version)

    @property
    def draft_parallel_size(self) -> int:
        """GPUs that share the draft: vLLM's default is those of the target (`vllm/config/speculative.py` 0.33.0)."""
        return self.whole("draft_tensor_parallel_size") or self.engine.tensor_parallel_size

    def key(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return a further key of `--speculative-config`, None where it is not set."""
        return (self.speculation.config or {}).get(name)

    def whole(self, name: str) -> int | None:
        """Return a further key that is a whole number above 0, None where it is not one."""
        value = self.key(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def active(facts: ModelFacts) -> int:
    """Return the parameters that one token uses: all of them, unless the model is a mixture of experts."""
    return facts.active_parameters or facts.parameters


def billions(parameters: int) -> str:
    """Return a parameter count as people say it: `70.6B`, `494M`."""
    if parameters < _BILLION:
        return f"{parameters / 1e6:.3g}M"
    return f"{parameters / _BILLION:.3g}B"
