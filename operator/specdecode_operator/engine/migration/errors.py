"""Errors of the migration package; no message repeats a value that may be a secret."""

from specdecode_operator.engine.errors import EngineError

__all__ = ["CannotMigrate", "MalformedCommand"]


class MalformedCommand(EngineError):
    """A command line that cannot be read; the message names the flag and the fix."""


class CannotMigrate(EngineError):
    """A command line that can be read, but of which no resource can be made; the message names what is missing."""
