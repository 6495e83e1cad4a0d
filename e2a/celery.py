"""Celery: the nudge, never the queue. What must happen can be read off the tables (DESIGN)."""

import os

from celery import Celery
from celery.signals import setup_logging, worker_process_init
from django.conf import settings
from django.utils.log import configure_logging

from e2a.observability.watchers import start_watchers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "e2a.settings")
app = Celery("e2a")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect  # type: ignore[untyped-decorator]
def use_our_logs(**kwargs: object) -> None:
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def watch_this_process(**kwargs: object) -> None:
    start_watchers()
