"""What a check looks at, and how it says what it found."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from specdecode_operator.api.v1alpha1 import Engine, Method, Model, Speculation
from specdecode_operator.engine.flags import Flags
from specdecode_operator.engine.keys import KEYS
from specdecode_operator.engine.methods import METHODS, Runner, default_runner
from specdecode_operator.engine.versions import Span, Version

__all__ = ["Setup", "needs"]

V2_SWITCH: Final = "VLLM_USE_V2_MODEL_RUNNER"
"""Variable that picks the model runner; read since 0.12.0 or before (`vllm/envs.py`)."""

_V1_SWITCH: Final = "VLLM_USE_V1"
_YES: Final = frozenset({"1", "true"})


@dataclass(frozen=True)
class Setup:
    """One variant of a resource, as vLLM will see it."""

    model: Model
    speculation: Speculation
    engine: Engine
    compute_capability: float | None = None
    """CUDA compute capability of the GPUs, such as 9.0; None where it is not known."""

    @cached_property
    def version(self) -> Version:
        """The release."""
        return Version.parse(self.engine.version)

    @cached_property
    def flags(self) -> Flags:
        """The user's own flags."""
        return Flags.read(self.engine.extra_args)

    @property
    def active(self) -> bool:
        """Whether any token is proposed."""
        return self.speculation.active

    @property
    def method(self) -> Method:
        """How tokens are proposed."""
        return self.speculation.method

    @property
    def tokens(self) -> int | None:
        """Tokens proposed a step, where the resource says it."""
        return self.speculation.num_speculative_tokens

    @property
    def config(self) -> dict[str, Any]:
        """The user's further keys; empty where nothing is proposed."""
        return (self.speculation.config or {}) if self.active else {}

    def key(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return a further key's value as vLLM reads it; None where it is missing, unknown or not to be read."""
        found = KEYS[name]
        if name not in self.config or self.version not in found.releases:
            return None
        return found.value(self.config[name])

    def variable(self, name: str) -> bool | None:
        """Return the switch `name` of the environment, or None where it is not set."""
        texts = [variable.value.strip().lower() for variable in self.engine.env if variable.name == name]
        return texts[-1] in _YES if texts and texts[-1] else None

    @cached_property
    def runner(self) -> Runner:
        """What carries the method out."""
        found = default_runner(self.method, self.version)
        if self.version < Version(0, 10, 0):
            return self._early(found)
        forced = self.variable(V2_SWITCH)
        if forced is not None and self.version >= Version(0, 12, 0):
            return Runner.V2 if forced else Runner.V1
        return Runner.V1 if self._needs_v1() else found

    def _early(self, found: Runner) -> Runner:
        """Before 0.10.0 V0 and V1 live side by side, and a draft model runs in V0 alone."""
        chosen = self.variable(_V1_SWITCH)
        if chosen is None or METHODS[Method.DRAFT_MODEL].word == self.word:
            return found
        return Runner.V1 if chosen else Runner.V0

    def _needs_v1(self) -> bool:
        """Whether V2 gives way to V1 (`_get_v2_model_runner_unsupported_features` in `vllm/config/vllm.py`)."""
        return bool(
            self.key("parallel_drafting") or self.key("use_heterogeneous_vocab") or self.flags.on("--enable-dbo")
        )

    @property
    def word(self) -> str | None:
        """VLLM's word for the method, or None where nothing is proposed."""
        found = METHODS.get(self.method)
        return None if found is None else found.word


def needs(releases: Span, version: Version) -> str | None:
    """Return why `version` is not in `releases` and what to do, or None where it is."""
    if version in releases:
        return None
    if version < releases.first:
        return f"needs vLLM {releases.first} or later, engine.version is {version}; remove it or upgrade"
    return f"vLLM removed it by {releases.gone}, engine.version is {version}"
