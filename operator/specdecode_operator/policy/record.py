"""What is written down of a decision: who, from where to where, why, and on which figures."""

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime

from specdecode_operator.api.v1alpha1 import MAX_DECISIONS, Decision, FailureReason, Outcome
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.signals import AcceptanceSignal, Signal, effective_thresholds
from specdecode_operator.policy.situation import Situation
from specdecode_operator.policy.verdicts import Finding, burn_threshold

__all__ = ["Cause", "appended", "decision", "identity", "label", "percent", "timestamp"]


@dataclass(frozen=True)
class Cause:
    """Why a variant is left; `reason` and `finding` are there where the trigger has one."""

    trigger: str
    reason: FailureReason | None = None
    finding: Finding | None = None


def decision(situation: Situation, origin: Variant, target: Variant, cause: Cause, outcome: Outcome) -> Decision:
    """Return the record of leaving `origin` for `target` now."""
    at = timestamp(situation.now)
    found = Decision(
        id=identity(situation.generation, origin.name, target.name, at),
        at=at,
        generation=situation.generation,
        from_variant=origin.name,
        to_variant=target.name,
        trigger=cause.trigger,
        reason=cause.reason,
        outcome=outcome,
    )
    return found if cause.finding is None else found.model_copy(update=_figures(situation, cause.finding))


def appended(decisions: tuple[Decision, ...], new: Decision) -> tuple[Decision, ...]:
    """Return the last decisions with `new` at their end."""
    return (*decisions, new)[-MAX_DECISIONS:]


def identity(*parts: object) -> str:
    """Return a short id that can be typed and that is the same for the same parts."""
    text = " ".join(map(str, parts))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def timestamp(now: datetime) -> str:
    """Return `now` as Kubernetes writes times."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def percent(value: float) -> str:
    """Return a share as a percentage with three significant digits."""
    return "none" if math.isnan(value) else f"{100 * value:.3g}%"


def label(signal: Signal) -> str:
    """Return `signal` with its threshold: a signal of the same name with another threshold is another question."""
    return f"{signal.name}: {_threshold(signal)}"


def _figures(situation: Situation, finding: Finding) -> dict[str, str]:
    window = situation.spec.policy.window
    return {
        "signal": finding.signal.name,
        "value": f"{percent(finding.short)} / {percent(finding.long)}",
        "threshold": _threshold(finding.signal),
        "window": f"{window.short} / {window.long}",
        "samples": f"{finding.samples_short:.0f} / {finding.samples_long:.0f}",
    }


def _threshold(signal: Signal) -> str:
    if isinstance(signal, AcceptanceSignal):
        return f"below {percent(signal.threshold)} of the draft tokens accepted"
    effective = effective_thresholds((signal,))[0].effective
    return f"over {percent(burn_threshold(signal.budget))} of the requests slower than {effective}"
