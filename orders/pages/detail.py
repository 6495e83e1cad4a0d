"""/orders/ID/: an order's stages over time, its events, parcels and what is wrong with it."""

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from e2a.pages import show
from orders.events import OWN_SOURCE
from orders.explaining import explain_order
from orders.facts import Fact, standing
from orders.holds import open_holds, pauses_of
from orders.models import Event, StageState
from orders.pages.drawing import draw
from orders.pages.due_times import due_times
from orders.selectors import NoSuchOrder, get_order, history_of
from orders.verdicts import verdicts_of
from tenants.access import Access
from tenants.gate import member_page
from tenants.models import Scope


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as the page tells it. `who`: of our own, the person; `retracted`: it no longer counts."""

    event: Event
    who: str
    reason: str
    retracted: bool

    @property
    def own(self) -> bool:
        return self.event.source == OWN_SOURCE

    @property
    def late_seconds(self) -> float:
        """How long after it happened it was received; worth telling only when over a minute."""
        gap = (self.event.received_at - self.event.occurred_at).total_seconds()
        return gap if gap > 60 else 0


@member_page(Scope.READ)
def order(request: HttpRequest, order_pk: int) -> HttpResponse:
    access: Access = request.access  # type: ignore[attr-defined]
    history = history_of(get_order(order_pk))
    facts = [fact_of(event) for event in history.events if not event.quarantined]
    counted = standing(facts)
    explained = explain_order(access.schema, history.order)
    context = {
        "order": history.order,
        "stages": history.stages,
        "due_times": due_times(explained, history.stages),
        "verdicts": verdicts_of(list(history.order.stages.all()), history.order.promised_at, explained),
        "drawing": draw(history.stages, pauses_of(counted), access.now),
        "happenings": happenings(history.events, counted),
        "holds": sorted(open_holds(counted).items(), key=lambda hold: hold[1]),
        "parcels": history.parcels,
        "exceptions": sorted(history.order.exceptions.all(), key=lambda each: each.opened_at, reverse=True),
        "can_act": Scope.OPERATE in access.scopes,
        "can_hold": any(stage.state in (StageState.PENDING, StageState.RUNNING) for stage in history.stages),
    }
    return show(request, "orders/detail.html", "orders/_detail.html", context)


@member_page(Scope.READ)
def payload(request: HttpRequest, order_pk: int, event_pk: int) -> HttpResponse:
    """An event as it was sent, fetched once somebody unfolds it."""
    event = Event.objects.filter(pk=event_pk, order_id=order_pk).first()
    if event is None:
        raise NoSuchOrder
    text = json.dumps(event.payload, indent=2, ensure_ascii=False, sort_keys=True)
    return render(request, "orders/_payload.html", {"event": event, "text": text})


def fact_of(event: Event) -> Fact:
    return Fact(event.source, event.event_id, event.event_type, event.effective_at, event.received_at, event.detail)


def happenings(events: list[Event], counted: Any) -> list[Happening]:
    """Newest first."""
    kept = {(fact.source, fact.event_id) for fact in counted}
    return [happening(event, (event.source, event.event_id) in kept) for event in reversed(events)]


def happening(event: Event, counts: bool) -> Happening:
    said = event.payload if isinstance(event.payload, dict) else {}
    own = event.source == OWN_SOURCE
    actor = str(said.get("actor", "")) if own else ""
    reason = (event.detail or {}).get("reason") or (said.get("reason", "") if own else "")
    return Happening(event, actor.removeprefix("user:"), str(reason), not counts and not event.quarantined)
