"""A recording as a directory of plain files: one JSON file, and tables that a spreadsheet opens and `diff` compares.

`recording.json` says what was asked and when; each query's answers are one CSV file with a line a moment and a column
a series; `pods.csv` lists the pods.
"""

import csv
import dataclasses
import json
import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from specdecode_operator import __version__
from specdecode_operator.policy import ArmQuery, Demand, Query, Scope, timestamp
from specdecode_operator.policy.trials.arms import Figure
from specdecode_operator.replay.errors import RecordingError
from specdecode_operator.replay.grid import Grid
from specdecode_operator.replay.podlist import read_pods, write_pods
from specdecode_operator.replay.recording import Arms, Labels, Recording, Table

__all__ = ["FORMAT_VERSION", "read", "write"]

FORMAT_VERSION: Final = 1
"""Of the directory; another one is refused."""

_FORMAT: Final = "specdecode-recording"
_MANIFEST: Final = "recording.json"
_PODS: Final = "pods.csv"
_TIME: Final = "time"
_SAFE: Final = "+/:.-_"
_MOST_MOMENTS: Final = 10_000_000


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


class _File(_Part):
    file: str
    query: str


class _Manifest(_Part):
    format: str
    format_version: int
    made_by: str
    start: datetime
    end: datetime
    step_seconds: int
    scrape_interval_seconds: float
    resources: list[str]
    scope: Scope
    demand: Demand
    arms: Arms
    tables: list[_File]


def write(recording: Recording, folder: Path) -> None:
    """Write `recording` into `folder`, which is made; raise `RecordingError` where something is in it already."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RecordingError(f"{folder} is not empty; name a directory that is new")
        names = _file_names([*recording.asked, *recording.asked_of_arms])
        for query, name in names.items():
            _write_table(folder / name, recording.grid, recording.tables.get(query, {}))
        write_pods(folder / _PODS, recording.pods)
        text = json.dumps(_manifest(recording, names), indent=2, ensure_ascii=False)
        (folder / _MANIFEST).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise RecordingError(f"{folder} cannot be written: {error.strerror}") from None


def read(folder: Path) -> Recording:
    """Return the recording in `folder`; raise `RecordingError` with one sentence where it is none or broken."""
    manifest = _read_manifest(folder / _MANIFEST)
    grid = Grid.between(manifest.start, manifest.end, manifest.step_seconds)
    return Recording(
        grid=grid,
        scrape_interval=manifest.scrape_interval_seconds,
        scope=manifest.scope,
        demand=manifest.demand,
        tables={entry.query: _read_table(folder, entry.file, grid) for entry in manifest.tables},
        pods=read_pods(folder / _PODS),
        arms=manifest.arms,
    )


def _file_names(asked: Sequence[Query | ArmQuery]) -> dict[str, str]:
    """Return a file name for the text of every query, made of what the query says of itself."""
    names: dict[str, str] = {}
    for query in asked:
        words = _words(query) if isinstance(query, Query) else _arm_words(query)
        stem = "-".join(_word(word) for word in words if word not in (None, 0.0, ""))
        taken = sum(name.removesuffix(".csv").split("~")[0] == stem for name in names.values())
        names[query.text] = f"{stem}~{taken + 1}.csv" if taken else f"{stem}.csv"
    return names


def _words(meant: Query | Figure) -> list[object]:
    return [getattr(meant, field.name) for field in dataclasses.fields(meant) if field.name != "text"]


def _arm_words(query: ArmQuery) -> list[object]:
    return ["arm", *_words(query.figure), "batches" if query.batched else None]


def _word(value: object) -> str:
    return f"{value:g}s" if isinstance(value, float) else quote(str(value), safe="_")


def _manifest(recording: Recording, names: dict[str, str]) -> dict[str, Any]:
    found = _Manifest(
        format=_FORMAT,
        format_version=FORMAT_VERSION,
        made_by=f"specdecode {__version__}",
        start=recording.grid.start,
        end=recording.grid.end,
        step_seconds=recording.grid.step,
        scrape_interval_seconds=recording.scrape_interval,
        resources=sorted({f"{pod.namespace}/{pod.resource}" for pod in recording.pods}),
        scope=recording.scope,
        demand=recording.demand,
        arms=recording.arms,
        tables=[_File(file=name, query=query) for query, name in names.items()],
    ).model_dump(mode="json", by_alias=True)
    times = {"start": timestamp(recording.grid.start), "end": timestamp(recording.grid.end)}
    return found | times | {"demand": _sorted(found["demand"])}


def _sorted(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return `value` with its lists in order: they were sets, whose order differs from run to run."""
    if isinstance(value, dict):
        return {name: _sorted(part) for name, part in sorted(value.items())}
    return sorted(value, key=_order) if isinstance(value, list) else value


def _order(value: Any) -> Any:  # noqa: ANN401 - JSON
    return json.dumps(value) if isinstance(value, dict) else value


def _read_manifest(path: Path) -> _Manifest:
    try:
        found = json.loads(path.read_bytes())
    except OSError:
        raise RecordingError(f"{path.parent} holds no {_MANIFEST}; name a directory of specdecode record") from None
    except (ValueError, RecursionError):
        raise RecordingError(f"{path} is no JSON; record again") from None
    _check_format(path, found)
    try:
        manifest = _Manifest.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise RecordingError(f"{path}: {field}: {first['msg'].lower()}; record again") from None
    _check_times(path, manifest)
    return manifest


def _check_format(path: Path, found: object) -> None:
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise RecordingError(f"{path} is no recording of specdecode; name a directory of specdecode record")
    version = found.get("formatVersion")
    if version != FORMAT_VERSION:
        raise RecordingError(
            f"{path} has format version {version}, this specdecode reads {FORMAT_VERSION}; replay it with the version"
            f" that made it ({found.get('madeBy')}) or record again"
        )


def _check_times(path: Path, manifest: _Manifest) -> None:
    aware = manifest.start.tzinfo is not None and manifest.end.tzinfo is not None
    if not aware or manifest.end < manifest.start or manifest.step_seconds < 1 or manifest.scrape_interval_seconds <= 0:
        raise RecordingError(f"{path}: start, end, stepSeconds and scrapeIntervalSeconds do not fit; record again")
    if (manifest.end - manifest.start).total_seconds() / manifest.step_seconds > _MOST_MOMENTS:
        raise RecordingError(f"{path}: more than {_MOST_MOMENTS:,} moments; record a shorter time")


def _write_table(path: Path, grid: Grid, table: Table) -> None:
    columns = sorted(table.items())
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([_TIME, *(_header(labels) for labels, _ in columns)])
        for index in range(grid.count):
            rows.writerow([timestamp(grid.at(index)), *(_cell(column[index]) for _, column in columns)])


def _header(labels: Labels) -> str:
    return " ".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in labels)


def _labels(header: str) -> Labels:
    parts = (part.partition("=") for part in header.split(" "))
    return tuple((name, unquote(value)) for name, _, value in parts)


def _cell(value: float | None) -> str:
    """Return the value so that the same float is read again; empty where there was none."""
    if value is None:
        return ""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value).removesuffix(".0")


def _read_table(folder: Path, name: str, grid: Grid) -> Table:
    path = folder / name
    if path.name != name:
        raise RecordingError(f"{folder / _MANIFEST} names the file {name}, which is not in the directory; record again")
    try:
        lines = _lines(path.read_text(encoding="utf-8"))
        header, *rows = _rows(csv.reader(lines, strict=True), grid)
        columns = zip(*rows, strict=True)
        return {_labels(text): [_value(cell) for cell in column] for text, column in zip(header, columns, strict=True)}
    except OSError:
        raise RecordingError(f"{path} is missing; copy the whole directory or record again") from None
    except (ValueError, csv.Error) as error:
        raise RecordingError(f"{path} is broken or cut off ({error}); copy it anew or record again") from None


def _lines(text: str) -> list[str]:
    """Return the lines; one that was cut off could still be a number, but another one."""
    if not text.endswith("\n"):
        raise ValueError("its last line has no end")
    return text.splitlines(keepends=True)


def _rows(lines: Iterator[list[str]], grid: Grid) -> Iterator[list[str]]:
    """Yield the header and every line without the time, which must be the grid's."""
    first, *header = next(lines, [""])
    if first != _TIME:
        raise ValueError("its first column is not the time")
    yield header
    for index in range(grid.count):
        expected = timestamp(grid.at(index))
        time, *cells = next(lines, [""])
        if time != expected or len(cells) != len(header):
            raise ValueError(f"no complete line for {expected}")
        yield cells
    if next(lines, None) is not None:
        raise ValueError("more lines than moments")


def _value(cell: str) -> float | None:
    return float(cell) if cell else None
