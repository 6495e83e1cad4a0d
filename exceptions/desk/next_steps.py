"""Running the playbook's next step for many: of each the one that waits for a person, as if that person had agreed to it there."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from e2a.errors import ProblemError
from exceptions.models import ExceptionRecord
from exceptions.playbooks.decisions import Decider, approve
from exceptions.playbooks.models import Attempt
from exceptions.playbooks.words import State
from exceptions.services import Outcome

NO_STEP = "Its playbook has no step that waits for a person."
IRREVERSIBLE = "The step that waits cannot be undone: decide on it at the exception itself."


def run_next_steps(ids: Sequence[int], by: Decider, *, reason: str, now: datetime) -> Outcome:
    """What is refused to one holds no other up. The caller holds a transaction."""
    there = ExceptionRecord.objects.filter(pk__in=ids).values_list("pk", flat=True)
    waiting = Attempt.objects.filter(exception_id__in=ids, state__in=[State.SUGGESTED, State.AWAITING])
    steps = {attempt.exception_id: attempt for attempt in waiting.order_by("pk")}
    outcome = Outcome(refused={pk: NO_STEP for pk in there if pk not in steps})
    for pk, attempt in sorted(steps.items()):
        if attempt.irreversible:
            outcome.refused[pk] = IRREVERSIBLE
            continue
        try:
            with transaction.atomic():
                approve(exception_id=pk, attempt_id=attempt.pk, by=by, now=now, reason=reason)
            outcome.changed.append(pk)
        except ProblemError as refused:
            outcome.refused[pk] = refused.detail
    return outcome
