"""What the operator would have decided on recorded metrics."""

from specdecode_operator.replay.collect import collect
from specdecode_operator.replay.errors import NothingRecorded, RecordingError, ReplayError
from specdecode_operator.replay.files import FORMAT_VERSION, read, write
from specdecode_operator.replay.grid import Grid
from specdecode_operator.replay.labels import labelled
from specdecode_operator.replay.loop import Subject, replay
from specdecode_operator.replay.podlist import read_pods
from specdecode_operator.replay.recording import RecordedPod, Recording
from specdecode_operator.replay.result import Entry, EntryKind, Evaluation, Replay, Summary
from specdecode_operator.replay.taking import Recorded

__all__ = [
    "FORMAT_VERSION",
    "Entry",
    "EntryKind",
    "Evaluation",
    "Grid",
    "NothingRecorded",
    "Recorded",
    "RecordedPod",
    "Recording",
    "RecordingError",
    "Replay",
    "ReplayError",
    "Subject",
    "Summary",
    "collect",
    "labelled",
    "read",
    "read_pods",
    "replay",
    "write",
]
