"""What is asked for a recording, and what of the answers is kept."""

import asyncio
from dataclasses import replace

import pytest

from specdecode_operator.clients import PrometheusError
from specdecode_operator.policy import Scope
from specdecode_operator.replay import Grid, NothingRecorded, Recorded, RecordedPod, collect
from support.builders import NOW, spec_of
from support.past_prometheus import Past
from support.recordings import AFTER, POLICY, STABLE, at, falling, pod, recorded


def kept(name: str = STABLE, ready: float = -6, gone: float | None = None, **changes: object) -> RecordedPod:
    found = RecordedPod("prod", "chat", name, at(ready), None if gone is None else at(gone), speculating=True)
    return replace(found, **changes)  # type: ignore[arg-type]


class TestPods:
    def test_one_that_was_there_before_is_old_enough_to_count(self) -> None:
        assert recorded(Past([pod()])).pods == (kept(ready=-6),)

    def test_one_that_came_shortly_before(self) -> None:
        assert recorded(Past([pod(ready=-2)])).pods == (kept(ready=-2),)

    def test_one_that_comes_and_goes(self) -> None:
        assert recorded(Past([pod(ready=5, gone=10)])).pods == (kept(ready=5, gone=10),)

    def test_one_that_went_before_the_recording(self) -> None:
        assert [found.name for found in recorded(Past([pod(gone=-1), pod(AFTER)])).pods] == [AFTER]

    def test_a_hole_in_the_scrapes_is_no_end(self) -> None:
        assert recorded(Past([pod(silent=(at(5), at(9)))])).pods == (kept(),)

    def test_one_without_speculation_counters(self) -> None:
        assert recorded(Past([pod(speculating=False)])).pods == (kept(speculating=False),)

    def test_a_trial_is_told_by_its_name(self) -> None:
        past = Past([pod(), pod("chat-trial-5f7c9d-ccccc", ready=5)])
        assert [(found.name, found.trial) for found in recorded(past).pods] == [
            (STABLE, False),
            ("chat-trial-5f7c9d-ccccc", True),
        ]


class TestChoice:
    @pytest.mark.parametrize(
        "stranger",
        [
            pod("code-5f7c9d-aaaaa"),
            pod("chat-code-5f7c9d-aaaaa"),
            pod("chat-5f7c9d"),
            pod("xchat-5f7c9d-aaaaa"),
            pod(STABLE, namespace="staging"),
        ],
    )
    def test_nothing_of_other_pods_is_kept(self, stranger: object) -> None:
        alone, beside = recorded(Past([pod()])), recorded(Past([pod(), stranger]))  # type: ignore[list-item]
        assert beside == alone

    def test_pods_that_the_operator_did_not_make(self) -> None:
        found = recorded(Past([pod("vllm-7"), pod()]), pods="vllm-[0-9]+")
        assert [one.name for one in found.pods] == ["vllm-7"]

    @pytest.mark.parametrize("past", [Past(), Past([pod("other")]), Past([pod(ready=31)])])
    def test_nothing_at_all(self, past: Past) -> None:
        with pytest.raises(NothingRecorded, match=r"^Prometheus has no samples of pods of prod/chat in that time"):
            recorded(past)


class TestQueries:
    def test_pieces_are_short_enough_for_prometheus(self) -> None:
        past = Past([pod()])
        found = recorded(past, minutes=300)
        lengths = [(moments.end - moments.start).total_seconds() / moments.step + 1 for moments in past.asked]
        assert lengths == [24, *[500, 500, 201] * 2]
        assert found.grid.count == 1201

    def test_pieces_join_without_a_seam(self) -> None:
        past = Past([pod()], acceptance=falling(100, 200))
        whole = recorded(past, minutes=300)
        parts = [recorded(past, minutes=0.25, start=start) for start in (125, 125.5, 250)]
        for part in parts:
            first = whole.grid.index(part.grid.start.timestamp())
            assert first is not None
            for text, table in part.tables.items():
                same = {labels: column[first : first + 2] for labels, column in whole.tables[text].items()}
                assert same == table

    def test_only_the_namespace_of_the_resources_is_asked_about(self) -> None:
        assert all('namespace="prod"' in text for text in recorded(Past([pod()])).tables)

    def test_resources_of_two_namespaces_and_the_windows_of_both(self) -> None:
        slow = POLICY | {"window": {"short": "2m", "long": "10m"}}
        resources = [
            Recorded("prod", "chat", spec_of(policy=POLICY)),
            Recorded("test", "chat", spec_of(policy=slow)),
        ]
        past = Past([pod(), pod(AFTER, namespace="test")])
        found = asyncio.run(collect(past, resources, Grid(NOW, 15, 4), scope=Scope(), scrape_interval=15.0))
        assert found.demand.windows == {60.0, 120.0, 300.0, 600.0}
        assert [(one.namespace, one.name) for one in found.pods] == [("prod", STABLE), ("test", AFTER)]
        assert not any("namespace=" in text for text in found.tables)

    def test_a_failure_is_passed_on(self) -> None:
        with pytest.raises(PrometheusError, match="status 503"):
            recorded(Past([pod()], failure=PrometheusError("status 503")))

    def test_progress_is_told_piece_by_piece(self) -> None:
        told: list[float] = []
        resources = [Recorded("prod", "chat", spec_of(policy=POLICY))]
        grid = Grid(NOW, 15, 1000)
        asyncio.run(collect(Past([pod()]), resources, grid, scope=Scope(), scrape_interval=15.0, progress=told.append))
        assert told == pytest.approx([1 / 30, 2 / 30, 3 / 30, 0.55, 1.0])
