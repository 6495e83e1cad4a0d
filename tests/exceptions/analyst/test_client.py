"""The client against a provider in the process and against one on a real socket."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from exceptions.analyst.client import (
    MOST_BYTES,
    AskError,
    Garbage,
    Provider,
    Question,
    RateLimited,
    Refused,
    Reply,
    TimedOut,
    TooLong,
    Unreachable,
    ask_once,
    most_tokens,
    wish_of,
)
from exceptions.analyst.personal import person_of
from tests.exceptions.analyst.provider import GOOD, URL, FakeProvider, completion, drip, socket_provider

PERSON = person_of([{"customer": {"first_name": "Núria", "last_name": "Soler", "phone": "+34 600 999888"}}])
QUESTION = Question("You are Soler's analyst.", "note of Núria SOLER, 600-999-888", {"type": "json_schema"}, PERSON)


def ask(fake: FakeProvider, question: Question = QUESTION) -> Reply:
    return ask_once(fake.provider(), question, seconds=2)


def test_request_is_a_chat_completion_that_may_not_be_kept() -> None:
    fake = FakeProvider()
    reply = ask(fake)
    assert json.loads(reply.content) == GOOD
    assert (reply.tokens, reply.cost_usd) == (820, 0.00042)
    (request,) = fake.requests
    assert (request.method, str(request.url)) == ("POST", f"{URL}/chat/completions")
    assert request.headers["authorization"] == "Bearer key"
    body = fake.received[0]
    assert body["provider"] == {"data_collection": "deny"}
    assert (body["model"], body["response_format"], body["stream"]) == ("some/model", {"type": "json_schema"}, False)


def test_transport_takes_people_out_and_leaves_our_own_prompt() -> None:
    fake = FakeProvider()
    ask(fake)
    system, user = fake.received[0]["messages"]
    assert system["content"] == QUESTION.system
    assert user["content"] == "note of [NAME] [NAME], [PHONE]"
    assert fake.requests[0].headers["content-length"] == str(len(fake.requests[0].content))


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"total_tokens": 5}, 5),
        ({"total_tokens": -5}, None),
        ({"total_tokens": "5"}, None),
        ({"total_tokens": True}, None),
        ({}, None),
        (None, None),
        ("x", None),
    ],
)
def test_usage_that_cannot_be_is_no_usage(usage: object, tokens: int | None) -> None:
    assert ask(FakeProvider([httpx.Response(200, json=completion(GOOD, usage=usage))])).tokens == tokens


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (httpx.Response(200, content=b"<html>"), Garbage),
        (httpx.Response(200, content=b""), Garbage),
        (httpx.Response(200, json=[]), Garbage),
        (httpx.Response(200, json={"error": {"code": 502, "message": "upstream"}}), Garbage),
        (httpx.Response(200, json=completion(GOOD, error={"code": 402})), Garbage),
        (httpx.Response(200, json={"choices": []}), Garbage),
        (httpx.Response(200, json={"choices": [{"message": {"content": None}}]}), Garbage),
        (httpx.Response(200, content=b"[" * 100_000), Garbage),
        (httpx.Response(402), Refused),
        (httpx.Response(401), Refused),
        (httpx.Response(500), Refused),
        (httpx.Response(302, headers={"location": "http://evil.example/"}), Refused),
        (httpx.Response(429), RateLimited),
        (httpx.Response(200, content=b"x" * (MOST_BYTES + 1)), TooLong),
        (httpx.ConnectError("refused"), Unreachable),
        (httpx.ReadError("cut"), Unreachable),
    ],
)
def test_whatever_is_no_answer_is_an_error(reply: object, error: type[AskError]) -> None:
    with pytest.raises(error):
        ask(FakeProvider([reply]))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "999999999"}, 3600),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:20 GMT", "date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 20),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:20 GMT"}, 0),
    ],
)
def test_wish_to_wait_is_understood(headers: dict[str, str], seconds: float) -> None:
    assert wish_of(headers) == seconds


def test_most_that_a_call_can_cost_covers_every_byte_sent() -> None:
    fake = FakeProvider()
    ask(fake)
    assert most_tokens(fake.provider(), QUESTION) >= len(fake.requests[0].content) + fake.received[0]["max_tokens"]


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def silence(client: socket.socket) -> None:
    while client.recv(65_536):  # until the other side gives up
        pass


def flood(client: socket.socket) -> None:
    client.sendall(HEAD + b"Content-Length: 52428800\r\n\r\n")
    for _ in range(800):
        client.sendall(b"x" * 65_536)


MISBEHAVIOURS: list[tuple[str, Callable[[socket.socket], None], type[AskError]]] = [
    ("silent", silence, TimedOut),
    ("headers a byte at a time", lambda client: drip(client, b"HTTP/1.1 200 OK\r\nX-A: "), TimedOut),
    ("a body that does not end", lambda client: drip(client, HEAD + b"Content-Length: 999999999\r\n\r\n"), TimedOut),
    ("50 MB", flood, TooLong),
    ("cut off", lambda client: client.sendall(HEAD + b"Content-Length: 500\r\n\r\n{"), Unreachable),
    ("no HTTP at all", lambda client: client.sendall(b"220 mail ready\r\n"), Unreachable),
]


@pytest.mark.parametrize(("behave", "error"), [one[1:] for one in MISBEHAVIOURS], ids=[one[0] for one in MISBEHAVIOURS])
def test_call_ends_in_time_whatever_the_other_side_does(
    behave: Callable[[socket.socket], None], error: type[AskError]
) -> None:
    began = time.monotonic()
    with socket_provider(behave) as url, pytest.raises(error):
        ask_once(Provider(url, "m", "k"), QUESTION, seconds=2 if error is TooLong else 0.4)
    assert time.monotonic() - began < 2


def test_refused_connection_costs_nothing_and_may_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable) as error:
        ask_once(Provider(f"http://127.0.0.1:{port}", "m", "k"), QUESTION, seconds=1)
    assert (error.value.costs, error.value.retryable) == (False, True)


def test_plain_text_where_tls_is_due_is_no_provider() -> None:
    with socket_provider(lambda client: client.sendall(HEAD)) as url, pytest.raises(Unreachable):
        ask_once(Provider(url.replace("http:", "https:"), "m", "k"), QUESTION, seconds=2)


def test_certificate_of_an_unknown_authority_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    received: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve_tls, args=[listener, context, received])
        thread.start()
        with pytest.raises(Unreachable) as error:
            ask_once(Provider(f"https://localhost:{listener.getsockname()[1]}/v1", "m", "k"), QUESTION, seconds=3)
        thread.join()
    assert not error.value.costs and received == []


def serve_tls(listener: socket.socket, context: ssl.SSLContext, received: list[bytes]) -> None:
    client, _ = listener.accept()
    with client:
        try:
            received.append(context.wrap_socket(client, server_side=True).recv(1))
        except OSError:
            return


def self_signed(folder: Path) -> Path:
    """A certificate for localhost that nobody vouches for, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "pair.pem"
    path.write_bytes(plain + certificate.public_bytes(Encoding.PEM))
    return path


def test_key_is_shown_nowhere() -> None:
    assert "secret" not in repr(Provider(URL, "m", "secret"))
