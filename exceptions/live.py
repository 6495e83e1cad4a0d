"""A tenant's version: a short text that differs once anything on its pages may differ. For pages without a socket."""

from django.db import connection

# The newest id alone would miss a row that commits after a later one; count and sum of the newest 200 change with it.
# Each part is a short walk down a primary key; what is at risk without an exception has an index of its own.
VERSION = """
SELECT concat_ws('-',
  (SELECT concat_ws('.', count(*), max(id), sum(id))
    FROM (SELECT id FROM exceptions_timelineentry ORDER BY id DESC LIMIT 200) t),
  (SELECT concat_ws('.', count(*), max(id), sum(id)) FROM (SELECT id FROM orders_event ORDER BY id DESC LIMIT 200) e),
  (SELECT concat_ws('.', count(*), max(id), sum(id), extract(epoch FROM max(status_at)))
    FROM (SELECT id, status_at FROM orders_deadletter ORDER BY id DESC LIMIT 50) d),
  (SELECT concat_ws('.', count(*), extract(epoch FROM max(finished_at)), count(*) FILTER (WHERE state = 'waiting'))
    FROM (SELECT finished_at, state FROM exceptions_analysis ORDER BY id DESC LIMIT 200) a),
  (SELECT concat_ws('.', count(*), sum(id), extract(epoch FROM max(due_at))) FROM (SELECT id, due_at FROM orders_stage
    WHERE state = 'RUNNING' AND severity = 'LOW' AND NOT breached ORDER BY due_at, id LIMIT 200) r),
  (SELECT extract(epoch FROM max(at)) FROM (SELECT at FROM exceptions_feedback ORDER BY id DESC LIMIT 50) f),
  (SELECT max(id) FROM exceptions_notification),
  (SELECT concat_ws('.', count(*), max(id), sum(id)) FROM (SELECT id FROM exceptions_incidententry ORDER BY id DESC LIMIT 50) i),
  (SELECT concat_ws('.', max(id), extract(epoch FROM max(answered_at)))
    FROM (SELECT id, answered_at FROM exceptions_dryrun ORDER BY id DESC LIMIT 50) y),
  (SELECT extract(epoch FROM max(changed_at)) FROM exceptions_incident),
  (SELECT extract(epoch FROM max(updated_at)) FROM exceptions_incidentrule))"""


def version() -> str:
    """Of the tenant whose schema the connection stands in."""
    with connection.cursor() as cursor:
        cursor.execute(VERSION)
        row: tuple[str] = cursor.fetchone()
    return row[0]
