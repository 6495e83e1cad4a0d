"""Asking the AI within everything that limits it: the breaker, the day's tokens, the time, a few tries. Outside any transaction.

The order of things for a try: claim the most that it can cost, call, settle what it did cost. A worker that dies in between
leaves a claim that is charged in full later; nothing is asked twice without being paid for twice.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.conf import settings

from e2a.crash import crash_point
from e2a.observability.metrics import AI_REQUESTS, AI_TOKENS
from exceptions.analyst.answer import BadAnswer
from exceptions.analyst.client import (
    AskError,
    Garbage,
    Provider,
    Question,
    RateLimited,
    Refused,
    Reply,
    TimedOut,
    TooLong,
    Unreachable,
    ask_once,
    most_tokens,
)
from exceptions.analyst.rules import Judgement
from exceptions.analyst.words import Fallback
from tenants.ai import breaker
from tenants.ai.budget import OverBudget, claim_tokens, settle_claim

logger = structlog.get_logger("exceptions.analyst")
TRIES, OPERATION = 3, "analysis"
LEAST_SECONDS = 0.5  # a try that has less left is not begun
FIRST_WAIT, LONGEST_WAIT = 0.2, 1.0
REASONS: dict[type[AskError], Fallback] = {
    TimedOut: Fallback.TIMEOUT,
    Unreachable: Fallback.UNREACHABLE,
    RateLimited: Fallback.RATE_LIMITED,
    Refused: Fallback.REFUSED,
    Garbage: Fallback.BAD_ANSWER,
    TooLong: Fallback.BAD_ANSWER,
}


class NotAnswered(Exception):
    """The AI did not answer: `reason` says why, `tried` whether it was asked at all."""

    def __init__(self, reason: Fallback, *, note: str = "", tokens: int = 0, tried: bool = False) -> None:
        self.reason = reason
        self.note = note
        self.tokens = tokens
        self.tried = tried
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Asked:
    """`tokens`: charged, over all tries."""

    judgement: Judgement
    reply: Reply
    tokens: int
    latency_ms: int


@dataclass(slots=True)
class Limits:
    """`sleep` and `clock` are seams for tests."""

    daily_tokens: int
    tenant_share: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def provider_of_settings() -> Provider | None:
    """None without a key or a model: the installation has no AI."""
    if not settings.AI_API_KEY or not settings.AI_MODEL:
        return None
    return Provider(
        url=settings.AI_PROVIDER_BASE_URL,
        model=settings.AI_MODEL,
        key=settings.AI_API_KEY,
        timeout_seconds=settings.AI_TIMEOUT_SECONDS,
    )


def limits_of_settings() -> Limits:
    return Limits(settings.AI_MAX_DAILY_TOKENS, settings.E2A_AI_TENANT_SHARE)


def breaker_name(provider: Provider) -> str:
    return f"{provider.name}/{provider.model}"[:200]


def ask(
    schema: str, provider: Provider, question: Question, limits: Limits, *, read: Callable[[str], Judgement]
) -> Asked:
    """The answer, within the provider's time limit in all. `read` raises BadAnswer. Raises: NotAnswered."""
    name = breaker_name(provider)
    if not breaker.may_ask(name):
        raise NotAnswered(Fallback.BREAKER, note=breaker.trouble(name))
    began, spent = limits.clock(), 0
    for attempt in range(1, TRIES + 1):
        left = provider.timeout_seconds - (limits.clock() - began)
        try:
            reply, charged = paid_try(schema, provider, question, limits, left)
            judgement = checked(name, reply, read, spent + charged)
            return Asked(judgement, reply, spent + charged, round(1000 * (limits.clock() - began)))
        except OverBudget:
            breaker.report_untried(name)
            raise NotAnswered(Fallback.BUDGET, tokens=spent, tried=attempt > 1) from None
        except FailedTry as failed:
            spent += failed.charged
            wait = wait_before(failed.error, attempt, left=provider.timeout_seconds - (limits.clock() - began))
            if wait is None:
                raise given_up(name, failed.error, spent) from None
            limits.sleep(wait)
    raise AssertionError("the last try returns or raises")


def checked(name: str, reply: Reply, read: Callable[[str], Judgement], spent: int) -> Judgement:
    """What is not even JSON speaks against the provider; what is wrong in content, which an order's text may have caused,
    does not: else one customer could switch the AI off for all. Raises: NotAnswered.
    """
    try:
        judgement = read(reply.content)
    except BadAnswer as bad:
        if bad.garbage:
            breaker.report_failure(name, reason="garbage")
        else:
            breaker.report_success(name)
        raise NotAnswered(Fallback.BAD_ANSWER, note=bad.sentence, tokens=spent, tried=True) from None
    breaker.report_success(name)
    return judgement


class FailedTry(Exception):
    """A try that failed, and what it was charged."""

    def __init__(self, error: AskError, charged: int) -> None:
        self.error = error
        self.charged = charged
        super().__init__(error.status)


def paid_try(schema: str, provider: Provider, question: Question, limits: Limits, seconds: float) -> tuple[Reply, int]:
    """Raises: OverBudget before anything is sent, FailedTry after."""
    most = most_tokens(provider, question)
    claim = claim_tokens(schema, most, limit=limits.daily_tokens, share=limits.tenant_share)
    status = "ok"
    try:
        crash_point("ai_claimed")
        reply = ask_once(provider, question, seconds=seconds)
        crash_point("ai_answered")
        # More than the most that is possible is as good as no word at all.
        charged = settle_claim(claim, reply.tokens if reply.tokens is not None and reply.tokens <= most else None)
    except AskError as error:
        status = error.status
        charged = settle_claim(claim, None if error.costs else 0)
        raise FailedTry(error, charged or 0) from error
    finally:
        AI_REQUESTS.labels(provider.name, provider.model, OPERATION, status).inc()
    AI_TOKENS.labels(provider.name, provider.model).inc(charged or 0)
    return reply, charged or 0


def wait_before(error: AskError, attempt: int, *, left: float) -> float | None:
    """Seconds before the next try, with jitter; None when there is none: too late, too often, or useless."""
    if not error.retryable or attempt == TRIES:
        return None
    if isinstance(error, RateLimited) and error.wish_seconds:
        wait = error.wish_seconds
    else:
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1)) * random.uniform(0.5, 1.5)
    return wait if left - wait >= LEAST_SECONDS else None


def given_up(name: str, error: AskError, spent: int) -> NotAnswered:
    wish = error.wish_seconds if isinstance(error, RateLimited) else 0
    breaker.report_failure(name, reason=error.status, wish_seconds=wish)
    logger.warning("ai not answered", breaker=name, status=error.status, detail=str(error)[:100])
    return NotAnswered(REASONS[type(error)], note=str(error)[:200], tokens=spent, tried=True)
