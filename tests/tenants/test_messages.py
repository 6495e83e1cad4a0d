"""Slack, signed webhooks and e-mail."""

import json
import smtplib
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend

from orders.providers.delivery import Delivery
from orders.providers.standard import Standard
from tenants.clients.errors import Busy, CallError, PrivateAddress, Refused, Unsure
from tenants.clients.mail import Letter, send_mail
from tenants.clients.slack import post_to_slack
from tenants.clients.webhooks import Gone, key_of, new_secret, send_webhook, sign

VECTOR = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
AT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
LETTER = Letter(["a@b.example"], "Late", "Hello", "key-1", "e2a.example")


def always(*answers: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        found = answers[min(len(seen), len(answers)) - 1]
        if isinstance(found, Exception):
            raise found
        return found

    return httpx.MockTransport(answer), seen


def test_the_signature_is_that_of_the_standard() -> None:
    assert sign(*VECTOR) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_new_secrets_are_long_and_none_is_like_another() -> None:
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50 and {len(key_of(secret)) for secret in made} == {32}


@pytest.mark.parametrize("secret", ["whsec_short", "whsec_c2hvcnQ=", "nonsense!"])
def test_a_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="a secret"):
        key_of(secret)


def test_a_webhook_carries_both_signatures_during_a_rotation_and_verifies() -> None:
    transport, seen = always(httpx.Response(200, text="thanks"))
    secrets = [new_secret(), new_secret()]
    said = send_webhook(
        "https://wms.example/in", secrets=secrets, identity="msg_1", at=AT, body=b'{"a":1}', transport=transport
    )
    assert said == "200 thanks"
    (request,) = seen
    first, second = request.headers["webhook-signature"].split(" ")
    assert (first, second) == tuple(sign(secret, "msg_1", int(AT.timestamp()), b'{"a":1}') for secret in secrets)
    headers = {name.lower(): value for name, value in request.headers.items()}
    delivery = Delivery(source="wms", merchant="", timezone="UTC", now=AT, headers=headers, body=request.content)
    assert Standard().verify(delivery, secrets[:1]) and Standard().verify(delivery, secrets[1:])
    assert not Standard().verify(delivery, [new_secret()])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(500), Busy),
        (httpx.Response(429, headers={"Retry-After": "7"}), Busy),
        (httpx.Response(410), Gone),
        (httpx.Response(404), Refused),
        (httpx.Response(301, headers={"Location": "https://evil.example"}), Refused),
        (httpx.ReadTimeout("x"), Unsure),
    ],
)
def test_a_webhook_that_is_not_taken_says_why(answer: Any, error: type[CallError]) -> None:
    transport, seen = always(answer)
    with pytest.raises(error) as met:
        send_webhook("https://w.example/", secrets=[new_secret()], identity="m", at=AT, body=b"{}", transport=transport)
    assert len(seen) == 1
    assert not isinstance(answer, httpx.Response) or answer.status_code != 429 or met.value.wait_seconds == 7.0


def test_a_private_receiver_is_not_called() -> None:
    for send in (
        lambda: send_webhook("http://127.0.0.1:1/", secrets=[new_secret()], identity="m", at=AT, body=b"{}"),
        lambda: post_to_slack("http://169.254.169.254/latest", "x"),
    ):
        with pytest.raises(PrivateAddress):
            send()


def test_slack_gets_text_that_calls_nobody() -> None:
    transport, seen = always(httpx.Response(200, text="ok"))
    assert (
        post_to_slack("https://hooks.slack.example/x", "late <!channel> & <http://evil|x>", transport=transport) == "ok"
    )
    assert json.loads(seen[0].content)["text"] == "late &lt;!channel&gt; &amp; &lt;http://evil|x&gt;"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(429), Busy),
        (httpx.Response(503), Busy),
        (httpx.Response(500), Unsure),
        (httpx.Response(404, text="no_service"), Refused),
    ],
)
def test_slack_that_says_no(answer: httpx.Response, error: type[CallError]) -> None:
    transport, _ = always(answer)
    with pytest.raises(error):
        post_to_slack("https://hooks.slack.example/x", "x", transport=transport)


def test_a_mail_goes_out_with_its_key() -> None:
    send_mail(LETTER)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject, sent.extra_headers["Message-ID"]) == (["a@b.example"], "Late", "<key-1@e2a.example>")


class Backend(BaseEmailBackend):
    """Meets an error at opening or at sending."""

    def __init__(self, *, opening: Exception | None = None, sending: Exception | None = None) -> None:
        super().__init__()
        self.opening, self.sending = opening, sending

    def open(self) -> bool:
        if self.opening:
            raise self.opening
        return True

    def close(self) -> None:
        pass

    def send_messages(self, messages: Any) -> int:
        if self.sending:
            raise self.sending
        return len(messages)


@pytest.mark.parametrize(
    ("backend", "error"),
    [
        (Backend(opening=ConnectionRefusedError()), Busy),
        (Backend(opening=smtplib.SMTPConnectError(421, b"x")), Busy),
        (Backend(sending=smtplib.SMTPSenderRefused(451, b"x", "a")), Busy),
        (Backend(sending=smtplib.SMTPDataError(552, b"x")), Refused),
        (Backend(sending=smtplib.SMTPRecipientsRefused({"a": (550, b"x")})), Refused),
        (Backend(sending=smtplib.SMTPRecipientsRefused({"a": (450, b"x")})), Busy),
        (Backend(sending=smtplib.SMTPServerDisconnected("x")), Unsure),
        (Backend(sending=TimeoutError()), Unsure),
    ],
)
def test_a_mail_that_does_not_go_out(backend: Backend, error: type[CallError]) -> None:
    with pytest.raises(error):
        send_mail(LETTER, backend=backend)


def test_nobody_slips_a_header_into_a_mail() -> None:
    send_mail(Letter(["a@b.example"], "Late\r\nBcc: x@evil.example", "x", "k", "e2a.example"))
    assert mail.outbox[0].subject == "Late Bcc: x@evil.example"
    with pytest.raises(Refused):
        send_mail(Letter(["a@b.example\nBcc: x@evil.example"], "s", "x", "k", "e2a.example"))
