"""One variant of a resource for the checks of `engine.examine`; each field has a default that nothing is said about."""

from dataclasses import dataclass, field, replace
from typing import Any

from specdecode_operator.api.remarks import Remark
from specdecode_operator.api.v1alpha1 import Engine, Model, Speculation
from specdecode_operator.engine import examine

__all__ = ["Case", "Fields", "found", "remarks"]

Fields = dict[str, Any]


@dataclass(frozen=True)
class Variant:
    """What a case changes; the rest is an n-gram variant, which needs no draft."""

    version: str = "0.33.0"
    method: str = "NGram"
    tokens: int | None = 3
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    engine: Fields = field(default_factory=dict)
    model: Fields = field(default_factory=dict)
    draft: Fields = field(default_factory=dict)
    speculation: Fields = field(default_factory=dict)
    capability: float | None = None


@dataclass(frozen=True)
class Case:
    """One rule: what it says of `bad`, and that it is silent on `good`."""

    code: str
    field: str
    bad: Fields
    good: Fields
    words: tuple[str, ...] = ()


def remarks(**fields: Any) -> tuple[Remark, ...]:
    """Return what is said of a variant."""
    variant = replace(Variant(), **fields)
    engine = {
        "version": variant.version,
        "extraArgs": list(variant.args),
        "env": [{"name": name, "value": value} for name, value in variant.env.items()],
    }
    return examine(
        Model.model_validate({"name": "org/target"} | variant.model),
        Speculation.model_validate(_speculation(variant)),
        Engine.model_validate(engine | variant.engine),
        compute_capability=variant.capability,
    )


def found(code: str, path: str, fields: Fields) -> list[str]:
    """Return the messages of the remarks with this code at this field."""
    return [remark.message for remark in remarks(**fields) if (remark.code, remark.field) == (code, path)]


def _speculation(variant: Variant) -> Fields:
    made: Fields = {"method": variant.method}
    if variant.method in {"DraftModel", "Eagle", "Eagle3"}:
        made["draft"] = {"name": "org/draft"} | variant.draft
    if variant.method != "None" and variant.tokens is not None:
        made["numSpeculativeTokens"] = variant.tokens
    return made | variant.speculation
