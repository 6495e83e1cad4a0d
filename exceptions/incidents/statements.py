"""The SQL of the fold. All of it reads and writes the schema that the connection stands in.

A person's word holds an incident (KEPT): what belongs to it stays there, and it is never merged away or dissolved.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from exceptions.incidents.words import FOLD, Dimension
from tenants.currencies import THOUSANDTHS, WHOLE

LOCK = 20_81  # the class of the advisory locks of incidents, one a tenant
TRY_LOCK = "SELECT pg_try_advisory_xact_lock(%s, hashtext(current_schema()))"
WAIT_LOCK = "SELECT pg_advisory_xact_lock(%s, hashtext(current_schema()))"
KEPT = "({i}.confirmed_at IS NOT NULL OR {i}.silenced_at IS NOT NULL OR {i}.quiet_until IS NOT NULL)"
LIVE = "e.verdict = 'active' AND e.status <> 'RESOLVED' AND m.occurrence = e.occurrence_count"

# What an exception shares is stated by its order, else by its parcels, else by what the analysis read in the order's events.
VALUES = {
    Dimension.REASON: "e.reason_code",
    Dimension.CARRIER: "COALESCE(NULLIF(o.carrier, ''), p.carrier, a.carrier, '')",
    Dimension.DESTINATION: "o.destination_country",
    Dimension.WAREHOUSE: "COALESCE(NULLIF(o.warehouse, ''), a.warehouse, '')",
    Dimension.SKU: "COALESCE(g.sku, '')",
    Dimension.PAYMENT_PROVIDER: "COALESCE(a.gateway, '')",
    Dimension.SALES_CHANNEL: "o.sales_channel",
    Dimension.MERCHANT: "e.merchant",
}
PARCEL = """LEFT JOIN LATERAL (
    SELECT carrier FROM orders_parcel WHERE order_id = o.id AND o.carrier = '' AND carrier <> '' ORDER BY id LIMIT 1
  ) p ON true"""
ANALYSIS = """LEFT JOIN LATERAL (
    SELECT carrier, warehouse, gateway, skus FROM exceptions_analysis
    WHERE exception_id = e.id AND state = 'done' AND {missing} ORDER BY occurrence DESC LIMIT 1
  ) a ON true"""
GOODS = """CROSS JOIN LATERAL (
    SELECT DISTINCT sku FROM unnest(CASE WHEN cardinality(o.skus) > 0 THEN o.skus ELSE a.skus::text[] END) AS sku
  ) g"""
MISSING = {
    Dimension.CARRIER: "o.carrier = ''",
    Dimension.WAREHOUSE: "o.warehouse = ''",
    Dimension.SKU: "cardinality(o.skus) = 0",
    Dimension.PAYMENT_PROVIDER: "true",
}

# `session`: exceptions with one key, each at most a window after the one before. What came until a person's ending was quiet no
# more is one epoch, what came later the next. `size` counts orders. What a person took out (`out`) still links the others.
# Each carries its exceptions along, so that nothing is joined to them again: no statistics tell PostgreSQL how many there are.
SESSIONS = """
WITH quiet AS MATERIALIZED (
  SELECT key, quiet_until FROM exceptions_incident WHERE rule_id = %(rule)s AND quiet_until > %(since)s
), candidate AS MATERIALIZED (
  SELECT e.id, e.order_id, e.opened_at, e.occurrence_count AS occurrence, k.key, k.shown, x.id IS NOT NULL AS out,
    m.incident_id AS member_of, m.occurrence AS member_occurrence, m.occurrence = e.occurrence_count AND {kept} AS held,
    (SELECT count(*) FROM quiet q WHERE q.key = k.key AND q.quiet_until < e.opened_at) AS epoch
  FROM exceptions_record e
  JOIN orders_order o ON o.id = e.order_id
  {joins}
  CROSS JOIN LATERAL (SELECT lower(said.shown) AS key, said.shown FROM (SELECT jsonb_build_object({pairs})::text) said(shown)) k
  LEFT JOIN exceptions_incidentmember m ON m.exception_id = e.id AND m.taken_out_at IS NULL
  LEFT JOIN exceptions_incident i ON i.id = m.incident_id
  LEFT JOIN exceptions_incidentrule r ON r.id = i.rule_id
  LEFT JOIN exceptions_incidentmember x
    ON x.exception_id = e.id AND x.taken_out_at IS NOT NULL AND x.occurrence >= e.occurrence_count
  LEFT JOIN exceptions_incident y ON y.id = x.incident_id
  WHERE e.verdict <> 'none' AND NOT e.history AND e.opened_at > %(since)s
    AND (%(reasons)s::text[] = '{{}}' OR e.reason_code = ANY(%(reasons)s))
    AND {complete}
    AND (x.id IS NULL OR (y.rule_id = %(rule)s AND y.key = k.key))
    AND (m.id IS NULL OR m.occurrence < e.occurrence_count OR (i.rule_id = %(rule)s AND (i.key = k.key OR NOT {kept}))
      OR (NOT {kept} AND i.rule_id <> %(rule)s AND r.place >= %(place)s))
), stepped AS (
  SELECT *, opened_at - lag(opened_at) OVER by_time > %(window)s AS apart FROM candidate
  WINDOW by_time AS (PARTITION BY key, epoch ORDER BY opened_at, id)
), placed AS (
  SELECT *, count(*) FILTER (WHERE apart) OVER (PARTITION BY key, epoch ORDER BY opened_at, id) AS session FROM stepped
), session AS (
  SELECT key, epoch, session, min(shown) AS shown, count(DISTINCT order_id) AS size, count(*) AS exceptions,
    min(opened_at) AS first_at, max(opened_at) AS last_at, array_agg(id) AS ids, array_agg(occurrence) AS occurrences,
    array_agg(member_of) AS members_of, array_agg(member_occurrence) AS member_occurrences, array_agg(held) AS helds,
    array_agg(out) AS outs
  FROM placed GROUP BY key, epoch, session
)"""

# A session goes to the incident of its rule and key that it touches: to an open one rather than one that a person has ended, to
# one that a person holds rather than not, then to the earliest. The others are merged into it, unless a person holds them. One
# too small for the rule goes only to what a person holds, or to what began before our sight. An incident takes one session.
HOMES = """, matched AS (
  SELECT s.key, s.epoch, s.session, s.shown, s.size, s.exceptions, s.first_at, s.last_at, i.id AS incident_id, {kept} AS kept, {kept} OR i.first_at <= %(since)s AS takes_all,
    row_number() OVER (PARTITION BY s.key, s.epoch, s.session
      ORDER BY i.quiet_until IS NOT NULL, {kept} DESC, i.first_at, i.id) AS rank
  FROM session s LEFT JOIN exceptions_incident i ON i.rule_id = %(rule)s AND i.key = s.key AND i.merged_into_id IS NULL
    AND s.first_at <= i.last_at + %(window)s AND s.last_at >= i.first_at - %(window)s
    AND (i.quiet_until IS NULL OR s.first_at <= i.quiet_until)
    AND (s.size >= %(minimum)s OR {kept} OR i.first_at <= %(since)s)
), settled AS (
  SELECT key, epoch, session, shown, size, exceptions, first_at, last_at,
    CASE WHEN takes_all OR row_number() OVER (PARTITION BY incident_id ORDER BY first_at) = 1 THEN incident_id END AS incident_id
  FROM matched WHERE rank = 1
), born AS (
  INSERT INTO exceptions_incident (rule_id, key, shared, first_at, last_at, found_at, changed_at, told_orders)
  SELECT %(rule)s, key, shown::jsonb, first_at, last_at, %(now)s, %(now)s, size FROM settled
  WHERE incident_id IS NULL AND size >= %(minimum)s ORDER BY first_at, key
  RETURNING id, key, first_at
), home AS (
  SELECT key, epoch, session, size, exceptions, incident_id FROM settled WHERE incident_id IS NOT NULL
  UNION ALL SELECT s.key, s.epoch, s.session, s.size, s.exceptions, b.id FROM born b JOIN session s USING (key, first_at)
), told AS (
  INSERT INTO exceptions_incidententry (incident_id, at, kind, actor, detail)
  SELECT b.id, %(now)s, 'opened', '{fold}', jsonb_build_object('orders', h.size, 'exceptions', h.exceptions)
  FROM born b JOIN home h ON h.incident_id = b.id
), merged AS (
  UPDATE exceptions_incident i SET state = 'closed', closed_how = 'merged', closed_at = %(now)s, closed_by = '{fold}',
    merged_into_id = h.incident_id, changed_at = %(now)s
  FROM matched x JOIN home h USING (key, epoch, session)
  WHERE i.id = x.incident_id AND x.rank > 1 AND NOT x.kept AND i.id <> h.incident_id RETURNING i.id, i.merged_into_id
), told_merged AS (
  INSERT INTO exceptions_incidententry (incident_id, at, kind, actor, detail)
  SELECT id, %(now)s, 'closed', '{fold}', jsonb_build_object('how', 'merged', 'into', merged_into_id) FROM merged
)"""

# An exception with several keys (an order of several SKUs) goes where most are. What no session holds any more is freed, but for
# what a person holds, what began before our sight, and the record of what is closed.
PLACE = """, chosen AS (
  SELECT DISTINCT ON (c.id) c.id, c.occurrence, c.member_of, c.member_occurrence, c.held, h.incident_id
  FROM home h JOIN session s USING (key, epoch, session)
  CROSS JOIN LATERAL unnest(s.ids, s.occurrences, s.members_of, s.member_occurrences, s.helds, s.outs)
    AS c(id, occurrence, member_of, member_occurrence, held, out)
  WHERE NOT c.out ORDER BY c.id, h.size DESC, h.key
), freed AS (
  DELETE FROM exceptions_incidentmember m USING exceptions_incident i, exceptions_record e
  WHERE i.id = m.incident_id AND i.rule_id = %(rule)s AND i.state <> 'closed' AND NOT {kept} AND i.first_at > %(since)s
    AND m.taken_out_at IS NULL AND e.id = m.exception_id AND e.verdict <> 'none' AND m.occurrence = e.occurrence_count
    AND m.exception_id NOT IN (SELECT id FROM chosen) RETURNING m.id
)
INSERT INTO exceptions_incidentmember (incident_id, exception_id, occurrence, joined_at)
SELECT incident_id, id, occurrence, %(now)s FROM chosen
WHERE (member_of IS DISTINCT FROM incident_id OR member_occurrence IS DISTINCT FROM occurrence) AND held IS NOT TRUE
ORDER BY id
ON CONFLICT (exception_id) WHERE taken_out_at IS NULL
DO UPDATE SET incident_id = EXCLUDED.incident_id, occurrence = EXCLUDED.occurrence, joined_at = EXCLUDED.joined_at"""

PREVIEW = """
SELECT key, epoch, session, shown::jsonb, size, exceptions, first_at, last_at FROM session WHERE size >= %(minimum)s
ORDER BY size DESC, first_at, key LIMIT %(most)s"""

# Merged incidents hand over what they have, from one to the next to the last.
FOLLOW = """
WITH RECURSIVE last_of AS (
  SELECT id, merged_into_id AS target FROM exceptions_incident WHERE merged_into_id IS NOT NULL AND changed_at = %(now)s
  UNION ALL
  SELECT l.id, i.merged_into_id FROM last_of l JOIN exceptions_incident i ON i.id = l.target WHERE i.merged_into_id IS NOT NULL
)
UPDATE exceptions_incidentmember m SET incident_id = l.target
FROM last_of l JOIN exceptions_incident i ON i.id = l.target AND i.merged_into_id IS NULL
WHERE m.incident_id = l.id AND m.taken_out_at IS NULL"""

# Counted anew: what is open, quiet, or still within sight. What closed by itself keeps its numbers unless it lives again
# or grows: its exceptions may have happened anew, and belong to another by now.
RECOUNT = """
WITH scope AS MATERIALIZED (
  SELECT id FROM exceptions_incident
  WHERE merged_into_id IS NULL AND (state <> 'closed' OR quiet_until > %(now)s OR last_at > %(since)s)
    AND (%(only)s::bigint IS NULL OR id = %(only)s)
), by_order AS MATERIALIZED (
  SELECT m.incident_id, e.order_id, min(e.merchant) AS merchant,
    count(*) FILTER (WHERE m.taken_out_at IS NULL) AS exceptions,
    count(*) FILTER (WHERE m.taken_out_at IS NULL AND {live}) AS live,
    min(e.opened_at) FILTER (WHERE m.taken_out_at IS NULL AND m.occurrence = e.occurrence_count) AS first_at,
    max(e.opened_at) FILTER (WHERE m.taken_out_at IS NULL AND m.occurrence = e.occurrence_count) AS last_at
  FROM scope JOIN exceptions_incidentmember m ON m.incident_id = scope.id JOIN exceptions_record e ON e.id = m.exception_id
  WHERE e.verdict <> 'none' GROUP BY m.incident_id, e.order_id
), priced AS MATERIALIZED (
  SELECT b.*, o.value_cents, o.currency FROM by_order b JOIN orders_order o ON o.id = b.order_id
), totals AS (
  SELECT incident_id, count(*) FILTER (WHERE exceptions > 0) AS orders, sum(exceptions) AS exceptions, sum(live) AS live, count(*) FILTER (WHERE live > 0) AS orders_live,
    count(DISTINCT merchant) FILTER (WHERE exceptions > 0) AS merchants, min(first_at) AS first_at, max(last_at) AS last_at,
    count(*) FILTER (WHERE exceptions > 0 AND value_cents IS NULL) AS value_unpriced,
    count(*) FILTER (WHERE live > 0 AND value_cents IS NULL) AS stake_unpriced
  FROM priced GROUP BY incident_id
), by_currency AS (
  SELECT incident_id, currency, sum(value_cents) FILTER (WHERE exceptions > 0) AS value,
    sum(value_cents) FILTER (WHERE live > 0) AS stake
  FROM priced WHERE value_cents IS NOT NULL GROUP BY incident_id, currency
), money AS (
  SELECT incident_id, COALESCE(jsonb_object_agg(currency, value) FILTER (WHERE value IS NOT NULL), '{{}}') AS value,
    COALESCE(jsonb_object_agg(currency, stake) FILTER (WHERE stake IS NOT NULL), '{{}}') AS stake,
    COALESCE(max(stake / CASE WHEN currency IN ({whole}) THEN 1 WHEN currency IN ({thousandths}) THEN 1000 ELSE 100 END), 0)
      AS largest
  FROM by_currency GROUP BY incident_id
), counted AS (
  SELECT scope.id, COALESCE(t.orders, 0) AS orders, COALESCE(t.exceptions, 0) AS exceptions, COALESCE(t.live, 0) AS live, COALESCE(t.orders_live, 0) AS orders_live,
    COALESCE(t.merchants, 0) AS merchants, t.first_at, t.last_at, COALESCE(t.value_unpriced, 0) AS value_unpriced,
    COALESCE(t.stake_unpriced, 0) AS stake_unpriced, COALESCE(c.value, '{{}}') AS value, COALESCE(c.stake, '{{}}') AS stake,
    LEAST(COALESCE(c.largest, 0), 2147483647)::int AS stake_rank
  FROM scope LEFT JOIN totals t ON t.incident_id = scope.id LEFT JOIN money c ON c.incident_id = scope.id
)
UPDATE exceptions_incident i SET orders = c.orders, exceptions = c.exceptions, live = c.live,
  orders_live = c.orders_live, merchants = c.merchants, first_at = COALESCE(c.first_at, i.first_at),
  last_at = COALESCE(c.last_at, i.last_at), value_unpriced = c.value_unpriced, stake_unpriced = c.stake_unpriced,
  value = c.value, stake = c.stake, stake_rank = c.stake_rank, changed_at = %(now)s
FROM counted c WHERE i.id = c.id AND (i.state <> 'closed' OR i.quiet_until > %(now)s OR c.live > 0
    OR c.exceptions > i.exceptions)
  AND (i.orders, i.exceptions, i.live, i.orders_live, i.merchants, i.first_at, i.last_at, i.value_unpriced,
    i.stake_unpriced, i.value, i.stake)
  IS DISTINCT FROM (c.orders, c.exceptions, c.live, c.orders_live, c.merchants, COALESCE(c.first_at, i.first_at),
    COALESCE(c.last_at, i.last_at), c.value_unpriced, c.stake_unpriced, c.value, c.stake)"""

SETTLE = """
WITH dissolved AS (
  UPDATE exceptions_incident i SET state = 'closed', closed_how = 'dissolved', closed_at = %(now)s, closed_by = '{fold}',
    changed_at = %(now)s
  WHERE i.state = 'open' AND NOT {kept} AND i.exceptions = 0 RETURNING i.id
), over AS (
  UPDATE exceptions_incident i SET state = 'closed', closed_how = 'over', closed_at = %(now)s, closed_by = '{fold}',
    changed_at = %(now)s
  WHERE i.state <> 'closed' AND i.live = 0 AND ({kept} OR i.exceptions > 0) RETURNING i.id
), again AS (
  UPDATE exceptions_incident i SET state = CASE WHEN confirmed_at IS NULL THEN 'open' ELSE 'confirmed' END, closed_how = '',
    closed_at = NULL, closed_by = '', changed_at = %(now)s
  WHERE state = 'closed' AND closed_how IN ('over', 'dissolved') AND live > 0 AND changed_at = %(now)s RETURNING id
), told AS (
  SELECT id, 'closed' AS kind, '{{"how": "dissolved"}}'::jsonb AS detail FROM dissolved
  UNION ALL SELECT id, 'closed', '{{"how": "over"}}' FROM over
  UNION ALL SELECT id, 'reopened', '{{}}' FROM again
)
INSERT INTO exceptions_incidententry (incident_id, at, kind, actor, detail)
SELECT id, %(now)s, kind, '{fold}', detail FROM told ORDER BY id"""

# Its size is told when it is found, and again whenever it has doubled.
GROW = """
WITH grown AS (
  UPDATE exceptions_incident SET told_orders = orders
  WHERE changed_at = %(now)s AND merged_into_id IS NULL AND orders > 0 AND orders >= 2 * told_orders
  RETURNING id, orders, exceptions
)
INSERT INTO exceptions_incidententry (incident_id, at, kind, actor, detail)
SELECT id, %(now)s, 'grew', '{fold}', jsonb_build_object('orders', orders, 'exceptions', exceptions) FROM grown ORDER BY id"""


@lru_cache(maxsize=512)
def sessions(dimensions: Sequence[str]) -> str:
    """The first part of a fold's and a preview's statement: candidates of a rule and their sessions."""
    wanted = [Dimension(word) for word in dimensions]
    missing = [MISSING[word] for word in wanted if word in MISSING]
    joins = [
        *([PARCEL] if Dimension.CARRIER in wanted else []),
        *([ANALYSIS.format(missing=f"({' OR '.join(missing)})")] if missing else []),
        *([GOODS] if Dimension.SKU in wanted else []),
    ]
    return SESSIONS.format(
        kept=KEPT.format(i="i"),
        joins="\n  ".join(joins),
        pairs=", ".join(f"'{word.value}', {VALUES[word]}" for word in wanted),
        complete=" AND ".join(f"{VALUES[word]} <> ''" for word in wanted),
    )


def fold_statement(dimensions: Sequence[str]) -> str:
    return (
        sessions(tuple(dimensions))
        + HOMES.format(kept=KEPT.format(i="i"), fold=FOLD)
        + PLACE.format(kept=KEPT.format(i="i"))
    )


def preview_statement(dimensions: Sequence[str]) -> str:
    return sessions(tuple(dimensions)) + PREVIEW


def listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


RECOUNT_STATEMENT = RECOUNT.format(live=LIVE, whole=listed(WHOLE), thousandths=listed(THOUSANDTHS))
CLOSING_STATEMENTS = (
    FOLLOW,
    RECOUNT_STATEMENT,
    SETTLE.format(fold=FOLD, kept=KEPT.format(i="i")),
    GROW.format(fold=FOLD),
)
