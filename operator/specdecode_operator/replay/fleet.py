"""The recorded pods as the cluster that the policy looks at."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from specdecode_operator.api.names import ROLE_STABLE, ROLE_TRIAL
from specdecode_operator.api.v1alpha1 import Status
from specdecode_operator.policy import ClusterState, Ladder, PodFacts, TrialPod, Variant
from specdecode_operator.replay.recording import RecordedPod

__all__ = ["Fleet", "fleet_of", "patience"]


@dataclass(frozen=True)
class _Member:
    pod: RecordedPod
    variant: Variant
    known: bool
    """Whether its variant is more than a guess."""

    def tries(self, candidate: Variant) -> bool:
        """Whether it may be the pod of a trial of `candidate`: one of which nobody says what it runs, runs that."""
        same = self.variant.hash == candidate.hash
        fits = not self.known and self.pod.speculating is candidate.speculation.active
        return self.pod.trial and (same or fits)


@dataclass(frozen=True)
class Fleet:
    """Pods of one resource, each with its variant of the ladder."""

    ladder: Ladder
    members: tuple[_Member, ...]
    remarks: tuple[str, ...] = ()
    """What had to be guessed, and what is left out."""

    @property
    def first(self) -> datetime:
        """When the first of the pods is there."""
        return min(member.pod.ready for member in self.members)

    def pods(self, at: datetime, candidate: Variant | None = None) -> list[PodFacts]:
        """Return the pods that serve then, those on trial too; `candidate` is what is being tried."""
        return [_facts(member, candidate) for member in self.members if member.pod.serves(at)]

    def size(self, at: datetime) -> int:
        """Return how many pods serve then; one on trial is no part of the Deployment."""
        return len(self._serving(at))

    def running(self, at: datetime) -> Variant | None:
        """Return the variant that most pods run then, if there are any."""
        hashes = Counter(member.variant.hash for member in self._serving(at))
        most = max(hashes, key=lambda one: hashes[one], default=None)
        return next((rung for rung in self.ladder.rungs if rung.hash == most), None)

    def runs(self, variant_hash: str, at: datetime) -> int:
        """Return how many pods of that variant serve then."""
        return sum(member.variant.hash == variant_hash for member in self._serving(at))

    def goes_to(self, variant_hash: str, start: datetime, end: datetime) -> bool:
        """Whether there is a moment between the two at which every pod runs that variant."""
        return any(self._all_run(variant_hash, at) for at in self._changes(start, end))

    def tries(self, candidate: Variant, start: datetime, end: datetime) -> bool:
        """Whether a pod of that variant is on trial at some time between the two."""
        return any(
            member.pod.ready <= end and (member.pod.gone is None or member.pod.gone > start)
            for member in self.members
            if member.tries(candidate)
        )

    def peak(self, variant_hash: str, start: datetime, end: datetime) -> int:
        """Return the most pods of that variant that serve at once between the two times."""
        return max(self.runs(variant_hash, at) for at in self._changes(start, end))

    def cluster(self, at: datetime, status: Status, desired: int, trial: TrialPod) -> ClusterState:
        """Return the Deployment as it would be, were it made for the variant in `status`."""
        pods = [_facts(member) for member in self._serving(at)]
        current = [pod for pod in pods if pod.variant_hash == status.variant_hash]
        return ClusterState(
            exists=True,
            variant=status.active_variant,
            variant_hash=status.variant_hash,
            primary_hash=status.primary_hash,
            observed=True,
            desired=desired,
            total=len(pods),
            updated=len(current),
            ready=len(pods),
            available=bool(pods),
            completed=status.operation is None,
            serving=len(current),
            since=min((pod.created for pod in current if pod.created is not None), default=None),
            trial=trial,
        )

    def trial(self, at: datetime, candidate: Variant, began: datetime, until: datetime) -> TrialPod:
        """Return the pod of a trial of that variant; where none comes up `until` then, it is one that finds no node."""
        ready = [member.pod.ready for member in self.members if member.tries(candidate) and member.pod.serves(at)]
        return TrialPod(
            variant_hash=candidate.hash,
            total=1,
            ready=len(ready),
            created=began,
            ready_since=min(ready, default=None),
            unschedulable=not self.tries(candidate, began, until),
        )

    def _serving(self, at: datetime) -> list[_Member]:
        return [member for member in self.members if not member.pod.trial and member.pod.serves(at)]

    def _all_run(self, variant_hash: str, at: datetime) -> bool:
        serving = self._serving(at)
        return bool(serving) and all(member.variant.hash == variant_hash for member in serving)

    def _changes(self, start: datetime, end: datetime) -> set[datetime]:
        """Return `start` and all moments up to `end` at which a pod comes or goes."""
        moments = (moment for member in self.members for moment in (member.pod.ready, member.pod.gone) if moment)
        return {start, *(moment for moment in moments if start <= moment <= end)}


def fleet_of(pods: Sequence[RecordedPod], ladder: Ladder) -> Fleet:
    """Return the fleet of `pods`.

    A pod's variant is that of its hash, else the one that is named, else the first rung that speculates as it does;
    a pod that fits no rung is left out. A pod on trial of which nothing is known is taken for what is being tried. What
    was guessed of the others is in the remarks.
    """
    members: list[_Member] = []
    guessed: list[_Member] = []
    left_out: list[RecordedPod] = []
    for pod in pods:
        known = _known(pod, ladder)
        variant = known or _guessed(pod, ladder)
        if variant is None:
            left_out.append(pod)
        else:
            members.append(_Member(pod, variant, known is not None))
            guessed += [] if known or pod.trial else [members[-1]]
    return Fleet(ladder, tuple(members), (*_guesses(guessed, ladder), *_omissions(left_out)))


def _known(pod: RecordedPod, ladder: Ladder) -> Variant | None:
    by_hash = next((rung for rung in ladder.rungs if rung.hash == pod.variant_hash), None)
    return by_hash or ladder.find(pod.variant)


def _guessed(pod: RecordedPod, ladder: Ladder) -> Variant | None:
    return next((rung for rung in ladder.rungs if rung.speculation.active == pod.speculating), None)


def _guesses(guessed: Iterable[_Member], ladder: Ladder) -> Iterable[str]:
    for variant in {member.variant.name: member.variant for member in guessed}.values():
        names = ", ".join(member.pod.name for member in guessed if member.variant.name == variant.name)
        others = [
            rung.name
            for rung in ladder.rungs
            if rung.speculation.active == variant.speculation.active and rung.hash != variant.hash
        ]
        or_else = f"; it could be {', '.join(others)} as well, which --pods can say" if others else ""
        yield f"variant {variant.name} is inferred from the speculation counters of {names}{or_else}"


def _omissions(left_out: Sequence[RecordedPod]) -> Iterable[str]:
    if left_out:
        names = ", ".join(pod.name for pod in left_out)
        yield f"left out, since no variant of the spec speculates as they do: {names}"


def _facts(member: _Member, candidate: Variant | None = None) -> PodFacts:
    pod = member.pod
    variant = candidate if candidate is not None and member.tries(candidate) else member.variant
    return PodFacts(
        namespace=pod.namespace,
        name=pod.name,
        variant_hash=variant.hash,
        role=ROLE_TRIAL if pod.trial else ROLE_STABLE,
        ready_since=pod.ready,
        created=pod.ready,
    )


def patience(seconds: float, pods: int) -> timedelta:
    """Return how long a roll of `pods` pods may take, each with `seconds` and the Deployment's grace."""
    return timedelta(seconds=(seconds + 60) * max(pods, 1))
