"""What the engine of a variant can show at all, whatever Prometheus has of it."""

from specdecode_operator.api.v1alpha1 import Spec, Trigger
from specdecode_operator.engine import Version, acceptance_counted, latency_histogram
from specdecode_operator.policy.judging.signals import LatencySignal, Signal
from specdecode_operator.policy.judging.verdicts import Finding, Verdict
from specdecode_operator.policy.ladder import Variant

__all__ = ["measurable"]

_REASON = "NotMeasured"


def measurable(findings: tuple[Finding, ...], spec: Spec, variant: Variant) -> tuple[Finding, ...]:
    """Return `findings`; those on what the release of `spec` does not show of `variant` do not apply.

    Engine V0 exposes counters of the right names with wrong counts, so that a verdict on them would be a guess.
    """
    return tuple(finding if _shown(finding.signal, spec, variant) else _passed_over(finding) for finding in findings)


def _passed_over(finding: Finding) -> Finding:
    if finding.verdict is Verdict.NOT_APPLICABLE:
        return finding
    return Finding(finding.signal, Verdict.NOT_APPLICABLE, _REASON)


def _shown(signal: Signal, spec: Spec, variant: Variant) -> bool:
    if isinstance(signal, LatencySignal):
        return latency_histogram(signal.metric, Version.parse(spec.engine.version)) is not None
    counted = signal.trigger is not Trigger.ACCEPTANCE or not variant.speculation.active
    return counted or acceptance_counted(variant.model, variant.speculation, spec.engine)
