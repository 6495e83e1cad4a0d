"""Bad inputs that need a real socket (18, 19, 28 to 30, 32 to 37, 39), against the API's own server."""

import json
import time

import pytest

from tenants.models import Tenant
from tests.api_server import BODY_SECONDS, ApiServer, Sender, chunked, read_all, statuses
from tests.orders.bad_inputs.test_signatures_1_to_21 import BODY, MAPPING, SECRET, sign
from tests.orders.door_cast import event, rows
from tests.orders.webhook_cast import source

EVENT = json.dumps(event()).encode()


@pytest.fixture
def sender(api: ApiServer) -> Sender:
    return Sender()


def stored() -> int:
    return int(rows("SELECT count(*) FROM {s}.orders_event")[0][0])


def test_well_formed_requests_are_taken(api: ApiServer, sender: Sender) -> None:
    assert statuses(api.exchange(sender.whole(event()))) == [201]
    assert statuses(api.exchange(sender.head("Transfer-Encoding: chunked") + chunked(EVENT, 7))) == [200]


@pytest.mark.parametrize("names", [("webhook-signature", "webhook-signature"), ("webhook_signature",)])
def test_18_and_19_two_signatures_or_one_by_an_underscore_open_nothing(
    api: ApiServer, sender: Sender, names: tuple[str, ...]
) -> None:
    source(Tenant.objects.get(slug="acme"), "std", provider="standard", secret=SECRET, mapping=MAPPING)
    signed = {name.removeprefix("HTTP_").replace("_", "-"): value for name, value in sign().items()}
    good = signed.pop("WEBHOOK-SIGNATURE")
    rest = [f"{name}: {value}" for name, value in signed.items()]
    path = "/webhooks/acme/std"
    lines = [f"{name}: {good}" for name in names]
    assert statuses(api.exchange(sender.whole(BODY, *rest, *lines, path=path))) == [401]
    assert stored() == 0
    assert statuses(api.exchange(sender.whole(BODY, *rest, f"webhook-signature: {good}", path=path))) == [200]


def test_28_chunks_without_a_length_are_cut_at_the_limit(api: ApiServer, sender: Sender) -> None:
    head = sender.head("Transfer-Encoding: chunked")
    assert statuses(api.exchange(head + chunked(b" " * 3_000_000)))[:1] in ([413], [])
    endless = sender.head("Transfer-Encoding: chunked", path="/webhooks/acme/x") + chunked(b"x" * 20_000_000)
    assert statuses(api.exchange(endless))[:1] in ([413], [])
    assert (stored(), statuses(api.exchange(sender.whole(event())))) == (0, [201])


@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "", "+5", "0x10", "9" * 30])
def test_29_wrong_content_length_is_400(api: ApiServer, sender: Sender, length: str) -> None:
    assert statuses(api.exchange(sender.head(f"Content-Length: {length}") + EVENT))[0] in (400, 413)
    assert stored() == 0


def test_29_two_lengths_are_400(api: ApiServer, sender: Sender) -> None:
    lines = (f"Content-Length: {len(EVENT)}", "Content-Length: 5")
    assert statuses(api.exchange(sender.head(*lines) + EVENT)) == [400]
    assert stored() == 0


def test_29_shorter_than_its_length_stores_nothing(api: ApiServer, sender: Sender) -> None:
    with api.open() as connection:
        connection.sendall(sender.head(f"Content-Length: {len(EVENT) + 10}") + EVENT)
        connection.shutdown(1)
        assert statuses(read_all(connection)) in ([], [400], [408])
    assert stored() == 0


def test_29_longer_than_its_length_is_no_second_request(api: ApiServer, sender: Sender) -> None:
    smuggled = sender.head("Content-Length: 20", close=False) + EVENT[:20] + sender.whole(event(2))
    assert statuses(api.exchange(smuggled)) == [400, 201]  # two well-formed requests: the first is cut JSON
    assert statuses(api.exchange(sender.head("Content-Length: 20", close=False) + EVENT)) == [400, 400]
    assert [row[0] for row in rows("SELECT event_id FROM {s}.orders_event")] == ["evt-2"]


def test_30_length_and_chunks_together_smuggle_nothing(api: ApiServer, sender: Sender) -> None:
    """The chunks count and the connection is closed behind them, so what follows is read by nobody."""
    both = sender.head("Content-Length: 4", "Transfer-Encoding: chunked", close=False) + chunked(EVENT)
    answer = api.exchange(both + sender.whole(event("smuggled")))
    assert len(statuses(answer)) == 1
    assert [row[0] for row in rows("SELECT event_id FROM {s}.orders_event WHERE event_id = 'evt-smuggled'")] == []


@pytest.mark.parametrize("encoding", ["xchunked", "chunked, gzip", "gzip, chunked", "chunked, chunked", "identity"])
def test_30_other_transfer_encodings_are_400(api: ApiServer, sender: Sender, encoding: str) -> None:
    assert statuses(api.exchange(sender.head(f"Transfer-Encoding: {encoding}") + chunked(EVENT)))[0] == 400
    assert stored() == 0


def test_31_bomb_is_refused_without_being_unpacked(api: ApiServer, sender: Sender) -> None:
    assert statuses(api.exchange(sender.whole(b"\x1f\x8b" + b"x" * 1000, "Content-Encoding: gzip"))) == [415]


@pytest.mark.parametrize("host", [None, "a b", "evil.com/x", "127.0.0.1\r\nHost: globex.localhost"])
def test_32_no_host_or_two_are_400(api: ApiServer, sender: Sender, host: str | None) -> None:
    assert statuses(api.exchange(sender.whole(event(), host=host))) == [400]
    assert stored() == 0


def test_34_head_of_64_kib_is_refused(api: ApiServer, sender: Sender) -> None:
    assert 400 <= statuses(api.exchange(sender.whole(event(), "X-Big: " + "a" * 65_536)))[0] < 500
    assert stored() == 0


def test_35_five_hundred_headers_are_refused(api: ApiServer, sender: Sender) -> None:
    assert 400 <= statuses(api.exchange(sender.whole(event(), *["X-Same: a"] * 500)))[0] < 500
    assert stored() == 0


def test_36_slow_senders_are_cut_and_hold_nobody_up(api: ApiServer, sender: Sender) -> None:
    """More of them than the server has threads."""
    slow = [api.open() for _ in range(30)]
    for connection in slow:
        connection.sendall(sender.head("Content-Length: 1000") + b"{")
    began = time.monotonic()
    assert statuses(api.exchange(sender.whole(event()))) == [201]
    assert time.monotonic() - began < BODY_SECONDS
    for connection in slow:
        with connection:
            assert statuses(read_all(connection)) == [408]
    assert time.monotonic() - began < BODY_SECONDS + 5
    assert stored() == 1


@pytest.mark.parametrize("patience", [0, 0.002, 0.02])
def test_37_sender_that_leaves_is_stored_once_or_not_at_all(api: ApiServer, sender: Sender, patience: float) -> None:
    for number in range(5):
        with api.open() as connection:
            connection.sendall(sender.whole(event(number)))
            time.sleep(patience)
    assert statuses(api.exchange(sender.whole(event("last")))) == [201]
    kept = [row[0] for row in rows("SELECT event_id FROM {s}.orders_event")]
    assert len(kept) == len(set(kept))
    for number in range(5):
        assert statuses(api.exchange(sender.whole(event(number))))[0] in (200, 201)
    assert stored() == 6


def test_39_two_requests_at_once_get_two_answers(api: ApiServer, sender: Sender) -> None:
    both = sender.whole(event(1), close=False) + sender.whole(event(2))
    assert statuses(api.exchange(both)) == [201, 201]
    assert stored() == 2


def test_nothing_broke_and_nothing_secret_was_logged(api: ApiServer, sender: Sender) -> None:
    api.exchange(sender.whole(b"{"))
    told = api.log()
    assert "Traceback" not in told
    for secret in (sender.key, SECRET, sign()["HTTP_WEBHOOK_SIGNATURE"]):
        assert secret not in told
