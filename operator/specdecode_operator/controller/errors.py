"""Errors of the controller package."""

__all__ = ["ControllerError", "InvalidSettings", "MalformedReview", "UnusableCertificate", "WebhookStopped"]


class ControllerError(Exception):
    """Base of everything this package raises."""


class InvalidSettings(ControllerError):
    """Settings that cannot be used; the message names the setting and the fix."""


class MalformedReview(ControllerError):
    """A request that is no AdmissionReview of ours; the message repeats nothing of it."""


class UnusableCertificate(ControllerError):
    """A certificate and key that no server can show; the message says why, and holds nothing of the key."""


class WebhookStopped(ControllerError):
    """The webhook's thread ended though nobody asked for it."""
