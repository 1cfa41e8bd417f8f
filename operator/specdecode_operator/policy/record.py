"""What is written down of a decision: who, from where to where, why, and on which figures."""

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime

from specdecode_operator.api.v1alpha1 import MAX_DECISIONS, Decision, FailureReason, Outcome
from specdecode_operator.policy.judging.lengths import BreakEven
from specdecode_operator.policy.judging.signals import LatencySignal, LengthSignal, Signal, effective_thresholds
from specdecode_operator.policy.judging.verdicts import Finding, burn_threshold
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.situation import Situation

__all__ = ["Cause", "appended", "decision", "identity", "label", "percent", "shown", "timestamp"]


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
    if cause.finding is None:
        return found
    return found.model_copy(update=_figures(situation, cause.finding) | _pressure(situation, origin, cause.finding))


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


def _pressure(situation: Situation, origin: Variant, finding: Finding) -> dict[str, str | None]:
    judgement = situation.judged(origin.hash)
    slow = isinstance(finding.signal, LatencySignal)
    return {"pressure": judgement.pressure.figures() if slow and judgement is not None else None}


def _figures(situation: Situation, finding: Finding) -> dict[str, str]:
    window = situation.spec.policy.window
    return {
        "signal": finding.signal.name,
        "value": f"{shown(finding.signal, finding.short)} / {shown(finding.signal, finding.long)}",
        "threshold": _compared(finding),
        "window": f"{window.short} / {window.long}",
        "samples": f"{finding.samples_short:.0f} / {finding.samples_long:.0f}",
    }


def shown(signal: Signal, value: float) -> str:
    """Return a value of `signal` as a person reads it: a share in percent, a length in tokens of a step."""
    return _tokens(value) if isinstance(signal, LengthSignal) else percent(value)


def _tokens(length: float) -> str:
    return "none" if math.isnan(length) else f"{length:.3g}"


def _compared(finding: Finding) -> str:
    """Return the threshold as it was at the load of both windows."""
    signal = finding.signal
    if not isinstance(signal, LengthSignal) or not isinstance(signal.line, BreakEven):
        return _threshold(signal)
    return f"below the break-even of {_tokens(finding.line_short)} / {_tokens(finding.line_long)} tokens a step"


def _threshold(signal: Signal) -> str:
    if isinstance(signal, LatencySignal):
        effective = effective_thresholds((signal,))[0].effective
        return f"over {percent(burn_threshold(signal.budget))} of the requests slower than {effective}"
    if isinstance(signal, LengthSignal):
        return f"below {_tokens_a_step(signal)}"
    if signal.dropped_from is not None:
        points = f"{100 * (signal.dropped_from - signal.threshold):.3g} points"
        return f"more than {points} below the {percent(signal.dropped_from)} accepted before the quantization changed"
    return f"below {percent(signal.threshold)} of the draft tokens accepted"


def _tokens_a_step(signal: LengthSignal) -> str:
    if isinstance(signal.line, BreakEven):
        return f"the break-even of {signal.line}"
    return f"{_tokens(signal.line)} tokens a step"
