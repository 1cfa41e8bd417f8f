"""Errors of the replay package."""

__all__ = ["NothingRecorded", "RecordingError", "ReplayError"]


class ReplayError(Exception):
    """Base of everything this package raises; a message is one sentence that says what to do."""


class RecordingError(ReplayError):
    """The recording cannot be read, or does not hold what the spec asks for."""


class NothingRecorded(ReplayError):
    """There is no pod of the resource in the time asked for."""
