"""Errors of the controller package."""

__all__ = ["ControllerError", "InvalidSettings"]


class ControllerError(Exception):
    """Base of everything this package raises."""


class InvalidSettings(ControllerError):
    """Settings that cannot be used; the message names the setting and the fix."""
