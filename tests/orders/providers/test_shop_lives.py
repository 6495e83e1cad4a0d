"""Whole lives of orders as the mock shop tells them: every webhook is read, and the state implies the same facts."""

import pytest

from orders.events import Incoming
from orders.providers.delivery import Delivery
from orders.providers.shopify import Shopify
from orders.providers.shopify_state import ShopOrder, implied_events
from shopify_mock.batch import PlannedOrder, make_batch
from shopify_mock.state import view
from shopify_mock.webhooks import body_of, event_id_of, headers_of, topics_of, webhook_id_of
from tests.orders.providers.cast import NOW, delivery

SECRET = "mock-secret"
SHOPIFY = Shopify()
SHOWN_ONLY = ("order_updated", "payment_transaction", "fulfillment_created", "delivery_attempted")


def webhooks(planned: PlannedOrder) -> list[Delivery]:
    sent = []
    for index, happening in enumerate(planned.happenings):
        for topic in topics_of(happening, planned.goods["parcels"]):
            body = body_of(topic, planned.goods, planned.happenings[: index + 1])
            event_id = event_id_of(planned.id, index)
            headers = headers_of(
                topic=topic,
                event_id=event_id,
                webhook_id=webhook_id_of(event_id, topic, 0),
                triggered_at=happening.at,
                body=body,
                secret=SECRET,
            )
            sent.append(delivery(body, {name.lower(): value for name, value in headers.items()}, source="shopify"))
    return sent


def facts(events: list[Incoming]) -> set[tuple[str, str, str, str]]:
    """What the fold can see: types that decide something, and promises."""
    return {
        (event.event_type, event.order_id, event.occurred_at.isoformat(), str(sorted((event.detail or {}).items())))
        for event in events
        if event.event_type not in SHOWN_ONLY or "promise" in (event.detail or {})
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_state_of_every_order_implies_what_its_webhooks_told(seed: int) -> None:
    batch = make_batch(
        seed=seed, base=int(NOW.timestamp()) - 86_400 * 2, count=80, first_number=1001, problem_share=0.5
    )
    for planned in batch:
        sent = webhooks(planned)
        assert all(SHOPIFY.verify(one, [SECRET]) for one in sent)
        told = [event for one in sent for event in SHOPIFY.read(one).events]
        assert {event.order_id for event in told} == {str(planned.id)}
        found = view(planned.goods, planned.happenings)
        steps = [step for of_one in found.events.values() for step in of_one]
        state = ShopOrder(found.order, found.transactions, found.fulfillment_orders, steps)
        implied = facts(implied_events(delivery(b"", source="shopify"), state))
        lone = {fact for fact in implied if fact[0] in ("order_released", "address_corrected")} - facts(told)
        assert implied - lone == facts(told), planned.problem
        assert not lone or not any(fact[0] == "order_held" for fact in facts(told))


def test_every_webhook_of_the_mock_has_an_identity_of_its_own() -> None:
    batch = make_batch(seed=4, base=int(NOW.timestamp()) - 86_400 * 2, count=60, first_number=1001, problem_share=0.5)
    events = [event for planned in batch for one in webhooks(planned) for event in SHOPIFY.read(one).events]
    assert len({event.event_id for event in events}) == len(events)
