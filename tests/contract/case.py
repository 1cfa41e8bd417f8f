"""One variant of a resource: what pre-flight says of it, and the command line that it becomes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract import models
from specdecode_operator.api.remarks import Level, Remark
from specdecode_operator.api.v1alpha1 import Engine, Model, Speculation
from specdecode_operator.engine import Serving, arguments, examine
from specdecode_operator.engine.methods import Runner
from specdecode_operator.engine.rules.setup import Setup
from specdecode_operator.sizing.pairing import pairing

__all__ = ["Case", "Fields", "Question"]

Fields = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """What the probe is asked: a command line and the environment that goes with it."""

    words: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Case:
    """One variant. Names of models are folders of `models.CONFIGS`."""

    name: str
    version: str
    speculation: Fields = field(default_factory=lambda: {"method": "None"})
    engine: Fields = field(default_factory=dict)
    model: Fields = field(default_factory=dict)

    def remarks(self) -> tuple[Remark, ...]:
        """Return the errors of pre-flight: the engine's rules, and those of the pair."""
        model, speculation, engine = self._parsed()
        target = models.facts(model.name)
        draft = models.facts(speculation.draft.name) if speculation.draft else None
        found = (*examine(model, speculation, engine), *pairing(target, draft, model, speculation, engine))
        return tuple(remark for remark in found if remark.level is Level.ERROR)

    def question(self, folder: Path) -> Question:
        """Return the command line, rendered whether or not pre-flight would have stopped it.

        `folder` holds the models.
        """
        model, speculation, engine = self._parsed()
        draft = None if speculation.draft is None else str(folder / speculation.draft.name)
        serving = Serving(model, str(folder / model.name), speculation, draft, engine, shutdown_timeout=300)
        return Question(tuple(arguments(serving)), tuple((variable.name, variable.value) for variable in engine.env))

    @property
    def runner(self) -> Runner:
        """The model runner that pre-flight expects."""
        return Setup(*self._parsed()).runner

    def _parsed(self) -> tuple[Model, Speculation, Engine]:
        return (
            Model.model_validate({"name": "target"} | self.model),
            Speculation.model_validate(self.speculation),
            Engine.model_validate({"version": self.version} | self.engine),
        )
