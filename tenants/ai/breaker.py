"""The breaker of an AI provider, shared by all workers as a row: opens after failures in a row, tries again by itself.

Open, nobody asks. After the wait one caller may try (the probe); its success closes the breaker, its failure opens it for
twice as long. A provider that names a time to wait is left alone until then.
"""

from django.db import connection

FAILURES, WAIT_SECONDS, LONGEST_SECONDS, LONGEST_WISH = 5, 30, 600, 3600
PROBE_SECONDS = 90  # a probe that never comes back (its worker died) holds nobody up for longer
KNOW = """INSERT INTO "public".tenants_aibreaker (name) VALUES (%(name)s) ON CONFLICT (name) DO NOTHING"""
PROBE = """
UPDATE "public".tenants_aibreaker SET probing_until = clock_timestamp() + %(probe)s * interval '1 second'
WHERE name = %(name)s AND open_until <= clock_timestamp()
  AND (probing_until IS NULL OR probing_until <= clock_timestamp())"""
CLOSED = """
SELECT count(*) FROM "public".tenants_aibreaker WHERE name = %(name)s AND open_until IS NOT NULL"""
CLOSE = """
UPDATE "public".tenants_aibreaker
SET failures = 0, trips = 0, open_until = NULL, probing_until = NULL, reason = '', changed_at = clock_timestamp()
WHERE name = %(name)s AND (failures > 0 OR open_until IS NOT NULL)"""
FAIL = """
UPDATE "public".tenants_aibreaker b SET
  failures = failures + 1, probing_until = NULL, reason = %(reason)s, changed_at = clock_timestamp(),
  trips = trips + CASE WHEN opens THEN 1 ELSE 0 END,
  open_until = CASE
    WHEN %(wish)s > 0 THEN greatest(open_until, clock_timestamp() + %(wish)s * interval '1 second')
    WHEN opens THEN clock_timestamp() + least(%(longest)s, %(wait)s * power(2, trips)) * interval '1 second'
    ELSE open_until END
FROM (SELECT name, failures + 1 >= %(failures)s AND (open_until IS NULL OR open_until <= clock_timestamp()) AS opens
  FROM "public".tenants_aibreaker WHERE name = %(name)s FOR UPDATE) s
WHERE b.name = s.name"""
LET_GO = (
    """UPDATE "public".tenants_aibreaker SET probing_until = NULL WHERE name = %(name)s AND probing_until IS NOT NULL"""
)
STATE = """SELECT open_until, reason FROM "public".tenants_aibreaker WHERE name = %(name)s"""


def may_ask(name: str) -> bool:
    """Whether a call may be made now. The caller must report its outcome."""
    with connection.cursor() as cursor:
        cursor.execute(CLOSED, {"name": name})
        if cursor.fetchone()[0] == 0:
            return True
        cursor.execute(PROBE, {"name": name, "probe": PROBE_SECONDS})
        return bool(cursor.rowcount == 1)


def report_success(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(CLOSE, {"name": name})


def report_failure(name: str, *, reason: str, wish_seconds: float = 0) -> None:
    """`wish_seconds`: how long the provider asked to be left alone (Retry-After); at most an hour is granted."""
    with connection.cursor() as cursor:
        cursor.execute(KNOW, {"name": name})
        cursor.execute(
            FAIL,
            {
                "name": name,
                "reason": reason[:40],
                "wish": min(max(wish_seconds, 0), LONGEST_WISH),
                "failures": FAILURES,
                "wait": WAIT_SECONDS,
                "longest": LONGEST_SECONDS,
            },
        )


def report_untried(name: str) -> None:
    """The call was not made after all: another may be the probe."""
    with connection.cursor() as cursor:
        cursor.execute(LET_GO, {"name": name})


def trouble(name: str) -> str:
    """A word on why the breaker is open; empty when it is closed."""
    with connection.cursor() as cursor:
        cursor.execute(STATE, {"name": name})
        row = cursor.fetchone()
    return str(row[1] or "failures") if row and row[0] is not None else ""
