"""What was found before the pods were made, as the status shows it."""

from typing import Annotated, Final

from pydantic import Field

from specdecode_operator.api.v1alpha1.base import ApiModel

__all__ = ["MAX_WARNINGS", "MemoryFigures", "PreflightStatus", "PreflightWarning"]

MAX_WARNINGS: Final = 16
"""Warnings kept in the status; `specdecode plan` shows all."""

Text = Annotated[str, Field(max_length=256)]
Message = Annotated[str, Field(max_length=1024)]
Count = Annotated[int, Field(ge=0)]


class PreflightWarning(ApiModel):
    """Something that runs, but not as one would expect."""

    code: Text
    """Stable word; the docs have a page for each."""
    field: Text
    """Path below `spec`."""
    message: Message
    """One sentence with the values and the fix."""


class MemoryFigures(ApiModel):
    """The memory plan of the active variant, over all GPUs of one pod."""

    kv_cache_tokens: Count
    """Tokens that the KV cache is planned to hold."""
    kv_cache_tokens_without_speculation: Count
    """The same without the draft's weights and its own KV cache."""
    target_share_percent: Count
    """Share of the GPUs' memory that the target's weights take."""
    draft_share_percent: Count
    """Share that the draft's weights take."""
    max_model_len_that_fits: Count
    """Longest context of which the KV cache holds one request."""


class PreflightStatus(ApiModel):
    """What was found before the pods were made."""

    warnings: Annotated[list[PreflightWarning], Field(max_length=MAX_WARNINGS)] = []
    """What runs, but not as one would expect; errors are in the condition Stalled."""
    memory: MemoryFigures | None = None
    """The memory plan, where the GPU and the models are known."""
