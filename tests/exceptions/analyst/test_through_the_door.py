"""The mock shop's orders through the real door, the real book and the analyst's own reading: the same labels as in memory."""

from collections import Counter
from datetime import datetime

import pytest
from django.db import connection

from exceptions.analyst.feedback import import_truths
from exceptions.analyst.models import Analysis
from exceptions.analyst.scoreboard import board_since
from exceptions.analyst.services import analyse_by_rules, claim_due, want_analyses
from exceptions.models import ExceptionRecord
from orders.ingest import ingest
from orders.providers.delivery import Delivery
from orders.providers.shopify import Shopify
from shopify_mock.batch import PlannedOrder, make_batch
from shopify_mock.webhooks import body_of, event_id_of, headers_of, topics_of, webhook_id_of
from tests.exceptions.analyst.door import present
from tests.exceptions.analyst.provider import tools

ORDERS = 100


def deliver(order: PlannedOrder, now: datetime) -> None:
    events = []
    for index, happening in enumerate(order.happenings):
        for topic in topics_of(happening, order.goods["parcels"]) if happening.at <= now.timestamp() else ():
            body = body_of(topic, order.goods, order.happenings[: index + 1])
            event_id = event_id_of(order.id, index)
            sent = headers_of(
                topic=topic,
                event_id=event_id,
                webhook_id=webhook_id_of(event_id, topic, 0),
                triggered_at=happening.at,
                body=body,
                secret="x",
            )
            headers = {name.lower(): value for name, value in sent.items()}
            events += Shopify().read(Delivery(source="shopify", body=body, headers=headers, now=now)).events
    ingest(connection.schema_name, events, now=now)


@pytest.mark.usefixtures("in_acme")
def test_mock_orders_are_labelled_as_their_truth_says() -> None:
    now = present()
    base = int(now.timestamp()) - 150  # the deadlines of the silent ones have just passed
    batch = make_batch(seed=21, base=base, count=ORDERS, first_number=1001, problem_share=1.0)
    for order in batch:
        deliver(order, now)
    truths = {str(order.id): str(order.problem) for order in batch}
    troubled = set(ExceptionRecord.objects.values_list("order_ref", flat=True))
    assert troubled == set(truths)
    want_analyses(1000)
    while claims := claim_due(100):
        analyse_by_rules(claims, tools(None), now=now)
    said = Analysis.objects.values_list("exception__order_ref", "label", "state")
    assert {state for _, _, state in said} == {"done"}
    right = Counter(label == truths[order] for order, label, _ in said)
    assert right[True] / right.total() >= 0.95
    import_truths(truths, merchant="default", now=now)
    (rules,) = board_since(datetime.fromtimestamp(0, now.tzinfo)).analysts
    assert (rules.score.right, rules.score.count) == (right[True], right.total())
    warehouses = Analysis.objects.exclude(warehouse="").values_list("warehouse", flat=True)
    assert set(warehouses) == {"Magatzem Zona Franca", "Armazém Maia"}
