"""Errors of the workload package."""

__all__ = ["InvalidPodTemplate", "WorkloadError"]


class WorkloadError(Exception):
    """Base of everything this package raises."""


class InvalidPodTemplate(WorkloadError):
    """A `podTemplate` that cannot be merged; the message names the field and the fix."""
