"""A replay as JSON for programs; docs/replay.md describes it."""

import math
from typing import Any, Final

from specdecode_operator.api.v1alpha1 import EffectiveThreshold
from specdecode_operator.policy import Finding, Signal, timestamp
from specdecode_operator.policy.judging.signals import effective_thresholds
from specdecode_operator.replay.lines import threshold
from specdecode_operator.replay.recording import RecordedPod
from specdecode_operator.replay.result import Entry, Evaluation, Replay

__all__ = ["DOCUMENT_VERSION", "document"]

DOCUMENT_VERSION: Final = 1
"""Changes when a key goes or means something else; new keys leave it."""

Document = dict[str, Any]


def document(found: Replay) -> Document:
    """Return what JSON can hold: numbers that are none are null."""
    return {
        "documentVersion": DOCUMENT_VERSION,
        "namespace": found.namespace,
        "name": found.name,
        "mode": found.spec.policy.mode,
        "start": timestamp(found.grid.start),
        "end": timestamp(found.grid.end),
        "stepSeconds": found.grid.step,
        "scrapeIntervalSeconds": found.scrape_interval,
        "windowsSeconds": {
            "short": found.spec.policy.window.short.seconds,
            "long": found.spec.policy.window.long.seconds,
        },
        "signals": list(map(_signal, found.signals, effective_thresholds(found.signals))),
        "pods": [_pod(pod, variant) for pod, variant in found.pods],
        "remarks": list(found.remarks),
        "summary": _summary(found),
        "decisions": [one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in found.decisions],
        "timeline": list(map(_entry, found.timeline)),
        "evaluations": list(map(_evaluation, found.evaluations)),
    }


def _signal(signal: Signal, effective: EffectiveThreshold) -> Document:
    return {
        "signal": signal.name,
        "requested": effective.requested,
        "effective": effective.effective,
        "breach": {"when": threshold(signal).when, "value": _number(threshold(signal).value)},
    }


def _pod(pod: RecordedPod, variant: str) -> Document:
    return {
        "pod": pod.name,
        "variant": variant,
        "role": "trial" if pod.trial else "stable",
        "ready": timestamp(pod.ready),
        "gone": timestamp(pod.gone) if pod.gone else None,
    }


def _summary(found: Replay) -> Document:
    summary = found.summary
    return {
        "evaluations": summary.evaluations,
        "decisions": summary.decisions,
        "secondsInBreach": summary.seconds_in_breach,
        "shareUnknown": round(summary.unknown, 6),
        "shareInsufficient": round(summary.insufficient, 6),
    }


def _entry(entry: Entry) -> Document:
    return {"at": timestamp(entry.at), "kind": entry.kind, "reason": entry.reason, "text": entry.text}


def _evaluation(evaluation: Evaluation) -> Document:
    return {
        "at": timestamp(evaluation.at),
        "variant": evaluation.variant,
        "verdict": evaluation.verdict,
        "hold": evaluation.hold,
        "signals": list(map(_finding, evaluation.findings)),
    }


def _finding(finding: Finding) -> Document:
    return {
        "signal": finding.signal.name,
        "verdict": finding.verdict,
        "reason": finding.reason,
        "short": _number(finding.short),
        "long": _number(finding.long),
        "lineShort": _number(finding.line_short),
        "lineLong": _number(finding.line_long),
        "samplesShort": _number(finding.samples_short),
        "samplesLong": _number(finding.samples_long),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
