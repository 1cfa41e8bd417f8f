"""Errors of the sizing package."""

__all__ = ["SizingError", "UnreadableConfig"]


class SizingError(Exception):
    """Base of everything this package raises."""


class UnreadableConfig(SizingError):
    """A `config.json` without the shape of a language model; the message names the model, the key and its value."""
