"""What people say of an analysis and what it really was: thumbs, corrections, words at the closing, the mock shop's truth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import connection, transaction

from e2a.errors import NotFound, Unprocessable
from e2a.pulse import pulse
from exceptions.analyst.models import Analysis, Feedback, KnownCause, State
from exceptions.analyst.words import Label, Origin
from exceptions.choices import Verdict
from exceptions.models import ExceptionRecord

LABELS = frozenset(Label.values) - {Label.UNKNOWN}


class NoSuchAnalysis(NotFound):
    """There is no finished analysis with this id."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Of an import of truths: exceptions that learned theirs, and orders without any exception."""

    exceptions: int
    unknown_orders: int


def say(
    *, analysis_id: int, actor: str, helpful: bool | None, really: str, comment: str = "", now: datetime
) -> Feedback:
    """Keeps what this person says, in place of what the person said before. `really`: a label, or nothing.

    A correction is what it really was; so is a thumb up, for as long as nobody corrects. Raises: NoSuchAnalysis, Unprocessable.
    """
    if really and really not in LABELS:
        raise Unprocessable(errors={"really": [f"“{really[:40]}” is not a cause: use {', '.join(sorted(LABELS))}."]})
    if helpful is None and not really:
        raise Unprocessable(errors={"helpful": ["Say whether it helped, or what it really was."]})
    with transaction.atomic():
        analysis = Analysis.objects.select_for_update(no_key=True).filter(pk=analysis_id, state=State.DONE).first()
        if analysis is None:
            raise NoSuchAnalysis
        values = {"helpful": helpful, "really": really, "comment": comment[:500], "at": now}
        said, _ = Feedback.objects.update_or_create(analysis=analysis, actor=actor[:200], defaults=values)
        learn_from(analysis, now)
        transaction.on_commit(partial(pulse.touch, connection.schema_name))  # type: ignore[attr-defined]
    return said


def learn_from(analysis: Analysis, now: datetime) -> None:
    """The last correction of any person, and, if more thumbs point up than down, the label that they point to."""
    said = list(Feedback.objects.filter(analysis=analysis).order_by("at", "pk"))
    corrected = [one for one in said if one.really]
    keep(analysis.exception_id, Origin.CORRECTION, corrected[-1].really if corrected else "", said, now)
    thumbs = sum(1 if one.helpful else -1 for one in said if one.helpful is not None)
    keep(analysis.exception_id, Origin.THUMB, analysis.label if thumbs > 0 else "", said, now)


def keep(exception_id: int, origin: Origin, label: str, said: Sequence[Feedback], now: datetime) -> None:
    """No label: whatever stood there is taken back. That it is not clear is nothing to learn."""
    if label in LABELS:
        values = {"label": label, "actor": said[-1].actor, "at": now}
        KnownCause.objects.update_or_create(exception_id=exception_id, origin=origin, defaults=values)
    else:
        KnownCause.objects.filter(exception_id=exception_id, origin=origin).delete()


def learn_from_closes(exception_ids: Iterable[int], label: str, *, actor: str, now: datetime) -> None:
    """What a person named when closing. Inside the caller's transaction."""
    rows = [
        KnownCause(exception_id=pk, origin=Origin.CLOSE, label=label, actor=actor[:200], at=now) for pk in exception_ids
    ]
    KnownCause.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["exception", "origin"], update_fields=["label", "actor", "at"]
    )


def import_truths(truths: Mapping[str, str], *, merchant: str, now: datetime) -> Imported:
    """Order id → label, of a merchant's orders. Each of an order's exceptions gets its order's, but for one that never was:
    it came of reports that were late, not of what the order suffered from. A rerun changes nothing.
    """
    wrong = sorted(set(truths.values()) - LABELS)
    if wrong:
        raise Unprocessable(errors={"label": [f"“{wrong[0][:40]}” is not a cause: use {', '.join(sorted(LABELS))}."]})
    found = ExceptionRecord.objects.filter(merchant=merchant, order_ref__in=list(truths)).exclude(verdict=Verdict.NONE)
    pairs = list(found.values_list("pk", "order_ref"))
    rows = [
        KnownCause(exception_id=pk, origin=Origin.MOCK, label=truths[order], actor="mock", at=now)
        for pk, order in pairs
    ]
    KnownCause.objects.bulk_create(
        rows,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["exception", "origin"],
        update_fields=["label", "at"],
    )
    return Imported(len(rows), len(truths.keys() - {order for _, order in pairs}))
