"""Signature cases 1 to 21 (RELIABILITY 4), with the published vectors of Standard Webhooks and GitHub."""

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime, timedelta

import pytest

from orders.providers.easypost import EasyPost
from orders.providers.karrio import Karrio
from orders.providers.plain_json import PlainJson
from orders.providers.signatures import hmac_matches, is_malformed, standard_matches
from tests.orders.providers.cast import delivery

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
IDENTITY = "msg_p5jXN8AQM9LWM0D4loKWxJek"
STAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
AT = datetime.fromtimestamp(STAMP, UTC)


def check(
    signature: str = SIGNATURE,
    *,
    body: bytes = BODY,
    secrets: tuple[str, ...] = (SECRET,),
    stamp: str | None = str(STAMP),
    identity: str | None = IDENTITY,
    now: datetime = AT,
    name: str = "webhook-signature",
) -> bool:
    headers = {name: signature, "webhook-timestamp": stamp, "webhook-id": identity}
    sent = {key: value for key, value in headers.items() if value is not None}
    return standard_matches(delivery(body, sent, now=now), secrets)


def signed(body: bytes = BODY, *, secret: str = SECRET, stamp: str = str(STAMP), identity: str = IDENTITY) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{identity}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def test_standard_webhooks_vector_verifies() -> None:
    assert check()
    assert signed() == SIGNATURE


def test_github_vector_verifies() -> None:
    mapping = {"signature": {"header": "X-Hub-Signature-256", "prefix": "sha256=", "encoding": "hex"}}
    vector = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    sent = delivery(b"Hello, World!", {"x-hub-signature-256": vector}, mapping=mapping)
    assert PlainJson().verify(sent, ["It's a Secret to Everybody"])
    assert not PlainJson().verify(sent, ["It's a secret to everybody"])


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "v1,",
        "v1,not base64!",
        "v1,§§§",
        SIGNATURE.replace("v1,", "v2,"),
        SIGNATURE.replace("v1,", "v0="),
        SIGNATURE.removeprefix("v1,"),
        SIGNATURE[:-2],
        f"{SIGNATURE},{SIGNATURE}",
    ],
)
def test_malformed_signature_opens_nothing(signature: str) -> None:
    assert not check(signature)


def test_signature_of_one_secret_and_one_body_only() -> None:
    other = "whsec_" + base64.b64encode(b"x" * 24).decode()
    assert not check(body=BODY.replace(b"4", b"5"))
    assert not check(body=b'{"test":2432232314}')
    assert not check(secrets=(other,))
    assert not check(secrets=())
    assert check(secrets=(other, SECRET))


def test_one_good_signature_among_bad_ones_is_enough() -> None:
    assert check(f"v1,AAAA {SIGNATURE}")
    assert check(f"v2,AAAA {SIGNATURE} v1,AAAA")


@pytest.mark.parametrize(("seconds", "fresh"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_five_minutes_of_tolerance_either_way(seconds: int, fresh: bool) -> None:
    assert check(now=AT + timedelta(seconds=seconds)) is fresh


@pytest.mark.parametrize("stamp", ["hello", "1e9", "-1", "9" * 20, "", " 1614265330", "１６１４２６５３３０", None])
def test_timestamp_that_is_none_opens_nothing(stamp: str | None) -> None:
    assert not check(signed(stamp=stamp or ""), stamp=stamp)


@pytest.mark.parametrize("identity", [None, "", "msg.1"])
def test_id_that_is_missing_or_could_be_cut_opens_nothing(identity: str | None) -> None:
    assert not check(signed(identity=identity or ""), identity=identity)


def test_header_with_an_underscore_is_another_header() -> None:
    assert not check(name="webhook_signature")


def test_ten_thousand_signatures_are_refused_at_once() -> None:
    many = " ".join(["v1,AAAA"] * 9_999 + [SIGNATURE])
    began = time.perf_counter()
    assert not check(many)
    assert is_malformed({"webhook-signature": many})
    assert time.perf_counter() - began < 0.05


def test_only_dishonest_headers_are_malformed() -> None:
    assert is_malformed({"webhook-id": "msg.1"})
    assert not is_malformed({"webhook-id": IDENTITY, "webhook-signature": f"{SIGNATURE} {SIGNATURE}"})
    assert not is_malformed({})


def test_easypost_normalises_its_secret() -> None:
    secret = "ﬁnd-Å"
    digest = hmac.new("find-A\u030a".encode(), b"{}", hashlib.sha256).hexdigest()
    sent = delivery(b"{}", {"x-hmac-signature": f"hmac-sha256-hex={digest}"})
    assert EasyPost().verify(sent, [secret])
    assert not EasyPost().verify(delivery(b"{}", {"x-hmac-signature": digest}), [secret])


def test_karrio_sends_its_secret_instead_of_a_signature() -> None:
    assert Karrio().verify(delivery(b"{}", {"x-event-id": "s3cret"}), ["old", "s3cret"])
    assert not Karrio().verify(delivery(b"{}", {"x-event-id": "wrong"}), ["old", "s3cret"])
    assert not Karrio().verify(delivery(b"{}"), [""])
    assert Karrio().kept_headers == ()


@pytest.mark.parametrize(("encoding", "algorithm"), [("hex", "sha256"), ("base64", "sha512"), ("hex", "sha1")])
def test_hmac_knows_its_encodings(encoding: str, algorithm: str) -> None:
    digest = hmac.new(b"k", b"body", algorithm).digest()
    text = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    assert hmac_matches(b"body", f"s={text}", ["k"], encoding=encoding, prefix="s=", algorithm=algorithm)
    assert not hmac_matches(b"body", text, ["k"], encoding=encoding, prefix="s=", algorithm=algorithm)
    assert not hmac_matches(b"body", f"s={text}\ud800", ["k"], encoding=encoding, prefix="s=", algorithm=algorithm)
