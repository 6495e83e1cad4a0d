"""Structured logs: one JSON object a line on standard output, with tenant and correlation id, never a body or a secret."""

import logging
import logging.config
from collections.abc import MutableMapping
from typing import Any

import structlog

from e2a.observability.correlation import correlation_id


def add_correlation(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if identity := correlation_id.get():
        event.setdefault("correlation_id", identity)
    return event


def configure(*, level: str, service: str, console: bool) -> dict[str, Any]:
    """Configures structlog and returns Django's LOGGING, so that both write the same lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        add_correlation,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = structlog.dev.ConsoleRenderer(colors=False) if console else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
        "foreign_pre_chain": [*shared, structlog.stdlib.add_logger_name],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"}},
        "root": {"handlers": ["out"], "level": level},
        "loggers": {
            "django.request": {"level": "ERROR"},
            "django.server": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "daphne": {"level": "WARNING"},
        },
    }
