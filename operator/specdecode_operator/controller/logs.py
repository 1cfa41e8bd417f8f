"""Structured logs: one JSON object a line, for our own and for the libraries' messages."""

import logging
import sys

import structlog
from structlog.typing import Processor

from specdecode_operator.controller.settings import Settings

__all__ = ["configure"]

_QUIET = ("kopf", "aiohttp", "urllib3", "kubernetes", "prometheus_api_client")


def configure(settings: Settings) -> None:
    """Send all log records through structlog to standard error."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _route(_formatter(settings, shared), settings.log_level)


def _formatter(settings: Settings, shared: list[Processor]) -> logging.Formatter:
    json = settings.log_format == "json"
    last: Processor = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer()
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            last,
        ],
    )


def _route(formatter: logging.Formatter, level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
