"""One evaluation of one resource: what has to be asked, which pods count, and what the answers say.

The metrics loop and the replay of a recording both go this way, so that one tells what the other would do.
"""

from collections import defaultdict
from collections.abc import Iterable

from specdecode_operator.api.v1alpha1 import Baseline, LatencyMetric, Spec
from specdecode_operator.engine import Version
from specdecode_operator.policy.judging.evidence import Evidence, PodFacts, Snapshot, gather
from specdecode_operator.policy.judging.measurable import measurable
from specdecode_operator.policy.judging.penalty import measured, watched
from specdecode_operator.policy.judging.pressure import pressure
from specdecode_operator.policy.judging.queries import Demand
from specdecode_operator.policy.judging.signals import LatencySignal, LengthSignal, signals
from specdecode_operator.policy.judging.verdicts import Finding, judge, repeated
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.situation import Judgement

__all__ = ["demand", "evaluate", "evidence_of"]


def demand(specs: Iterable[Spec], looks: Iterable[float] = ()) -> Demand:
    """Return what has to be asked of Prometheus for all of `specs` together.

    `looks` are the windows of trials in seconds, whose other queries are asked apart.
    """
    windows: set[float] = set()
    edges: dict[LatencyMetric, set[float]] = defaultdict(set)
    loads: set[float] = set()
    versions: set[Version] = set()
    lengths = False
    for spec in specs:
        window = spec.policy.window
        windows |= {window.short.seconds, window.long.seconds}
        loads.add(window.short.seconds)
        versions.add(Version.parse(spec.engine.version))
        for signal in signals(spec):
            if isinstance(signal, LatencySignal) and signal.edge is not None:
                edges[signal.metric].add(signal.edge)
            lengths |= isinstance(signal, LengthSignal)
    asked = {metric: frozenset(found) for metric, found in edges.items()}
    return Demand(
        windows=frozenset(windows),
        edges=asked,
        covered=frozenset(looks) - windows,
        loads=frozenset(loads),
        lengths=lengths,
        versions=frozenset(versions),
    )


def evidence_of(spec: Spec, variant: Variant, found: Snapshot, pods: Iterable[PodFacts]) -> Evidence:
    """Return what `found` says of those of `pods` that run `variant`."""
    window = spec.policy.window
    return gather(found, pods, variant_hash=variant.hash, short=window.short.seconds, long=window.long.seconds)


def evaluate(
    spec: Spec, variant: Variant, evidence: Evidence, before: Judgement | None, baseline: Baseline | None = None
) -> Judgement:
    """Return the judgement of `variant`.

    `before` is that of the evaluation before, which may confirm a breach; `baseline` is what the status remembers of
    the variant before.
    """
    findings = _findings(spec, variant, evidence, baseline)
    same = before is not None and before.variant_hash == variant.hash
    again = repeated(before.findings + before.dry, findings) if before is not None and same else frozenset()
    dry = tuple(finding for finding in findings if finding.signal.dry_run)
    names = frozenset(finding.signal.name for finding in dry)
    return Judgement(
        variant_hash=variant.hash,
        findings=tuple(finding for finding in findings if not finding.signal.dry_run),
        repeated=again - names,
        unavailable=evidence.unavailable,
        waiting=evidence.waiting,
        dry=dry,
        dry_repeated=again & names,
        pressure=pressure(evidence.short),
        baseline=measured(spec, variant, evidence),
    )


def _findings(spec: Spec, variant: Variant, evidence: Evidence, baseline: Baseline | None) -> tuple[Finding, ...]:
    found = tuple(
        judge(signal, evidence, speculating=variant.speculation.active, window=spec.policy.window)
        for signal in watched(spec, variant, baseline)
    )
    return measurable(found, spec, variant)
