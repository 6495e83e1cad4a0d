"""What people decide about incidents, and that later rounds leave it so."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.forms.models import model_to_dict
from django_tenants.utils import schema_context

from e2a.errors import Unprocessable
from exceptions.incidents import decisions
from exceptions.incidents.errors import NoSuchIncident, NotPossible
from exceptions.incidents.folding import fold_incidents
from exceptions.incidents.models import Incident, IncidentEntry, IncidentMember, IncidentRule
from exceptions.incidents.rules import install_default_rules
from exceptions.models import ExceptionRecord
from tenants.models import Tenant
from tests.exceptions.cast import NOW
from tests.exceptions.incidents.cast import end, fold, late_parcel, members_of, storm, the_incident, told

ANNA: dict[str, Any] = {"actor": "user:anna", "now": NOW}
FIVE = {f"order-{number}" for number in range(5)}


@pytest.fixture
def incident(in_acme: Tenant) -> Incident:
    storm(5)
    fold()
    return the_incident()


def later(**columns: Any) -> Any:
    """Something more of the same, so many minutes after NOW."""
    minutes = columns.pop("minutes")
    return late_parcel(columns.pop("order_id", "later"), minutes=-minutes, **columns)


def test_confirming_holds_it_until_all_is_over(incident: Incident) -> None:
    confirmed = decisions.confirm_incident(incident_id=incident.pk, reason="carrier says so", **ANNA)
    assert (confirmed.state, confirmed.confirmed_by, confirmed.confirmed_at) == ("confirmed", "user:anna", NOW)
    IncidentRule.objects.filter(name="carrier-lane").update(minimum=50)
    fold()
    assert members_of(incident) == FIVE
    end(ExceptionRecord.objects.all())
    fold()
    incident.refresh_from_db()
    assert (incident.state, incident.closed_how) == ("closed", "over")
    later(minutes=5)
    fold(at=NOW + timedelta(minutes=5))
    incident.refresh_from_db()
    assert (incident.state, incident.confirmed_by) == ("confirmed", "user:anna")
    kinds = [kind for kind, *_ in told(incident)]
    assert kinds == ["opened", "confirmed", "closed", "reopened"]


def test_an_unconfirmed_one_goes_when_the_rule_asks_for_more(incident: Incident) -> None:
    IncidentRule.objects.filter(name="carrier-lane").update(minimum=6, updated_at=NOW)
    fold()
    incident.refresh_from_db()
    assert (incident.state, incident.closed_how, members_of(incident)) == ("closed", "dissolved", set())
    late_parcel("order-5")
    fold()
    assert (the_incident().state, len(members_of(incident))) == ("open", 6)


@pytest.mark.parametrize("way", [decisions.dismiss_incident, decisions.close_incident])
def test_what_a_person_ended_stays_ended_within_its_window(incident: Incident, way: Callable[..., Any]) -> None:
    way(incident_id=incident.pk, **ANNA)
    for number in range(6):
        later(order_id=f"later-{number}", minutes=30 + number)
    fold(at=NOW + timedelta(minutes=40))
    incident.refresh_from_db()
    assert the_incident().state == "closed"
    assert (incident.exceptions, incident.live, len(members_of(incident))) == (11, 11, 11)  # it goes on counting
    for number in range(5):
        later(order_id=f"much-later-{number}", minutes=6 * 60 + 1 + number)
    fold(at=NOW + timedelta(hours=7))
    new = Incident.objects.exclude(state="closed").get()
    assert members_of(new) == {f"much-later-{number}" for number in range(5)}
    assert len(members_of(incident)) == 11


def test_a_silenced_one_keeps_counting_and_stays_silent(incident: Incident) -> None:
    decisions.silence_incident(incident_id=incident.pk, **ANNA)
    later(minutes=1)
    fold(at=NOW + timedelta(minutes=1))
    incident.refresh_from_db()
    assert (incident.state, incident.silenced_by, incident.orders) == ("open", "user:anna", 6)
    decisions.unsilence_incident(incident_id=incident.pk, **ANNA)
    incident.refresh_from_db()
    assert (incident.silenced_at, incident.silenced_by) == (None, "")


def test_what_was_taken_out_is_not_folded_again(incident: Incident) -> None:
    one = ExceptionRecord.objects.get(order_ref="order-2")
    decisions.take_out(incident_id=incident.pk, exception_id=one.pk, reason="lost by us", **ANNA)
    incident.refresh_from_db()
    assert (incident.exceptions, incident.orders, incident.live) == (4, 4, 4)  # at once
    fold()
    incident.refresh_from_db()
    assert (incident.state, incident.orders, members_of(incident)) == ("open", 4, FIVE - {"order-2"})
    assert told(incident)[-1] == ("taken_out", "user:anna", {"exception": one.pk, "order": "order-2"})
    decisions.put_back(incident_id=incident.pk, exception_id=one.pk, **ANNA)
    fold()
    assert members_of(incident) == FIVE


def test_what_was_taken_out_is_folded_when_it_happens_anew(incident: Incident) -> None:
    one = ExceptionRecord.objects.get(order_ref="order-2")
    decisions.take_out(incident_id=incident.pk, exception_id=one.pk, **ANNA)
    ExceptionRecord.objects.filter(pk=one.pk).update(occurrence_count=2)
    fold()
    assert members_of(incident) == FIVE


def test_no_other_rule_takes_what_was_taken_out(incident: Incident) -> None:
    IncidentRule.objects.filter(name="reason").update(minimum=2)
    for number in (1, 2):
        one = ExceptionRecord.objects.get(order_ref=f"order-{number}")
        decisions.take_out(incident_id=incident.pk, exception_id=one.pk, **ANNA)
    fold()
    assert the_incident() == incident


def test_two_that_people_hold_are_not_merged(incident: Incident) -> None:
    storm(5, first=5, minutes=8 * 60)
    fold()
    for one in Incident.objects.all():
        decisions.confirm_incident(incident_id=one.pk, **ANNA)
    late_parcel("between", minutes=4 * 60)
    fold()
    assert sorted(len(members_of(one)) for one in Incident.objects.filter(state="confirmed")) == [5, 6]


def test_reopening_makes_it_a_persons(incident: Incident) -> None:
    decisions.close_incident(incident_id=incident.pk, **ANNA)
    decisions.reopen_incident(incident_id=incident.pk, reason="it goes on", **ANNA)
    fold()
    incident.refresh_from_db()
    assert (incident.state, incident.quiet_until, incident.closed_how) == ("confirmed", None, "")


def test_a_comment_is_in_the_timeline(incident: Incident) -> None:
    decisions.comment_on_incident(incident_id=incident.pk, text="called them", **ANNA)
    assert incident.timeline.order_by("-pk").values_list("kind", "reason").first() == ("commented", "called them")


def closed(incident: Incident) -> None:
    decisions.close_incident(incident_id=incident.pk, **ANNA)


def untouched(incident: Incident) -> None:
    pass


IMPOSSIBLE: list[tuple[Callable[[Incident], Any], Callable[..., Any]]] = [
    (closed, decisions.confirm_incident),
    (lambda one: decisions.confirm_incident(incident_id=one.pk, **ANNA), decisions.confirm_incident),
    (closed, decisions.dismiss_incident),
    (closed, decisions.close_incident),
    (closed, decisions.silence_incident),
    (lambda one: decisions.silence_incident(incident_id=one.pk, **ANNA), decisions.silence_incident),
    (untouched, decisions.unsilence_incident),
    (untouched, decisions.reopen_incident),
    (untouched, partial(decisions.take_out, exception_id=10**9)),
    (untouched, partial(decisions.put_back, exception_id=10**9)),
]


@pytest.mark.parametrize(("before", "act"), IMPOSSIBLE)
def test_an_impossible_act_is_refused_and_changes_nothing(
    incident: Incident, before: Callable[[Incident], Any], act: Callable[..., Any]
) -> None:
    before(incident)
    was = model_to_dict(Incident.objects.get()), IncidentEntry.objects.count(), list(IncidentMember.objects.values())
    with pytest.raises(NotPossible, match="Nothing was changed"):
        act(incident_id=incident.pk, **ANNA)
    assert was == (
        model_to_dict(Incident.objects.get()),
        IncidentEntry.objects.count(),
        list(IncidentMember.objects.values()),
    )


def test_an_empty_comment_and_an_unknown_incident_are_refused(incident: Incident) -> None:
    with pytest.raises(Unprocessable):
        decisions.comment_on_incident(incident_id=incident.pk, text="  ", **ANNA)
    with pytest.raises(NoSuchIncident):
        decisions.confirm_incident(incident_id=incident.pk + 1, **ANNA)
    assert IncidentEntry.objects.count() == 1


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Each in a thread and on a connection of its own, all let go together; what each returned or raised."""
    gate, results = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        try:
            with schema_context("acme"):
                gate.wait(timeout=30)
                results.append(act())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def test_two_rounds_at_once_make_each_incident_once(committed: None) -> None:
    with schema_context("acme"):
        storm(20)
    done = at_once(*[partial(fold_incidents, now=NOW, always=True)] * 4)
    assert all(one is None or one.looked for one in done), done
    with schema_context("acme"):
        assert len(members_of(the_incident())) == 20
        assert IncidentEntry.objects.count() == 1


def test_two_who_confirm_at_once_have_one_effect(committed: None) -> None:
    with schema_context("acme"):
        storm(5)
        fold()
        pk = the_incident().pk
    done = at_once(*[partial(decisions.confirm_incident, incident_id=pk, actor=f"user:{n}", now=NOW) for n in range(4)])
    assert sorted(type(one).__name__ for one in done) == ["Incident", "NotPossible", "NotPossible", "NotPossible"]
    with schema_context("acme"):
        assert IncidentEntry.objects.filter(kind="confirmed").count() == 1


def test_one_taken_out_during_a_round_stays_out(committed: None) -> None:
    with schema_context("acme"):
        records = storm(8)
        fold()
        pk = the_incident().pk
    takes = [partial(decisions.take_out, incident_id=pk, exception_id=one.pk, **ANNA) for one in records[:3]]
    rounds = [partial(fold_incidents, now=NOW, always=True)] * 3
    failed = [one for one in at_once(*takes, *rounds) if isinstance(one, Exception)]
    assert failed == []
    with schema_context("acme"):
        fold_incidents(now=NOW, always=True)
        assert members_of(the_incident()) == {f"order-{number}" for number in range(3, 8)}


def test_a_round_under_way_is_left_alone(committed: None) -> None:
    with schema_context("acme"):
        storm(5)
        install_default_rules(now=NOW)
        with transaction.atomic():
            assert fold_incidents(now=NOW) is not None
            assert at_once(partial(fold_incidents, now=NOW)) == [None]
        assert len(members_of(the_incident())) == 5
