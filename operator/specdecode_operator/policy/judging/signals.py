"""What is watched: acceptance and latency objectives, each with the threshold that is really compared."""

from collections.abc import Iterator
from dataclasses import dataclass

from specdecode_operator.api.v1alpha1 import (
    Acceptance,
    AcceptanceRule,
    EffectiveThreshold,
    LatencyMetric,
    Objective,
    Spec,
    Trigger,
)
from specdecode_operator.engine import Version, bucket_edges, drafts_every_step, edge_at_or_above
from specdecode_operator.policy.judging.lengths import BreakEven
from specdecode_operator.policy.ladder import Variant

__all__ = ["AcceptanceSignal", "LatencySignal", "LengthSignal", "Signal", "effective_thresholds", "signals"]


@dataclass(frozen=True)
class AcceptanceSignal:
    """Accepted / drafted tokens must not fall below `threshold` (0 to 1)."""

    threshold: float
    recovered: float
    """From here on it counts as recovered (0 to 1)."""
    name: str = "Acceptance"
    reason: str = "AcceptanceBelowThreshold"
    """The finding's reason in a breach."""
    dropped_from: float | None = None
    """The acceptance of the variant before, where the threshold was set by it."""
    dry_run: bool = False
    """Whether a breach is only written down."""
    trigger: Trigger = Trigger.ACCEPTANCE


@dataclass(frozen=True)
class LengthSignal:
    """The tokens of a step, accepted ones and one more, must not fall below `line`."""

    name: str
    line: float | BreakEven
    every_step_drafts: bool = True
    """Whether the active variant verifies a draft in every step."""
    measured: bool = True
    """Whether `line` holds for the active variant: step costs are those of the spec's own model and speculation."""
    trigger: Trigger = Trigger.ACCEPTANCE
    dry_run: bool = False


@dataclass(frozen=True)
class LatencySignal:
    """At most `budget` (0 to 1) of the requests may be slower than `edge` seconds."""

    name: str
    metric: LatencyMetric
    edge: float | None
    """A bucket's upper bound in seconds; None where the histogram ends below the threshold."""
    budget: float
    requested: str
    trigger: Trigger = Trigger.LATENCY
    dry_run: bool = False


Signal = AcceptanceSignal | LengthSignal | LatencySignal


def signals(spec: Spec, variant: Variant | None = None) -> tuple[Signal, ...]:
    """Return the signals that the policy enables, for `variant`, or for the spec itself where that is left out."""
    version = Version.parse(spec.engine.version)
    return (
        *_rates(spec.policy.acceptance),
        *_lengths(spec, variant),
        *(_latency(objective, version) for objective in spec.policy.objectives),
    )


def effective_thresholds(watched: tuple[Signal, ...]) -> list[EffectiveThreshold]:
    """Return what the thresholds of `watched` really compare with, for the status."""
    return [_effective(signal) for signal in watched]


def _rates(acceptance: Acceptance) -> Iterator[AcceptanceSignal]:
    if acceptance.rule is AcceptanceRule.FIXED_RATE and acceptance.disable_below_percent:
        line, recovered = acceptance.disable_below_percent / 100, acceptance.recovered_percent / 100
        yield AcceptanceSignal(line, recovered, dry_run=acceptance.dry_run)


def _lengths(spec: Spec, variant: Variant | None) -> Iterator[LengthSignal]:
    acceptance = spec.policy.acceptance
    speculation = spec.speculation if variant is None else variant.speculation
    every_step = drafts_every_step(speculation)
    if acceptance.min_acceptance_length is not None:
        line = float(acceptance.min_acceptance_length)
        yield LengthSignal("AcceptanceLength", line, every_step, dry_run=acceptance.dry_run)
    if acceptance.step_costs is not None:
        own = variant is None or (variant.model, variant.speculation) == (spec.model, spec.speculation)
        line_at = BreakEven.of(acceptance.step_costs)
        yield LengthSignal("BreakEven", line_at, every_step, measured=own, dry_run=acceptance.dry_run)


def _latency(objective: Objective, version: Version) -> LatencySignal:
    edges = bucket_edges(objective.metric, version)
    return LatencySignal(
        name=f"{objective.metric}P{objective.percentile}",
        metric=objective.metric,
        edge=edge_at_or_above(objective.threshold.seconds, edges),
        budget=objective.budget,
        requested=objective.threshold,
        dry_run=objective.dry_run,
    )


def _effective(signal: Signal) -> EffectiveThreshold:
    if isinstance(signal, LatencySignal):
        effective = "above the histogram" if signal.edge is None else f"{signal.edge * 1000:g}ms"
        return EffectiveThreshold(signal=signal.name, requested=signal.requested, effective=effective)
    if isinstance(signal, LengthSignal):
        fixed = not isinstance(signal.line, BreakEven)
        requested = f"{signal.line} tokens a step" if fixed else "break-even"
        return EffectiveThreshold(signal=signal.name, requested=requested, effective=str(signal.line))
    text = f"{100 * signal.threshold:.3g}%"
    before = signal.dropped_from
    requested = text if before is None else f"{100 * (before - signal.threshold):.3g} points below {100 * before:.3g}%"
    return EffectiveThreshold(signal=signal.name, requested=requested, effective=text)
