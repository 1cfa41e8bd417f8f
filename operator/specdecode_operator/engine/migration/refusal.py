"""What the engine's rules say of a configuration, in one sentence."""

from specdecode_operator.api.remarks import Level
from specdecode_operator.api.v1alpha1 import Engine, Model, Speculation
from specdecode_operator.engine.examine import examine

__all__ = ["refusal"]


def refusal(model: Model, speculation: Speculation, engine: Engine) -> str | None:
    """Return why `engine.version` cannot serve `model` this way, or None where it can."""
    errors = (remark for remark in examine(model, speculation, engine) if remark.level is Level.ERROR)
    return next(map(str, errors), None)
