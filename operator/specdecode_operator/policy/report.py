"""A plan to the status that records it."""

from specdecode_operator.api.names import NAME_LABEL
from specdecode_operator.api.v1alpha1 import FactsStatus, Status
from specdecode_operator.policy.conditions import Problem, conditions, held_back, updated
from specdecode_operator.policy.decide import Plan
from specdecode_operator.policy.judging.penalty import baseline, watched
from specdecode_operator.policy.judging.signals import effective_thresholds
from specdecode_operator.policy.situation import Observation, Situation

__all__ = ["report", "report_unreadable", "report_waiting"]


def report(situation: Situation, plan: Plan, problem: Problem | None, *, name: str) -> Status:
    """Return the status that records `plan` and what the cluster looks like."""
    before = baseline(situation, plan.variant)
    return Status(
        observed_generation=situation.generation,
        conditions=conditions(situation, plan, problem),
        active_variant=plan.variant.name,
        variant_hash=plan.variant.hash,
        primary_hash=situation.ladder.primary.hash,
        speculation=plan.variant.speculation.method,
        replicas=_pods(situation),
        ready_replicas=_ready_pods(situation),
        selector=f"{NAME_LABEL}={name}",
        operation=plan.operation,
        plan=situation.preflight,
        baseline=before,
        pin=plan.pin,
        facts=situation.facts,
        reversals=plan.reversals,
        probes=plan.probes,
        frozen=plan.frozen,
        blocked=list(plan.blocked),
        effective_thresholds=effective_thresholds(watched(situation.spec, plan.variant, before)),
        decisions=list(plan.decisions),
        actions=list(plan.actions),
    )


def report_unreadable(situation: Observation, problem: Problem) -> Status:
    """Return the status of a resource whose spec cannot be read; everything else stays."""
    return situation.status.model_copy(
        update={
            "observed_generation": situation.generation,
            "conditions": updated(situation, problem),
            "replicas": _pods(situation),
            "ready_replicas": _ready_pods(situation),
        }
    )


def report_waiting(situation: Observation, facts: FactsStatus | None) -> Status:
    """Return the status while `facts` are being read, before the first pods are made."""
    return situation.status.model_copy(
        update={
            "observed_generation": situation.generation,
            "conditions": held_back(situation),
            "replicas": _pods(situation),
            "ready_replicas": _ready_pods(situation),
            "facts": facts,
        }
    )


def _pods(situation: Observation) -> int:
    """Return the pods of both roles: the selector that an autoscaler counts by covers both."""
    return situation.cluster.total + situation.cluster.trial.total


def _ready_pods(situation: Observation) -> int:
    return situation.cluster.ready + situation.cluster.trial.ready
