"""What the renderer says of a configuration: it knows what each version of vLLM can run."""

from specdecode_operator.api.v1alpha1 import Engine, Model, Speculation
from specdecode_operator.engine.arguments import Serving, arguments
from specdecode_operator.engine.errors import UnsupportedConfig

__all__ = ["refusal"]


def refusal(model: Model, speculation: Speculation, engine: Engine) -> str | None:
    """Return why `engine.version` cannot serve `model` this way, in one sentence, or None where it can."""
    draft = speculation.draft
    serving = Serving(
        model=model,
        model_path=model.name,
        speculation=speculation,
        draft_path=draft.name if draft else None,
        engine=engine,
        shutdown_timeout=1,
    )
    try:
        arguments(serving)
    except UnsupportedConfig as error:
        return str(error)
    return None
