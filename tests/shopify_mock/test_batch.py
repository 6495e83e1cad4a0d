from collections import Counter

import pytest

from shopify_mock.batch import PlannedOrder, make_batch
from shopify_mock.goods import STRUCK_CARRIER
from shopify_mock.life import FULFILLMENT_TARGET, PAYMENT_TARGET, PREPARATION_TARGET, PROBLEMS, STOCK_TARGET
from shopify_mock.webhooks import body_of, event_id_of, headers_of, topics_of

BASE = 1_795_500_000


def batch(count: int, *, seed: int = 5, share: float = 0.15, base: int = BASE) -> list[PlannedOrder]:
    return make_batch(seed=seed, base=base, count=count, first_number=1001, problem_share=share)


def first(order: PlannedOrder, kind: str, status: str | None = None) -> int | None:
    times = [h.at for h in order.happenings if h.kind == kind and h.data.get("status") == status]
    return times[0] if times else None


def test_same_seed_and_base_time_give_the_same_orders() -> None:
    assert batch(200) == batch(200)


def test_another_seed_gives_other_orders() -> None:
    assert batch(200, seed=6) != batch(200)


def test_numbers_follow_the_times_of_creation() -> None:
    orders = batch(200)
    assert [order.number for order in orders] == list(range(1001, 1201))
    created = [order.happenings[0].at for order in orders]
    assert created == sorted(created)


@pytest.mark.parametrize("count", [40, 200, 2000])
def test_fifteen_in_a_hundred_have_a_problem_and_every_kind_is_there(count: int) -> None:
    kinds = Counter(order.problem for order in batch(count) if order.problem)
    assert sum(kinds.values()) == round(count * 0.15)
    assert set(kinds) == set(PROBLEMS)


@pytest.mark.parametrize("count", [40, 200, 2000])
def test_at_least_ten_deadlines_fall_within_two_minutes(count: int) -> None:
    near = [o for o in batch(count) if o.deadline is not None and BASE + 10 <= o.deadline <= BASE + 120]
    assert len(near) >= 10


def test_no_event_cures_a_near_deadline_of_a_troubled_order() -> None:
    near = [o for o in batch(200) if o.problem and o.deadline is not None and BASE < o.deadline <= BASE + 120]
    assert len(near) == 12
    assert [h for order in near for h in order.happenings if h.at > BASE] == []


def test_healthy_orders_keep_every_target() -> None:
    for order in batch(2000):
        created = order.happenings[0].at
        paid = first(order, "paid")
        if order.problem or first(order, "cancelled"):
            continue
        routed, shipped = first(order, "routed"), [h.at for h in order.happenings if h.kind == "shipped"]
        packed, arrived = first(order, "moved", "label_printed"), order.happenings[-1]
        assert paid is not None and routed is not None and packed is not None
        assert paid - created < PAYMENT_TARGET
        assert routed - paid < STOCK_TARGET
        assert packed - routed < PREPARATION_TARGET
        assert shipped[-1] - created < FULFILLMENT_TARGET
        assert arrived.data["status"] == "delivered" and arrived.at - created < order.goods["promise"]


def test_some_lives_are_over_some_go_on_and_some_begin_soon() -> None:
    orders = batch(200)
    over = sum(order.happenings[-1].at <= BASE for order in orders)
    ahead = sum(order.happenings[0].at > BASE for order in orders)
    assert (over, ahead) == (118, 13)


def test_nothing_that_is_sent_names_a_problem() -> None:
    for order in batch(150, share=0.6):
        for sequence, happening in enumerate(order.happenings):
            event_id = event_id_of(order.id, sequence)
            for topic in topics_of(happening, order.goods["parcels"]):
                body = body_of(topic, order.goods, order.happenings[: sequence + 1])
                headers = headers_of(
                    topic=topic, event_id=event_id, webhook_id="w", triggered_at=happening.at, body=body, secret="s"
                )
                sent = (body.decode() + str(headers)).lower()
                words = [w for p in (*PROBLEMS, "problem") for w in (p, p.replace("_", " "), p.replace("_", "-"))]
                assert [word for word in words if word in sent] == []


def test_those_that_are_struck_share_a_carrier_and_a_country_and_are_held_up_within_two_hours() -> None:
    orders = make_batch(seed=5, base=BASE, count=200, first_number=1001, problem_share=0.15, struck=12)
    assert len(orders) == 200
    struck = [
        order
        for order in orders
        if order.problem == "shipping_delay" and order.since is not None and order.goods["person"]["code"] == "DE"
        and order.goods["carrier"] == STRUCK_CARRIER and BASE - 2 * 3600 <= order.since < BASE
    ]  # fmt: skip
    assert len(struck) >= 12
    assert sum(order.problem is not None for order in orders) == 30 + 12
