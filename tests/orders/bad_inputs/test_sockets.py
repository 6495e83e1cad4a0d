"""Bad inputs that need a real socket (18, 19, 28 to 30, 32 to 37, 39), against the API's own server."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tenants.models import Tenant
from tests.orders.bad_inputs.api_server import ApiServer, Sender, chunked, read_all, statuses
from tests.orders.bad_inputs.test_signatures_1_to_21 import BODY, MAPPING, SECRET, sign
from tests.orders.door_cast import event, rows
from tests.orders.webhook_cast import source

EVENT = json.dumps(event()).encode()


@pytest.fixture(scope="module")
def server(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    with django_db_blocker.unblock(), ApiServer(tmp_path_factory.mktemp("api")).running() as started:
        yield started


@pytest.fixture
def sender(server: ApiServer, committed: None) -> Sender:
    return Sender()


def stored() -> int:
    return int(rows("SELECT count(*) FROM {s}.orders_event")[0][0])


def test_well_formed_requests_are_taken(server: ApiServer, sender: Sender) -> None:
    assert statuses(server.exchange(sender.whole(event()))) == [201]
    assert statuses(server.exchange(sender.head("Transfer-Encoding: chunked") + chunked(EVENT, 7))) == [200]


@pytest.mark.parametrize("names", [("webhook-signature", "webhook-signature")])
def test_18_and_19_two_signatures_or_one_by_an_underscore_open_nothing(
    server: ApiServer, sender: Sender, names: tuple[str, ...]
) -> None:
    source(Tenant.objects.get(slug="acme"), "std", provider="standard", secret=SECRET, mapping=MAPPING)
    signed = {name.removeprefix("HTTP_").replace("_", "-"): value for name, value in sign().items()}
    good = signed.pop("WEBHOOK-SIGNATURE")
    rest = [f"{name}: {value}" for name, value in signed.items()]
    path = "/webhooks/acme/std"
    lines = [f"{name}: {good}" for name in names]
    assert statuses(server.exchange(sender.whole(BODY, *rest, *lines, path=path))) == [401]
    assert stored() == 0
    assert statuses(server.exchange(sender.whole(BODY, *rest, f"webhook-signature: {good}", path=path))) == [200]


def test_28_chunks_without_a_length_are_cut_at_the_limit(server: ApiServer, sender: Sender) -> None:
    head = sender.head("Transfer-Encoding: chunked")
    assert statuses(server.exchange(head + chunked(b" " * 3_000_000)))[:1] in ([413], [])
    endless = sender.head("Transfer-Encoding: chunked", path="/webhooks/acme/x") + chunked(b"x" * 20_000_000)
    assert statuses(server.exchange(endless))[:1] in ([413], [])
    assert (stored(), statuses(server.exchange(sender.whole(event())))) == (0, [201])


@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "", "+5", "0x10", "9" * 30])
def test_29_wrong_content_length_is_400(server: ApiServer, sender: Sender, length: str) -> None:
    assert statuses(server.exchange(sender.head(f"Content-Length: {length}") + EVENT))[0] in (400, 413)
    assert stored() == 0


def test_29_two_lengths_are_400(server: ApiServer, sender: Sender) -> None:
    lines = (f"Content-Length: {len(EVENT)}", "Content-Length: 5")
    assert statuses(server.exchange(sender.head(*lines) + EVENT)) == [400]
    assert stored() == 0


def test_29_shorter_than_its_length_stores_nothing(server: ApiServer, sender: Sender) -> None:
    with server.open() as connection:
        connection.sendall(sender.head(f"Content-Length: {len(EVENT) + 10}") + EVENT)
        connection.shutdown(1)
        assert statuses(read_all(connection)) in ([], [400], [408])
    assert stored() == 0


def test_29_longer_than_its_length_is_no_second_request(server: ApiServer, sender: Sender) -> None:
    smuggled = sender.head("Content-Length: 20", close=False) + EVENT[:20] + sender.whole(event(2))
    assert statuses(server.exchange(smuggled)) == [400, 201]  # two well-formed requests: the first is cut JSON
    assert statuses(server.exchange(sender.head("Content-Length: 20", close=False) + EVENT)) == [400, 400]
    assert [row[0] for row in rows("SELECT event_id FROM {s}.orders_event")] == ["evt-2"]


def test_30_length_and_chunks_together_smuggle_nothing(server: ApiServer, sender: Sender) -> None:
    """The chunks count and the connection is closed behind them, so what follows is read by nobody."""
    both = sender.head("Content-Length: 4", "Transfer-Encoding: chunked", close=False) + chunked(EVENT)
    answer = server.exchange(both + sender.whole(event("smuggled")))
    assert len(statuses(answer)) == 1
    assert [row[0] for row in rows("SELECT event_id FROM {s}.orders_event WHERE event_id = 'evt-smuggled'")] == []


@pytest.mark.parametrize("encoding", ["xchunked", "chunked, gzip", "gzip, chunked", "chunked, chunked", "identity"])
def test_30_other_transfer_encodings_are_400(server: ApiServer, sender: Sender, encoding: str) -> None:
    assert statuses(server.exchange(sender.head(f"Transfer-Encoding: {encoding}") + chunked(EVENT)))[0] == 400
    assert stored() == 0


def test_31_bomb_is_refused_without_being_unpacked(server: ApiServer, sender: Sender) -> None:
    assert statuses(server.exchange(sender.whole(b"\x1f\x8b" + b"x" * 1000, "Content-Encoding: gzip"))) == [415]


@pytest.mark.parametrize("host", [None, "a b", "evil.com/x", "127.0.0.1\r\nHost: globex.localhost"])
def test_32_no_host_or_two_are_400(server: ApiServer, sender: Sender, host: str | None) -> None:
    assert statuses(server.exchange(sender.whole(event(), host=host))) == [400]
    assert stored() == 0


def test_34_head_of_64_kib_is_refused(server: ApiServer, sender: Sender) -> None:
    assert 400 <= statuses(server.exchange(sender.whole(event(), "X-Big: " + "a" * 65_536)))[0] < 500
    assert stored() == 0


def test_35_five_hundred_headers_are_refused(server: ApiServer, sender: Sender) -> None:
    assert 400 <= statuses(server.exchange(sender.whole(event(), *["X-Same: a"] * 500)))[0] < 500
    assert stored() == 0


def test_39_two_requests_at_once_get_two_answers(server: ApiServer, sender: Sender) -> None:
    both = sender.whole(event(1), close=False) + sender.whole(event(2))
    assert statuses(server.exchange(both)) == [201, 201]
    assert stored() == 2


def test_nothing_broke_and_nothing_secret_was_logged(server: ApiServer, sender: Sender) -> None:
    server.exchange(sender.whole(b"{"))
    told = server.log()
    assert "Traceback" not in told
    for secret in (sender.key, SECRET, sign()["HTTP_WEBHOOK_SIGNATURE"]):
        assert secret not in told
