"""Analysing: rows are the queue, claimed with a lease; the work happens outside any transaction; only the last claim writes.

All of it acts in the schema that the connection stands in.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from e2a.crash import crash_point
from e2a.observability.metrics import AI_FAILURES
from e2a.pulse import pulse
from exceptions.analyst import asking
from exceptions.analyst.answer import answer_schema, read_answer
from exceptions.analyst.asking import Asked, Limits, NotAnswered
from exceptions.analyst.briefing import brief, hash_of
from exceptions.analyst.case import Case
from exceptions.analyst.choosing import Desk, reason_for_rules
from exceptions.analyst.client import Provider, Question
from exceptions.analyst.models import Analysis, KnownCause, State
from exceptions.analyst.permits import permitted_actions
from exceptions.analyst.personal import person_of
from exceptions.analyst.prompts import CURRENT, prompt_text
from exceptions.analyst.reading import Material, read_cases
from exceptions.analyst.rules import PLAUSIBLE, Evidence, Judgement, judge_case
from exceptions.analyst.switch import is_on
from exceptions.analyst.words import Action, Blame, Fallback, Judge, Label, Origin

logger = structlog.get_logger("exceptions.analyst")
LEASE_SECONDS = 30  # beside the time that a call to the AI may take
HANDED_SECONDS = 20  # for the AI's task to come, before a sweep looks again
MOST_CLAIMS = 5  # an analysis that so many workers died over is answered without the AI
CLAIMS_A_LOOK = 10  # a new look counts on from the next ten, so that no worker of the last one can write into it
UNANALYSED = """analysed_occurrence < occurrence_count AND (verdict = 'active' OR (NOT history AND verdict = 'over'))"""
WANTED = f"""
WITH chosen AS (
  SELECT id, occurrence_count FROM exceptions_record WHERE {UNANALYSED}
  ORDER BY id DESC LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
), wanted AS (
  INSERT INTO exceptions_analysis (exception_id, occurrence) SELECT id, occurrence_count FROM chosen
  ON CONFLICT (exception_id, occurrence) DO NOTHING
)
UPDATE exceptions_record r SET analysed_occurrence = c.occurrence_count FROM chosen c WHERE r.id = c.id"""
WORK = f"""
SELECT (SELECT id FROM exceptions_record WHERE {UNANALYSED} ORDER BY id DESC LIMIT 1) IS NOT NULL
  OR (SELECT id FROM exceptions_analysis WHERE state <> 'done' AND (lease_until IS NULL OR lease_until <= now())
    ORDER BY id LIMIT 1) IS NOT NULL"""  # ordered, so that each is a step into its small index and no scan
CLAIM = """
UPDATE exceptions_analysis SET state = 'running', claims = claims + 1,
  lease_until = clock_timestamp() + %(lease)s * interval '1 second'
WHERE id IN (SELECT id FROM exceptions_analysis WHERE state <> 'done' AND {which}
  ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id, exception_id, claims, extract(epoch FROM clock_timestamp() - created_at)"""
DUE = "(lease_until IS NULL OR lease_until <= clock_timestamp())"
ONE = "id = %(id)s AND (state = 'waiting' OR lease_until <= clock_timestamp())"
HAND_BACK = """
UPDATE exceptions_analysis SET state = 'waiting', lease_until = clock_timestamp() + %s * interval '1 second'
WHERE id = %s AND state = 'running' AND claims = %s"""


@dataclass(frozen=True, slots=True)
class Claim:
    """An analysis that is this worker's until its lease ends."""

    id: int
    exception_id: int
    number: int
    waited_seconds: float


@dataclass(frozen=True, slots=True)
class Tools:
    """What analysing takes from outside: settings, or a test's own."""

    provider: Provider | None
    limits: Limits
    mode: str
    least_confidence: float


def tools_of_settings() -> Tools:
    return Tools(
        provider=asking.provider_of_settings(),
        limits=asking.limits_of_settings(),
        mode=settings.AI_MODE,
        least_confidence=settings.AI_MIN_CONFIDENCE,
    )


def want_analyses(limit: int) -> int:
    """A waiting row for each occurrence without one, the newest first. Returns how many.

    Rows that the door holds just now are passed over, so neither waits for the other.
    """
    with connection.cursor() as cursor:
        cursor.execute(WANTED, [limit])
        return int(cursor.rowcount)


def has_work() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(WORK)
        return bool(cursor.fetchone()[0])


def claim_due(limit: int, *, analysis_id: int | None = None, call_seconds: float = 0) -> list[Claim]:
    """Claims what waits, or one by its id. What another worker has is left alone until its lease ends."""
    text = CLAIM.format(which=DUE if analysis_id is None else ONE)
    with connection.cursor() as cursor:
        cursor.execute(text, {"lease": LEASE_SECONDS + call_seconds, "limit": limit, "id": analysis_id})
        rows = cursor.fetchall()
    return [Claim(pk, exception, number, float(waited)) for pk, exception, number, waited in rows]


def analyse_by_rules(claims: Sequence[Claim], tools: Tools, *, now: datetime) -> list[int]:
    """Finishes what needs no AI; hands back, for a while, what does. Returns the ids that the AI should be asked about."""
    began = time.perf_counter()
    cases = read_cases([claim.exception_id for claim in claims], now=now)
    reading = (time.perf_counter() - began) / max(len(claims), 1)
    for_ai = []
    for claim in claims:
        material = cases.get(claim.exception_id)
        if material is None:
            continue  # gone with its order, and its row with it
        began = time.perf_counter()
        judgement = judge_case(material.case)
        judging = time.perf_counter() - began
        reason = reason_for_rules(material.case, judgement, desk_of(tools, claim))
        if reason is None:
            for_ai.append(claim.id)
            hand_back(claim)
        else:
            columns = columns_of(material.case, judgement, judgement, Judge.RULES, reason)
            finish(claim, columns | {"latency_ms": round(1000 * (reading + judging))})
    return for_ai


def analyse_one(schema: str, analysis_id: int, tools: Tools, *, now: datetime) -> Analysis | None:
    """Finishes one analysis, with the AI if it is worth it. None: done, or another worker's."""
    call_seconds = tools.provider.timeout_seconds if tools.provider else 0
    claims = claim_due(1, analysis_id=analysis_id, call_seconds=call_seconds)
    if not claims:
        return None
    material = read_cases([claims[0].exception_id], now=now, payloads=True).get(claims[0].exception_id)
    if material is None:
        return None
    crash_point("analysis_claimed")
    columns = columns_for(schema, material, claims[0], tools)
    crash_point("analysis_answered")
    finish(claims[0], columns)
    return Analysis.objects.get(pk=analysis_id)


def columns_for(schema: str, material: Material, claim: Claim, tools: Tools) -> dict[str, Any]:
    """What to write into the row: the AI's answer, or the rules' with why."""
    case = material.case
    judgement = judge_case(case)
    by_rules = partial(columns_of, case, judgement, judgement, Judge.RULES)
    reason = reason_for_rules(case, judgement, desk_of(tools, claim))
    if reason is not None or tools.provider is None:
        return by_rules(reason or Fallback.NO_KEY)
    provider = tools.provider
    permitted = permitted_for(case, judgement)
    message = brief(case, permitted)
    about = {
        "provider": provider.name[:100],
        "model": provider.model[:100],
        "prompt_version": CURRENT,
        "input_hash": hash_of(message, model=provider.model, prompt_version=CURRENT),
    }
    if (known := known_answer(about["input_hash"], case)) is not None:
        return columns_of(case, known, judgement, Judge.AI, None) | about | ai_columns(known) | {"ai_tried": True}
    question = Question(prompt_text(), message, answer_schema(permitted), person_of(material.payloads))
    read = partial(read_answer, case=case, permitted=permitted, message=message)
    try:
        asked = asking.ask(schema, provider, question, tools.limits, read=read)
    except NotAnswered as none:
        count_failure(provider, none.reason, tried=none.tried)
        more = {"ai_tried": none.tried, "tokens": none.tokens, "note": none.note[:300]}
        return by_rules(none.reason) | about | more
    return prevailing(case, judgement, asked, tools) | about


def prevailing(case: Case, judgement: Judgement, asked: Asked, tools: Tools) -> dict[str, Any]:
    """The AI's answer if it is sure enough, else the rules'; what the AI said is kept either way."""
    answer = asked.judgement
    costs = ai_columns(answer) | {
        "ai_tried": True,
        "tokens": asked.tokens,
        "cost_usd": None if asked.reply.cost_usd is None else Decimal(str(asked.reply.cost_usd)),
        "latency_ms": asked.latency_ms,
    }
    if answer.confidence < tools.least_confidence:
        if tools.provider:
            count_failure(tools.provider, Fallback.LOW_CONFIDENCE, tried=True)
        return columns_of(case, judgement, judgement, Judge.RULES, Fallback.LOW_CONFIDENCE) | costs
    return columns_of(case, answer, judgement, Judge.AI, None) | costs


def ai_columns(answer: Judgement) -> dict[str, Any]:
    return {"ai_label": answer.label, "ai_confidence": answer.confidence}


def count_failure(provider: Provider, reason: Fallback, *, tried: bool) -> None:
    if tried:
        AI_FAILURES.labels(provider.name, provider.model, reason).inc()


def desk_of(tools: Tools, claim: Claim) -> Desk:
    provider = tools.provider
    return Desk(
        mode=tools.mode,
        has_provider=provider is not None,
        is_on=provider is None or is_on(model=provider.model, prompt_version=CURRENT),
        waited_seconds=claim.waited_seconds if claim.number % CLAIMS_A_LOOK <= MOST_CLAIMS else float("inf"),
    )


def permitted_for(case: Case, judgement: Judgement) -> frozenset[Action]:
    return permitted_actions(case, [one for one, share in judgement.plausible.items() if share >= PLAUSIBLE])


def known_answer(input_hash: str, case: Case) -> Judgement | None:
    """The AI's answer to the same question, given in this tenant before. Its events are found by their place."""
    row = Analysis.objects.filter(input_hash=input_hash, judge=Judge.AI).order_by("-finished_at").first()
    if row is None:
        return None
    facts = {one.ref: one.fact for one in case.happenings}
    evidence = [
        Evidence(cited["ref"], facts[cited["ref"]].event_id, facts[cited["ref"]].source, cited["shows"])
        for cited in row.evidence
        if cited["ref"] in facts
    ]
    return Judgement(
        label=Label(row.label),
        confidence=row.confidence or 0.0,
        blame=Blame(row.blame),
        root_cause=row.root_cause,
        evidence=evidence,
        ops_note=row.ops_note,
        client_note=row.client_note,
        action=Action(row.action),
        plausible={},
    )


def columns_of(
    case: Case, answer: Judgement, by_rules: Judgement, judge: Judge, fallback: Fallback | None
) -> dict[str, Any]:
    return {
        "judge": judge,
        "fallback": fallback or "",
        "label": answer.label,
        "confidence": answer.confidence,
        "blame": answer.blame,
        "root_cause": answer.root_cause,
        "evidence": [asdict(one) for one in answer.evidence],
        "ops_note": answer.ops_note,
        "client_note": answer.client_note,
        "action": answer.action,
        "rules_label": by_rules.label,
        "rules_confidence": by_rules.confidence,
        "carrier": case.lane.carrier[:64],
        "warehouse": case.lane.warehouse[:64],
        "gateway": case.lane.gateway[:64],
        "skus": list(case.lane.skus),
    }


def analyse_again(exception_id: int) -> bool:
    """A person wants it looked at anew: what has happened since then counts too. False while it is being looked at.

    Thumbs go, since they were about the answer that is going to be replaced; what it really was stays.
    """
    with transaction.atomic():
        rows = Analysis.objects.select_for_update(no_key=True).filter(exception_id=exception_id, state=State.DONE)
        latest = rows.order_by("-occurrence").first()
        if latest is None:
            return False
        latest.feedback.filter(really="").delete()
        latest.feedback.update(helpful=None)
        KnownCause.objects.filter(exception_id=exception_id, origin=Origin.THUMB).delete()
        Analysis.objects.filter(pk=latest.pk).update(
            state=State.WAITING,
            claims=(latest.claims // CLAIMS_A_LOOK + 1) * CLAIMS_A_LOOK,
            created_at=Now(),
            finished_at=None,
            lease_until=None,
        )
        transaction.on_commit(partial(pulse.touch, connection.schema_name))  # type: ignore[attr-defined]
    return True


def hand_back(claim: Claim) -> None:
    """It waits for the AI's task; a sweep takes it up again only when that does not come."""
    with connection.cursor() as cursor:
        cursor.execute(HAND_BACK, [HANDED_SECONDS, claim.id, claim.number])


def finish(claim: Claim, columns: dict[str, Any]) -> bool:
    """Writes the result, unless another worker has taken the analysis over meanwhile."""
    mine = Analysis.objects.filter(pk=claim.id, state=State.RUNNING, claims=claim.number)
    done = mine.update(**columns, state=State.DONE, lease_until=None, finished_at=Now()) == 1
    if done:
        pulse.touch(connection.schema_name)  # type: ignore[attr-defined]
    return done
