"""A target, a draft and the fields that ask for them, and what pre-flight says of them."""

from dataclasses import dataclass, field, replace
from typing import Any

from specdecode_operator.api.remarks import Remark
from specdecode_operator.sizing import ModelFacts, pairing
from support.builders import Manifest, spec_of
from support.shapes import LLAMA_8B, LLAMA_70B

NO_DRAFT = ("None", "NGram", "Suffix", "Mtp")


@dataclass(frozen=True)
class Case:
    """One pair; by default one that nothing is said of."""

    target: ModelFacts | None = LLAMA_70B
    draft: ModelFacts | None = LLAMA_8B
    method: str = "DraftModel"
    tokens: int | None = 5
    model: Manifest = field(default_factory=dict)
    draft_fields: Manifest = field(default_factory=dict)
    speculation: Manifest = field(default_factory=dict)
    engine: Manifest = field(default_factory=dict)

    def but(self, **changes: Any) -> "Case":
        """Return the same case with other values."""
        return replace(self, **changes)

    def remarks(self) -> tuple[Remark, ...]:
        """Return what is said of it."""
        spec = spec_of(model=self._model(), speculation=self._speculation(), engine=self.engine)
        return pairing(self.target, self.draft, spec.model, spec.speculation, spec.engine)

    def codes(self) -> list[str]:
        """Return the codes of what is said of it."""
        return [remark.code for remark in self.remarks()]

    def _model(self) -> Manifest:
        return {"name": self.target.name if self.target else "org/target"} | self.model

    def _speculation(self) -> Manifest:
        fields: Manifest = {"method": self.method}
        if self.method != "None" and self.tokens is not None:
            fields["numSpeculativeTokens"] = self.tokens
        if self.method not in NO_DRAFT or self.draft_fields:
            fields["draft"] = {"name": self.draft.name if self.draft else "org/draft"} | self.draft_fields
        return fields | self.speculation
