"""What is watched: acceptance and latency objectives, each with the threshold that is really compared."""

from dataclasses import dataclass

from specdecode_operator.api.v1alpha1 import EffectiveThreshold, LatencyMetric, Objective, Spec, Trigger
from specdecode_operator.engine import Version, bucket_edges, edge_at_or_above

__all__ = ["AcceptanceSignal", "LatencySignal", "Signal", "effective_thresholds", "signals"]


@dataclass(frozen=True)
class AcceptanceSignal:
    """Accepted / drafted tokens must not fall below `threshold` (0 to 1)."""

    threshold: float
    name: str = "Acceptance"
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


Signal = AcceptanceSignal | LatencySignal


def signals(spec: Spec) -> tuple[Signal, ...]:
    """Return the signals that the policy enables."""
    version = Version.parse(spec.engine.version)
    policy = spec.policy.acceptance
    percent = policy.disable_below_percent
    acceptance = (AcceptanceSignal(percent / 100, dry_run=policy.dry_run),) if percent else ()
    return acceptance + tuple(_latency(objective, version) for objective in spec.policy.objectives)


def effective_thresholds(watched: tuple[Signal, ...]) -> list[EffectiveThreshold]:
    """Return what the thresholds of `watched` really compare with, for the status."""
    return [_effective(signal) for signal in watched]


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
    if isinstance(signal, AcceptanceSignal):
        text = f"{signal.threshold:.0%}"
        return EffectiveThreshold(signal=signal.name, requested=text, effective=text)
    effective = "above the histogram" if signal.edge is None else f"{signal.edge * 1000:g}ms"
    return EffectiveThreshold(signal=signal.name, requested=signal.requested, effective=effective)
