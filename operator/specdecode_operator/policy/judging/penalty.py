"""What another quantization costs in acceptance: the variant before is the measure.

The same drafter proposes for a target of which only the weights' quantization differs. Published comparisons find that
this hardly changes what is accepted (arXiv 2505.22179), so that a fall by several points is worth a reason of its own.
"""

from typing import Final

from specdecode_operator.api.v1alpha1 import Baseline, Spec
from specdecode_operator.engine import acceptance_counted
from specdecode_operator.policy.judging.evidence import Evidence
from specdecode_operator.policy.judging.signals import AcceptanceSignal, Signal, signals
from specdecode_operator.policy.judging.verdicts import Verdict, judge
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.situation import Situation

__all__ = ["baseline", "measured", "watched"]

_ANY_RATE: Final = AcceptanceSignal(threshold=0.0, recovered=0.0)
"""Recovered whatever is accepted, if enough is known to say."""


def watched(spec: Spec, variant: Variant, before: Baseline | None) -> tuple[Signal, ...]:
    """Return the signals of the policy for `variant`, and that of the penalty where there is one to compare with."""
    found = signals(spec, variant)
    drop = _drop(spec, variant, before)
    accepting = any(signal.trigger is _ANY_RATE.trigger for signal in found)
    return (drop, *found) if drop is not None and accepting else found


def measured(spec: Spec, variant: Variant, evidence: Evidence) -> Baseline | None:
    """Return what is to be remembered of `variant` if it is left now, or None where that is not known."""
    counted = acceptance_counted(variant.model, variant.speculation, spec.engine)
    found = judge(_ANY_RATE, evidence, speculating=variant.speculation.active, window=spec.policy.window)
    if not counted or found.verdict is not Verdict.RECOVERED:
        return None
    return Baseline(
        variant=variant.name,
        variant_hash=variant.hash,
        kin=variant.kin,
        acceptance_percent=f"{100 * found.long:.1f}",
    )


def baseline(situation: Situation, active: Variant) -> Baseline | None:
    """Return what the status is to remember once `active` runs: news only where another variant ran before."""
    status = situation.status
    if status.variant_hash is None or status.variant_hash == active.hash:
        return status.baseline
    judgement = situation.judged(status.variant_hash)
    return None if judgement is None else judgement.baseline


def _drop(spec: Spec, variant: Variant, before: Baseline | None) -> AcceptanceSignal | None:
    if before is None or before.variant_hash == variant.hash or before.kin != variant.kin:
        return None
    accepted = float(before.acceptance_percent) / 100
    acceptance = spec.policy.acceptance
    line = accepted - acceptance.max_drop_points / 100
    if line <= 0:
        return None
    return AcceptanceSignal(line, accepted, "AcceptanceDrop", "QuantizationPenalty", accepted, acceptance.dry_run)
