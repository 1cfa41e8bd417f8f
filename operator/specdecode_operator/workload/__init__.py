"""A variant to its child objects, as plain manifests. Pure."""

from specdecode_operator.workload.children import Layout, children
from specdecode_operator.workload.errors import InvalidPodTemplate, WorkloadError
from specdecode_operator.workload.facts_job import FactsJobOptions, Source, digest, facts_job, facts_labels, sources
from specdecode_operator.workload.strategy import replaces

__all__ = [
    "FactsJobOptions",
    "InvalidPodTemplate",
    "Layout",
    "Source",
    "WorkloadError",
    "children",
    "digest",
    "facts_job",
    "facts_labels",
    "replaces",
    "sources",
]
