"""The recorded answers through the operator's own code, evaluation by evaluation.

Nothing of the policy is written a second time here: the answers become a snapshot, the snapshot a judgement, the
judgement with the status a plan, and the plan the next status, by the functions that the operator itself calls. What a
recording cannot do is to react. A decision is followed where the recorded pods go the way that was decided, as they do
on a recording of an operator that enforces. Where they do not, the decision is shown, and from there on to the end of
the episode the replay only observes: the evidence is that of pods which were not rolled.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from specdecode_operator.api.v1alpha1 import Decision, Mode, Outcome, Phase, Spec, Status
from specdecode_operator.policy import (
    Compared,
    Judgement,
    Ladder,
    Plan,
    Situation,
    Snapshot,
    TrialPod,
    Variant,
    compared,
    decide,
    demand,
    evaluate,
    evidence_of,
    look_at,
    report,
)
from specdecode_operator.policy.brakes.checks import Hold
from specdecode_operator.policy.trials.looks import looks
from specdecode_operator.replay.errors import NothingRecorded, RecordingError
from specdecode_operator.replay.fleet import Fleet, fleet_of, patience
from specdecode_operator.replay.recording import Answers, Recording
from specdecode_operator.replay.result import EntryKind, Replay
from specdecode_operator.replay.story import NOT_FOLLOWED, Judged, Story

__all__ = ["Subject", "replay"]

_GENERATION: Final = 1
_NOT_FOLLOWED: Final = Hold(NOT_FOLLOWED, "the recorded pods did not go the way that was decided")


@dataclass(frozen=True)
class Subject:
    """The resource that is replayed; the ladder knows which of its rungs pre-flight refuses."""

    namespace: str
    name: str
    spec: Spec
    ladder: Ladder


def replay(recording: Recording, subject: Subject, progress: Callable[[float], None] = lambda _: None) -> Replay:
    """Return what the operator would have decided; `progress` gets the share done, from 0 to 1.

    Raises `RecordingError` where the recording does not answer what the spec asks, and `NothingRecorded` where it holds
    no pod of the resource.
    """
    if (missing := recording.missing(demand([subject.spec])) or _unseen_looks(recording, subject.spec)) is not None:
        raise RecordingError(f"the recording lacks {missing}; record again with this spec among --spec")
    run = _Run(recording, subject, _fleet(recording, subject))
    count = recording.grid.count
    for index in range(count):
        run.tick(index)
        progress((index + 1) / count)
    return run.result()


def _unseen_looks(recording: Recording, spec: Spec) -> str | None:
    """Return the windows of looks at a trial that were not recorded though there was a trial, in words, or None."""
    trial, recorded = spec.policy.trial, recording.arms.windows
    lacking = set(looks(trial.min_duration.seconds, trial.max_duration.seconds)) - set(recorded)
    if not recorded or not lacking:
        return None
    return "a trial's window of " + " and ".join(f"{seconds:g}s" for seconds in sorted(lacking))


def _fleet(recording: Recording, subject: Subject) -> Fleet:
    key = subject.namespace, subject.name
    pods = [pod for pod in recording.pods if (pod.namespace, pod.resource) == key]
    if not pods:
        held = ", ".join(sorted({f"{pod.namespace}/{pod.resource}" for pod in recording.pods})) or "none"
        raise NothingRecorded(f"the recording holds no pod of {'/'.join(key)}, but of {held}; choose one of these")
    fleet = fleet_of(pods, subject.ladder)
    if not any(not member.pod.trial for member in fleet.members):
        raise NothingRecorded(f"{fleet.remarks[0]}; say in --pods what they run")
    return fleet


class _Run:
    """The state of one replay: what the operator would remember, and what was told so far."""

    def __init__(self, recording: Recording, subject: Subject, fleet: Fleet) -> None:
        self._recording = recording
        self._subject = subject
        self._fleet = fleet
        self._answers = Answers(recording)
        self._status = Status()
        self._judgement: Judgement | None = None
        self._compared: Compared | None = None
        self._size = 1
        self._unanswered: Decision | None = None
        """The decision that the recorded pods did not follow, until its episode is over."""
        self._story = Story((subject.namespace, subject.name))

    def tick(self, index: int) -> None:
        """Do one evaluation, and decide on it."""
        at = self._recording.grid.at(index)
        if not self._begun(at):
            return
        self._adopt(at)
        variant, snapshot = self._active(), self._answers.snapshot(index)
        self._compared = self._compare(index, at, snapshot)
        before, found = self._judgement, self._evaluate(at, variant, snapshot)
        self._judgement = found
        situation = self._situation(at)
        plan = decide(situation)
        after = report(situation, plan, None, name=self._subject.name)
        self._story.evaluated(Judged(at, variant.name, before, found), self._told(plan))
        self._story.recorded(at, situation.status, after)
        self._carry_on(at, plan, after)

    def _told(self, plan: Plan) -> Plan:
        """Say what holds while the replay only observes: it is the recording, and no mode that the user chose."""
        return plan if self._unanswered is None else replace(plan, hold=_NOT_FOLLOWED)

    def result(self) -> Replay:
        """Return all that was found."""
        if not self._story.evaluations:
            raise NothingRecorded("the recording ends before its first pod is ready; record a longer time")
        return Replay(
            namespace=self._subject.namespace,
            name=self._subject.name,
            spec=self._subject.spec,
            grid=self._recording.grid,
            scrape_interval=self._recording.scrape_interval,
            pods=tuple((member.pod, member.variant.name) for member in self._fleet.members),
            remarks=self._fleet.remarks,
            evaluations=tuple(self._story.evaluations),
            timeline=tuple(self._story.timeline),
            decisions=self._story.decisions,
        )

    def _begun(self, at: datetime) -> bool:
        return bool(self._story.evaluations) or self._fleet.running(at) is not None

    def _adopt(self, at: datetime) -> None:
        """Take over the variant that the pods run where the replay has not led there itself."""
        operation, status = self._status.operation, self._status
        if operation is not None and operation.phase is Phase.ROLLING:
            return
        running = self._fleet.running(at)
        if running is None or self._fleet.runs(status.variant_hash or "", at):
            return
        if self._story.evaluations:
            text = f"the recorded pods run {running.name} from here on, which this replay has not decided"
            self._story.say(at, EntryKind.PODS, "PodsChanged", text)
        self._unanswered = None
        self._status = self._standing_at(running, status)

    def _standing_at(self, variant: Variant, status: Status) -> Status:
        primary = self._subject.ladder.primary.hash
        changes = {"active_variant": variant.name, "variant_hash": variant.hash, "primary_hash": primary}
        return status.model_copy(update=changes)

    def _active(self) -> Variant:
        rungs = self._subject.ladder
        return rungs.find(self._status.active_variant) or rungs.primary

    def _evaluate(self, at: datetime, variant: Variant, snapshot: Snapshot) -> Judgement:
        spec = self._subject.spec
        evidence = evidence_of(spec, variant, snapshot, self._fleet.pods(at))
        return evaluate(spec, variant, evidence, self._judgement, self._status.baseline)

    def _compare(self, index: int, at: datetime, snapshot: Snapshot) -> Compared | None:
        """Return what a look at the trial shows, where one is due."""
        spec, pods = self._subject.spec, self._fleet.pods(at, self._candidate())
        look = look_at(spec, self._status, self._subject.ladder, pods, at)
        return None if look is None else compared(look, spec, snapshot, self._answers.arms(index), self._compared)

    def _situation(self, at: datetime) -> Situation:
        desired = self._desired(at)
        changes: dict[str, object] = {"replicas": desired}
        if self._unanswered is not None:
            changes["policy"] = self._subject.spec.policy.model_copy(update={"mode": Mode.OBSERVE})
        return Situation(
            generation=_GENERATION,
            status=_marked(self._status, self._unanswered, Outcome.OBSERVED),
            cluster=self._fleet.cluster(at, self._status, desired, self._trial(at)),
            now=at,
            spec=self._subject.spec.model_copy(update=changes),
            ladder=self._subject.ladder,
            judgement=self._judgement,
            compared=self._compared,
        )

    def _trial(self, at: datetime) -> TrialPod:
        operation, candidate = self._status.operation, self._candidate()
        if operation is None or candidate is None:
            return TrialPod()
        began = datetime.fromisoformat(operation.started_at)
        return self._fleet.trial(at, candidate, began, began + self._patience())

    def _candidate(self) -> Variant | None:
        """Return what is being tried."""
        operation = self._status.operation
        if operation is None or operation.phase is not Phase.TRIAL:
            return None
        return self._subject.ladder.find(operation.to_variant)

    def _desired(self, at: datetime) -> int:
        """Return how many pods the Deployment was to have: as many as there are, but for a roll on the way."""
        operation, variant_hash = self._status.operation, self._status.variant_hash or ""
        if operation is None or operation.phase is not Phase.ROLLING:
            self._size = max(1, self._fleet.size(at))
            return self._size
        ahead = self._fleet.peak(variant_hash, at, at + self._patience())
        return max(1, min(self._size, ahead))

    def _patience(self) -> timedelta:
        return patience(self._subject.spec.rollout.ready_timeout.seconds, self._size)

    def _carry_on(self, at: datetime, plan: Plan, after: Status) -> None:
        before = self._status
        status = after if self._unanswered is None else _marked(after, self._unanswered, self._unanswered.outcome)
        if _starts(plan, before) and not self._followed(at, plan):
            self._unanswered = next(one for one in after.decisions if one.id == _begun_by(after))
            self._story.say(at, EntryKind.PODS, NOT_FOLLOWED, _not_followed(plan))
            status = self._back(status, before)
        elif self._unanswered is not None and _recovered(status):
            self._unanswered = None
        self._status = status

    def _followed(self, at: datetime, plan: Plan) -> bool:
        """Whether the recorded pods go the way of `plan`; a trial without room for it is followed by its roll."""
        end = at + self._patience()
        if plan.trial is not None and self._fleet.tries(plan.trial, at, end):
            return True
        return self._fleet.goes_to((plan.trial or plan.variant).hash, at, end)

    def _back(self, status: Status, before: Status) -> Status:
        """Return `status` as if its roll had not been made; the decision counts for the brakes."""
        names = ("active_variant", "variant_hash", "primary_hash", "speculation")
        return status.model_copy(update={"operation": None} | {name: getattr(before, name) for name in names})


def _marked(status: Status, decision: Decision | None, outcome: Outcome) -> Status:
    """Return `status` with another outcome of `decision`, if there is one."""
    if decision is None:
        return status
    decisions = [
        one.model_copy(update={"outcome": outcome}) if one.id == decision.id else one for one in status.decisions
    ]
    return status.model_copy(update={"decisions": decisions})


def _begun_by(status: Status) -> str | None:
    return status.operation.id if status.operation is not None else None


def _recovered(status: Status) -> bool:
    met = status.condition("ObjectivesMet")
    return met is not None and met.status == "True"


def _starts(plan: Plan, before: Status) -> bool:
    """Whether `plan` begins a trial or a roll."""
    old, new = before.operation, plan.operation
    if new is None or new.phase is Phase.VERIFYING:
        return False
    return old is None or (old.id, old.phase) != (new.id, new.phase)


def _not_followed(plan: Plan) -> str:
    if plan.trial is not None:
        start = f"a trial of {plan.trial.name} would have started, and the recording holds no pod on trial"
    else:
        start = f"the recorded pods were not rolled to {plan.variant.name}"
    return (
        f"{start}; from here on the recording shows what went on without that, and the replay only observes until no"
        " signal is in breach"
    )
