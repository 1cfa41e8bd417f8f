"""Evidence to verdicts to a plan. Pure: no clock, no I/O, no kopf."""

from specdecode_operator.policy.conditions import Problem
from specdecode_operator.policy.decide import Plan, decide
from specdecode_operator.policy.evaluation import demand, evaluate, evidence_of
from specdecode_operator.policy.evidence import Evidence, PodFacts, Snapshot, gather
from specdecode_operator.policy.ladder import Ladder, Variant, ladder
from specdecode_operator.policy.queries import Demand, Query, Row, Scope, queries, snapshot
from specdecode_operator.policy.record import timestamp
from specdecode_operator.policy.report import Note, Severity, changed_decisions, notes, report, report_unreadable
from specdecode_operator.policy.signals import LatencySignal, Signal, signals
from specdecode_operator.policy.situation import ClusterState, Judgement, Observation, Situation
from specdecode_operator.policy.verdicts import Finding, Verdict, judge, overall, repeated

__all__ = [
    "ClusterState",
    "Demand",
    "Evidence",
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
    "demand",
    "evaluate",
    "evidence_of",
    "gather",
    "judge",
    "ladder",
    "notes",
    "overall",
    "queries",
    "repeated",
    "report",
    "report_unreadable",
    "signals",
    "snapshot",
    "timestamp",
]
