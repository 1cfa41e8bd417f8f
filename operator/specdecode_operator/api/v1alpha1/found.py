"""What a Job read of models that the user says nothing of and no catalog knows."""

from typing import Annotated, Final

from pydantic import Field

from specdecode_operator.api.v1alpha1.base import ApiModel, ModelName

__all__ = ["MAX_CONFIG", "MAX_FACTS", "FactsReport", "FactsStatus", "ModelFound"]

MAX_FACTS: Final = 2
"""Models that one Job reads: the target and its draft."""

MAX_CONFIG: Final = 1536
"""Characters of one model's figures: a pod's last word holds 4096."""

Text = Annotated[str, Field(max_length=256)]
Timestamp = Annotated[str, Field(max_length=32, json_schema_extra={"format": "date-time"})]


class ModelFound(ApiModel):
    """One model's figures."""

    name: ModelName
    """As the spec names it."""
    config: Annotated[str, Field(max_length=MAX_CONFIG)]
    """What the checks need of its `config.json`, as JSON."""
    tokenizer: Annotated[str, Field(max_length=128)] | None = None
    """SHA-256 of `tokenizer.json`, where there is one."""


class FactsReport(ApiModel):
    """What the Job writes as its last word."""

    models: Annotated[list[ModelFound], Field(max_length=MAX_FACTS)] = []
    """What could be read."""
    failure: Text | None = None
    """Why some could not."""


class FactsStatus(FactsReport):
    """What a Job found before the first pods were made."""

    sources: Text
    """Digest of names, revisions and volumes; other ones are read anew."""
    started_at: Timestamp
    """When the Job was created."""
    finished: bool = False
    """Whether it has been heard of, or waited for long enough."""
