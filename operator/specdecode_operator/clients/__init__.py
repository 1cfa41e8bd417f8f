"""Kubernetes, Prometheus and the engines, with typed errors."""

from specdecode_operator.clients.engine import Engines
from specdecode_operator.clients.errors import (
    ClientError,
    Conflict,
    EngineUnreachable,
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
    "EngineUnreachable",
    "Engines",
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
