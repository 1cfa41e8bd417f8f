"""Evidence to verdicts to a plan. Pure: no clock, no I/O, no kopf."""

from specdecode_operator.policy.conditions import Problem
from specdecode_operator.policy.decide import Plan, decide
from specdecode_operator.policy.evidence import Evidence, PodFacts, Snapshot, gather
from specdecode_operator.policy.facts import FactsStep, facts_ended, facts_known, facts_step, with_facts_failure
from specdecode_operator.policy.ladder import Ladder, Variant, ladder
from specdecode_operator.policy.measurable import measurable
from specdecode_operator.policy.queries import Demand, Query, Row, Scope, queries, snapshot
from specdecode_operator.policy.record import timestamp
from specdecode_operator.policy.report import (
    Note,
    Severity,
    changed_decisions,
    notes,
    report,
    report_unreadable,
    report_waiting,
)
from specdecode_operator.policy.running import with_releases
from specdecode_operator.policy.signals import LatencySignal, Signal, signals
from specdecode_operator.policy.situation import ClusterState, Judgement, Observation, Situation
from specdecode_operator.policy.verdicts import Finding, Verdict, judge, overall, repeated

__all__ = [
    "ClusterState",
    "Demand",
    "Evidence",
    "FactsStep",
    "Finding",
    "Judgement",
    "Ladder",
    "LatencySignal",
    "Note",
    "Observation",
    "Plan",
    "PodFacts",
    "Problem",
    "Query",
    "Row",
    "Scope",
    "Severity",
    "Signal",
    "Situation",
    "Snapshot",
    "Variant",
    "Verdict",
    "changed_decisions",
    "decide",
    "facts_ended",
    "facts_known",
    "facts_step",
    "gather",
    "judge",
    "ladder",
    "measurable",
    "notes",
    "overall",
    "queries",
    "repeated",
    "report",
    "report_unreadable",
    "report_waiting",
    "signals",
    "snapshot",
    "timestamp",
    "with_facts_failure",
    "with_releases",
]
