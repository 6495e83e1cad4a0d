"""How well each analyst does: the rules, and the AI by model and prompt. Counted from what people and the mock's truth say.

Reads the schema of the connection. Whatever an AI said counts for it, also where the rules' answer prevailed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from exceptions.analyst.measure import Answer, Score, confusion, score
from exceptions.analyst.words import Fallback, Label

RULES = "rules"
TRUTH = """
truth AS (
  SELECT DISTINCT ON (exception_id) exception_id, label FROM exceptions_knowncause
  ORDER BY exception_id, array_position(ARRAY['correction', 'close', 'thumb', 'mock'], origin::text))"""
SPOKEN = """
spoken AS (
  SELECT id, exception_id, 'rules' AS who, '' AS model, '' AS prompt_version, rules_label AS label, rules_confidence AS confidence
  FROM exceptions_analysis WHERE state = 'done' AND rules_label <> '' AND finished_at > %(since)s
  UNION ALL
  SELECT id, exception_id, 'ai', model, prompt_version, ai_label, ai_confidence
  FROM exceptions_analysis WHERE state = 'done' AND ai_label <> '' AND finished_at > %(since)s)"""
CELLS = f"""
WITH {TRUTH}, {SPOKEN}
SELECT s.who, s.model, s.prompt_version, s.label, t.label, count(*), avg(s.confidence)
FROM spoken s JOIN truth t ON t.exception_id = s.exception_id
GROUP BY 1, 2, 3, 4, 5, least(9, floor(s.confidence * 10)) ORDER BY 1, 2, 3, 4, 5, 7"""
WORK = """
SELECT 'ai', model, prompt_version, count(*) FILTER (WHERE ai_label <> ''), count(*) FILTER (WHERE ai_tried),
  count(*) FILTER (WHERE judge = 'ai'), sum(tokens), sum(cost_usd),
  percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY latency_ms)
FROM exceptions_analysis WHERE state = 'done' AND model <> '' AND finished_at > %(since)s GROUP BY model, prompt_version
UNION ALL
SELECT 'rules', '', '', count(*), 0, count(*) FILTER (WHERE judge = 'rules'), 0, NULL,
  percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY latency_ms) FILTER (WHERE model = '')
FROM exceptions_analysis WHERE state = 'done' AND finished_at > %(since)s HAVING count(*) > 0
ORDER BY 1 DESC, 2, 3"""
THUMBS = """
SELECT CASE WHEN a.judge = 'ai' THEN a.model ELSE '' END, CASE WHEN a.judge = 'ai' THEN a.prompt_version ELSE '' END,
  count(*) FILTER (WHERE f.helpful), count(*) FILTER (WHERE NOT f.helpful)
FROM exceptions_feedback f JOIN exceptions_analysis a ON a.id = f.analysis_id
WHERE a.state = 'done' AND a.finished_at > %(since)s GROUP BY 1, 2"""
REASONS = """
SELECT fallback, count(*) FROM exceptions_analysis
WHERE state = 'done' AND fallback <> '' AND finished_at > %(since)s GROUP BY 1 ORDER BY 2 DESC, 1"""
TRIED = """
SELECT count(*), count(*) FILTER (WHERE judge = 'ai') FROM exceptions_analysis
WHERE state = 'done' AND ai_tried AND finished_at >= %(since)s"""


@dataclass(frozen=True, slots=True)
class Analyst:
    """One line of the scoreboard. `spoke`: how often it had a word; `prevailed`: how often that stood. None: nothing to count.

    `cost_usd` only of calls whose cost the provider told. `median_ms`, `slow_ms`: of the calls; of the rules, of reading an
    order's history and judging it (0: under a millisecond).
    """

    who: str
    model: str
    prompt_version: str
    spoke: int
    tried: int
    prevailed: int
    tokens: int
    cost_usd: Decimal | None
    median_ms: int | None
    slow_ms: int | None
    score: Score
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    thumbs_up: int = 0
    thumbs_down: int = 0

    @property
    def name(self) -> str:
        return "The rules" if self.who == RULES else f"{self.model}, {self.prompt_version}"


@dataclass(frozen=True, slots=True)
class Board:
    """The rules first. `reasons`: why the rules answered, in words, the most frequent first."""

    analysts: Sequence[Analyst]
    reasons: Sequence[tuple[str, int]]


def board_since(since: datetime) -> Board:
    cells = answers_since(since)
    thumbs = {(model, version): (up, down) for model, version, up, down in rows(THUMBS, since)}
    analysts = [analyst_of(row, cells, thumbs) for row in rows(WORK, since)]
    reasons = [(Fallback(word).label, count) for word, count in rows(REASONS, since)]
    return Board(analysts, reasons)


def analyst_of(
    row: tuple[Any, ...],
    cells: Mapping[tuple[str, str, str], list[Answer]],
    thumbs: Mapping[tuple[str, str], tuple[int, int]],
) -> Analyst:
    who, model, version, spoke, tried, prevailed, tokens, cost, latency = row
    answers = cells.get((who, model, version), [])
    up, down = thumbs.get((model, version), (0, 0))
    median, slow = latency or (None, None)
    return Analyst(
        who=who,
        model=model,
        prompt_version=version,
        spoke=spoke,
        tried=tried,
        prevailed=prevailed,
        tokens=int(tokens or 0),
        cost_usd=cost,
        median_ms=median,
        slow_ms=slow,
        score=score(answers),
        confusion=confusion(answers),
        thumbs_up=up,
        thumbs_down=down,
    )


def answers_since(since: datetime) -> dict[tuple[str, str, str], list[Answer]]:
    """By analyst. Those of one bin carry the bin's mean confidence, which is all that calibration reads."""
    found: dict[tuple[str, str, str], list[Answer]] = {}
    for who, model, version, label, truth, count, confidence in rows(CELLS, since):
        answer = Answer(label, float(confidence), truth)
        found.setdefault((who, model, version), []).extend([answer] * count)
    return found


def ai_success_rate(since: datetime) -> float | None:
    """Of the analyses since then that were tried with the AI, the share that did not fall back (CONTRACT 5)."""
    ((tried, answered),) = rows(TRIED, since)
    return answered / tried if tried else None


def label_titles(labels: Sequence[str]) -> dict[str, str]:
    return {label: str(Label(label).label) for label in labels}


def rows(text: str, since: datetime) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, {"since": since})
        return list(cursor.fetchall())
