"""Evidence to verdicts to a plan. Pure: no clock, no I/O, no kopf."""

from specdecode_operator.policy.brakes.fleet import FleetRules, FleetState
from specdecode_operator.policy.conditions import Problem
from specdecode_operator.policy.decide import Plan, decide
from specdecode_operator.policy.facts import FactsStep, facts_ended, facts_known, facts_step, with_facts_failure
from specdecode_operator.policy.judging.evaluation import demand, evaluate, evidence_of
from specdecode_operator.policy.judging.evidence import Evidence, PodFacts, Snapshot, gather
from specdecode_operator.policy.judging.measurable import measurable
from specdecode_operator.policy.judging.penalty import measured, watched
from specdecode_operator.policy.judging.pressure import Pressure, pressure
from specdecode_operator.policy.judging.queries import Demand, Query, Row, Scope, queries, snapshot
from specdecode_operator.policy.judging.signals import LatencySignal, LengthSignal, Signal, signals
from specdecode_operator.policy.judging.verdicts import Finding, Verdict, judge, overall, repeated
from specdecode_operator.policy.ladder import Ladder, Variant, ladder
from specdecode_operator.policy.notes import Note, Severity, changed_decisions, notes
from specdecode_operator.policy.record import timestamp
from specdecode_operator.policy.report import report, report_unreadable, report_waiting
from specdecode_operator.policy.running import with_releases
from specdecode_operator.policy.situation import ClusterState, Compared, Judgement, Observation, Situation, TrialPod
from specdecode_operator.policy.trials.arm_queries import ArmQuery, arm_queries, arm_samples
from specdecode_operator.policy.trials.arms import Arm, Arms, PodArm, arms
from specdecode_operator.policy.trials.comparison import MARGINS, ArmVerdict, Comparison, Margins, compare, summary
from specdecode_operator.policy.trials.looking import Look, compared, look_at
from specdecode_operator.policy.trials.looks import look, looks

__all__ = [
    "MARGINS",
    "Arm",
    "ArmQuery",
    "ArmVerdict",
    "Arms",
    "ClusterState",
    "Compared",
    "Comparison",
    "Demand",
    "Evidence",
    "FactsStep",
    "Finding",
    "FleetRules",
    "FleetState",
    "Judgement",
    "Ladder",
    "LatencySignal",
    "LengthSignal",
    "Look",
    "Margins",
    "Note",
    "Observation",
    "Plan",
    "PodArm",
    "PodFacts",
    "Pressure",
    "Problem",
    "Query",
    "Row",
    "Scope",
    "Severity",
    "Signal",
    "Situation",
    "Snapshot",
    "TrialPod",
    "Variant",
    "Verdict",
    "arm_queries",
    "arm_samples",
    "arms",
    "changed_decisions",
    "compare",
    "compared",
    "decide",
    "demand",
    "evaluate",
    "evidence_of",
    "facts_ended",
    "facts_known",
    "facts_step",
    "gather",
    "judge",
    "ladder",
    "look",
    "look_at",
    "looks",
    "measurable",
    "measured",
    "notes",
    "overall",
    "pressure",
    "queries",
    "repeated",
    "report",
    "report_unreadable",
    "report_waiting",
    "signals",
    "snapshot",
    "summary",
    "timestamp",
    "watched",
    "with_facts_failure",
    "with_releases",
]
