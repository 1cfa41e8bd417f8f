"""Events on the resource: what `kubectl describe` and `kubectl get events` show."""

import hashlib
from datetime import datetime

import structlog

from specdecode_operator.api.names import API_VERSION, FIELD_MANAGER, KIND
from specdecode_operator.clients import Kubernetes, KubernetesError, Manifest
from specdecode_operator.policy import Note, timestamp

__all__ = ["post"]

_LONGEST_MESSAGE = 1000
_logger = structlog.get_logger(__name__)


async def post(kubernetes: Kubernetes, body: Manifest, note: Note, now: datetime) -> None:
    """Post `note` about the resource in `body`. A failure is logged: an Event explains, it does not decide."""
    try:
        await kubernetes.create(_event(body, note, now))
    except KubernetesError as error:
        _logger.warning("event not posted", reason=note.reason, error=str(error))


def _event(body: Manifest, note: Note, now: datetime) -> Manifest:
    metadata = body["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    suffix = hashlib.sha256(f"{metadata['uid']}{note.reason}{now.isoformat()}".encode()).hexdigest()[:12]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{suffix}", "namespace": namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "namespace": namespace,
            "name": name,
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
        },
        "type": note.severity,
        "reason": note.reason,
        "message": note.message[:_LONGEST_MESSAGE],
        "action": note.reason,
        "firstTimestamp": timestamp(now),
        "lastTimestamp": timestamp(now),
        "count": 1,
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": f"specdecode.dev/{FIELD_MANAGER}",
        "reportingInstance": FIELD_MANAGER,
    }
