"""One evaluation of one resource: what has to be asked, which pods count, and what the answers say.

The metrics loop and the replay of a recording both go this way, so that one tells what the other would do.
"""

from collections import defaultdict
from collections.abc import Iterable

from specdecode_operator.api.v1alpha1 import LatencyMetric, Spec
from specdecode_operator.policy.evidence import Evidence, PodFacts, Snapshot, gather
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.queries import Demand
from specdecode_operator.policy.signals import LatencySignal, signals
from specdecode_operator.policy.situation import Judgement
from specdecode_operator.policy.verdicts import judge, repeated

__all__ = ["demand", "evaluate", "evidence_of"]


def demand(specs: Iterable[Spec]) -> Demand:
    """Return what has to be asked of Prometheus for all of `specs` together."""
    windows: set[float] = set()
    edges: dict[LatencyMetric, set[float]] = defaultdict(set)
    for spec in specs:
        windows |= {spec.policy.window.short.seconds, spec.policy.window.long.seconds}
        for signal in signals(spec):
            if isinstance(signal, LatencySignal) and signal.edge is not None:
                edges[signal.metric].add(signal.edge)
    return Demand(frozenset(windows), {metric: frozenset(found) for metric, found in edges.items()})


def evidence_of(spec: Spec, variant: Variant, found: Snapshot, pods: Iterable[PodFacts]) -> Evidence:
    """Return what `found` says of those of `pods` that run `variant`."""
    window = spec.policy.window
    return gather(found, pods, variant_hash=variant.hash, short=window.short.seconds, long=window.long.seconds)


def evaluate(spec: Spec, variant: Variant, evidence: Evidence, before: Judgement | None) -> Judgement:
    """Return the judgement of `variant`; `before` is that of the evaluation before, which may confirm a breach."""
    findings = tuple(
        judge(signal, evidence, speculating=variant.speculation.active, window=spec.policy.window)
        for signal in signals(spec)
    )
    same = before is not None and before.variant_hash == variant.hash
    again = repeated(before.findings, findings) if before is not None and same else frozenset()
    return Judgement(variant.hash, findings, again, evidence.unavailable, evidence.waiting)
