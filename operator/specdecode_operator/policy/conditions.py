"""The conditions, in the form that kstatus (Flux, Argo CD, kubectl wait) understands."""

from dataclasses import dataclass

from specdecode_operator.api.names import UNFREEZE_ANNOTATION
from specdecode_operator.api.v1alpha1 import Condition, ConditionStatus, Mode, Phase
from specdecode_operator.policy.brakes.checks import held
from specdecode_operator.policy.brakes.pin import fault
from specdecode_operator.policy.decide import Plan
from specdecode_operator.policy.judging.pressure import words
from specdecode_operator.policy.judging.verdicts import Finding, Verdict, overall
from specdecode_operator.policy.record import timestamp
from specdecode_operator.policy.situation import Observation, Situation

__all__ = ["Problem", "conditions", "held_back", "updated"]

_TRUE, _FALSE, _UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN
_NOT_EVALUATED = "NotEvaluated"
_LONGEST_MESSAGE = 1024
_BLOCKING = {
    "LadderExhausted",
    "Suspended",
    "FleetStopped",
    "BudgetSpent",
    "OutsideWindow",
    "FleetHeld",
    "AwaitingApproval",
}
_FROZEN = {
    "SecondReversal": "two rolls of the operator were taken back",
    "ReversalFailed": "a roll of the operator was taken back, and the pods do not start on what ran before either",
}


@dataclass(frozen=True)
class Problem:
    """Why a resource cannot be carried out; one word and one sentence."""

    reason: str
    message: str


@dataclass(frozen=True)
class _Draft:
    type: str
    status: ConditionStatus
    reason: str
    message: str


def conditions(situation: Situation, plan: Plan, problem: Problem | None) -> list[Condition]:
    """Return all conditions for `plan`; `problem` is what keeps it from being carried out."""
    drafts = [
        _ready(situation),
        _reconciling(situation, plan, problem),
        _stalled(problem, late=_given_up(situation, plan)),
        _metrics_available(situation, plan),
        _speculation_active(situation, plan),
        _objectives_met(situation, plan),
        _remediation_blocked(situation, plan),
    ]
    return [_finish(_kept(draft, situation, plan), situation) for draft in drafts]


def updated(situation: Observation, problem: Problem) -> list[Condition]:
    """Return the conditions of a resource that cannot be read: what runs stays, and `Stalled` says why."""
    waiting = _Draft("Reconciling", _FALSE, "Stalled", "waiting for the spec to be corrected")
    return _replaced(situation, waiting, _stalled(problem, late=situation.cluster.deadline_exceeded))


def held_back(situation: Observation) -> list[Condition]:
    """Return the conditions while a Job reads the models and no pod is made yet."""
    message = "a Job reads config.json of models that no catalog knows; pods are made after it"
    return _replaced(situation, _Draft("Reconciling", _TRUE, "ReadingModels", message), _stalled(None, late=False))


def _replaced(situation: Observation, *others: _Draft) -> list[Condition]:
    """Return the conditions of the status with those that do not depend on a plan as they are now."""
    kept = {condition.type: condition for condition in situation.status.conditions}
    drafts = [_ready(situation), *others]
    kept |= {draft.type: _finish(draft, situation) for draft in drafts}
    return list(kept.values())


def _kept(draft: _Draft, situation: Situation, plan: Plan) -> _Draft:
    """After a restart nothing has been evaluated yet; until it is, what was found about this variant still stands."""
    before = situation.status.condition(draft.type)
    if draft.reason != _NOT_EVALUATED or before is None or situation.status.variant_hash != plan.variant.hash:
        return draft
    return _Draft(draft.type, before.status, before.reason, before.message)


def _finish(draft: _Draft, situation: Observation) -> Condition:
    before = situation.status.condition(draft.type)
    same = before is not None and before.status == draft.status
    return Condition(
        type=draft.type,
        status=draft.status,
        reason=draft.reason,
        message=draft.message[:_LONGEST_MESSAGE],
        last_transition_time=before.last_transition_time if before and same else timestamp(situation.now),
        observed_generation=situation.generation,
    )


def _ready(situation: Observation) -> _Draft:
    cluster = situation.cluster
    if not cluster.exists:
        return _Draft("Ready", _FALSE, "Initializing", "no pods have been created yet")
    if cluster.desired == 0:
        return _Draft("Ready", _TRUE, "ScaledToZero", "spec.replicas is 0")
    if cluster.available and cluster.ready:
        return _Draft("Ready", _TRUE, "PodsReady", "enough pods are ready to serve")
    if cluster.unschedulable:
        return _Draft("Ready", _FALSE, "Unschedulable", "a pod finds no node with a free GPU")
    return _Draft("Ready", _FALSE, "PodsNotReady", "pods are loading the model or failing; see kubectl get pods")


def _reconciling(situation: Situation, plan: Plan, problem: Problem | None) -> _Draft:
    if problem is not None:
        return _Draft("Reconciling", _FALSE, "Stalled", "waiting for the problem to be corrected")
    if _given_up(situation, plan):
        return _Draft("Reconciling", _FALSE, "Stalled", "the pods did not become ready in time")
    if plan.operation is not None and plan.operation.phase is Phase.ROLLING:
        return _Draft("Reconciling", _FALSE, "Remediating", "the operator rolls the pods on its own account")
    cluster, variant_hash = situation.cluster, plan.variant.hash
    if cluster.rolled_out(variant_hash) and cluster.desired == situation.spec.replicas - plan.spared:
        return _Draft("Reconciling", _FALSE, "UpToDate", "every pod runs the active variant")
    if not _shaped(situation, plan) or _was_reconciling(situation):
        return _Draft("Reconciling", _TRUE, "RollingOut", "pods are being brought to the spec")
    return _Draft("Reconciling", _FALSE, "UpToDate", "every pod runs the active variant")


def _shaped(situation: Situation, plan: Plan) -> bool:
    """Whether the pods that exist are the right ones, ready or not."""
    cluster = situation.cluster
    known = cluster.exists and cluster.observed and cluster.variant_hash == plan.variant.hash
    wanted = cluster.desired == situation.spec.replicas - plan.spared
    return known and wanted and cluster.updated == cluster.total == cluster.desired


def _was_reconciling(situation: Observation) -> bool:
    before = situation.status.condition("Reconciling")
    return before is None or before.status == _TRUE


def _given_up(situation: Situation, plan: Plan) -> bool:
    """Whether a person has to help pods that are not ready in time; our own roll we take back ourselves."""
    rolling = plan.operation is not None and plan.operation.phase is Phase.ROLLING
    acting = situation.spec.policy.mode is not Mode.OBSERVE and not situation.spec.suspend
    exceeded = situation.cluster.deadline_exceeded and situation.cluster.carries(plan.variant.hash)
    return exceeded and not (rolling and acting)


def _stalled(problem: Problem | None, *, late: bool) -> _Draft:
    if problem is not None:
        return _Draft("Stalled", _TRUE, problem.reason, problem.message)
    if late:
        return _Draft(
            "Stalled",
            _TRUE,
            "ProgressDeadlineExceeded",
            "pods are not ready within rollout.readyTimeout; see kubectl describe pod and the engine's log",
        )
    return _Draft("Stalled", _FALSE, "Progressing", "nothing stands in the way")


def _metrics_available(situation: Situation, plan: Plan) -> _Draft:
    judgement = situation.judgement
    if judgement is None or judgement.variant_hash != plan.variant.hash:
        return _Draft("MetricsAvailable", _UNKNOWN, _NOT_EVALUATED, "no evaluation of this variant yet")
    if judgement.unavailable is not None:
        message = _UNAVAILABLE.get(judgement.unavailable, "the metrics cannot be trusted")
        return _Draft("MetricsAvailable", _FALSE, judgement.unavailable, message)
    impossible = [finding for finding in judgement.findings if finding.verdict is Verdict.UNKNOWN]
    if impossible:
        return _Draft("MetricsAvailable", _FALSE, impossible[0].reason, _UNAVAILABLE["ValuesImpossible"])
    if judgement.waiting is not None:
        return _Draft("MetricsAvailable", _UNKNOWN, judgement.waiting, "waiting for pods that are old enough to judge")
    return _Draft("MetricsAvailable", _TRUE, "Available", "the metrics are complete and fresh")


_UNAVAILABLE = {
    "EndpointUnavailable": "the Prometheus endpoint gives no usable answer; nothing is decided until it does",
    "EndpointUnknown": "metrics.endpoint names no endpoint of the operator's settings; ask for it or name another",
    "PodsNotScraped": "Prometheus has no samples of the pods; check the scrape configuration and metrics.scrape",
    "PodsScrapedTwice": "Prometheus scrapes the pods through two targets, which doubles every count; remove one",
    "SamplesStale": "the newest samples are too old",
    "SamplesMissing": "the windows have holes, so their rates would be too low",
    "ValuesImpossible": "Prometheus answers with values that cannot be",
}


def _speculation_active(situation: Situation, plan: Plan) -> _Draft:
    variant = plan.variant
    if variant.speculation.active:
        message = f"variant {variant.name} speculates with method {variant.speculation.method}"
        return _Draft("SpeculationActive", _TRUE, "Speculating", message)
    if situation.ladder.primary.speculation.active:
        message = f"variant {variant.name} serves the target alone"
        return _Draft("SpeculationActive", _FALSE, "SwitchedOff", message)
    return _Draft("SpeculationActive", _FALSE, "NotConfigured", "spec.speculation.method is None")


def _objectives_met(situation: Situation, plan: Plan) -> _Draft:
    judgement = situation.judgement
    if judgement is None or judgement.variant_hash != plan.variant.hash:
        return _Draft("ObjectivesMet", _UNKNOWN, _NOT_EVALUATED, "no evaluation of this variant yet")
    verdict = overall(judgement.findings)
    if verdict is Verdict.BREACH:
        names = ", ".join(finding.signal.name for finding in judgement.findings if finding.verdict is verdict)
        strain = words(judgement.strains())
        message = f"in breach: {names}" if strain is None else f"in breach: {names}, while {strain}"
        return _Draft("ObjectivesMet", _FALSE, _reason(judgement.findings, verdict), message)
    if verdict in (Verdict.HEALTHY, Verdict.RECOVERED):
        return _Draft("ObjectivesMet", _TRUE, "WithinObjectives", "every signal is within its threshold")
    if verdict is Verdict.NOT_APPLICABLE:
        return _Draft("ObjectivesMet", _UNKNOWN, "NothingToJudge", "no signal applies to the active variant")
    return _Draft("ObjectivesMet", _UNKNOWN, _reason(judgement.findings, verdict), "not enough evidence to judge")


def _reason(findings: tuple[Finding, ...], verdict: Verdict) -> str:
    return next(finding.reason for finding in findings if finding.verdict is verdict)


def _remediation_blocked(situation: Situation, plan: Plan) -> _Draft:
    if plan.frozen is not None:
        command = f"kubectl annotate sdd NAME --overwrite {UNFREEZE_ANNOTATION}={plan.frozen.id}"
        message = f"{_FROZEN.get(plan.frozen.reason, 'a roll failed')}; to let the operator go on: {command}"
        return _Draft("RemediationBlocked", _TRUE, "Frozen", message)
    if plan.hold is not None and plan.hold.reason in _BLOCKING:
        return _Draft("RemediationBlocked", _TRUE, plan.hold.reason, plan.hold.message)
    if plan.pin is not None:
        return _Draft("RemediationBlocked", _TRUE, "Pinned", held(plan.pin).message)
    if (ignored := fault(situation)) is not None:
        return _Draft("RemediationBlocked", _FALSE, "PinIgnored", ignored)
    return _Draft("RemediationBlocked", _FALSE, "NotBlocked", "nothing blocks an action")
