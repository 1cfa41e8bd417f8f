"""A variant to its child objects, as plain manifests. Pure."""

from specdecode_operator.workload.children import children
from specdecode_operator.workload.errors import InvalidPodTemplate, WorkloadError
from specdecode_operator.workload.strategy import replaces

__all__ = ["InvalidPodTemplate", "WorkloadError", "children", "replaces"]
