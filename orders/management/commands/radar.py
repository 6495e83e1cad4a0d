"""`radar [--once]`: the deadline process. It needs PostgreSQL and nothing else."""

import logging
import signal
import threading
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connection

from e2a.commands import JSONCommand
from e2a.errors import DATABASE_DOWN
from e2a.heartbeat import beat
from e2a.observability.watchers import start_watchers
from orders.radar import Round, run_round

logger = logging.getLogger(__name__)
EVERY_SECONDS = 1.0
LONGEST_PAUSE = 10.0


class Command(JSONCommand):
    help = "Finds missed deadlines every second and opens their exceptions. Run two, and they share the work."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--once", action="store_true", help="one round, then stop")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["once"]:
            start_watchers()
            watch(stop_on_signals())
            return
        try:
            done = run_once()
        except DATABASE_DOWN as error:
            raise CommandError(f"PostgreSQL cannot be reached: {str(error).splitlines()[0]}") from None
        text = f"{done.tenants} tenants looked at; {done.judged} deadlines passed."
        self.finish(asdict(done), text, as_json=options["json"])
        if done.failed:
            raise CommandError(f"The round failed in: {', '.join(done.failed)}; see the log.")


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def watch(stopped: threading.Event) -> None:
    """A round each second until stopped. A lost database is waited for, ever longer up to ten seconds."""
    pause = EVERY_SECONDS
    while not stopped.is_set():
        began = time.monotonic()
        try:
            run_once()
            pause = EVERY_SECONDS
        except DATABASE_DOWN as error:
            logger.warning("the radar lost the database: %s", str(error).splitlines()[0] if str(error) else error)
            connection.close()
            pause = min(pause * 2, LONGEST_PAUSE)
        except Exception:
            logger.exception("a round of the radar failed")
        stopped.wait(max(0.05, pause - (time.monotonic() - began)))


def run_once() -> Round:
    """A round, and the radar's sign of life."""
    done = run_round()
    with connection.cursor() as cursor:
        beat(cursor, "radar")
    return done
