"""Whatever was recorded, a replay ends, repeats itself and acts on nothing that is missing."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from specdecode_operator.policy import Verdict
from specdecode_operator.replay import Recording, read, replay, write
from specdecode_operator.replay.recording import Column, Labels, Table
from support.past_prometheus import Past
from support.recordings import AFTER, falling, pod, recorded, subject

MINUTES = 6
PAST = Past([pod(gone=3), pod(AFTER, 2, speculating=False)], acceptance=falling(1))
BASE = recorded(PAST, minutes=MINUTES)

cells = st.none() | st.floats() | st.sampled_from([0.0, 1.0, 24.0, 300.0, 1000.0, 10_000.0])


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    """Draw a recording some of whose columns hold anything."""
    tables: dict[str, Table] = dict(BASE.tables)
    for text in draw(st.lists(st.sampled_from(sorted(tables)), max_size=6, unique=True)):
        columns: dict[Labels, Column] = dict(tables[text])
        for labels in draw(st.lists(st.sampled_from(sorted(columns)), max_size=2, unique=True)) if columns else []:
            columns[labels] = draw(st.lists(cells, min_size=BASE.grid.count, max_size=BASE.grid.count))
        tables[text] = columns
    return replace(BASE, tables=tables)


@settings(deadline=None, max_examples=15)
@given(recordings())
def test_a_replay_ends_and_repeats_itself(recording: Recording) -> None:
    first, second = replay(recording, subject()), replay(recording, subject())
    assert repr(first) == repr(second)
    assert first.summary.evaluations == BASE.grid.count


@settings(deadline=None, max_examples=15)
@given(recordings())
def test_every_decision_rests_on_two_evaluations_in_breach(recording: Recording) -> None:
    found = replay(recording, subject())
    evaluations = {evaluation.at.strftime("%Y-%m-%dT%H:%M:%SZ"): evaluation for evaluation in found.evaluations}
    moments = list(evaluations)
    for decision in found.decisions:
        index = moments.index(decision.at)
        pair = found.evaluations[index - 1 : index + 1]
        verdicts = [{finding.signal.name: finding.verdict for finding in one.findings} for one in pair]
        assert [one[str(decision.signal)] for one in verdicts] == [Verdict.BREACH] * 2
        assert Verdict.UNKNOWN not in verdicts[-1].values()


@settings(deadline=None, max_examples=10)
@given(recordings())
def test_a_directory_holds_all_of_a_recording(recording: Recording) -> None:
    with TemporaryDirectory() as folder:
        write(recording, Path(folder) / "data")
        assert _comparable(read(Path(folder) / "data")) == _comparable(recording)


def _comparable(recording: Recording) -> dict[str, dict[Labels, list[str]]]:
    """Return the numbers as text: what is no number equals nothing."""
    return {
        text: {labels: list(map(repr, column)) for labels, column in table.items()}
        for text, table in recording.tables.items()
    }
