"""Kubernetes and Prometheus, with typed errors."""

from specdecode_operator.clients.errors import (
    ClientError,
    Conflict,
    Forbidden,
    KubernetesError,
    NotFound,
    PrometheusError,
    Rejected,
    Unavailable,
)
from specdecode_operator.clients.kubernetes import Kubernetes, Manifest, in_cluster, kind_path, type_of
from specdecode_operator.clients.prometheus import Connection, Moments, Prometheus, Series

__all__ = [
    "ClientError",
    "Conflict",
    "Connection",
    "Forbidden",
    "Kubernetes",
    "KubernetesError",
    "Manifest",
    "Moments",
    "NotFound",
    "Prometheus",
    "PrometheusError",
    "Rejected",
    "Series",
    "Unavailable",
    "in_cluster",
    "kind_path",
    "type_of",
]
