"""The stored set: a tenant's exceptions of which somebody said what they really were, judged anew by the rules of now."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from exceptions.analyst.case import as_of
from exceptions.analyst.measure import Answer
from exceptions.analyst.reading import read_cases
from exceptions.analyst.rules import judge_case
from exceptions.analyst.scoreboard import TRUTH

BATCH = 200
STORED = f"""
WITH {TRUTH}
SELECT DISTINCT ON (a.exception_id) a.exception_id, a.finished_at, t.label
FROM exceptions_analysis a JOIN truth t ON t.exception_id = a.exception_id
WHERE a.state = 'done' ORDER BY a.exception_id DESC, a.occurrence DESC LIMIT %s"""


def rerun_stored(limit: int, *, now: datetime) -> list[Answer]:
    """Each as of the instant at which it was analysed, so that the rules know no more than they did then.

    Reads the schema of the connection; writes nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(STORED, [limit])
        rows: Sequence[tuple[int, datetime, str]] = cursor.fetchall()
    answers = []
    for first in range(0, len(rows), BATCH):
        part = rows[first : first + BATCH]
        cases = read_cases([pk for pk, _, _ in part], now=now)
        for pk, at, truth in part:
            if pk in cases:
                judgement = judge_case(as_of(cases[pk].case, at))
                answers.append(Answer(judgement.label, judgement.confidence, truth))
    return answers
