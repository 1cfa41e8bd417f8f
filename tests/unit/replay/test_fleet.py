"""The recorded pods as the cluster that the policy looks at."""

from dataclasses import replace
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Status
from specdecode_operator.policy import ClusterState, Ladder, TrialPod, ladder
from specdecode_operator.replay import RecordedPod
from specdecode_operator.replay.fleet import Fleet, fleet_of
from support.builders import operation, spec_of
from support.recordings import at

FP8: dict[str, Any] = {"name": "fp8", "triggers": ["Latency"], "model": {"name": "org/target-fp8"}}
LADDER = ladder(spec_of(fallbacks=[FP8]))
SHORT = ladder(spec_of())
RUNGS = {rung.name: rung for rung in LADDER.rungs}
HASHES = {rung.name: rung.hash for rung in LADDER.rungs}


def pod(name: str = "a", ready: float = 0, gone: float | None = None, **changes: Any) -> RecordedPod:
    found = RecordedPod("prod", "chat", name, at(ready), None if gone is None else at(gone), speculating=True)
    return replace(found, **changes)


def fleet(*pods: RecordedPod, rungs: Ladder = LADDER) -> Fleet:
    return fleet_of(pods, rungs)


def status(name: str) -> Status:
    return Status(active_variant=name, variant_hash=HASHES[name], primary_hash=HASHES["primary"])


class TestVariants:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"variant_hash": HASHES["fp8"]}, "fp8"),
            ({"variant_hash": HASHES["no-speculation"]}, "no-speculation"),
            ({"variant": "fp8"}, "fp8"),
            ({"variant_hash": "of-another-spec", "variant": "fp8"}, "fp8"),
            ({"variant_hash": HASHES["fp8"], "variant": "primary"}, "fp8"),
            ({}, "primary"),
            ({"speculating": False}, "no-speculation"),
            ({"variant_hash": "of-another-spec", "variant": "gone"}, "primary"),
        ],
    )
    def test_hash_then_name_then_counters(self, changes: dict[str, Any], expected: str) -> None:
        running = fleet(pod(**changes)).running(at(1))
        assert running is not None
        assert running.name == expected

    def test_a_guess_is_said_with_what_it_could_be_as_well(self) -> None:
        (remark,) = fleet(pod("a"), pod("b"), pod("c", variant="fp8")).remarks
        guess, alternative = remark.split("; ")
        assert guess == "variant primary is inferred from the speculation counters of a, b"
        assert alternative == "it could be fp8 as well, which --pods can say"

    def test_a_pod_that_fits_no_variant_is_left_out(self) -> None:
        plain = ladder(spec_of(speculation={"method": "None"}))
        found = fleet(pod("a"), pod("b", speculating=False), rungs=plain)
        assert found.pods(at(1))[0].name == "b"
        assert found.remarks[-1] == "left out, since no variant of the spec speculates as they do: a"


class TestMoments:
    def test_pods_serve_from_their_first_sample_to_their_last(self) -> None:
        found = fleet(pod("a", 0, 10), pod("b", 5))
        names = [[one.name for one in found.pods(at(minute))] for minute in (-1, 0, 5, 9.9, 10, 60)]
        assert names == [[], ["a"], ["a", "b"], ["a", "b"], ["b"], ["b"]]

    def test_the_variant_of_most_pods_runs(self) -> None:
        found = fleet(pod("a", 0, 10), pod("b", 5, variant="fp8"), pod("c", 8, variant="fp8"))
        running = [found.running(at(minute)) for minute in (-1, 1, 9, 11)]
        assert [one and one.name for one in running] == [None, "primary", "fp8", "fp8"]

    def test_a_trial_is_no_part_of_the_deployment(self) -> None:
        found = fleet(pod("a"), pod("t", variant="fp8", trial=True))
        assert [(one.name, one.role) for one in found.pods(at(1))] == [("a", "stable"), ("t", "trial")]
        assert (found.size(at(1)), found.runs(HASHES["fp8"], at(1))) == (1, 0)

    @pytest.mark.parametrize(
        ("pods", "expected"),
        [
            ([pod("a")], False),
            ([pod("a", gone=20), pod("b", 15, variant="fp8")], True),
            ([pod("a"), pod("b", 15, variant="fp8")], False),
            ([pod("a", gone=20), pod("b", 15, variant="no-speculation")], False),
            ([pod("a", gone=20), pod("b", 25, variant="fp8")], True),
            ([pod("a", gone=20), pod("b", 41, variant="fp8")], False),
            ([pod("b", -10, variant="fp8")], True),
        ],
    )
    def test_pods_go_to_a_variant_when_all_of_them_run_it(self, pods: list[RecordedPod], *, expected: bool) -> None:
        assert fleet(*pods).goes_to(HASHES["fp8"], at(10), at(40)) is expected

    def test_the_most_pods_at_once(self) -> None:
        found = fleet(pod("a", 0, 10), pod("b", 5, 20), pod("c", 15))
        assert [found.peak(HASHES["primary"], at(start), at(30)) for start in (0, 11, 21)] == [2, 2, 1]


class TestTrial:
    @pytest.mark.parametrize(
        ("ready", "gone", "expected"),
        [(12, None, True), (5, 11, True), (5, 10, False), (40, None, True), (41, None, False)],
    )
    def test_a_pod_is_on_trial_while_it_is_seen(self, ready: float, gone: float | None, *, expected: bool) -> None:
        found = fleet(pod("a"), pod("t", ready, gone, variant="fp8", trial=True))
        assert found.tries(RUNGS["fp8"], at(10), at(40)) is expected
        assert not found.tries(RUNGS["primary"], at(10), at(40))

    def test_a_pod_that_comes_up(self) -> None:
        found = fleet(pod("a"), pod("t", 12, variant="fp8", trial=True))
        before, after = (found.trial(at(minute), RUNGS["fp8"], at(10), at(40)) for minute in (11, 13))
        loading = TrialPod(HASHES["fp8"], total=1, created=at(10))
        assert (before, after) == (loading, replace(loading, ready=1, ready_since=at(12)))

    @pytest.mark.parametrize(("candidate", "expected"), [("fp8", True), ("primary", True), ("no-speculation", False)])
    def test_one_of_which_nothing_is_known_runs_what_is_tried(self, candidate: str, *, expected: bool) -> None:
        found = fleet(pod("a", variant="primary"), pod("t", trial=True))
        assert found.tries(RUNGS[candidate], at(0), at(1)) is expected
        assert found.remarks == ()
        (trial,) = (one for one in found.pods(at(1), RUNGS[candidate]) if one.role == "trial")
        assert (trial.variant_hash == HASHES[candidate]) is expected

    def test_one_that_never_comes_finds_no_node(self) -> None:
        found = fleet(pod("a")).trial(at(11), RUNGS["fp8"], at(10), at(40))
        assert found == TrialPod(HASHES["fp8"], total=1, created=at(10), unschedulable=True)


class TestCluster:
    def test_all_pods_run_what_the_deployment_is_for(self) -> None:
        found = fleet(pod("a"), pod("b", 2)).cluster(at(5), status("primary"), 2, TrialPod())
        assert found == ClusterState(
            exists=True,
            variant="primary",
            variant_hash=HASHES["primary"],
            primary_hash=HASHES["primary"],
            observed=True,
            desired=2,
            total=2,
            updated=2,
            ready=2,
            available=True,
            completed=True,
            serving=2,
            since=at(0),
        )
        assert found.rolled_out(HASHES["primary"])

    def test_in_the_middle_of_a_roll(self) -> None:
        rolling = status("fp8").model_copy(update={"operation": operation()})
        found = fleet(pod("a"), pod("b", 4, variant="fp8")).cluster(at(5), rolling, 1, TrialPod())
        assert (found.total, found.updated, found.completed, found.since) == (2, 1, False, at(4))
        assert not found.rolled_out(HASHES["fp8"])

    def test_before_a_pod_of_it_is_there(self) -> None:
        found = fleet(pod("a")).cluster(at(5), status("fp8"), 1, TrialPod())
        assert (found.updated, found.serving, found.since) == (0, 0, None)
