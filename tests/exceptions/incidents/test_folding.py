"""Which exceptions become one incident, and what a round writes."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context
from hypothesis import given, settings
from hypothesis import strategies as st

from exceptions.incidents.folding import fold_incidents, foretell
from exceptions.incidents.models import Incident, IncidentEntry, IncidentMember, IncidentRound, IncidentRule
from exceptions.incidents.rules import DEFAULTS, Wanted
from exceptions.models import ExceptionRecord
from orders.models import Order, Parcel
from tenants.models import Tenant
from tests.exceptions.cast import NOW, make_exception
from tests.exceptions.incidents.cast import end, fold, folded, late_parcel, members_of, storm, the_incident, told, touch

FIVE = {f"order-{number}" for number in range(5)}


def test_exceptions_that_share_carrier_and_lane_become_one_incident(in_acme: Tenant) -> None:
    storm(5)
    late_parcel("elsewhere", carrier="UPS", destination_country="FR")
    assert fold() is not None
    incident = the_incident()
    assert (incident.rule.name, incident.state) == ("carrier-lane", "open")
    assert incident.shared == {"carrier": "UPS", "destination": "DE"}
    assert members_of(incident) == FIVE
    assert (incident.first_at, incident.last_at) == (NOW - timedelta(minutes=4), NOW)
    assert told(incident) == [("opened", "incidents", {"orders": 5, "exceptions": 5})]


def test_too_few_make_none(in_acme: Tenant) -> None:
    storm(4)
    fold()
    assert not Incident.objects.exists()


def test_two_exceptions_of_one_order_count_as_one_order(in_acme: Tenant) -> None:
    storm(4)
    late_parcel("order-0", reason="DELIVERY_FAILED")
    fold()
    assert not Incident.objects.exists()


def test_capitals_make_no_difference(in_acme: Tenant) -> None:
    storm(3)
    storm(2, first=3, carrier="ups", destination_country="DE")
    fold()
    assert members_of(the_incident()) == FIVE


@pytest.mark.parametrize("columns", [{"verdict": "none"}, {"history": True}])
def test_what_never_was_and_history_are_not_folded(in_acme: Tenant, columns: dict[str, Any]) -> None:
    ExceptionRecord.objects.filter(pk__in=[record.pk for record in storm(5)]).update(**columns)
    fold()
    assert not Incident.objects.exists()


def test_what_opened_long_ago_is_not_folded(in_acme: Tenant) -> None:
    storm(5, minutes=8 * 24 * 60)
    fold()
    assert not Incident.objects.exists()


def test_a_longer_pause_than_the_window_makes_two(in_acme: Tenant) -> None:
    storm(5)
    storm(5, first=5, minutes=6 * 60 + 5)
    fold()
    assert {frozenset(members_of(one)) for one in Incident.objects.all()} == {
        frozenset(FIVE),
        frozenset(f"order-{number}" for number in range(5, 10)),
    }


def test_one_that_comes_between_two_incidents_joins_them(in_acme: Tenant) -> None:
    storm(5)
    storm(5, first=5, minutes=8 * 60)
    fold()
    late_parcel("between", minutes=4 * 60)
    fold()
    (whole,) = Incident.objects.exclude(state="closed")
    gone = Incident.objects.get(state="closed")
    assert len(members_of(whole)) == 11
    assert (gone.closed_how, gone.merged_into, members_of(gone)) == ("merged", whole, set())
    assert whole.first_at < gone.first_at
    assert told(gone)[-1] == ("closed", "incidents", {"how": "merged", "into": whole.pk})


def test_carrier_is_known_by_the_parcel_where_the_order_does_not_say(in_acme: Tenant) -> None:
    for record in storm(5, destination_country="DE"):
        Parcel.objects.create(order_id=record.order_id, carrier="DHL", tracking_number=f"T{record.pk}")
    fold()
    assert the_incident().shared == {"carrier": "DHL", "destination": "DE"}


def test_payment_provider_is_what_the_analysis_read(in_acme: Tenant) -> None:
    for record in storm(5, reason="PAYMENT_FAILED", sales_channel="web"):
        record.analyses.create(
            occurrence=1,
            state="done",
            finished_at=NOW,
            label="payment_failed",
            judge="rules",
            fallback="off",
            gateway="Stripe",
        )
    fold()
    assert (the_incident().rule.name, the_incident().shared) == ("payment-provider", {"payment_provider": "Stripe"})


def test_an_order_of_two_goods_goes_where_most_are(in_acme: Tenant) -> None:
    for number in range(6):
        late_parcel(f"order-{number}", reason="INVENTORY_SHORTAGE", skus=["A", "B"] if number < 3 else ["A"])
    for number in range(6, 8):
        late_parcel(f"order-{number}", reason="INVENTORY_SHORTAGE", skus=["B"])
    fold()
    found = {one.shared["sku"]: members_of(one) for one in Incident.objects.all()}
    assert found == {"A": {f"order-{number}" for number in range(6)}, "B": {"order-6", "order-7"}}


def test_an_earlier_rule_takes_what_a_later_one_had_found(in_acme: Tenant) -> None:
    IncidentRule.objects.all().delete()
    fold()
    IncidentRule.objects.filter(name="reason").update(minimum=4)
    storm(4)
    fold()
    assert the_incident().rule.name == "reason"
    late_parcel("order-4")
    fold()
    taken, left = Incident.objects.get(rule__name="carrier-lane"), Incident.objects.get(rule__name="reason")
    assert members_of(taken) == FIVE
    assert (left.state, left.closed_how, left.exceptions, members_of(left)) == ("closed", "dissolved", 0, set())


def test_blast_radius_says_what_is_not_known(in_acme: Tenant) -> None:
    records = storm(5)
    for place, record in enumerate(records[:4]):
        Order.objects.filter(pk=record.order_id).update(
            value_cents=1000 * (place + 1), currency="EUR" if place else "SEK"
        )
    late_parcel(
        "order-1", reason="DELIVERY_FAILED", merchant="default", **{"carrier": "UPS", "destination_country": "DE"}
    )
    late_parcel("order-5", merchant="north")
    end(records[1:2])
    fold()
    incident = the_incident()
    assert (incident.exceptions, incident.live, incident.orders, incident.orders_live) == (7, 6, 6, 6)
    assert incident.merchants == 2
    assert incident.value == {"SEK": 1000, "EUR": 9000}
    assert (incident.stake, incident.stake_rank) == ({"SEK": 1000, "EUR": 9000}, 90)
    assert (incident.value_unpriced, incident.stake_unpriced) == (2, 2)


def test_it_closes_when_all_is_over_and_opens_again_when_it_goes_on(in_acme: Tenant) -> None:
    records = storm(5)
    fold()
    end(records)
    fold()
    incident = the_incident()
    assert (incident.state, incident.closed_how, incident.stake, incident.orders) == ("closed", "over", {}, 5)
    late_parcel("order-5")
    fold()
    incident.refresh_from_db()
    assert (incident.state, incident.closed_at, incident.orders, incident.live) == ("open", None, 6, 1)
    assert [kind for kind, *_ in told(incident)] == ["opened", "closed", "reopened"]


def test_growth_is_told_when_it_has_doubled(in_acme: Tenant) -> None:
    storm(5)
    fold()
    storm(4, first=5)
    fold()
    assert [kind for kind, *_ in told(the_incident())] == ["opened"]
    late_parcel("order-9")
    fold()
    assert told(the_incident())[1] == ("grew", "incidents", {"orders": 10, "exceptions": 10})


def test_a_second_round_writes_nothing(in_acme: Tenant) -> None:
    storm(7)
    fold()
    before = (
        list(IncidentEntry.objects.values()),
        list(Incident.objects.values()),
        list(IncidentMember.objects.values()),
    )
    touch()
    again = fold(at=NOW + timedelta(minutes=1))
    assert again is not None
    assert (again.looked, again.written) == (True, 0)
    assert before == (
        list(IncidentEntry.objects.values()),
        list(Incident.objects.values()),
        list(IncidentMember.objects.values()),
    )
    third = fold()
    assert third is not None
    assert third.looked is False


def test_an_exception_that_happens_anew_is_folded_anew(in_acme: Tenant) -> None:
    records = storm(5, minutes=24 * 60)
    fold()
    end(records)
    fold()
    for record in records:
        ExceptionRecord.objects.filter(pk=record.pk).update(
            status="OPEN",
            resolution=None,
            resolved_at=None,
            resolved_by=None,
            verdict="active",
            ended_at=None,
            occurrence_count=2,
            opened_at=NOW,
        )
    touch()
    fold()
    old, new = Incident.objects.order_by("pk")
    assert (old.state, old.orders) == ("closed", 5)
    assert (new.state, members_of(new)) == ("open", FIVE)


def test_a_tenant_starts_with_rules_once(in_acme: Tenant) -> None:
    assert not IncidentRule.objects.exists()
    fold()
    fold()
    assert list(IncidentRule.objects.values_list("name", flat=True)) == list(DEFAULTS)


def test_a_rule_that_is_off_finds_nothing(in_acme: Tenant) -> None:
    fold()
    IncidentRule.objects.filter(name="carrier-lane").update(enabled=False)
    storm(5)
    fold()
    assert not Incident.objects.exists()


def test_another_tenant_is_not_looked_at(in_acme: Tenant, globex: Tenant) -> None:
    with schema_context("globex"):
        storm(5)
    storm(4)
    fold()
    assert not Incident.objects.exists()
    with schema_context("globex"):
        assert not Incident.objects.exists()
        fold()
        assert members_of(the_incident()) == FIVE
    assert not Incident.objects.exists()


def test_a_preview_tells_what_a_rule_would_fold_and_writes_nothing(in_acme: Tenant) -> None:
    storm(5)
    wanted = Wanted(title="x", dimensions=("carrier",), window_minutes=60, minimum=3)
    (found,) = foretell(wanted, None, now=NOW)
    assert (found.shared, found.orders, found.exceptions) == ({"carrier": "UPS"}, 5, 5)
    assert foretell(Wanted(title="x", dimensions=("carrier",), window_minutes=60, minimum=6), None, now=NOW) == []
    assert not Incident.objects.exists()
    fold()
    assert foretell(wanted, None, now=NOW) == []  # they belong to an earlier rule's incident
    assert len(foretell(DEFAULTS["carrier-lane"], IncidentRule.objects.get(name="carrier-lane"), now=NOW)) == 1


ARRIVALS = st.lists(
    st.tuples(
        st.sampled_from(["UPS", "DHL"]),
        st.sampled_from(["SHIPPING_DELAY", "FULFILLMENT_DELAY", "INVENTORY_SHORTAGE"]),
        st.integers(0, 20),  # hours ago
        st.sampled_from([("A",), ("B",), ("A", "B")]),
    ),
    min_size=4,
    max_size=12,
)
RULES = {
    "sku": {"minimum": 2, "window_minutes": 240},
    "carrier-lane": {"minimum": 2, "window_minutes": 120},
    "warehouse": {"minimum": 2, "window_minutes": 60},
    "reason": {"minimum": 3, "window_minutes": 180},
}


@settings(max_examples=15)
@given(arrivals=ARRIVALS, order=st.randoms(use_true_random=False), pauses=st.sets(st.integers(0, 12)))
def test_any_order_of_arrival_gives_the_same_incidents(
    in_acme: Tenant, arrivals: Any, order: Any, pauses: set[int]
) -> None:
    clear()
    for number in range(len(arrivals)):
        arrive(number, arrivals[number])
    fold()
    expected = folded()
    clear()
    shuffled = list(range(len(arrivals)))
    order.shuffle(shuffled)
    for place, number in enumerate(shuffled):
        arrive(number, arrivals[number])
        if place in pauses:
            fold()
    fold()
    assert folded() == expected


def clear() -> None:
    Incident.objects.all().delete()
    Order.objects.all().delete()
    IncidentRound.objects.all().delete()
    fold_incidents(now=NOW, always=True)
    for name, columns in RULES.items():
        IncidentRule.objects.filter(name=name).update(**columns)


def arrive(number: int, arrival: tuple[str, str, int, tuple[str, ...]]) -> None:
    carrier, reason, hours, skus = arrival
    late_parcel(
        f"order-{number}",
        minutes=60 * hours,
        reason=reason,
        carrier=carrier,
        destination_country="DE",
        warehouse="Porto",
        skus=list(skus),
    )


def test_a_round_costs_the_same_statements_whatever_the_number(in_acme: Tenant) -> None:
    def statements(number: int, first: int) -> int:
        storm(number, first=first)
        with CaptureQueriesContext(
            connection,
        ) as caught:
            fold()
        return len(caught)

    fold()
    few = statements(6, 0)
    assert statements(60, 100) == few
    assert the_incident().orders == 66
    assert few <= 20


def test_exceptions_of_other_kinds_stay_alone(in_acme: Tenant) -> None:
    make_exception("alone", reason_code="ADDRESS_INVALID")
    fold()
    assert not IncidentMember.objects.exists()
