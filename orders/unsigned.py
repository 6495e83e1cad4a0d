"""Deliveries that were refused for their signature, counted at the source that they claimed to come from.

Noted in memory and written by a thread of the process, so that nobody who is not let in makes a request wait for a row, and the
answer takes the same time whether the source exists or not. A killed process loses the last seconds of the count, nothing else.
"""

import logging
import threading
import time

from django.db import connection

from e2a.postgresql.raw import raw_connection

logger = logging.getLogger(__name__)
INTERVAL_SECONDS = 2.0
MOST_NAMES = 1_000  # made-up names cost memory only until the next write
ADD = """
UPDATE public.tenants_webhooksource w SET refused_count = w.refused_count + n.refused, refused_at = clock_timestamp()
FROM unnest(%(tenants)s::text[], %(names)s::text[], %(refused)s::int[]) n(tenant, name, refused)
JOIN public.tenants_tenant t ON t.slug = n.tenant WHERE w.tenant_id = t.id AND w.name = n.name"""


class Unsigned:
    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}
        self.lock = threading.Lock()
        self.wake = threading.Event()
        self.thread: threading.Thread | None = None

    def note(self, tenant: str, name: str) -> None:
        """Never blocks. The thread is started by the first one of a process, so it survives no fork."""
        with self.lock:
            if (tenant, name) in self.counts or len(self.counts) < MOST_NAMES:
                self.counts[tenant, name] = self.counts.get((tenant, name), 0) + 1
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self.run, name="unsigned", daemon=True)
                self.thread.start()
        self.wake.set()

    def run(self) -> None:
        while True:
            self.wake.wait()
            self.wake.clear()
            time.sleep(INTERVAL_SECONDS)
            try:
                self.write()
            except Exception as error:
                logger.warning("refused deliveries not counted: %s", type(error).__name__)
            finally:
                connection.close()

    def write(self) -> None:
        """Adds what was noted since the last time; names of nobody are dropped."""
        with self.lock:
            counts, self.counts = self.counts, {}
        tenants, names = zip(*counts, strict=True) if counts else ((), ())
        values = {"tenants": list(tenants), "names": list(names), "refused": list(counts.values())}
        raw_connection().execute(ADD, values)


unsigned = Unsigned()
