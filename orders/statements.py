"""The SQL of the door, the judge and the radar: named, schema-qualified, one text a schema.

Raw statements name the schema of each table, so that they read the right tenant whatever the connection's search path is.
Rows travel as one JSON document each way in: cheaper to make than a dozen arrays, and NULs and types stay exact. What is
read as jsonb is cast to json: on Django's connections jsonb arrives as text, since the ORM decodes it itself.

PostgreSQL takes such a document for a hundred rows, and so, of tables of some thousand rows, it would read the whole rather than
look up a few by index: ten milliseconds an event. Where a document is joined, `x || '' = x` is always true and has it taken for one.
A backfill's own two statements have thousands of rows, and look them up one by one or by an array, which holds whatever PostgreSQL
believes; for single events that was slower, since plans made while a table was small stayed with it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,62}")

KEYS = """
SELECT o.id FROM json_to_recordset(%(keys)s) u(m text, o text)
JOIN {s}.orders_order o ON o.merchant = u.m AND o.order_id = u.o WHERE u.m || '' = u.m"""
KEYS_OF_MANY = """
ARRAY(SELECT o.id FROM json_to_recordset(%(keys)s) u(m text, o text)
  CROSS JOIN LATERAL (SELECT id FROM {s}.orders_order WHERE merchant = u.m AND order_id = u.o OFFSET 0) o)"""
IDS = "SELECT unnest(%(ids)s::bigint[])"

UPSERT_ORDERS = """
INSERT INTO {s}.orders_order (merchant, order_id, first_received_at, last_received_at)
SELECT u.m, u.o, %(now)s, %(now)s FROM json_to_recordset(%(keys)s) u(m text, o text) ORDER BY 1, 2
ON CONFLICT (merchant, order_id) DO NOTHING"""

LOCK = """
SELECT id, merchant, order_id, status, held, began_at, policy_id, contradiction, problems::json, last_received_at,
  settled_at, history, folded_through, fold_attempts, fold_retry_at,
  sales_channel, shipping_service, carrier, warehouse, destination_country, customer_tier, skus, tags, value_cents, currency,
  promised_at, fulfil_by, window_from, window_until, rule, bearing::json
FROM {s}.orders_order WHERE id IN ({which}) ORDER BY id FOR NO KEY UPDATE"""

HOLD = """
SELECT count(*) FROM (SELECT FROM {s}.orders_order WHERE id = ANY({which}) ORDER BY id FOR NO KEY UPDATE) held"""

MARK_UNJUDGED = """
UPDATE {s}.orders_order SET fold_retry_at = coalesce(fold_retry_at, %(now)s), last_received_at = %(now)s
WHERE id = ANY(ARRAY(SELECT DISTINCT order_id FROM {s}.orders_event WHERE id = ANY(%(events)s)))"""

INSERT_EVENTS = """
INSERT INTO {s}.orders_event (order_id, source, event_id, event_type, merchant, order_ref, tracking_number, occurred_at,
  received_at, effective_at, payload, detail, content_hash, correlation_id, history, quarantined)
SELECT o.id, u.source, u.event_id, u.event_type, u.merchant, u.order_ref, u.tracking, u.occurred_at,
  %(now)s, least(u.occurred_at, %(now)s), u.payload, u.detail, decode(u.hash, 'hex'), u.correlation_id,
  %(history)s OR u.occurred_at < %(now)s - interval '72 hours', false
FROM json_to_recordset(%(events)s) u(source text, event_id text, event_type text, merchant text, order_ref text, tracking text,
  occurred_at timestamptz, payload jsonb, detail jsonb, hash text, correlation_id text)
LEFT JOIN {s}.orders_order o ON o.merchant = u.merchant AND o.order_id = u.order_ref
WHERE u.source || '' = u.source
ORDER BY u.source, u.event_id
ON CONFLICT (source, event_id) DO NOTHING
RETURNING id, source, event_id"""

FACTS = """
SELECT order_id, id, source, event_id, event_type, effective_at, received_at, detail::json, history
FROM {s}.orders_event WHERE order_id IN ({which}) AND NOT quarantined"""

STAGES = """
SELECT order_id, name, state, started_at, ended_at, due_at, breached, severity, target_seconds, judge_at, at_risk_at, watch::json
FROM {s}.orders_stage WHERE order_id IN ({which})"""

POLICIES = """
SELECT (SELECT coalesce(json_agg(json_build_array(p.id, p.valid_from, p.xmin::text) ORDER BY p.version), '[]')
    FROM "public".tenants_slapolicy p WHERE p.tenant_id = t.id)::text,
  (SELECT coalesce(json_object_agg(w.name, w.settle_seconds), '{{}}')
    FROM "public".tenants_webhooksource w WHERE w.tenant_id = t.id AND w.settle_seconds > 0)::text,
  clock_timestamp()
FROM "public".tenants_tenant t WHERE t.schema_name = %(schema)s"""

POLICY_RULES = """SELECT id, rules::text FROM "public".tenants_slapolicy WHERE id = ANY(%(ids)s)"""

HASHES = """
SELECT e.source, e.event_id, e.content_hash, e.order_ref
FROM json_to_recordset(%(identities)s) u(s text, e text) JOIN {s}.orders_event e ON e.source = u.s AND e.event_id = u.e
WHERE u.s || '' = u.s"""

WRITE_STAGES = """
INSERT INTO {s}.orders_stage (order_id, name, state, started_at, ended_at, due_at, breached, severity, target_seconds, judge_at,
  at_risk_at, watch)
SELECT u.* FROM json_to_recordset(%(stages)s) u(order_id bigint, name text, state text, started_at timestamptz,
  ended_at timestamptz, due_at timestamptz, breached boolean, severity text, target_seconds bigint, judge_at timestamptz,
  at_risk_at timestamptz, watch jsonb)
ORDER BY u.order_id, u.name
ON CONFLICT (order_id, name) DO UPDATE SET state = excluded.state, started_at = excluded.started_at,
  ended_at = excluded.ended_at, due_at = excluded.due_at, breached = excluded.breached, severity = excluded.severity,
  target_seconds = excluded.target_seconds, judge_at = excluded.judge_at, at_risk_at = excluded.at_risk_at,
  watch = excluded.watch"""

DROP_STAGES = """
DELETE FROM {s}.orders_stage g USING json_to_recordset(%(gone)s) u(order_id bigint, name text)
WHERE g.order_id = u.order_id AND g.name = u.name AND u.name || '' = u.name"""

# Keys of what the order carries are left out of the document where nobody said anything.
WRITE_ORDERS = """
UPDATE {s}.orders_order o SET status = u.status, held = u.held, began_at = u.began_at, policy_id = u.policy_id,
  contradiction = u.contradiction, problems = u.problems, last_received_at = u.last_received_at, settled_at = u.settled_at,
  history = u.history, folded_through = u.folded_through, fold_attempts = 0, fold_retry_at = NULL, fold_error = '',
  sales_channel = coalesce(u.sales_channel, ''), shipping_service = coalesce(u.shipping_service, ''),
  carrier = coalesce(u.carrier, ''), warehouse = coalesce(u.warehouse, ''),
  destination_country = coalesce(u.destination_country, ''), customer_tier = coalesce(u.customer_tier, ''),
  skus = coalesce(u.skus, '{{}}'), tags = coalesce(u.tags, '{{}}'), value_cents = u.value_cents,
  currency = coalesce(u.currency, ''), promised_at = u.promised_at, fulfil_by = u.fulfil_by, window_from = u.window_from,
  window_until = u.window_until, rule = coalesce(u.rule, ''), bearing = u.bearing
FROM json_to_recordset(%(orders)s) u(id bigint, status text, held boolean, began_at timestamptz, policy_id bigint,
  contradiction text, problems jsonb, last_received_at timestamptz, settled_at timestamptz, history boolean, folded_through bigint,
  sales_channel text, shipping_service text, carrier text, warehouse text, destination_country text, customer_tier text,
  skus text[], tags text[], value_cents bigint, currency text, promised_at timestamptz, fulfil_by timestamptz,
  window_from timestamptz, window_until timestamptz, rule text, bearing jsonb)
WHERE o.id = u.id AND u.status || '' = u.status"""

DROP_EMPTY_ORDERS = """
DELETE FROM {s}.orders_order o WHERE o.id = ANY(%(ids)s)
AND NOT EXISTS (SELECT 1 FROM {s}.orders_event e WHERE e.order_id = o.id)"""

WRITE_FAILURES = """
UPDATE {s}.orders_order o SET fold_attempts = least(o.fold_attempts + 1, 1000), fold_error = u.error,
  fold_retry_at = %(now)s + least(2 ^ o.fold_attempts, 60) * interval '1 second'
FROM json_to_recordset(%(failures)s) u(id bigint, error text) WHERE o.id = u.id"""

WRITE_PARCELS = """
INSERT INTO {s}.orders_parcel (order_id, shipment_id, carrier, tracking_number)
SELECT DISTINCT o.id, u.shipment, u.carrier, u.number
FROM json_to_recordset(%(parcels)s) u(m text, o text, shipment text, carrier text, number text)
JOIN {s}.orders_order o ON o.merchant = u.m AND o.order_id = u.o
WHERE u.m || '' = u.m
ON CONFLICT DO NOTHING"""

FIND_PARCELS = """
SELECT DISTINCT ON (p.tracking_number) p.tracking_number, o.merchant, o.order_id, p.shipment_id
FROM {s}.orders_parcel p JOIN {s}.orders_order o ON o.id = p.order_id
WHERE p.tracking_number = ANY(%(numbers)s) ORDER BY p.tracking_number, o.id DESC, p.shipment_id DESC"""

DEAD_LETTERS = """
INSERT INTO {s}.orders_deadletter (received_at, source, reason, errors, event_id, order_ref, topic, headers, body, line_number,
  correlation_id, entrance, merchant, status, digest)
SELECT %(now)s, u.source, u.reason, u.errors, u.event_id, u.order_ref, u.topic, u.headers, decode(u.body, 'base64'),
  u.line_number, u.correlation_id, u.entrance, u.merchant, 'waiting', decode(u.digest, 'hex')
FROM json_to_recordset(%(letters)s) u(source text, reason text, errors jsonb, event_id text, order_ref text, topic text,
  headers jsonb, body text, line_number bigint, correlation_id text, entrance text, merchant text, digest text)
ORDER BY u.digest
ON CONFLICT (digest) WHERE status = 'waiting' DO UPDATE SET occurrences = {s}.orders_deadletter.occurrences + 1,
  received_at = excluded.received_at
RETURNING id"""


@dataclass(frozen=True)
class Statements:
    """Every statement for one schema. `…_by_keys` take `keys`, `…_by_ids` take `ids`."""

    schema: str
    upsert_orders: str
    lock_by_keys: str
    lock_by_ids: str
    hold_by_keys: str
    insert_events: str
    mark_unjudged: str
    facts_by_keys: str
    facts_by_ids: str
    stages_by_keys: str
    stages_by_ids: str
    policies: str
    hashes: str
    write_stages: str
    drop_stages: str
    write_orders: str
    drop_empty_orders: str
    write_failures: str
    write_parcels: str
    find_parcels: str
    dead_letters: str


def quoted(schema: str) -> str:
    """Raises: ValueError for what is no tenant's schema name."""
    if not SCHEMA.fullmatch(schema) or schema == "public":
        raise ValueError(f"{schema!r} is no tenant's schema")
    return f'"{schema}"'


@lru_cache(maxsize=4096)
def statements_of(schema: str) -> Statements:
    name = quoted(schema)
    keys, ids = KEYS.format(s=name), IDS
    return Statements(
        schema=schema,
        upsert_orders=UPSERT_ORDERS.format(s=name),
        lock_by_keys=LOCK.format(s=name, which=keys),
        lock_by_ids=LOCK.format(s=name, which=ids),
        hold_by_keys=HOLD.format(s=name, which=KEYS_OF_MANY.format(s=name)),
        insert_events=INSERT_EVENTS.format(s=name),
        mark_unjudged=MARK_UNJUDGED.format(s=name),
        facts_by_keys=FACTS.format(s=name, which=keys),
        facts_by_ids=FACTS.format(s=name, which=ids),
        stages_by_keys=STAGES.format(s=name, which=keys),
        stages_by_ids=STAGES.format(s=name, which=ids),
        policies=POLICIES.format(),
        hashes=HASHES.format(s=name),
        write_stages=WRITE_STAGES.format(s=name),
        drop_stages=DROP_STAGES.format(s=name),
        write_orders=WRITE_ORDERS.format(s=name),
        drop_empty_orders=DROP_EMPTY_ORDERS.format(s=name),
        write_failures=WRITE_FAILURES.format(s=name),
        write_parcels=WRITE_PARCELS.format(s=name),
        find_parcels=FIND_PARCELS.format(s=name),
        dead_letters=DEAD_LETTERS.format(s=name),
    )
