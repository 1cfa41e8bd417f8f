"""Values of the pure core for tests: each builder has a sensible default for everything a test does not care about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from specdecode_operator.api.v1alpha1 import (
    Blocked,
    Condition,
    ConditionStatus,
    Decision,
    FailureReason,
    LatencyMetric,
    Operation,
    Outcome,
    Phase,
    Spec,
    SpecDecodeDeployment,
    Status,
    parse,
)
from specdecode_operator.engine import Counter
from specdecode_operator.policy import (
    ClusterState,
    Evidence,
    Finding,
    Judgement,
    LatencySignal,
    Plan,
    PodFacts,
    Problem,
    Situation,
    Variant,
    Verdict,
    decide,
    ladder,
    report,
)
from specdecode_operator.policy.judging.evidence import PodSamples, PodWindow, Snapshot, WindowEvidence
from specdecode_operator.policy.judging.signals import AcceptanceSignal, Signal
from specdecode_operator.policy.record import label

Manifest = dict[str, Any]

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
"""The moment at which every test takes place."""

SHORT, LONG = 300.0, 1800.0
"""The default windows in seconds."""

DRAFT_MODEL: Manifest = {"method": "DraftModel", "draft": {"name": "org/draft"}, "numSpeculativeTokens": 4}
TPOT: Manifest = {"metric": "Tpot", "threshold": "50ms"}
ENFORCE: Manifest = {"policy": {"mode": "Enforce", "trial": {"mode": "Never"}}}
TRYING: Manifest = {"policy": {"mode": "Enforce"}}

ACCEPTANCE = AcceptanceSignal(0.5, 0.55)
LATENCY = LatencySignal("TpotP99", LatencyMetric.TPOT, 0.05, 0.01, "50ms")


def body(name: str = "chat", *, metadata: Manifest | None = None, **spec: Any) -> Manifest:
    """Return a manifest: a draft-model pair, with `spec` (camelCase fields) over it."""
    return {
        "apiVersion": "specdecode.dev/v1alpha1",
        "kind": "SpecDecodeDeployment",
        "metadata": {"name": name, "namespace": "prod", **(metadata or {})},
        "spec": {"model": {"name": "org/target"}, "speculation": DRAFT_MODEL} | spec,
    }


def resource(name: str = "chat", *, metadata: Manifest | None = None, **spec: Any) -> SpecDecodeDeployment:
    """Return the resource of `body`."""
    return parse(body(name, metadata=metadata, **spec))


def spec_of(**fields: Any) -> Spec:
    """Return the spec of `resource`."""
    return resource(**fields).spec


def rung(spec: Spec, name: str = "primary") -> Variant:
    """Return one variant of the ladder of `spec`."""
    found = ladder(spec).find(name)
    assert found is not None, name
    return found


def running(spec: Spec, name: str = "primary", **changes: Any) -> ClusterState:
    """Return a cluster in which every pod runs the variant `name` and is ready."""
    pods = spec.replicas
    state = ClusterState(
        exists=True,
        variant=name,
        variant_hash=rung(spec, name).hash,
        primary_hash=rung(spec).hash,
        observed=True,
        desired=pods,
        total=pods,
        updated=pods,
        ready=pods,
        available=True,
    )
    return replace(state, **changes)


def status_of(spec: Spec, name: str = "primary", **changes: Any) -> Status:
    """Return the status of a resource that runs the variant `name`."""
    found = Status(
        observed_generation=1,
        active_variant=name,
        variant_hash=rung(spec, name).hash,
        primary_hash=rung(spec).hash,
    )
    return found.model_copy(update=changes)


def finding(verdict: Verdict, signal: Signal = ACCEPTANCE, **changes: Any) -> Finding:
    """Return a finding with figures of 300 and 900 requests."""
    found = Finding(signal, verdict, f"Because{verdict}", 0.3, 0.4, 300.0, 900.0)
    return replace(found, **changes)


def judgement(variant: Variant, *findings: Finding, confirmed: bool = True, **changes: Any) -> Judgement:
    """Return a judgement of `variant`: a confirmed breach of acceptance unless findings are given."""
    found = findings or (finding(Verdict.BREACH),)
    repeated = {one.signal.name for one in found if confirmed and one.verdict is Verdict.BREACH}
    return replace(Judgement(variant.hash, found, frozenset(repeated)), **changes)


def situation(spec: Spec, name: str = "primary", **changes: Any) -> Situation:
    """Return a situation in which `name` runs everywhere and is in a confirmed breach of acceptance."""
    found = Situation(
        generation=1,
        status=status_of(spec, name),
        cluster=running(spec, name),
        now=NOW,
        spec=spec,
        ladder=ladder(spec),
        judgement=judgement(rung(spec, name)),
    )
    return replace(found, **changes)


def recorded(before: Situation, plan: Plan | None = None, problem: Problem | None = None) -> Status:
    """Return the status that is written for `plan` (by default: what is decided)."""
    return report(before, plan or decide(before), problem, name="chat")


def decision(identity: str = "d1", **changes: Any) -> Decision:
    """Return a finished roll from primary to no-speculation, one hour old."""
    found = Decision(
        id=identity,
        at=stamp(NOW - timedelta(hours=1)),
        generation=1,
        from_variant="primary",
        to_variant="no-speculation",
        trigger="Acceptance",
        signal="Acceptance",
        value="30% / 40%",
        threshold="below 50% of the draft tokens accepted",
        window="5m / 30m",
        samples="300 / 900",
        outcome=Outcome.COMPLETED,
    )
    return found.model_copy(update=changes)


def operation(**changes: Any) -> Operation:
    """Return the roll that the decision of `decision()` started five minutes ago."""
    found = Operation(
        id="d1",
        from_variant="primary",
        to_variant="no-speculation",
        trigger="Acceptance",
        started_at=stamp(NOW - timedelta(minutes=5)),
    )
    return found.model_copy(update=changes)


def verifying(sound: list[str] | None = None, **changes: Any) -> Operation:
    """Return the same roll, whose pods were all rolled two hours ago; TPOT was not in breach at its decision."""
    found = operation(phase=Phase.VERIFYING, rolled_at=stamp(NOW - timedelta(hours=2)))
    return found.model_copy(update={"sound": [label(LATENCY)] if sound is None else sound, **changes})


def blocked(spec: Spec, name: str, **changes: Any) -> Blocked:
    """Return the block of a variant that acceptance had led to."""
    found = Blocked(
        trigger="Acceptance",
        variant=name,
        variant_hash=rung(spec, name).hash,
        reason=FailureReason.WORSE,
        since=stamp(NOW - timedelta(hours=1)),
    )
    return found.model_copy(update=changes)


def condition(kind: str, status: ConditionStatus, reason: str = "Before", **changes: Any) -> Condition:
    """Return a condition that was set an hour ago."""
    found = Condition(
        type=kind,
        status=status,
        reason=reason,
        message="as before",
        last_transition_time=stamp(NOW - timedelta(hours=1)),
        observed_generation=1,
    )
    return found.model_copy(update=changes)


def stamp(at: datetime) -> str:
    """Return `at` as Kubernetes writes times."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def counters(accepted: float, drafted: float) -> dict[Counter, float]:
    """Return the speculation counters of a window."""
    return {Counter.DRAFTS: drafted / 4, Counter.DRAFT_TOKENS: drafted, Counter.ACCEPTED_TOKENS: accepted}


def buckets(slow: float, total: float, edge: float = 0.05) -> dict[LatencyMetric, dict[float, float]]:
    """Return the TPOT histogram of a window in which `slow` of `total` requests lie over `edge`."""
    return {LatencyMetric.TPOT: {edge: total - slow, float("inf"): total}}


def window(requests: float = 1000.0, **changes: Any) -> WindowEvidence:
    """Return one window with acceptance 0.6 and half a percent of slow requests."""
    found = WindowEvidence(SHORT, requests, counters(600, 1000), buckets(5, 1000))
    return replace(found, **changes)


def evidence(short: WindowEvidence | None = None, long: WindowEvidence | None = None) -> Evidence:
    """Return evidence of two windows; the long one is like the short one unless given."""
    near = short or window()
    return Evidence(near, long or near)


def pod(name: str = "chat-1", **changes: Any) -> PodFacts:
    """Return a pod of variant `v1` that has been ready for two hours."""
    return replace(PodFacts("prod", name, "v1", NOW - timedelta(hours=2)), **changes)


def samples(**changes: Any) -> PodSamples:
    """Return what Prometheus has of a pod in good health, scraped every 30 seconds."""
    windows = {
        seconds: PodWindow(seconds / 30, seconds / 3, counters(600, 1000), buckets(5, 1000))
        for seconds in (SHORT, LONG)
    }
    return replace(PodSamples(10.0, 1, windows), **changes)


def snapshot_of(**pods: PodSamples) -> Snapshot:
    """Return a snapshot of pods in the namespace `prod`; `_` in their names stands for `-`."""
    return Snapshot(NOW, {("prod", name.replace("_", "-")): found for name, found in pods.items()}, 30.0)
