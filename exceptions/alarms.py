"""What changed verdicts set going, in the transaction that writes them: people are told, clocks of escalation start.

One statement for all, and only for verdicts that concern somebody. It names its schema, so no search path matters.
"""

from collections.abc import Iterable
from functools import lru_cache

from exceptions.choices import Kind
from exceptions.notifications.statements import INSERT, PEOPLE
from exceptions.notifications.words import USUAL, USUAL_SEVERITY
from orders.statements import quoted

SURFACED, RISEN, OVER = "surfaced", "risen", "over"
ALARMS = {
    Kind.OPENED: SURFACED,
    Kind.REOPENED: SURFACED,
    Kind.BREACHED: RISEN,
    Kind.SEVERITY_CHANGED: RISEN,
    Kind.RESOLVED: OVER,
    Kind.RETRACTED: OVER,
}

# Whose exception it is hears of it, and who wants to from that severity on; once for each occurrence. History tells nobody.
# Clocks start anew with each occurrence, where the tenant has a chain at all; a severity that rises is looked at at once.
RAISE = (
    "WITH"
    + PEOPLE
    + """, alarms AS (
  SELECT a.alarm, a.actor, r.* FROM json_to_recordset(%(alarms)s) a(o bigint, c text, alarm text, actor text)
  JOIN {s}.exceptions_record r ON r.order_id = a.o AND r.reason_code = a.c WHERE NOT r.history
), notices AS (
  SELECT p.user_id, CASE a.alarm WHEN 'over' THEN 'over' ELSE 'breached' END AS matter,
    'exception:' || a.id || ':' || a.occurrence_count AS subject, a.id AS exception_id, NULL::bigint AS entry_id,
    a.actor, '' AS text
  FROM alarms a JOIN people p ON p.user_id = a.assignee_id
    OR (a.alarm <> 'over' AND array_position(ARRAY['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'], a.severity::text)
      >= array_position(ARRAY['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'], p.least_severity::text))
), started AS (
  INSERT INTO {s}.exceptions_escalationclock (exception_id, started_at, due_at, done)
  SELECT id, %(now)s, %(now)s, ARRAY[]::varchar[] FROM alarms
  WHERE alarm = 'surfaced' AND EXISTS (SELECT FROM {s}.exceptions_escalationplan) ORDER BY id
  ON CONFLICT (exception_id) DO UPDATE SET started_at = %(now)s, due_at = %(now)s, paused_at = NULL, done = ARRAY[]::varchar[]
), stirred AS (
  UPDATE {s}.exceptions_escalationclock k SET due_at = %(now)s FROM alarms a
  WHERE k.exception_id = a.id AND a.alarm = 'risen' AND k.paused_at IS NULL
)"""
    + INSERT
)
USUALLY = {"usual": list(USUAL), "usual_severity": USUAL_SEVERITY}


@lru_cache(maxsize=4096)
def raise_statement(schema: str) -> str:
    """Raises: ValueError for what is no schema's name."""
    return RAISE.format(s=quoted(schema))


def alarm_of(kinds: Iterable[str]) -> str | None:
    """What the rows of a timeline set going: the first that sets anything."""
    return next((ALARMS[Kind(kind)] for kind in kinds if kind in ALARMS), None)
