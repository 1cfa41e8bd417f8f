"""A trial: one pod of the candidate beside the stable ones, and what becomes of it.

Better is rolled out, worse is dropped and not tried again for the same trigger, and what stays unclear changes nothing.
That the pod does not start, finds no room or has had its time needs no metrics.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from specdecode_operator.api.v1alpha1 import (
    PROBE,
    Decision,
    FailureReason,
    Operation,
    Outcome,
    Phase,
    TrialMode,
)
from specdecode_operator.policy.brakes.budget import acted
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.record import appended, identity, timestamp
from specdecode_operator.policy.reversal import blocked
from specdecode_operator.policy.situation import Compared, Situation
from specdecode_operator.policy.standing import Standing, closed
from specdecode_operator.policy.trials.comparison import ArmVerdict, summary
from specdecode_operator.policy.trials.probe import leaving
from specdecode_operator.policy.verification import ready_by

__all__ = ["begun", "tried", "turning_points", "wanted"]

_SCHEDULING: Final = timedelta(seconds=30)
"""How long a pod may be without a node before that means that none is free: the scheduler tries again in between."""


@dataclass(frozen=True)
class _Trial:
    """A trial that is going on, and all that is known of it."""

    situation: Situation
    standing: Standing
    operation: Operation
    candidate: Variant

    @property
    def compared(self) -> Compared | None:
        """The last evaluation, if it was of this trial and the one before agreed."""
        found = self.situation.compared
        return found if found is not None and found.decision == self.operation.id and found.repeated else None

    @property
    def probing(self) -> bool:
        return self.operation.trigger == PROBE


def wanted(situation: Situation) -> bool:
    """Whether the policy wants a trial before a roll."""
    return situation.spec.policy.trial.mode is not TrialMode.NEVER and situation.spec.replicas > 0


def begun(
    situation: Situation, standing: Standing, candidate: Variant, decision: Decision, sound: list[str]
) -> Standing:
    """Return `standing` with `candidate` on trial for `decision`; `sound` are the signals not in breach."""
    operation = Operation(
        id=decision.id,
        from_variant=decision.from_variant,
        to_variant=decision.to_variant,
        trigger=decision.trigger,
        phase=Phase.TRIAL,
        started_at=decision.at,
        trial_of=_subject(situation, candidate),
        sound=sound,
    )
    decisions, actions = appended(standing.decisions, decision), acted(standing.actions, decision.at)
    return replace(standing, operation=operation, decisions=decisions, actions=actions)


def turning_points(situation: Situation, operation: Operation) -> list[datetime | None]:
    """Return the moments at which time alone may change what becomes of the trial."""
    created = situation.cluster.trial.created
    scheduled = created + _SCHEDULING if created is not None else None
    return [scheduled, ready_by(situation, operation), _ends(situation, operation)]


def tried(situation: Situation, standing: Standing) -> Standing:
    """Return `standing` after what is known of its trial by now: going on, promoted, or over."""
    operation = standing.operation
    if operation is None:
        return standing
    candidate = situation.ladder.find(operation.to_variant)
    if candidate is None:
        return closed(standing, operation, Outcome.SUPERSEDED)
    trial = _Trial(situation, standing, operation, candidate)
    return next((after for step in _STEPS if (after := step(trial)) is not None), standing)


def _is_overtaken(trial: _Trial) -> Standing | None:
    """The user has changed what the trial is about, or somebody has stopped the operator's actions."""
    same = _subject(trial.situation, trial.candidate) == trial.operation.trial_of
    stopped = trial.situation.spec.suspend or trial.situation.fleet.stopped
    return None if same and not stopped else _over(trial, Outcome.SUPERSEDED)


def _fails(trial: _Trial) -> Standing | None:
    """The pod crashes, or does not become ready though it has a node."""
    pod = trial.situation.cluster.trial
    if pod.variant_hash != trial.candidate.hash or pod.unschedulable:
        return None
    if pod.crash_looping:
        return _dropped(trial, FailureReason.CRASH_LOOP)
    late = pod.ready_since is None and trial.situation.now >= ready_by(trial.situation, trial.operation)
    return _dropped(trial, FailureReason.NOT_READY) if late and pod.deadline_exceeded else None


def _finds_no_room(trial: _Trial) -> Standing | None:
    """The pod finds no node: a stable one makes room if the others can carry the load, or there is no trial."""
    situation, operation, pod = trial.situation, trial.operation, trial.situation.cluster.trial
    if not pod.unschedulable or pod.created is None or situation.now < pod.created + _SCHEDULING:
        return None
    if operation.made_room:
        return _without(trial) if situation.now >= ready_by(situation, operation) else trial.standing
    if situation.spec.replicas > 1 and _spare(trial):
        return replace(trial.standing, operation=operation.model_copy(update={"made_room": True}))
    return _without(trial)


def _is_better(trial: _Trial) -> Standing | None:
    compared = trial.compared
    if compared is None or compared.comparison.verdict not in _good_enough(trial):
        return None
    acceptance = compared.comparison.acceptance
    if not trial.probing or acceptance >= _reenable_line(trial.situation):
        return _promoted(trial, summary(compared.comparison))
    return None if math.isnan(acceptance) else _dropped(trial, FailureReason.LOW_ACCEPTANCE)


def _is_worse(trial: _Trial) -> Standing | None:
    worse = trial.compared is not None and trial.compared.comparison.verdict is ArmVerdict.WORSE
    return _dropped(trial, FailureReason.WORSE) if worse else None


def _stays_unclear(trial: _Trial) -> Standing | None:
    return _over(trial, Outcome.UNCLEAR) if trial.compared is not None and trial.compared.last else None


def _has_had_its_time(trial: _Trial) -> Standing | None:
    late = trial.situation.now >= _ends(trial.situation, trial.operation)
    return _over(trial, Outcome.UNCLEAR, FailureReason.TIMED_OUT) if late else None


_STEPS: Final[tuple[Callable[[_Trial], Standing | None], ...]] = (
    _is_overtaken,
    _fails,
    _finds_no_room,
    _is_better,
    _is_worse,
    _stays_unclear,
    _has_had_its_time,
)


def _good_enough(trial: _Trial) -> tuple[ArmVerdict, ...]:
    """Speculation that was switched off may come back where it is no worse; anything else has to be better."""
    better = (ArmVerdict.BETTER,)
    return (*better, ArmVerdict.NOT_WORSE) if trial.probing else better


def _reenable_line(situation: Situation) -> float:
    return situation.spec.policy.acceptance.recovered_percent / 100


def _spare(trial: _Trial) -> bool:
    """Whether the load leaves a stable pod to spare."""
    judgement = trial.situation.judged(trial.standing.variant.hash)
    return judgement is not None and judgement.pressure.headroom(trial.situation.spec.replicas)


def _without(trial: _Trial) -> Standing:
    """There is no room: `Auto` rolls without a proof, since a roll is verified too; a probe must have one."""
    auto = trial.situation.spec.policy.trial.mode is TrialMode.AUTO
    if auto and not trial.probing:
        return _promoted(trial, "no room for a trial")
    return _over(trial, Outcome.UNCLEAR, FailureReason.NO_ROOM)


def _promoted(trial: _Trial, why: str) -> Standing:
    """The candidate is rolled out; how long its pods take to become ready counts from now."""
    now = timestamp(trial.situation.now)
    changes = {"phase": Phase.ROLLING, "started_at": now, "trial_of": None, "made_room": False}
    operation = trial.operation.model_copy(update=changes)
    concluded = leaving(trial.situation, _concluded(trial, outcome=Outcome.STARTED, comparison=why), trial.candidate)
    return replace(concluded, variant=trial.candidate, operation=operation)


def _dropped(trial: _Trial, reason: FailureReason) -> Standing:
    over = _over(trial, Outcome.DROPPED, reason)
    if trial.probing:
        return over
    return replace(over, blocked=blocked(trial.situation, over, trial.operation, trial.candidate, reason))


def _over(trial: _Trial, outcome: Outcome, reason: FailureReason | None = None) -> Standing:
    """Return the standing without the trial; a probe that was not merely unclear makes the next pause longer."""
    compared = trial.compared
    why = summary(compared.comparison) if compared is not None else None
    concluded = _concluded(trial, outcome=outcome, reason=reason, comparison=why)
    failed = trial.probing and reason is not None
    return replace(concluded, operation=None, probes=concluded.probes + failed)


def _concluded(trial: _Trial, **changes: Any) -> Standing:  # noqa: ANN401 - fields of a decision
    """Write down what became of the trial."""
    changes["concluded_at"] = timestamp(trial.situation.now)
    decisions = tuple(
        decision.model_copy(update=changes) if decision.id == trial.operation.id else decision
        for decision in trial.standing.decisions
    )
    return replace(trial.standing, decisions=decisions)


def _subject(situation: Situation, candidate: Variant) -> str:
    """Return a hash of what is tried and of the policy that tries it."""
    return identity(candidate.hash, situation.spec.policy.model_dump_json())


def _ends(situation: Situation, operation: Operation) -> datetime:
    """Return when the trial is over whatever is known: its pod must not stay because metrics are missing."""
    allowed = timedelta(seconds=2 * situation.spec.policy.trial.max_duration.seconds)
    return ready_by(situation, operation) + allowed
