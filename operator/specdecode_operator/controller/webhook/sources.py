"""Where the certificate comes from: our own, kept in a Secret, or files that somebody else keeps."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from specdecode_operator.api.names import WEBHOOK_FIELD_MANAGER
from specdecode_operator.clients import Conflict, Kubernetes, KubernetesError, Manifest, type_of
from specdecode_operator.controller.errors import UnusableCertificate
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.webhook.certificates import Holding, advance, decoded, encoded, expiry
from specdecode_operator.controller.webhook.identity import Identity

__all__ = ["Files", "Place", "SelfSigned", "Source"]

_CONFIGURATION: Final = "ValidatingWebhookConfiguration"
_ATTEMPTS: Final = 3

_logger = structlog.get_logger(__name__)


class Source(Protocol):
    """Brings the server's certificate up to date."""

    @property
    def pause(self) -> float:
        """Seconds between two renewals."""

    async def renew(self) -> None:
        """Show what is to be shown now; what fails is logged, and tried again next time."""


class Files:
    """Files that a volume brings, such as those of cert-manager."""

    pause = 10.0

    def __init__(self, certificate: Path, key: Path, identity: Identity, metrics: Metrics) -> None:
        self._paths = (certificate, key)
        self._identity = identity
        self._metrics = metrics
        self._shown: list[bytes] = []

    async def renew(self) -> None:
        """Show the files where they have changed and can be used."""
        try:
            found = [path.read_bytes() for path in self._paths]
            if found != self._shown:
                self._show(found)
        except OSError as error:
            _logger.warning("webhook certificate not read", file=error.filename, error=type(error).__name__)
        except (UnusableCertificate, ValueError) as error:
            _logger.warning("webhook certificate not used", error=str(error))

    def _show(self, found: list[bytes]) -> None:
        until = expiry(found[0].decode())
        self._identity.show(*found)
        self._shown = found
        self._metrics.certificate_expiry.set(until.timestamp())
        _logger.info("webhook certificate shown", until=until.isoformat())


@dataclass(frozen=True)
class Place:
    """Names of the objects that the operator keeps its own certificate with."""

    namespace: str
    secret: str
    configuration: str


class SelfSigned:
    """Our own certificate, in a Secret, with its authority in the ValidatingWebhookConfiguration.

    Of several replicas one wins every write of the Secret, and the others take over what it wrote.
    """

    pause = 60.0

    def __init__(
        self,
        kubernetes: Kubernetes,
        place: Place,
        hosts: tuple[str, ...],
        shown: tuple[Identity, Metrics],
        clock: Callable[[], datetime],
    ) -> None:
        self._kubernetes = kubernetes
        self._place = place
        self._hosts = hosts
        self._identity, self._metrics = shown
        self._clock = clock
        self._shown: Holding | None = None

    async def renew(self) -> None:
        """Bring Secret, server and configuration to the stage that is due."""
        for _ in range(_ATTEMPTS):
            try:
                return await self._step()
            except Conflict:
                _logger.info("webhook certificate written by another replica")
            except (KubernetesError, UnusableCertificate) as error:
                _logger.warning("webhook certificate not renewed", error=str(error))
                return None
        return None

    async def _step(self) -> None:
        place = self._place
        secret = await self._kubernetes.get("Secret", place.namespace, place.secret)
        if secret is None:
            _logger.warning("webhook secret missing; upgrade the release to have it again", name=place.secret)
            return
        configuration = await self._kubernetes.get(_CONFIGURATION, "", place.configuration)
        held = await self._advance(secret, configuration or {})
        self._show(held)
        await self._publish(held, configuration)

    async def _advance(self, secret: Manifest, configuration: Manifest) -> Holding:
        """Return what is held from now on; it is in the Secret before anybody sees it."""
        before = decoded(secret.get("data") or {})
        waiting = before.waiting if before is not None else None
        published = waiting is not None and all(waiting.authority in bundle for bundle in _bundles(configuration))
        held = advance(before, self._hosts, self._clock(), published=published)
        if held != before:
            await self._kubernetes.replace({**type_of("Secret"), **secret, "data": encoded(held)})
            _logger.info("webhook certificate written", until=expiry(held.serving.certificate).isoformat())
        return held

    def _show(self, held: Holding) -> None:
        if self._shown is None or held.serving != self._shown.serving:
            self._identity.show(held.serving.certificate.encode(), held.serving.key.encode())
            self._metrics.certificate_expiry.set(expiry(held.serving.certificate).timestamp())
        self._shown = held

    async def _publish(self, held: Holding, configuration: Manifest | None) -> None:
        """Have the API servers trust what is held; the rest of the configuration is the release's."""
        if configuration is None:
            _logger.warning("webhook configuration missing", name=self._place.configuration)
        elif any(bundle != held.bundle for bundle in _bundles(configuration)):
            await self._kubernetes.apply(_trusting(configuration, held.bundle), manager=WEBHOOK_FIELD_MANAGER)
            _logger.info("webhook authority published", name=self._place.configuration)


def _bundles(configuration: Mapping[str, Any]) -> list[str]:
    """Return the bundle of every webhook, and an empty one where there is no webhook."""
    clients = [webhook["clientConfig"] for webhook in configuration.get("webhooks") or []]
    return [base64.b64decode(client.get("caBundle") or "").decode(errors="replace") for client in clients] or [""]


def _trusting(configuration: Manifest, bundle: str) -> Manifest:
    """Return only what is ours of the configuration."""
    encoded_bundle = base64.b64encode(bundle.encode()).decode()
    names = [webhook["name"] for webhook in configuration["webhooks"]]
    return {
        **type_of(_CONFIGURATION),
        "metadata": {"name": configuration["metadata"]["name"]},
        "webhooks": [{"name": name, "clientConfig": {"caBundle": encoded_bundle}} for name in names],
    }
