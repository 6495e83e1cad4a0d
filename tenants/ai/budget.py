"""The day's tokens: claimed before a call, settled after it, never above the limit whatever runs at once.

The claim is two conditional updates in one short transaction, the installation's row first, so that claims queue at that
row instead of deadlocking. A call of unknown cost, a worker that died among them, counts as its whole claim.
"""

from dataclasses import dataclass

from django.db import connection, transaction

STALE = "5 minutes"
OPEN_DAY = """
INSERT INTO "public".tenants_aibudget (day, schema)
SELECT (now() AT TIME ZONE 'UTC')::date, s FROM unnest(ARRAY['', %(schema)s]) s ORDER BY s
ON CONFLICT (day, schema) DO NOTHING"""
CLAIM = """
UPDATE "public".tenants_aibudget SET reserved = reserved + %(tokens)s
WHERE day = (now() AT TIME ZONE 'UTC')::date AND schema = %(schema)s AND spent + reserved + %(tokens)s <= %(limit)s"""
NOTE = """
INSERT INTO "public".tenants_aireservation (day, schema, tokens)
VALUES ((now() AT TIME ZONE 'UTC')::date, %(schema)s, %(tokens)s) RETURNING id"""
SHARE = """
SELECT CASE WHEN count(*) > 1 THEN floor(%(limit)s * %(share)s)::bigint ELSE %(limit)s END
FROM (SELECT FROM "public".tenants_tenant WHERE active LIMIT 2) t"""
SETTLE = """
UPDATE "public".tenants_aireservation SET used = least(coalesce(%(used)s, tokens), tokens)
WHERE id = %(id)s AND used IS NULL RETURNING day, schema, tokens, used"""
CHARGE = """
UPDATE "public".tenants_aibudget SET reserved = reserved - %(tokens)s, spent = spent + %(used)s
WHERE day = %(day)s AND schema = %(schema)s"""
OPEN_CLAIMS = f"""
SELECT id FROM "public".tenants_aireservation
WHERE used IS NULL AND created_at < now() - interval '{STALE}' ORDER BY id LIMIT 500"""
TODAY = """
SELECT schema, reserved, spent FROM "public".tenants_aibudget
WHERE day = (now() AT TIME ZONE 'UTC')::date AND schema IN ('', %(schema)s)"""


@dataclass(frozen=True, slots=True)
class Spent:
    """Of today. `limit` is the tenant's own."""

    tenant: int
    installation: int
    reserved: int
    limit: int


class OverBudget(Exception):
    """The day's tokens do not allow this call."""


def claim_tokens(schema: str, tokens: int, *, limit: int, share: float) -> int:
    """Reserves the most that a call can cost; the claim's id. `share`: of the limit, for one tenant among several.

    Raises: OverBudget; nothing is reserved then.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(OPEN_DAY, {"schema": schema})
        for owner, most in (("", limit), (schema, tenant_limit(limit=limit, share=share))):
            cursor.execute(CLAIM, {"schema": owner, "tokens": tokens, "limit": most})
            if cursor.rowcount != 1:
                raise OverBudget
        cursor.execute(NOTE, {"schema": schema, "tokens": tokens})
        claim: int = cursor.fetchone()[0]
    return claim


def tenant_limit(*, limit: int, share: float) -> int:
    """A tenant that is alone on the installation has all of it."""
    with connection.cursor() as cursor:
        cursor.execute(SHARE, {"limit": limit, "share": share})
        most: int = cursor.fetchone()[0]
    return most


def settle_claim(claim: int, used: int | None) -> int | None:
    """Charges what the call cost, at most its claim; None: the whole claim. Gives what was charged, None if it was settled."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SETTLE, {"id": claim, "used": used if used is None or used >= 0 else None})
        row = cursor.fetchone()
        if row is None:
            return None
        day, schema, tokens, charged = row
        for owner in ("", schema):
            cursor.execute(CHARGE, {"day": day, "schema": owner, "tokens": tokens, "used": charged})
    return int(charged)


def settle_stale() -> int:
    """Charges the claims that nobody settled, in full. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN_CLAIMS)
        ids = [row[0] for row in cursor.fetchall()]
    return sum(settle_claim(claim, None) is not None for claim in ids)


def spent_today(schema: str, *, limit: int, share: float) -> Spent:
    with connection.cursor() as cursor:
        cursor.execute(TODAY, {"schema": schema})
        rows = {owner: (reserved, spent) for owner, reserved, spent in cursor.fetchall()}
    nothing = (0, 0)
    reserved, spent = rows.get(schema, nothing)
    return Spent(spent, rows.get("", nothing)[1], reserved, tenant_limit(limit=limit, share=share))
