"""What the shop takes in: mail, Slack messages, webhooks; and customers who read their mail."""

import smtplib
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from shopify_mock.smtp import make_mail_server
from tests.shopify_mock.acting_cast import App, an_app, held_for, number
from tests.shopify_mock.receiver import desk_of, serving


@contextmanager
def mailing(desk: Any) -> Iterator[smtplib.SMTP]:
    server: socketserver.ThreadingTCPServer
    with make_mail_server(desk, 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with smtplib.SMTP("127.0.0.1", server.server_address[1], timeout=5) as client:
            yield client
        server.shutdown()


def letter(to: str, text: str = "Hello\n.\nBye") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ops@e2a.example", to, "Über <b>1001</b>"
    message.set_content(text)
    return message


def test_a_mail_is_kept_and_shown_with_its_dots(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    with serving(desk) as client, mailing(desk) as mail:
        mail.send_message(letter("team@example.com"))
        (kept,) = client.get("/mail.json").json()["received"]
        assert (kept["from"], kept["to"], kept["subject"]) == (
            "ops@e2a.example",
            "team@example.com",
            "Über <b>1001</b>",
        )
        assert kept["body"].splitlines() == ["Hello", ".", "Bye"]
        page = client.get("/mail").text
        assert "Über &lt;b&gt;1001&lt;/b&gt;" in page


def test_a_mailbox_that_is_told_to_fail_says_try_again(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.change_settings({"inbox_fail": 1})
    with mailing(desk) as mail, pytest.raises(smtplib.SMTPSenderRefused) as refused:
        mail.send_message(letter("team@example.com"))
    assert refused.value.smtp_code == 451


def test_nonsense_is_answered_and_too_large_a_mail_refused(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    with serving(desk) as client, mailing(desk) as mail:
        mail.ehlo()
        assert [mail.docmd(line)[0] for line in ("HACK", "DATA", "MAIL x", "RCPT TO:<a@b>")] == [502, 503, 501, 503]
        with pytest.raises(smtplib.SMTPDataError) as refused:
            mail.sendmail("a@b.c", ["d@e.f"], "x" * 1_100_000)
        assert refused.value.smtp_code == 552
        assert client.get("/mail.json").json()["count"] == 0


def test_slack_takes_a_message_and_says_what_is_wrong_with_others(tmp_path: Path) -> None:
    with serving(desk_of(tmp_path)) as client:
        assert client.post("/slack/T1/B1/x", json={"text": "late <!channel>"}).status_code == 200
        assert client.post("/slack/T1/B1/x", json={}).json() == {"errors": "no_text"}
        assert client.post("/slack/T1/B1/x", content="{").json() == {"errors": "invalid_payload"}
        assert client.get("/slack.json").json()["count"] == 1
        assert "late &lt;!channel&gt;" in client.get("/slack").text


def test_a_webhook_is_kept_with_its_signature(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    with serving(desk) as client:
        headers = {"webhook-id": "m1", "webhook-signature": "v1,x", "webhook-timestamp": "1", "authorization": "no"}
        client.post("/hooks/wms", content=b'{"a":1}', headers=headers)
        (kept,) = client.get("/hooks.json").json()["received"]
        assert (kept["to"], kept["body"]) == ("/hooks/wms", '{"a":1}')
        assert kept["headers"].items() >= {("Webhook-Id".lower(), "m1"), ("webhook-signature", "v1,x")}
        assert "authorization" not in kept["headers"]
        desk.change_settings({"inbox_fail": 1})
        assert client.post("/hooks/wms", content=b"{}").status_code == 503


def write_to_all(app: App, orders: list[Any]) -> list[Any]:
    """The orders whose customers do something about it."""
    with mailing(app.desk) as mail:
        before = {number(order): app.life(order) for order in orders}
        for order in orders:
            listed = app.desk.order(number(order), 2**40)
            assert listed is not None
            mail.send_message(letter(listed["email"]))
        return [order for order in orders if app.life(order) != before[number(order)]]


def orders_where(app: App, true: Any) -> list[Any]:
    listed = app.desk.orders({"limit": "250"})["orders"]
    return [order for one in listed if true(order := app.order(one["id"]))]


def test_customers_who_are_written_to_pay_what_is_open(tmp_path: Path) -> None:
    def unpaid(order: Any) -> bool:
        return order["displayFinancialStatus"] == "PENDING" and "paid" not in app.life(order)

    with an_app(tmp_path) as app:
        open_ones = [one for one in orders_where(app, unpaid) if "cancelled" not in app.life(one)]
        moved = write_to_all(app, open_ones)
        assert 0 < len(moved) <= len(open_ones)
        assert all({"paid", "shipped"} <= set(app.life(order)) for order in moved)
        assert all("orders/paid" in app.topics(order) for order in moved)


def test_customers_who_are_written_to_mend_their_address(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        held = [one for one in orders_where(app, held_for("INCORRECT_ADDRESS")) if "released" not in app.life(one)]
        moved = write_to_all(app, held)
        assert moved
        assert all({"address_changed", "released", "shipped"} <= set(app.life(order)) for order in moved)


def test_who_has_no_open_order_does_nothing(tmp_path: Path) -> None:
    with an_app(tmp_path) as app:
        fine = orders_where(app, lambda order: order["displayFulfillmentStatus"] == "FULFILLED")[:5]
        assert write_to_all(app, fine) == []
