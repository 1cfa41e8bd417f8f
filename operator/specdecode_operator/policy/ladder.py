"""Variants: the spec resolved into fully determined engine configurations, in the order in which they are tried."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from specdecode_operator.api.names import NO_SPECULATION_VARIANT, PRIMARY_VARIANT
from specdecode_operator.api.v1alpha1 import Fallback, Method, Model, ModelOverlay, Spec, Speculation, Trigger

__all__ = ["Ladder", "Variant", "ladder"]

_HASH_LENGTH: Final = 10
_EVERY_TRIGGER: Final = frozenset(Trigger)


@dataclass(frozen=True)
class Variant:
    """One rung: what its pods would run, and the triggers that lead to it."""

    name: str
    triggers: frozenset[Trigger]
    model: Model
    speculation: Speculation
    hash: str
    """Changes exactly when something changes that the pods would run; the number of replicas does not."""
    kin: str
    """The same for variants that differ in nothing but weights and quantization, of the model or the draft."""


@dataclass(frozen=True)
class Ladder:
    """All variants of one spec; the first is `primary`."""

    rungs: tuple[Variant, ...]
    unusable: frozenset[str] = frozenset()
    """Names of rungs that pre-flight refuses; they are never chosen, but one that runs already goes on."""

    @property
    def primary(self) -> Variant:
        """The spec itself."""
        return self.rungs[0]

    @property
    def fallbacks(self) -> tuple[Variant, ...]:
        """What the user listed below `primary`, without the built-in rung."""
        return tuple(rung for rung in self.rungs[1:] if rung.name != NO_SPECULATION_VARIANT)

    def find(self, name: str | None) -> Variant | None:
        """Return the variant called `name`, if there is one."""
        return next((rung for rung in self.rungs if rung.name == name), None)

    def after(self, current: Variant, trigger: Trigger, blocked: frozenset[str] = frozenset()) -> Variant | None:
        """Return the next usable rung below `current` that names `trigger` and would run something else.

        Variants with a hash in `blocked` are passed over.
        """
        below = self.rungs[self.rungs.index(current) + 1 :]
        usable = (rung for rung in below if rung.name not in self.unusable and rung.hash not in blocked)
        return next((rung for rung in usable if trigger in rung.triggers and rung.hash != current.hash), None)


def ladder(spec: Spec) -> Ladder:
    """Return the ladder of `spec`; `no-speculation` comes last unless the user lists it."""
    rungs = [_variant(spec, PRIMARY_VARIANT, frozenset(), spec.model, spec.speculation)]
    rungs += _fallbacks(spec)
    if all(rung.name != NO_SPECULATION_VARIANT for rung in rungs):
        rungs.append(_without_speculation(spec, _EVERY_TRIGGER))
    return Ladder(tuple(rungs))


def _fallbacks(spec: Spec) -> Iterator[Variant]:
    for fallback in spec.fallbacks:
        triggers = frozenset(fallback.triggers)
        if fallback.name == NO_SPECULATION_VARIANT:
            yield _without_speculation(spec, triggers)
        else:
            yield _variant(spec, fallback.name, triggers, *_overlaid(spec, fallback))


def _overlaid(spec: Spec, fallback: Fallback) -> tuple[Model, Speculation]:
    speculation = fallback.speculation or spec.speculation
    if fallback.model is None:
        return spec.model, speculation
    model = _overlay(spec.model, fallback.model)
    return model, speculation if _same_volume(spec.model, model) else _beside_primary(spec.model, speculation)


def _overlay(model: Model, overlay: ModelOverlay) -> Model:
    """Other weights keep the name that clients send; revision, quantization and folder belong to the weights."""
    changes: dict[str, Any] = {"served_name": model.served}
    if overlay.name is not None:
        folder = None if model.storage is None else model.storage.model_copy(update={"path": None})
        changes |= {"revision": None, "quantization": None, "storage": folder, "facts": None}
    changes |= {name: value for name, value in overlay if value is not None}
    return model.model_copy(update=changes)


def _same_volume(one: Model, other: Model) -> bool:
    sources = [(model.storage and (model.storage.claim, model.storage.host_path)) for model in (one, other)]
    return sources[0] == sources[1]


def _beside_primary(model: Model, speculation: Speculation) -> Speculation:
    """A draft without a volume of its own lies beside `spec.model`, wherever a fallback's weights lie."""
    draft = speculation.draft
    if draft is None or draft.storage is not None or model.storage is None:
        return speculation
    storage = model.storage.model_copy(update={"path": None})
    return speculation.model_copy(update={"draft": draft.model_copy(update={"storage": storage})})


def _without_speculation(spec: Spec, triggers: frozenset[Trigger]) -> Variant:
    return _variant(spec, NO_SPECULATION_VARIANT, triggers, spec.model, Speculation(method=Method.NONE))


def _variant(spec: Spec, name: str, triggers: frozenset[Trigger], model: Model, speculation: Speculation) -> Variant:
    return Variant(name, triggers, model, speculation, _hash(spec, model, speculation), _kin(spec, model, speculation))


def _hash(spec: Spec, model: Model, speculation: Speculation) -> str:
    """Hash the fields that reach the pods; defaults are left out, so that a new field changes no hash."""
    configuration = _pods(spec) | {
        "model": model.model_dump(mode="json", exclude={"facts"}, exclude_defaults=True)
        | {"served_name": model.served},
        "speculation": speculation.model_dump(mode="json", exclude={"draft": {"facts"}}, exclude_defaults=True),
    }
    return _digest(configuration)


def _kin(spec: Spec, model: Model, speculation: Speculation) -> str:
    proposal = speculation.model_dump(mode="json", exclude={"draft"}, exclude_defaults=True)
    return _digest(_pods(spec) | {"served": model.served, "proposal": proposal, "draft": speculation.draft is not None})


def _pods(spec: Spec) -> dict[str, Any]:
    """Return what all variants of `spec` have in common."""
    return {
        "engine": spec.engine.model_dump(mode="json", exclude_defaults=True)
        | {"version": spec.engine.version, "image": spec.engine.image_reference},
        "resources": spec.resources.model_dump(mode="json", exclude={"gpu"}, exclude_defaults=True),
        "gpu": [spec.resources.gpu.resource_name, spec.resources.gpu.count or spec.engine.tensor_parallel_size],
        "podTemplate": spec.pod_template.model_dump(mode="json", exclude_defaults=True),
        "timeouts": [spec.rollout.ready_timeout.seconds, spec.rollout.drain_timeout.seconds],
        "scrape": spec.metrics.scrape,
    }


def _digest(configuration: dict[str, Any]) -> str:
    text = json.dumps(configuration, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]
