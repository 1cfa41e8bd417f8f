"""A recording as a directory: what is in it, that it comes back as it was, and what is said of a broken one."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specdecode_operator.replay import Recording, RecordingError, read, write
from specdecode_operator.replay.recording import Column, Table
from support.past_prometheus import Past
from support.recordings import AFTER, STABLE, falling, pod, recorded

TABLES = [
    "age",
    "buckets-300s-Tpot",
    "buckets-60s-Tpot",
    *[f"counter-{seconds}s-{name}" for seconds in (300, 60) for name in ("accepted_tokens", "draft_tokens", "drafts")],
    "counter-60s-preemptions",
    *[f"mean-60s-{name}" for name in ("kv_cache_usage", "running", "waiting")],
    "peak-60s-kv_cache_usage",
    "requests-300s",
    "requests-60s",
    "scrapes-300s",
    "scrapes-60s",
    "targets",
]
FILES = sorted([*(f"{name}.csv" for name in TABLES), "pods.csv", "recording.json"])


@pytest.fixture(scope="module")
def recording() -> Recording:
    past = Past([pod(gone=0.75), pod(AFTER, 0.5, speculating=False)], acceptance=falling(0.5))
    return recorded(past, minutes=1)


@pytest.fixture
def folder(recording: Recording, tmp_path: Path) -> Path:
    write(recording, tmp_path / "chat")
    return tmp_path / "chat"


class TestContents:
    def test_one_file_a_query(self, folder: Path) -> None:
        assert sorted(path.name for path in folder.iterdir()) == FILES

    def test_a_line_a_moment_and_a_column_a_series(self, folder: Path) -> None:
        assert (folder / "counter-60s-accepted_tokens.csv").read_text().splitlines() == [
            f"time,namespace=prod pod={STABLE}",
            "2026-03-01T12:00:00Z,8000",
            "2026-03-01T12:00:15Z,8000",
            "2026-03-01T12:00:30Z,3000",
            "2026-03-01T12:00:45Z,",
            "2026-03-01T12:01:00Z,",
        ]

    def test_buckets_are_told_apart(self, folder: Path) -> None:
        header = (folder / "buckets-60s-Tpot.csv").read_text().splitlines()[0].split(",")
        assert header == [
            "time",
            f"le=+Inf namespace=prod pod={STABLE}",
            f"le=+Inf namespace=prod pod={AFTER}",
            f"le=0.05 namespace=prod pod={STABLE}",
            f"le=0.05 namespace=prod pod={AFTER}",
        ]

    def test_the_pods(self, folder: Path) -> None:
        assert (folder / "pods.csv").read_text().splitlines() == [
            "namespace,resource,pod,role,variant,hash,speculating,ready,gone",
            f"prod,chat,{STABLE},stable,,,yes,2026-03-01T11:54:00Z,2026-03-01T12:00:45Z",
            f"prod,chat,{AFTER},stable,,,no,2026-03-01T12:00:30Z,",
        ]

    def test_the_manifest(self, folder: Path) -> None:
        found = json.loads((folder / "recording.json").read_text())
        tables = found.pop("tables")
        assert found.pop("madeBy").startswith("specdecode ")
        assert found == {
            "format": "specdecode-recording",
            "formatVersion": 1,
            "start": "2026-03-01T12:00:00Z",
            "end": "2026-03-01T12:01:00Z",
            "stepSeconds": 15,
            "scrapeIntervalSeconds": 15.0,
            "resources": ["prod/chat"],
            "scope": {"namespaceLabel": "namespace", "podLabel": "pod", "matchers": {"namespace": "prod"}},
            "demand": {
                "windows": [60.0, 300.0],
                "edges": {"Tpot": [0.05]},
                "covered": [],
                "loads": [60.0],
                "lengths": False,
                "versions": [{"major": 0, "minor": 33, "patch": 0}],
            },
            "arms": {"windows": [], "pods": []},
        }
        assert sorted(entry["file"] for entry in tables) == sorted(set(FILES) - {"recording.json", "pods.csv"})
        assert all("vllm:" in entry["query"] for entry in tables)

    def test_the_same_recording_is_the_same_directory(self, recording: Recording, tmp_path: Path) -> None:
        for name in ("a", "b"):
            write(recording, tmp_path / name)
        for name in FILES:
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


class TestRoundTrip:
    def test_a_recording_comes_back(self, recording: Recording, folder: Path) -> None:
        assert read(folder) == recording

    @pytest.mark.parametrize("value", [0.1 + 0.2, 1e-300, 1e300, math.inf, -math.inf, -0.0, 5.0, 1234567890123.25])
    def test_every_number_comes_back(self, recording: Recording, tmp_path: Path, value: float) -> None:
        text = next(iter(recording.tables))
        column: Column = [value, None, value, None, None]
        tables: dict[str, Table] = {**recording.tables, text: {(("pod", "a b=c,d\n%"),): column}}
        write(replace(recording, tables=tables), tmp_path / "chat")
        assert read(tmp_path / "chat").tables[text] == {(("pod", "a b=c,d\n%"),): column}

    def test_what_is_no_number_comes_back(self, recording: Recording, tmp_path: Path) -> None:
        text = next(iter(recording.tables))
        nothing: Column = [math.nan, None, None, None, None]
        tables: dict[str, Table] = {**recording.tables, text: {(("pod", "a"),): nothing}}
        write(replace(recording, tables=tables), tmp_path / "chat")
        column = read(tmp_path / "chat").tables[text][("pod", "a"),]
        assert column[0] is not None
        assert math.isnan(column[0])


def edited(**changes: Any) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "recording.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return edit


def written(name: str, text: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        (folder / name).write_text(text)

    return edit


def cut(name: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[:-1])

    return edit


def short(name: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        lines = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(lines[:-1]))

    return edit


def long(name: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        text = (folder / name).read_text()
        (folder / name).write_text(text + text.splitlines(keepends=True)[-1])

    return edit


def gone(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


BROKEN: list[tuple[Callable[[Path], None], str]] = [
    (gone("recording.json"), "chat holds no recording.json; name a directory of specdecode record"),
    (written("recording.json", "{"), "recording.json is no JSON; record again"),
    (written("recording.json", "[" * 100_000), "recording.json is no JSON; record again"),
    (
        written("recording.json", "[]"),
        "recording.json is no recording of specdecode; name a directory of specdecode record",
    ),
    (edited(format="tar"), "recording.json is no recording of specdecode; name a directory of specdecode record"),
    (
        edited(formatVersion=2, madeBy="specdecode 9"),
        "this specdecode reads 1; replay it with the version that made it (specdecode 9) or record again",
    ),
    (edited(stepSeconds="often"), "recording.json: stepSeconds: input should be a valid integer,"),
    (
        edited(stepSeconds=0),
        "recording.json: start, end, stepSeconds and scrapeIntervalSeconds do not fit; record again",
    ),
    (
        edited(start="2026-03-01T12:00:00"),
        "recording.json: start, end, stepSeconds and scrapeIntervalSeconds do not fit;",
    ),
    (edited(start="2027-03-01T12:00:00Z"), "recording.json: start, end, stepSeconds and scrapeIntervalSeconds do not"),
    (edited(end="9999-03-01T12:00:00Z"), "recording.json: more than 10,000,000 moments; record a shorter time"),
    (edited(surprise=1), "recording.json: surprise: extra inputs are not permitted; record again"),
    (
        edited(tables=[{"file": "../age.csv", "query": "up"}]),
        "recording.json names the file ../age.csv, which is not in the directory; record again",
    ),
    (gone("age.csv"), "age.csv is missing; copy the whole directory or record again"),
    (cut("age.csv"), "age.csv is broken or cut off (its last line has no end); copy it anew or record again"),
    (short("age.csv"), "age.csv is broken or cut off (no complete line for 2026-03-01T12:01:00Z); copy it anew"),
    (long("age.csv"), "age.csv is broken or cut off (more lines than moments); copy it anew or record again"),
    (written("age.csv", "at\n"), "age.csv is broken or cut off (its first column is not the time); copy it anew"),
    (written("age.csv", "time\n"), "age.csv is broken or cut off (no complete line for 2026-03-01T12:00:00Z); copy it"),
    (written("age.csv", '"'), "age.csv is broken or cut off ("),
    (gone("pods.csv"), "pods.csv cannot be read: No such file or directory"),
    (written("pods.csv", "pod\n"), "pods.csv has other columns than namespace, resource, pod, role,"),
]


class TestBroken:
    @pytest.mark.parametrize(("breaking", "message"), BROKEN)
    def test_one_sentence_with_the_fix(self, folder: Path, breaking: Callable[[Path], None], message: str) -> None:
        breaking(folder)
        with pytest.raises(RecordingError) as caught:
            read(folder)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_cell_that_is_no_number(self, folder: Path) -> None:
        path = folder / "age.csv"
        path.write_text(path.read_text().replace(",1,", ",one,"))
        with pytest.raises(RecordingError, match=r"age.csv is broken or cut off \(could not convert"):
            read(folder)

    def test_nothing_is_written_over(self, recording: Recording, folder: Path) -> None:
        with pytest.raises(RecordingError, match="is not empty; name a directory that is new"):
            write(recording, folder)

    def test_a_place_that_cannot_be_written(self, recording: Recording, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(RecordingError, match="cannot be written: Not a directory"):
            write(recording, tmp_path / "file" / "chat")
