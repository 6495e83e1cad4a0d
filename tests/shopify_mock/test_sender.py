import base64
import hashlib
import hmac
import json
import os
import signal
from collections import Counter
from pathlib import Path

import httpx

from shopify_mock.sender import BACKOFF, Parcel, result_of
from tests.shopify_mock.receiver import SECRET, deliveries, desk_of, receiving, sending, shop_process, wait_until


def test_every_webhook_that_is_due_arrives_once_and_signed(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.generate({"count": 30})
    due = deliveries(desk)["pending"]
    with receiving() as receiver, sending(desk, receiver.url):
        wait_until(lambda: deliveries(desk)["pending"] == 0)
    assert deliveries(desk)["sent"] == due
    ids = Counter(headers["X-Shopify-Webhook-Id"] for headers, _ in receiver.got)
    assert set(ids.values()) == {1} and len(ids) == due
    for headers, body in receiver.got:
        signature = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
        assert headers["X-Shopify-Hmac-Sha256"] == signature


def test_a_failure_and_a_redirect_are_tried_again_with_the_same_body_and_id(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.generate({"count": 1})
    wanted = deliveries(desk)["pending"]
    with receiving([500, 302]) as receiver, sending(desk, receiver.url):
        wait_until(lambda: deliveries(desk)["sent"] == wanted)
    tries = Counter((headers["X-Shopify-Webhook-Id"], body) for headers, body in receiver.got)
    assert len(receiver.got) == wanted + 2
    assert len(tries) == wanted


def test_eight_retries_lie_within_four_hours_and_then_it_is_given_up() -> None:
    assert len(BACKOFF) == 8 and sum(BACKOFF) <= 4 * 3600
    assert result_of(Parcel(7, 0, {}, b""), 500, 100.0) == ("planned", 1, 500, 101.0, 7)
    assert result_of(Parcel(7, 7, {}, b""), 0, 100.0) == ("planned", 8, 0, 9_100.0, 7)
    assert result_of(Parcel(7, 8, {}, b""), 500, 100.0) == ("failed", 9, 500, 100.0, 7)
    assert result_of(Parcel(7, 3, {}, b""), 302, 100.0) == ("planned", 4, 302, 160.0, 7)
    assert result_of(Parcel(7, 3, {}, b""), 204, 100.0) == ("done", 4, 204, 100.0, 7)


def test_a_receiver_that_comes_back_gets_what_waited_at_once(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.generate({"count": 2})
    wanted = deliveries(desk)["pending"]
    with desk.store.writing() as connection:  # all but one have failed often, and would wait an hour
        connection.execute(
            "UPDATE delivery SET attempts = 6, answer = 0, due_at = due_at + 3600"
            " WHERE state = 'planned' AND attempts = 0 AND id > 1 AND due_at < unixepoch('subsec') + 1"
        )
    with receiving([503]) as receiver, sending(desk, receiver.url):
        wait_until(lambda: deliveries(desk)["sent"] == wanted)


def test_a_killed_shop_loses_no_webhook(tmp_path: Path) -> None:
    with receiving() as receiver:
        target = {"SHOPIFY_MOCK_WEBHOOK_URL": receiver.url}
        with shop_process(tmp_path, target) as (process, url):
            assert httpx.post(f"{url}/admin/orders/generate", json={"count": 150}).status_code == 202
            wait_until(lambda: len(receiver.got) > 50)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        before = len(receiver.got)
        desk = desk_of(tmp_path)
        assert deliveries(desk)["pending"] > 0
        with shop_process(tmp_path, target):
            wait_until(lambda: deliveries(desk)["pending"] == 0)
        wanted = {row["webhook_id"] for row in desk.store.rows("SELECT webhook_id FROM delivery WHERE state = 'done'")}
        got = Counter(headers["X-Shopify-Webhook-Id"] for headers, _ in receiver.got)
    assert before < len(wanted)
    assert set(got) == wanted
    assert desk.store.stats(0)["generated"] == 150


def test_chaos_drops_doubles_and_delays_its_share_and_keeps_the_truth(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.change_settings({"drop": 0.05, "double": 0.1, "delay": 0.2, "delay_seconds": 600})
    desk.generate({"count": 300})
    stats = deliveries(desk)
    planned = sum(stats[name] for name in ("pending", "planned_later", "dropped"))
    assert 0.04 < stats["dropped"] / planned < 0.06
    assert 0.08 < stats["doubled"] / (planned - stats["doubled"]) < 0.12
    copies = desk.store.rows("SELECT event_id, topic, count(DISTINCT webhook_id) AS n FROM delivery GROUP BY 1, 2")
    assert {row["n"] for row in copies} == {1, 2}
    assert len(desk.problems()) == 45


def test_reordering_all_sends_the_past_in_another_order(tmp_path: Path) -> None:
    def order_of_sending(home: Path, share: float) -> list[int]:
        desk = desk_of(home)
        desk.change_settings({"reorder": share})
        desk.generate({"count": 50}, now=1_795_500_000.0)
        return [row["triggered_at"] for row in desk.store.due(1_795_500_000.0, 5_000)]

    plain, shuffled = order_of_sending(tmp_path / "plain", 0), order_of_sending(tmp_path / "shuffled", 1)
    assert plain == sorted(plain)
    assert shuffled != plain and sorted(shuffled) == plain


def test_what_lies_ahead_is_never_sent_before_it_happens(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.change_settings({"reorder": 1, "delay": 0.5})
    desk.generate({"count": 100}, now=1_795_500_000.0)
    early = desk.store.rows("SELECT id FROM delivery WHERE due_at < triggered_at + 2 AND triggered_at > 1795500000")
    assert early == []


def test_bodies_are_json_of_the_order_that_they_name(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.generate({"count": 5})
    with receiving() as receiver, sending(desk, receiver.url):
        wait_until(lambda: deliveries(desk)["pending"] == 0)
    created = [json.loads(body) for headers, body in receiver.got if headers["X-Shopify-Topic"] == "orders/create"]
    known = {order["id"] for order in desk.orders({})["orders"]}
    assert {order["id"] for order in created} == known
