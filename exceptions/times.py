"""How long exceptions take: until somebody takes one up (MTTA), until it is over (MTTR), and in each state (dwell).

Computed from the timeline, in one statement. A run goes from an opening or reopening until it is resolved or opened anew; it
counts for the period in which it began, from the instant at which it was written here. History and what never was are left
out, snoozes are not: the order waited all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from exceptions.choices import Reason
from tenants.models import User

MOST_GROUPS = 100
DIMENSIONS: Mapping[str, str] = {
    "reason": "r.reason_code",
    "merchant": "r.merchant",
    "assignee": "coalesce(r.assignee_id::text, '')",
}
TITLES: Mapping[str, str] = {"reason": "Reason", "merchant": "Merchant", "assignee": "Assignee"}
TIMES = """
WITH picked AS (
  SELECT DISTINCT exception_id FROM exceptions_timelineentry
  WHERE at > %(since)s AND kind IN ('opened', 'reopened')
), lines AS (
  SELECT t.exception_id, t.at, t.kind, lead(t.at) OVER w AS next_at,
    count(*) FILTER (WHERE t.kind IN ('opened', 'reopened')) OVER w AS run
  FROM exceptions_timelineentry t JOIN picked USING (exception_id)
  WHERE t.kind IN ('opened', 'reopened', 'acknowledged', 'started', 'resolved', 'retracted')
  WINDOW w AS (PARTITION BY t.exception_id ORDER BY t.id)
), runs AS (
  SELECT exception_id, min(at) FILTER (WHERE kind IN ('opened', 'reopened')) AS begun,
    min(at) FILTER (WHERE kind IN ('acknowledged', 'started')) AS taken,
    min(at) FILTER (WHERE kind IN ('resolved', 'retracted')) AS ended,
    sum(next_at - at) FILTER (WHERE kind IN ('opened', 'reopened')) AS open,
    sum(next_at - at) FILTER (WHERE kind = 'acknowledged') AS acknowledged,
    sum(next_at - at) FILTER (WHERE kind = 'started') AS started
  FROM lines WHERE run > 0 GROUP BY exception_id, run
)
SELECT grouping({dimension}) = 1, {dimension}, count(*),
  count(taken), avg(taken - begun), percentile_disc(0.5) WITHIN GROUP (ORDER BY taken - begun),
  count(ended), avg(ended - begun), percentile_disc(0.5) WITHIN GROUP (ORDER BY ended - begun),
  avg(open), avg(acknowledged), avg(started)
FROM runs JOIN exceptions_record r ON r.id = runs.exception_id
WHERE begun > %(since)s AND r.verdict <> 'none' AND NOT r.history
GROUP BY GROUPING SETS ((), ({dimension})) ORDER BY 1 DESC, 3 DESC, 2 LIMIT %(most)s"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of one group; lengths in seconds, None where there is nothing to measure. `runs`: how many began.

    `taken`: of them, those that somebody acknowledged or started; `ended`: those that were resolved.
    """

    key: str
    name: str
    runs: int
    taken: int
    mtta: float | None
    median_tta: float | None
    ended: int
    mttr: float | None
    median_ttr: float | None
    in_open: float | None
    in_acknowledged: float | None
    in_progress: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    whole: Times
    groups: list[Times]


def measure_times(*, since: datetime, by: str) -> Measured:
    """`by` is one of DIMENSIONS; the groups with the most runs first."""
    with connection.cursor() as cursor:
        cursor.execute(TIMES.format(dimension=DIMENSIONS[by]), {"since": since, "most": MOST_GROUPS + 1})
        rows = cursor.fetchall()
    whole = next(row for row in rows if row[0])
    groups = [row for row in rows if not row[0]]
    names = names_of(by, [row[1] for row in groups])
    return Measured(times_of(whole, "", "All"), [times_of(row, row[1], names[row[1]]) for row in groups])


def names_of(by: str, keys: list[str]) -> dict[str, str]:
    if by == "reason":
        return {key: str(Reason(key).label) if key in Reason.values else key for key in keys}
    if by == "merchant":
        return {key: key for key in keys}
    users = User.objects.filter(pk__in=[int(key) for key in keys if key]).values_list("pk", "username")
    return {key: "who has left" for key in keys} | {str(pk): name for pk, name in users} | {"": "nobody"}


def times_of(row: tuple[Any, ...], key: str, name: str) -> Times:
    _, _, runs, taken, mtta, median_tta, ended, mttr, median_ttr, in_open, in_acknowledged, in_progress = row
    return Times(
        key=key,
        name=name,
        runs=runs,
        taken=taken,
        mtta=seconds(mtta),
        median_tta=seconds(median_tta),
        ended=ended,
        mttr=seconds(mttr),
        median_ttr=seconds(median_ttr),
        in_open=seconds(in_open),
        in_acknowledged=seconds(in_acknowledged),
        in_progress=seconds(in_progress),
    )


def seconds(length: Any) -> float | None:
    return None if length is None else float(length.total_seconds())
