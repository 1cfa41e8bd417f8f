"""Errors of the clients package."""

__all__ = [
    "ClientError",
    "Conflict",
    "EngineUnreachable",
    "Forbidden",
    "KubernetesError",
    "NotFound",
    "PrometheusError",
    "Rejected",
    "Unavailable",
]


class ClientError(Exception):
    """Base of everything this package raises."""


class KubernetesError(ClientError):
    """The API server did not do what was asked."""


class NotFound(KubernetesError):
    """The object, or its kind, does not exist."""


class Conflict(KubernetesError):
    """The object was changed since it was read; read it again."""


class Rejected(KubernetesError):
    """The API server refuses the object; trying again will not help. The message is the server's."""


class Forbidden(Rejected):
    """The operator lacks a right, or a quota or admission rule says no."""


class Unavailable(KubernetesError):
    """The API server cannot be reached or asks to wait; try again."""


class PrometheusError(ClientError):
    """No usable answer. The message never holds a response's body or a credential."""


class EngineUnreachable(ClientError):
    """An engine gives no usable answer. The message never holds a response's body."""
