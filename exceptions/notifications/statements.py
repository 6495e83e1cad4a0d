"""The SQL that makes notifications, in one statement whatever their number. It names its schema, so no search path matters."""

from functools import lru_cache

from orders.statements import quoted

# Members of the tenant whose accounts are in use, with what they have chosen. Who has left is told nothing.
PEOPLE = """
people AS (
  SELECT m.user_id, m.role, u.username, coalesce(p.chosen, %(usual)s::text[]) AS chosen,
    coalesce(p.least_severity, %(usual_severity)s) AS least_severity
  FROM "public".tenants_tenant t
  JOIN "public".tenants_membership m ON m.tenant_id = t.id
  JOIN "public".tenants_user u ON u.id = m.user_id AND u.is_active
  LEFT JOIN {s}.exceptions_preference p ON p.user_id = m.user_id
  WHERE t.schema_name = %(schema)s)"""

# `notices` is a relation of user_id, matter, subject, exception_id, entry_id, actor, text. Sorted, so that two who insert
# the same rows wait for each other in one order.
INSERT = """
INSERT INTO {s}.exceptions_notification
  (user_id, matter, subject, way, exception_id, entry_id, actor, text, created_at, due_at)
SELECT n.user_id, n.matter, n.subject, w.way, n.exception_id, n.entry_id, n.actor, n.text, %(now)s,
  CASE WHEN w.way <> 'page' THEN %(now)s END
FROM notices n JOIN people USING (user_id) CROSS JOIN unnest(ARRAY['page', 'email', 'slack', 'webhook']) w(way)
WHERE n.matter || ':' || w.way = ANY (people.chosen)
ORDER BY n.user_id, n.matter, n.subject, w.way
ON CONFLICT (user_id, matter, subject, way) DO NOTHING"""

NOTIFY = (
    "WITH"
    + PEOPLE
    + """, notices AS (
  SELECT * FROM json_to_recordset(%(notices)s) n(user_id bigint, matter text, subject text, exception_id bigint,
    entry_id bigint, actor text, text text))"""
    + INSERT
)


@lru_cache(maxsize=4096)
def notify_statement(schema: str) -> str:
    """Raises: ValueError for what is no schema's name."""
    return NOTIFY.format(s=quoted(schema))
