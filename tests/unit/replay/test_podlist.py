"""The pods of a recording, as a file that a person corrects."""

from pathlib import Path

import pytest

from specdecode_operator.replay import RecordedPod, RecordingError, read_pods
from specdecode_operator.replay.podlist import write_pods
from support.recordings import at

HEAD = "namespace,resource,pod,role,variant,hash,speculating,ready,gone\n"
PODS = (
    RecordedPod("prod", "chat", "chat-1-aaaaa", at(0), at(5), speculating=True),
    RecordedPod("prod", "chat", "chat-trial-1-bbbbb", at(2), trial=True, variant="fp8", variant_hash="0a1b2c3d4e"),
)


def test_pods_come_back(tmp_path: Path) -> None:
    write_pods(tmp_path / "pods.csv", PODS)
    assert read_pods(tmp_path / "pods.csv") == PODS


def test_times_of_other_zones_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "pods.csv"
    path.write_text(HEAD + "prod,chat,a,stable,,,no,2026-03-01T13:00:00+01:00,\n")
    assert read_pods(path)[0].ready == at(0)


@pytest.mark.parametrize(
    "line",
    [
        "prod,chat,a,leader,,,no,2026-03-01T12:00:00Z,",
        "prod,chat,a,stable,,,maybe,2026-03-01T12:00:00Z,",
        "prod,chat,a,stable,,,no,yesterday,",
        "prod,chat,a,stable,,,no,2026-03-01T12:00:00,",
        "prod,chat,a,stable,,,no,2026-03-01T12:00:00Z,never",
        "prod,chat,a",
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "pods.csv"
    path.write_text(HEAD + line + "\n")
    with pytest.raises(RecordingError, match=r"pods\.csv, line 2: role is stable or trial, speculating yes or no"):
        read_pods(path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "pods.csv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RecordingError, match=r"pods\.csv is no table of pods"):
        read_pods(path)
