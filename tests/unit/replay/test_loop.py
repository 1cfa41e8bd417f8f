"""What a replay does where the recording does not go the way that was decided."""

from dataclasses import replace
from datetime import datetime

import pytest

from specdecode_operator.replay import EntryKind, NothingRecorded, RecordingError, Replay, replay
from support.past_prometheus import Past
from support.recordings import AFTER, POLICY, STABLE, at, falling, pod, recorded, replayed, subject

PATIENT = POLICY | {"budget": {"cooldown": "1m"}}
BREACH = "Acceptance Recovered -> Breach (AcceptanceBelowThreshold): 30% / 30% of 1000 / 1000 requests"
AGAIN = "record again with this spec among --spec"


def story(found: Replay) -> list[tuple[datetime, EntryKind, str]]:
    return [(entry.at, entry.kind, entry.reason) for entry in found.timeline]


def reasons(found: Replay, *kinds: EntryKind) -> list[str]:
    return [entry.reason for entry in found.timeline if entry.kind in kinds]


def decided(found: Replay) -> list[tuple[datetime, str, str]]:
    return [(datetime.fromisoformat(one.at), one.to_variant, one.outcome) for one in found.decisions]


class TestFollowed:
    def test_pods_that_were_rolled_as_was_decided(self) -> None:
        past = Past([pod(gone=12), pod(AFTER, 11, speculating=False)], acceptance=falling(10))
        found = replayed(past)
        assert story(found) == [
            (at(0), EntryKind.VERDICT, "AcceptanceWell"),
            (at(0), EntryKind.VERDICT, "WellWithinBudget"),
            (at(10), EntryKind.VERDICT, "AcceptanceBelowThreshold"),
            (at(10), EntryKind.HOLD, "BreachUnconfirmed"),
            (at(10.25), EntryKind.DECISION, "RemediationStarted"),
            (at(10.5), EntryKind.VERDICT, "SpeculationOff"),
            (at(10.5), EntryKind.VERDICT, "NoReadyPods"),
            (at(11), EntryKind.VERDICT, "PodsTooYoung"),
            (at(12), EntryKind.DECISION, "RemediationCompleted"),
            (at(17), EntryKind.VERDICT, "WellWithinBudget"),
            (at(18), EntryKind.DECISION, "RemediationVerified"),
        ]
        assert decided(found) == [(at(10.25), "no-speculation", "Verified")]

    def test_the_figures_of_the_end(self) -> None:
        past = Past([pod(gone=12), pod(AFTER, 11, speculating=False)], acceptance=falling(10))
        summary = replayed(past).summary
        assert (summary.evaluations, summary.decisions, summary.seconds_in_breach, summary.unknown) == (121, 1, 30, 0)
        assert summary.insufficient == pytest.approx(26 / 121)


class TestNotFollowed:
    def test_it_is_said_and_the_rest_of_the_episode_only_observed(self) -> None:
        found = replayed(Past([pod()], acceptance=falling(10, 20)))
        assert story(found)[3:] == [
            (at(10), EntryKind.HOLD, "BreachUnconfirmed"),
            (at(10.25), EntryKind.DECISION, "RemediationStarted"),
            (at(10.25), EntryKind.PODS, "NotFollowed"),
            (at(20), EntryKind.VERDICT, "AcceptanceWell"),
        ]
        assert decided(found) == [(at(10.25), "no-speculation", "Started")]

    def test_the_pods_are_judged_as_the_variant_that_they_run(self) -> None:
        found = replayed(Past([pod()], acceptance=falling(10)))
        assert {evaluation.variant for evaluation in found.evaluations[-10:]} == {"primary"}
        assert found.evaluations[-1].breached

    @pytest.mark.parametrize(("minutes", "held"), [("2m", []), ("30m", ["CoolingDown"])])
    def test_the_next_episode_is_decided_again_within_the_brakes(self, minutes: str, held: list[str]) -> None:
        def acceptance(moment: datetime) -> float:
            return 0.3 if at(10) <= moment < at(12) or at(16) <= moment < at(18) else 0.8

        found = replayed(Past([pod()], acceptance=acceptance), policy=POLICY | {"budget": {"cooldown": minutes}})
        later = [entry for entry in found.timeline if entry.at > at(15)]
        holds = [entry.reason for entry in later if entry.kind is EntryKind.HOLD]
        assert [reason for reason in holds if reason == "CoolingDown"] == held
        assert len(found.decisions) == 2 - len(held)

    def test_a_roll_that_is_taken_back_while_the_pods_stay(self) -> None:
        past = Past([pod(gone=12), pod(AFTER, 11, speculating=False)], acceptance=falling(10))
        past.slow = lambda moment: 0.5 if moment >= at(12) else 0.0
        found = replayed(past)
        assert [(one.trigger, one.outcome) for one in found.decisions] == [
            ("Acceptance", "Reverted"),
            ("Revert", "Started"),
        ]
        assert "NotFollowed" in reasons(found, EntryKind.PODS)


class TestTrials:
    def test_one_that_the_recording_cannot_answer(self) -> None:
        trials = POLICY | {"trial": {"mode": "Auto"}}
        found = replayed(Past([pod()], acceptance=falling(10, 20)), policy=trials)
        assert story(found)[4:] == [
            (at(10.25), EntryKind.DECISION, "TrialStarted"),
            (at(10.25), EntryKind.PODS, "NotFollowed"),
            (at(20), EntryKind.VERDICT, "AcceptanceWell"),
        ]
        assert found.timeline[5].text.startswith(
            "a trial of no-speculation would have started, and the recording holds"
        )
        assert decided(found) == [(at(10.25), "no-speculation", "Trial")]

    def test_nothing_of_arms_is_recorded_where_there_was_none(self) -> None:
        found = recorded(Past([pod()]), policy=POLICY | {"trial": {"mode": "Auto"}})
        assert (found.arms.windows, found.demand.covered) == ((), frozenset())

    def test_the_looks_of_a_trial_are_recorded_while_it_lasted(self) -> None:
        trial = pod("chat-trial-6d8e1f-bbbbb", 250, 270, speculating=False)
        found = recorded(Past([pod(), trial]), 300, policy=POLICY | {"trial": {"mode": "Auto"}})
        assert found.arms.windows == (600.0, 1200.0, 2400.0, 3600.0)
        assert found.arms.pods == (("prod", STABLE), ("prod", "chat-trial-6d8e1f-bbbbb"))
        asked = [found.tables[query.text] for query in found.asked_of_arms]
        filled = {index for table in asked for column in table.values() for index, one in enumerate(column) if one}
        assert (min(filled), max(filled)) == (1000, 1200)

    def test_other_looks_than_were_recorded(self) -> None:
        trial = pod("chat-trial-6d8e1f-bbbbb", 12, 24, speculating=False)
        found = recorded(Past([pod(), trial]), policy=POLICY | {"trial": {"minDuration": "10m", "maxDuration": "20m"}})
        with pytest.raises(RecordingError, match=f"^the recording lacks a trial's window of 300s; {AGAIN}$"):
            replay(found, subject(policy=POLICY | {"trial": {"minDuration": "5m", "maxDuration": "20m"}}))

    def test_a_candidate_that_is_worse_is_dropped(self) -> None:
        trial = pod("chat-trial-6d8e1f-bbbbb", 12, 24, speculating=False)
        past = Past([pod(), trial], acceptance=falling(10), latency=lambda one: 1.4 if one is trial else 1.0)
        durations = {"trial": {"mode": "Auto", "minDuration": "5m", "maxDuration": "10m"}}
        found = replayed(past, policy=POLICY | durations)
        assert decided(found) == [(at(10.25), "no-speculation", "Dropped")]
        assert found.decisions[0].reason == "Worse"


class TestPods:
    def test_pods_that_somebody_else_rolled_are_taken_over(self) -> None:
        found = replayed(Past([pod(gone=12), pod(AFTER, 11, speculating=False)]))
        assert [entry for entry in found.timeline if entry.kind is EntryKind.PODS] == [
            entry for entry in found.timeline if (entry.at, entry.reason) == (at(12), "PodsChanged")
        ]
        assert (found.evaluations[-1].variant, decided(found)) == ("no-speculation", [])

    def test_what_runs_at_the_start_is_no_change(self) -> None:
        found = replayed(Past([pod(AFTER, speculating=False)]))
        assert (found.evaluations[0].variant, reasons(found, EntryKind.PODS)) == ("no-speculation", [])

    def test_it_begins_with_the_first_pod(self) -> None:
        found = replayed(Past([pod(ready=5)]))
        assert (found.evaluations[0].at, found.summary.evaluations) == (at(5), 101)

    def test_pods_that_are_not_scraped_hold_everything(self) -> None:
        found = replayed(Past([pod(silent=(at(9), at(21)))], acceptance=falling(10, 20)))
        assert decided(found) == []
        assert reasons(found, EntryKind.EVENT) == ["MetricsUnavailable", "MetricsRecovered"]
        assert found.summary.unknown == pytest.approx(48 / 121)

    def test_another_number_of_pods_is_no_roll(self) -> None:
        past = Past([pod(), pod("chat-5f7c9d-ccccc", 8, 15)], acceptance=falling(14))
        assert decided(replayed(past)) == [(at(14.25), "no-speculation", "Started")]


class TestOtherSpecs:
    def test_another_threshold_on_the_same_recording(self) -> None:
        recording = recorded(Past([pod()], acceptance=lambda _: 0.6))
        decisions = [
            len(replay(recording, subject(policy=POLICY | {"acceptance": {"disableBelowPercent": percent}})).decisions)
            for percent in (50, 70)
        ]
        assert decisions == [0, 1]

    @pytest.mark.parametrize(
        ("policy", "message"),
        [
            (
                {"acceptance": {"minAcceptanceLength": "1.8"}},
                f"the recording lacks what acceptance lengths are computed from; {AGAIN}",
            ),
            (
                {"window": {"short": "1m", "long": "10m"}},
                f"the recording lacks a window of 600s; {AGAIN}",
            ),
            (
                {"objectives": [{"metric": "Ttft", "threshold": "500ms"}]},
                f"the recording lacks the Ttft bucket of 500ms; {AGAIN}",
            ),
        ],
    )
    def test_what_was_not_recorded(self, policy: dict[str, object], message: str) -> None:
        with pytest.raises(RecordingError) as caught:
            replay(recorded(Past([pod()])), subject(policy=POLICY | policy))
        assert str(caught.value) == message

    def test_another_release_of_the_engine(self) -> None:
        with pytest.raises(RecordingError, match=r"^the recording lacks the series of vLLM 0\.10\.0; record again"):
            replay(recorded(Past([pod()])), subject(engine={"version": "0.10.0"}, policy={"window": POLICY["window"]}))

    def test_a_query_that_another_version_asked(self) -> None:
        found = recorded(Past([pod()]))
        lacking = replace(found, tables=dict(list(found.tables.items())[1:]))
        with pytest.raises(RecordingError, match=r"^the recording lacks the query max by .*; record it again"):
            replay(lacking, subject())

    def test_a_resource_that_was_not_recorded(self) -> None:
        with pytest.raises(NothingRecorded) as caught:
            replay(recorded(Past([pod()])), subject("code"))
        assert str(caught.value) == "the recording holds no pod of prod/code, but of prod/chat; choose one of these"

    def test_pods_that_no_variant_fits(self) -> None:
        with pytest.raises(NothingRecorded, match=f"^left out, .*: {STABLE}; say in --pods what they run$"):
            replay(recorded(Past([pod()])), subject(speculation={"method": "None"}))

    def test_a_recording_that_ends_before_a_pod_is_ready(self) -> None:
        found = recorded(Past([pod()]))
        late = replace(found, pods=(replace(found.pods[0], ready=at(40)),))
        with pytest.raises(NothingRecorded, match="ends before its first pod is ready"):
            replay(late, subject())


def test_a_replay_of_the_same_recording_is_the_same() -> None:
    recording = recorded(Past([pod()], acceptance=falling(10, 20)))
    assert replay(recording, subject()) == replay(recording, subject())


def test_progress_is_told_evaluation_by_evaluation() -> None:
    told: list[float] = []
    replay(recorded(Past([pod()]), minutes=1), subject(), told.append)
    assert told == [0.2, 0.4, 0.6, 0.8, 1.0]
