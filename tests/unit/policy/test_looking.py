"""Which pods of a trial are compared, over which window, and what counts as found twice."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Phase
from specdecode_operator.policy import Compared, Look, PodFacts, compared, look_at
from specdecode_operator.policy.judging.evidence import PodSamples, PodWindow, Snapshot
from specdecode_operator.policy.ladder import ladder
from specdecode_operator.policy.trials.arms import PodArm
from support.builders import NOW, TRYING, operation, pod, rung, spec_of, status_of

SPEC = spec_of(replicas=2, **TRYING)
STABLE, OFF = rung(SPEC).hash, rung(SPEC, "no-speculation").hash
STATUS = status_of(SPEC, operation=operation(phase=Phase.TRIAL))
SIDE = (pod("chat-1", variant_hash=STABLE), pod("chat-2", variant_hash=STABLE))


def tried(minutes: float = 11, **changes: Any) -> PodFacts:
    """The pod on trial, ready for so many minutes: one for warming up, and the rest to be judged."""
    since = NOW - timedelta(minutes=minutes)
    return replace(pod("chat-trial-1", variant_hash=OFF, role="trial", ready_since=since), **changes)


def look(*pods: PodFacts, status: Any = STATUS, spec: Any = SPEC) -> Look | None:
    return look_at(spec, status, ladder(spec), pods, NOW)


class TestWindow:
    @pytest.mark.parametrize(
        ("minutes", "window", "last"),
        [(11, 600, False), (21, 1200, False), (41, 2400, False), (61, 3600, True), (600, 3600, True)],
    )
    def test_it_grows_with_the_age_of_the_pod(self, minutes: float, window: float, *, last: bool) -> None:
        pods = (tried(minutes), *SIDE)
        assert look(*pods) == Look("d1", window, last, (pods[0],), SIDE)

    @pytest.mark.parametrize("minutes", [12, 20.9, 22, 60.9])
    def test_between_two_looks_there_is_none(self, minutes: float) -> None:
        assert look(tried(minutes), *SIDE) is None

    def test_a_young_pod_is_not_judged(self) -> None:
        assert look(tried(10.9), *SIDE) is None

    def test_durations_are_those_of_the_policy(self) -> None:
        trial = {"minDuration": "60s", "maxDuration": "90s"}
        spec = spec_of(replicas=2, policy={"mode": "Enforce", "trial": trial})
        found = look(tried(2.5), *SIDE, spec=spec)
        assert (found and found.window, found and found.last) == (90, True)


class TestPods:
    @pytest.mark.parametrize(
        "changes", [{"ready_since": None}, {"terminating": True}, {"role": "stable"}, {"variant_hash": STABLE}]
    )
    def test_without_the_pod_on_trial_there_is_nothing_to_see(self, changes: Any) -> None:
        assert look(tried(**changes), *SIDE) is None

    @pytest.mark.parametrize(
        "changes", [{"ready_since": None}, {"terminating": True}, {"role": "trial"}, {"variant_hash": "older"}]
    )
    def test_only_stable_pods_of_the_active_variant_stand_beside_it(self, changes: Any) -> None:
        found = look(tried(), SIDE[0], replace(SIDE[1], **changes))
        assert found is not None
        assert found.stable == SIDE[:1]

    def test_all_are_asked_for(self) -> None:
        found = look(tried(), *SIDE)
        assert found is not None
        assert found.pods == [("prod", "chat-trial-1"), ("prod", "chat-1"), ("prod", "chat-2")]


@pytest.mark.parametrize(
    "changed",
    [
        {"operation": None},
        {"operation": operation()},
        {"operation": operation(phase=Phase.TRIAL, to_variant="gone")},
    ],
)
def test_without_a_trial_there_is_no_look(changed: dict[str, Any]) -> None:
    assert look(tried(), *SIDE, status=STATUS.model_copy(update=changed)) is None


def snapshot(age: float = 10) -> Snapshot:
    seen = PodSamples(age, 1, {600.0: PodWindow(20)})
    return Snapshot(NOW, {("prod", name): seen for name in ("chat-trial-1", "chat-1", "chat-2")}, 30)


def shown(samples: dict[tuple[str, str], PodArm], before: Compared | None = None, age: float = 10) -> Compared | None:
    found = look(tried(), *SIDE)
    assert found is not None
    return compared(found, SPEC, snapshot(age), samples, before)
