"""The pods of a recording as a CSV file, which a person may correct."""

import csv
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from specdecode_operator.policy import timestamp
from specdecode_operator.replay.errors import RecordingError
from specdecode_operator.replay.recording import RecordedPod

__all__ = ["read_pods", "write_pods"]

_ROLES: Final = {"stable": False, "trial": True}
_ANSWERS: Final = {"yes": True, "no": False}
_COLUMNS: Final = ("namespace", "resource", "pod", "role", "variant", "hash", "speculating", "ready", "gone")


def write_pods(path: Path, pods: Iterable[RecordedPod]) -> None:
    """Write `pods`, one a line."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        rows.writeheader()
        rows.writerows(map(_row, pods))


def read_pods(path: Path) -> tuple[RecordedPod, ...]:
    """Return the pods in the file; raise `RecordingError` with one sentence where it cannot be read."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.DictReader(file, strict=True)
            if tuple(lines.fieldnames or ()) != _COLUMNS:
                raise RecordingError(f"{path} has other columns than {', '.join(_COLUMNS)}; correct its first line")
            return tuple(_pod(path, number, line) for number, line in enumerate(lines, 2))
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, csv.Error) as error:
        raise RecordingError(f"{path} is no table of pods ({error}); record again") from None


def _row(pod: RecordedPod) -> dict[str, str]:
    return {
        "namespace": pod.namespace,
        "resource": pod.resource,
        "pod": pod.name,
        "role": "trial" if pod.trial else "stable",
        "variant": pod.variant or "",
        "hash": pod.variant_hash or "",
        "speculating": "yes" if pod.speculating else "no",
        "ready": timestamp(pod.ready),
        "gone": timestamp(pod.gone) if pod.gone else "",
    }


def _pod(path: Path, number: int, line: Mapping[str, str]) -> RecordedPod:
    try:
        return RecordedPod(
            namespace=line["namespace"],
            resource=line["resource"],
            name=line["pod"],
            ready=_moment(line["ready"]),
            gone=_moment(line["gone"]) if line["gone"] else None,
            speculating=_ANSWERS[line["speculating"]],
            trial=_ROLES[line["role"]],
            variant=line["variant"] or None,
            variant_hash=line["hash"] or None,
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        raise RecordingError(
            f"{path}, line {number}: role is stable or trial, speculating yes or no, ready and gone are times such as"
            " 2026-03-01T12:00:00Z"
        ) from None


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found
