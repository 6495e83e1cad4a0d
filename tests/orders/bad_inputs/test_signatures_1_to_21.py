"""Bad inputs 1 to 21: signatures, at the address of a Standard Webhooks source, through all of the middleware.

401, the same for all of them; what is torn is 400. Case 18 and 19 stand in test_sockets.py too, where headers are real ones.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from psycopg import Connection

from tenants.models import Tenant, WebhookSource
from tests.orders.bad_inputs.cast import MARK, Trial
from tests.orders.webhook_cast import add_secret, source

SECRET = "whsec_" + base64.b64encode(b"a secret of acme's, 32 bytes big").decode()
OTHER = "whsec_" + base64.b64encode(b"a secret of globex', 32 bytes ...").decode()
PATH = "/webhooks/acme/std"
BODY = json.dumps(
    {"id": "1", "kind": "order_packed", "order": "7", "at": "2026-11-23T10:00:00Z", "note": MARK}
).encode()
MAPPING = {"order_id": "order", "event_type": "kind", "occurred_at": "at"}
Headers = dict[str, str]


def now(seconds: int = 0) -> str:
    return str(int(time.time()) + seconds)


def sign(body: bytes = BODY, *, secret: str = SECRET, stamp: str | None = None, identity: str = "msg_1") -> Headers:
    at = stamp or now()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{identity}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "HTTP_WEBHOOK_ID": identity,
        "HTTP_WEBHOOK_TIMESTAMP": at,
        "HTTP_WEBHOOK_SIGNATURE": "v1," + base64.b64encode(digest).decode(),
    }


def without(name: str) -> Headers:
    return {key: value for key, value in sign().items() if key != name}


def replaced(change: Callable[[str], str]) -> Headers:
    headers = sign()
    return {**headers, "HTTP_WEBHOOK_SIGNATURE": change(headers["HTTP_WEBHOOK_SIGNATURE"])}


# name → (headers, body)
REFUSED: dict[str, tuple[Callable[[], Headers], bytes]] = {
    "1 no signature": (lambda: without("HTTP_WEBHOOK_SIGNATURE"), BODY),
    "2 empty signature": (lambda: replaced(lambda _: ""), BODY),
    "3 only the version": (lambda: replaced(lambda _: "v1,"), BODY),
    "4 not base64": (lambda: replaced(lambda _: "v1,not base64!"), BODY),
    "5 one byte of the body changed": (sign, BODY.replace(b'"7"', b'"8"')),
    "6 body serialised again": (sign, json.dumps(json.loads(BODY), separators=(",", ":")).encode()),
    "7 only v2": (lambda: replaced(lambda text: text.replace("v1,", "v2,")), BODY),
    "7 only v0": (lambda: replaced(lambda text: text.replace("v1,", "v0,")), BODY),
    "10 another tenant's secret": (lambda: sign(secret=OTHER), BODY),
    "11 signed 301 seconds ago": (lambda: sign(stamp=now(-302)), BODY),
    "12 signed 301 seconds ahead": (lambda: sign(stamp=now(302)), BODY),
    "13 a word for a time": (lambda: sign(stamp="hello"), BODY),
    "14 no time": (lambda: without("HTTP_WEBHOOK_TIMESTAMP"), BODY),
    "15 a time with an exponent": (lambda: sign(stamp="1e9"), BODY),
    "15 a negative time": (lambda: sign(stamp="-1"), BODY),
    "15 a time of 20 digits": (lambda: sign(stamp="1" * 20), BODY),
    "15 a time in other digits": (lambda: {**sign(), "HTTP_WEBHOOK_TIMESTAMP": "１７９５"}, BODY),
    "16 no id": (lambda: without("HTTP_WEBHOOK_ID"), BODY),
    "18 two signature headers, joined": (lambda: replaced(lambda text: f"{text},{text}"), BODY),
}
TORN: dict[str, Callable[[], Headers]] = {
    "17 an id with a point": lambda: sign(identity="msg.1"),
    "21 ten thousand signatures": lambda: replaced(lambda text: " ".join([text] * 10_000)),
}


@pytest.fixture
def std(acme: Tenant, globex: Tenant) -> WebhookSource:
    source(globex, "std", provider="standard", secret=OTHER, mapping=MAPPING)
    return source(acme, "std", provider="standard", secret=SECRET, mapping=MAPPING)


@pytest.fixture
def outside() -> Client:
    return Client(headers={"Host": "127.0.0.1"})


def without_identity(body: Any) -> Any:
    return {key: value for key, value in body.items() if key != "correlation_id"}


def test_the_signature_opens_the_address(std: WebhookSource, outside: Client, trial: Trial) -> None:
    answered = trial(outside, PATH, BODY, secrets=(SECRET,), **sign())
    assert (answered.status, answered.body, answered.grown.get("orders_event")) == (200, {"status": "processed"}, 1)


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_signature_is_the_same_401_and_nothing_is_stored(
    std: WebhookSource, outside: Client, trial: Trial, name: str
) -> None:
    headers, body = REFUSED[name]
    answered = trial(outside, PATH, body, secrets=(SECRET, OTHER), **headers())
    nobody = trial(outside, "/webhooks/nobody/std", body, **headers())
    assert (answered.status, answered.grown) == (401, {})
    assert without_identity(answered.body) == without_identity(nobody.body)
    assert {key: answered.headers[key] for key in answered.headers.headers if key != "X-Correlation-Id"} == {
        key: nobody.headers[key] for key in nobody.headers.headers if key != "X-Correlation-Id"
    }


@pytest.mark.parametrize("name", TORN)
def test_torn_headers_are_400_for_whomever_and_cost_nothing(
    std: WebhookSource, outside: Client, trial: Trial, name: str
) -> None:
    """Of this process's time below 50 ms, which is what the standard of bad inputs asks for: the quickest of five counts."""
    headers = TORN[name]()
    for path in (PATH, "/webhooks/nobody/std"):
        spent = []
        for _ in range(5):
            began = time.process_time()
            answer = outside.generic("POST", path, BODY, content_type="application/json", **headers)
            spent.append(time.process_time() - began)
            assert answer.status_code == 400
        assert min(spent) < 0.05
        assert trial(outside, path, BODY, **headers).grown == {}


def test_8_one_good_signature_among_bad_ones_is_enough(std: WebhookSource, outside: Client, trial: Trial) -> None:
    bad = "v1," + base64.b64encode(b"x" * 32).decode()
    assert trial(outside, PATH, BODY, **replaced(lambda good: f"{bad} v2,what {good}")).status == 200


def test_9_old_secret_is_taken_in_its_grace_and_not_after(std: WebhookSource, outside: Client, trial: Trial) -> None:
    old = "whsec_" + base64.b64encode(b"an old secret that was rotated ..").decode()
    add_secret(std, old, valid_until=timezone.now() + timedelta(minutes=1))
    assert trial(outside, PATH, BODY, **sign(secret=old)).status == 200
    std.secrets.filter(valid_until__isnull=False).update(valid_until=timezone.now() - timedelta(seconds=1))
    assert trial(outside, PATH, BODY, **sign(secret=old)).status == 401


def test_19_header_with_an_underscore_is_none(std: WebhookSource, outside: Client, trial: Trial) -> None:
    """A server passes `webhook_signature` on as the same WSGI name or drops it; see test_sockets.py for ours."""
    headers = without("HTTP_WEBHOOK_SIGNATURE") | {"webhook_signature": sign()["HTTP_WEBHOOK_SIGNATURE"]}
    assert trial(outside, PATH, BODY, **headers).status == 401


@pytest.mark.parametrize(
    "path", ["/webhooks/nobody/std", "/webhooks/acme/none", "/webhooks/public/std", "/webhooks/a'b/std"]
)
def test_20_unknown_address_is_the_same_401(std: WebhookSource, outside: Client, trial: Trial, path: str) -> None:
    wrong = trial(outside, PATH, BODY, **sign(secret=OTHER))
    nowhere = trial(outside, path, BODY, **sign())
    assert (nowhere.status, without_identity(nowhere.body)) == (401, without_identity(wrong.body))


def test_20_inactive_tenant_is_the_same_401(std: WebhookSource, outside: Client, trial: Trial) -> None:
    wrong = trial(outside, PATH, BODY, **sign(secret=OTHER))
    Tenant.objects.filter(slug="acme").update(active=False)
    inactive = trial(outside, PATH, BODY, **sign())
    assert (inactive.status, without_identity(inactive.body)) == (401, without_identity(wrong.body))


ADDRESSES = [
    "acme/std",
    "acme/shop",
    "acme/karrio",
    "acme/rotating",
    "acme/off",
    "acme/bare",
    "acme/none",
    "nobody/std",
]
SENT: dict[str, Callable[[], Headers]] = {
    "nothing": dict,
    "a signature of another": lambda: sign(secret=OTHER),
    "an old time": lambda: sign(secret=OTHER, stamp=now(-301)),
    "a shop's signature": lambda: {"HTTP_X_SHOPIFY_HMAC_SHA256": "bm90IGl0"},
    "a secret of Karrio's": lambda: {"HTTP_X_EVENT_ID": "not it"},
}


@pytest.mark.parametrize("headers", SENT.values(), ids=SENT)
def test_20_a_refusal_costs_the_same_at_every_address(
    acme: Tenant, std: WebhookSource, outside: Client, monkeypatch: pytest.MonkeyPatch, headers: Callable[[], Headers]
) -> None:
    """By what is done, not by the clock: the statements, and the digests of the body, which take longer the larger it is."""
    for name, provider in (("shop", "shopify"), ("karrio", "karrio"), ("rotating", "standard"), ("off", "shopify")):
        source(acme, name, provider=provider, secret=f"{name}-secret-0123456789", active=name != "off", mapping=MAPPING)
    rotating = acme.sources.get(name="rotating")
    add_secret(rotating, "before-0123456789", valid_until=timezone.now() + timedelta(minutes=1))
    source(acme, "bare", secret="no-longer-0123456789").secrets.all().delete()
    digests = statements = 0
    new, execute = hmac.new, Connection.execute

    def counted(key: bytes, message: bytes, kind: Any) -> Any:
        nonlocal digests
        digests += message.endswith(BODY)
        return new(key, message, kind)

    def run(*words: Any, **more: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*words, **more)

    monkeypatch.setattr(hmac, "new", counted)
    monkeypatch.setattr(Connection, "execute", run)
    sent, costs = headers(), {}
    for address in ADDRESSES:
        digests = statements = 0
        answer = outside.generic("POST", f"/webhooks/{address}", BODY, content_type="application/json", **sent)
        assert answer.status_code == 401, address
        costs[address] = (digests, statements)
    assert costs == dict.fromkeys(ADDRESSES, (2, 1))
