"""The way back: after growing pauses, and only while there is headroom, speculation is tried again on one pod."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from specdecode_operator.api.v1alpha1 import PROBE, Decision, Mode, Outcome, ProbeMode, Trigger
from specdecode_operator.policy.judging.verdicts import Verdict
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.situation import Situation
from specdecode_operator.policy.standing import Standing

__all__ = ["ended", "headroom", "leaving", "next_probe", "probed"]

_JITTER: Final = 0.1
"""Share by which a pause is longer or shorter, so that many resources do not probe at once."""

_ROLLED: Final = (Outcome.STARTED, Outcome.COMPLETED, Outcome.VERIFIED, Outcome.NOT_IMPROVED)


def probed(situation: Situation, standing: Standing) -> Variant | None:
    """Return what a probe would try, or None where there is nothing to go back to.

    That is `primary`, where the operator left it for a variant without speculation because of what the metrics said.
    """
    primary = situation.ladder.primary
    off = primary.speculation.active and not standing.variant.speculation.active
    usable = primary.name not in situation.ladder.unusable and situation.spec.policy.probe.mode is ProbeMode.AUTO
    acting = situation.spec.policy.mode is not Mode.OBSERVE
    return primary if off and usable and acting and not _never_started(standing, primary) else None


def next_probe(situation: Situation, standing: Standing) -> datetime | None:
    """Return when the pause after the last action is over; None where no action is remembered."""
    actions = [decision for decision in standing.decisions if decision.outcome is not Outcome.OBSERVED]
    if not actions:
        return None
    last, policy = actions[-1], situation.spec.policy.probe
    pause = min(policy.min_backoff.seconds * 2.0**standing.probes, policy.max_backoff.seconds)
    return ended(last) + timedelta(seconds=pause * _jitter(last.id))


def leaving(situation: Situation, standing: Standing, rung: Variant) -> Standing:
    """Return `standing` as it is when the pods are rolled to `rung`.

    Speculation that is left soon after a probe brought it back did not stay on, and the next pause is longer.
    """
    probes = [decision for decision in _rolls(standing.decisions) if decision.trigger == PROBE]
    if rung.speculation.active or not standing.variant.speculation.active or not probes:
        return standing
    steady = situation.now - ended(probes[-1]) >= timedelta(seconds=situation.spec.policy.probe.max_backoff.seconds)
    return replace(standing, probes=0 if steady else standing.probes + 1)


def ended(decision: Decision) -> datetime:
    """Return when `decision` was taken, or its trial ended."""
    return datetime.fromisoformat(decision.concluded_at or decision.at)


def headroom(situation: Situation, standing: Standing) -> bool:
    """Whether latencies are well within their objectives and the pods have capacity to spare."""
    judgement = situation.judged(standing.variant.hash)
    if judgement is None or judgement.unavailable is not None or judgement.waiting is not None:
        return False
    well = all(found.verdict in (Verdict.RECOVERED, Verdict.NOT_APPLICABLE) for found in judgement.findings)
    return well and judgement.pressure.waiting == 0 and not judgement.pressure.reasons()


def _never_started(standing: Standing, primary: Variant) -> bool:
    """Whether `primary` was last left because its pods did not start: no load makes a difference to that."""
    leaving = [decision for decision in _rolls(standing.decisions) if decision.from_variant == primary.name]
    return bool(leaving) and leaving[-1].trigger == Trigger.STARTUP


def _rolls(decisions: tuple[Decision, ...]) -> list[Decision]:
    return [decision for decision in decisions if decision.outcome in _ROLLED]


def _jitter(text: str) -> float:
    share = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32
    return 1 + _JITTER * (2 * share - 1)
