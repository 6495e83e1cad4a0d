"""The one way out: which addresses are called, how long, and what an answer may be."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tenants.clients import outgoing
from tenants.clients.errors import Busy, PrivateAddress, Refused, Unsure
from tenants.clients.outgoing import JudgedTransport, call, is_public

PUBLIC, PRIVATE = "93.184.216.34", "10.0.0.7"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        (PUBLIC, True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("0.0.0.0", False),
        (PRIVATE, False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.7", False),
        ("::ffff:8.8.8.8", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("2001:0:7f00:1::", False),
        ("not an address", False),
    ],
)
def test_only_addresses_of_the_open_internet_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def judged(answers: list[list[str]], *, allow_private: bool = False) -> tuple[JudgedTransport, list[httpx.Request]]:
    """A transport whose names resolve to these, look-up by look-up; the requests that went out."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, text="ok")

    looks = iter(answers)
    inner = httpx.MockTransport(answer)
    return JudgedTransport(allow_private=allow_private, resolve=lambda host, port: next(looks), inner=inner), sent


def test_the_call_goes_to_the_address_that_was_judged_and_keeps_its_name() -> None:
    transport, sent = judged([[PUBLIC], [PRIVATE]])
    assert call("GET", "https://hooks.example/x", transport=transport).body == b"ok"
    (request,) = sent
    assert (request.url.host, request.headers["Host"]) == (PUBLIC, "hooks.example")
    assert request.extensions["sni_hostname"] == "hooks.example"


def test_a_name_that_changes_its_mind_is_judged_anew_at_each_call() -> None:
    transport, sent = judged([[PUBLIC], [PRIVATE]])
    call("GET", "https://hooks.example/x", transport=transport)
    with pytest.raises(PrivateAddress):
        call("GET", "https://hooks.example/x", transport=transport)
    assert len(sent) == 1


@pytest.mark.parametrize("addresses", [[PRIVATE], [PUBLIC, PRIVATE], ["::1", PUBLIC], []])
def test_one_private_address_spoils_them_all(addresses: list[str]) -> None:
    transport, sent = judged([addresses])
    with pytest.raises((PrivateAddress, Busy)):
        call("POST", "https://hooks.example/x", transport=transport)
    assert sent == []


def test_an_installation_may_allow_private_addresses() -> None:
    transport, sent = judged([[PRIVATE]], allow_private=True)
    assert call("GET", "http://wms.internal/x", transport=transport).status == 200
    assert sent[0].url.host == PRIVATE


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://2130706433:1/",
        "http://0x7f.1:1/",
        "http://[::ffff:127.0.0.1]:1/",
    ],
)
def test_loopback_is_refused_however_it_is_written(url: str) -> None:
    with pytest.raises(PrivateAddress):
        call("GET", url)


@pytest.mark.parametrize("url", ["ftp://x.example/", "file:///etc/passwd", "https://u:p@x.example/", "https:///x", "x"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        call("GET", url)


def test_a_redirect_is_not_followed() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(302, headers={"Location": "http://169.254.169.254/"})

    assert call("GET", "https://hooks.example/x", transport=httpx.MockTransport(answer)).status == 302
    assert seen == ["https://hooks.example/x"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("x"), Busy),
        (httpx.ConnectTimeout("x"), Busy),
        (httpx.ReadTimeout("x"), Unsure),
        (httpx.WriteError("x"), Unsure),
        (httpx.RemoteProtocolError("x"), Unsure),
    ],
)
def test_what_was_not_sent_is_told_from_what_may_have_been_done(error: Exception, kind: type[Exception]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(kind):
        call("POST", "https://hooks.example/x", transport=httpx.MockTransport(fail))


def test_the_next_address_is_tried_when_one_does_not_connect() -> None:
    tried: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        tried.append(request.url.host)
        if len(tried) == 1:
            raise httpx.ConnectError("x")
        return httpx.Response(200)

    transport = JudgedTransport(
        allow_private=False, resolve=lambda host, port: [PUBLIC, "8.8.8.8"], inner=httpx.MockTransport(answer)
    )
    assert call("GET", "https://hooks.example/", transport=transport).status == 200
    assert tried == [PUBLIC, "8.8.8.8"]


def test_a_host_that_cannot_be_found_can_be_tried_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", missing)
    with pytest.raises(Busy, match="cannot be found"):
        call("GET", "https://nowhere.example/")


def test_an_answer_without_end_is_cut() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=b"x" * 2000))
    with pytest.raises(Unsure, match="too large"):
        call("GET", "https://hooks.example/", transport=transport, most=1000)


@contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join(5)


def test_an_answer_that_drips_is_cut_after_the_whole_time() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(20):
            time.sleep(0.05)
            try:
                connection.sendall(b"x")
            except OSError:
                return

    with raw_server(drip) as url, pytest.raises(Unsure, match="too slowly"):
        call("GET", url, allow_private=True, seconds=0.2)


def test_a_server_that_hangs_up_leaves_it_open() -> None:
    with raw_server(lambda connection: None) as url, pytest.raises(Unsure):
        call("POST", url, content=b"{}", allow_private=True)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr(outgoing, "is_public", lambda address: True)
    with raw_server(lambda connection: connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")) as url:
        assert call("GET", url).status == 204
