"""Errors of the engine package."""

__all__ = ["EngineError"]


class EngineError(Exception):
    """Base of everything this package raises."""
