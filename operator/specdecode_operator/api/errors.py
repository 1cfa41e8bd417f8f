"""Errors of the api package."""

__all__ = ["ApiError", "InvalidResource"]


class ApiError(Exception):
    """Base of everything this package raises."""


class InvalidResource(ApiError):
    """A resource that the models refuse; the message is one sentence that names field, value and fix."""
