"""Whether an AI analyst (a model with a prompt) is in use: it is, until it loses to the rules; a manager may bring it back."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from exceptions.analyst.measure import LEAST_CASES, loses
from exceptions.analyst.models import AnalystSwitch

MOST_CASES = 500  # the latest
RULES_ACTOR = "rules"
PAIRS = """
WITH truth AS (
  SELECT DISTINCT ON (exception_id) exception_id, label FROM exceptions_knowncause
  ORDER BY exception_id, array_position(ARRAY['correction', 'close', 'thumb', 'mock'], origin::text))
SELECT a.ai_label = t.label, a.rules_label = t.label
FROM exceptions_analysis a JOIN truth t ON t.exception_id = a.exception_id
WHERE a.state = 'done' AND a.ai_label <> '' AND a.model = %(model)s AND a.prompt_version = %(version)s
  AND a.finished_at > coalesce((SELECT max(at) FROM exceptions_analystswitch
    WHERE model = %(model)s AND prompt_version = %(version)s AND "on"), '-infinity')
ORDER BY a.id DESC LIMIT %(limit)s"""


@dataclass(frozen=True, slots=True)
class Standing:
    """An AI analyst, the last word on it, and how it does against the rules where both were judged."""

    model: str
    prompt_version: str
    on: bool
    reason: str
    actor: str
    pairs: Sequence[tuple[bool, bool]]

    @property
    def judged(self) -> int:
        return len(self.pairs)

    @property
    def ai_right(self) -> int:
        return sum(ai for ai, _ in self.pairs)

    @property
    def rules_right(self) -> int:
        return sum(rules for _, rules in self.pairs)


def last_word(*, model: str, prompt_version: str) -> AnalystSwitch | None:
    rows = AnalystSwitch.objects.filter(model=model, prompt_version=prompt_version)
    return rows.order_by("-pk").first()


def is_on(*, model: str, prompt_version: str) -> bool:
    word = last_word(model=model[:100], prompt_version=prompt_version)
    return word is None or word.on


def standing_of(*, model: str, prompt_version: str) -> Standing:
    """Since it was last switched on."""
    with connection.cursor() as cursor:
        cursor.execute(PAIRS, {"model": model, "version": prompt_version, "limit": MOST_CASES})
        pairs = [(bool(ai), bool(rules)) for ai, rules in cursor.fetchall()]
    word = last_word(model=model, prompt_version=prompt_version)
    return Standing(
        model=model,
        prompt_version=prompt_version,
        on=word is None or word.on,
        reason=word.reason if word else "",
        actor=word.actor if word else "",
        pairs=pairs,
    )


def switch_off_if_losing(*, model: str, prompt_version: str) -> bool:
    """Whether it was switched off by this call."""
    standing = standing_of(model=model, prompt_version=prompt_version)
    if not standing.on or not loses(standing.pairs):
        return False
    reason = (
        f"Of the last {len(standing.pairs)} judged analyses it had {standing.ai_right} right, the rules "
        f"{standing.rules_right}; it takes at least {LEAST_CASES} and a clear difference."
    )
    return switch(model=model, prompt_version=prompt_version, on=False, actor=RULES_ACTOR, reason=reason)


def switch(*, model: str, prompt_version: str, on: bool, actor: str, reason: str) -> bool:
    """False when it stands so already; nothing is written then."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(current_schema() || %s))", [f"{model}/{prompt_version}"])
        if is_on(model=model, prompt_version=prompt_version) == on:
            return False
        AnalystSwitch.objects.create(
            model=model, prompt_version=prompt_version, on=on, actor=actor[:200], reason=reason[:500]
        )
    return True
