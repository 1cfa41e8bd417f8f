"""Errors of the engine package."""

__all__ = ["EngineError", "UnsupportedConfig"]


class EngineError(Exception):
    """Base of everything this package raises."""


class UnsupportedConfig(EngineError):
    """A configuration that this version of vLLM cannot run; the message names the field and the fix."""
