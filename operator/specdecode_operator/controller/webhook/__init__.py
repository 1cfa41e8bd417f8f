"""The validating webhook: pre-flight's answer before a resource is stored."""

from collections.abc import Callable
from datetime import datetime
from typing import Self

import structlog

from specdecode_operator.clients import Kubernetes
from specdecode_operator.controller.errors import WebhookStopped
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.settings import Settings
from specdecode_operator.controller.webhook.identity import Identity
from specdecode_operator.controller.webhook.server import WebhookServer
from specdecode_operator.controller.webhook.sources import Files, Place, SelfSigned, Source

__all__ = ["Webhook"]

_logger = structlog.get_logger(__name__)


class Webhook:
    """The server with its certificate, as the settings ask for it; enter it to serve, and leave it to stop."""

    def __init__(
        self, settings: Settings, kubernetes: Kubernetes, metrics: Metrics, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._identity = Identity()
        self._source = _source(settings, kubernetes, (self._identity, metrics), clock)
        self._server: WebhookServer | None = None

    @property
    def pause(self) -> float:
        """Seconds between two calls of `renew`."""
        return self._source.pause

    async def renew(self) -> None:
        """Bring the certificate up to date; raise `WebhookStopped` where nobody serves it any more."""
        if self._server is not None and not self._server.alive:
            raise WebhookStopped("the webhook's server has ended by itself")
        await self._source.renew()

    async def __aenter__(self) -> Self:
        await self.renew()
        address, port = self._settings.listen_address, self._settings.webhook.listen_port
        self._server = WebhookServer(address, port, self._identity, self._metrics)
        self._server.start()
        _logger.info("webhook serves", port=self._server.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.stop()


def _source(
    settings: Settings, kubernetes: Kubernetes, shown: tuple[Identity, Metrics], clock: Callable[[], datetime]
) -> Source:
    asked = settings.webhook
    if asked.certificate == "Files" and asked.cert_file is not None and asked.key_file is not None:
        return Files(asked.cert_file, asked.key_file, *shown)
    place = Place(asked.namespace, asked.secret_name, asked.configuration_name)
    return SelfSigned(kubernetes, place, (f"{asked.service_name}.{asked.namespace}.svc",), shown, clock)
