"""A manual override without Git: the annotation `specdecode.dev/pin` holds one variant.

While it does, the operator takes no action of its own. When it is over, the pods go back to where the ladder stood
before: an override that goes away leaves nothing behind.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from specdecode_operator.api.names import PIN_ANNOTATION
from specdecode_operator.api.v1alpha1 import PIN, UNPIN, Decision, Outcome, Pin
from specdecode_operator.policy.ladder import Ladder, Variant
from specdecode_operator.policy.record import Cause, appended, decision, timestamp
from specdecode_operator.policy.situation import Situation
from specdecode_operator.policy.standing import Standing, closed

__all__ = ["fault", "followed", "over_at", "overridden"]

_LONGEST_SHOWN = 64


@dataclass(frozen=True)
class _Wish:
    variant: Variant
    until: datetime | None


def fault(situation: Situation) -> str | None:
    """Return in one sentence why the annotation is ignored, or None where it is not, or is not there."""
    found = _read(situation.pin, situation.ladder)
    return found if isinstance(found, str) else None


def over_at(standing: Standing) -> datetime | None:
    """Return when the pin is over by itself, if there is one and it has an end."""
    until = standing.pin.until if standing.pin is not None else None
    return None if until is None else datetime.fromisoformat(until)


def overridden(situation: Situation, standing: Standing) -> Standing:
    """Return `standing` as the annotation wants it, or back on the ladder where a pin is over."""
    wish = _read(situation.pin, situation.ladder)
    if isinstance(wish, _Wish) and (wish.until is None or situation.now < wish.until):
        return _held(situation, standing, wish)
    return standing if standing.pin is None else _released(situation, standing, standing.pin)


def followed(situation: Situation, standing: Standing) -> Standing:
    """Return `standing` with the decisions about pins closed that every pod has followed, or that are overtaken."""
    decisions = tuple(_outcome(situation, standing, entry) for entry in standing.decisions)
    return replace(standing, decisions=decisions)


def _read(text: str | None, rungs: Ladder) -> _Wish | str | None:
    """Return what the annotation wants, or in one sentence what is wrong with it."""
    if text is None:
        return None
    name, _, end = text.partition("@")
    variant, until = rungs.find(name), _time(end)
    if variant is None:
        known = ", ".join(rung.name for rung in rungs.rungs)
        return f"{PIN_ANNOTATION} is ignored: {_shown(name)} is no variant; there are {known}"
    if name in rungs.unusable:
        return f"{PIN_ANNOTATION} is ignored: {name} is refused before it runs; see status.plan"
    if end and until is None:
        return f"{PIN_ANNOTATION} is ignored: {_shown(end)} is no time such as 2026-03-01T12:00:00Z; correct it"
    return _Wish(variant, until)


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.tzinfo is None else found.astimezone(UTC)


def _shown(text: str) -> str:
    return text[:_LONGEST_SHOWN] or "nothing"


def _held(situation: Situation, standing: Standing, wish: _Wish) -> Standing:
    known = standing.pin if _same_primary(situation) else None
    origin = standing.variant.name if known is None else known.from_variant
    until = None if wish.until is None else timestamp(wish.until)
    pin = Pin(variant=wish.variant.name, from_variant=origin, until=until)
    runs_already = wish.variant.name == (standing.variant.name if standing.pin is None else standing.pin.variant)
    return replace(_moved(situation, standing, wish.variant, None if runs_already else PIN), pin=pin)


def _released(situation: Situation, standing: Standing, pin: Pin) -> Standing:
    """Go back, unless a changed primary has started the ladder anew already."""
    if not _same_primary(situation):
        return replace(standing, pin=None)
    target = situation.ladder.find(pin.from_variant)
    if target is None or target.name in situation.ladder.unusable:
        target = situation.ladder.primary
    trigger = UNPIN if target.name != standing.variant.name else None
    return replace(_moved(situation, standing, target, trigger), pin=None)


def _moved(situation: Situation, standing: Standing, target: Variant, trigger: str | None) -> Standing:
    """Return `standing` on `target`, with whatever the operator had under way closed, and a decision by `trigger`."""
    if standing.operation is not None:
        standing = closed(standing, standing.operation, Outcome.SUPERSEDED)
    if trigger is not None:
        record = decision(situation, standing.variant, target, Cause(trigger), Outcome.STARTED)
        standing = replace(standing, decisions=appended(standing.decisions, record))
    return replace(standing, variant=target)


def _same_primary(situation: Situation) -> bool:
    return situation.status.primary_hash == situation.ladder.primary.hash


def _outcome(situation: Situation, standing: Standing, entry: Decision) -> Decision:
    if entry.trigger not in (PIN, UNPIN) or entry.outcome is not Outcome.STARTED:
        return entry
    if entry.to_variant != standing.variant.name:
        return entry.model_copy(update={"outcome": Outcome.SUPERSEDED})
    done = situation.cluster.rolled_out(standing.variant.hash)
    return entry.model_copy(update={"outcome": Outcome.COMPLETED}) if done else entry
