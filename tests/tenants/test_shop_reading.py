"""The client that talks to shops, through a transport of the test's own."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest
import stamina

from tenants.clients import Busy, CallError, PrivateAddress, ShopClient

SINCE = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
URL = "https://shop.example/admin/api/2026-01"


@pytest.fixture(autouse=True)
def no_waiting() -> object:
    with stamina.set_testing(True, attempts=3):
        yield


def client(answer: Callable[[httpx.Request], httpx.Response]) -> ShopClient:
    return ShopClient(URL, "tok", transport=httpx.MockTransport(answer), allow_private=True)


def test_pages_are_followed_with_the_token() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if "page_info" in str(request.url):
            return httpx.Response(200, json={"orders": [{"id": 2}]})
        link = f'<{URL}/orders.json?limit=250&page_info=abc>; rel="next"'
        return httpx.Response(200, json={"orders": [{"id": 1}]}, headers={"Link": link})

    assert list(client(answer).orders_updated_since(SINCE)) == [[{"id": 1}], [{"id": 2}]]
    assert str(seen[0].url) == (
        f"{URL}/orders.json?status=any&limit=50&order=updated_at+asc&updated_at_min=2026-11-23T10:00:00Z"
    )
    assert {request.headers["X-Shopify-Access-Token"] for request in seen} == {"tok"}


def test_page_of_another_host_is_not_followed() -> None:
    link = '<https://evil.example/orders.json>; rel="next"'
    pages = client(lambda _: httpx.Response(200, json={"orders": []}, headers={"Link": link})).orders_updated_since(
        SINCE
    )
    assert next(pages) == []
    with pytest.raises(CallError, match="another host"):
        next(pages)


def test_busy_shop_is_asked_again() -> None:
    answers = iter([httpx.Response(429, headers={"Retry-After": "0.1"}), httpx.Response(502)])
    found = client(lambda _: next(answers, httpx.Response(200, json={"transactions": [{"id": 5}]}))).transactions("1")
    assert found == [{"id": 5}]


def test_shop_that_stays_busy_is_given_up() -> None:
    with pytest.raises(Busy):
        client(lambda _: httpx.Response(503)).transactions("1")


@pytest.mark.parametrize("status", [301, 401, 422])
def test_refusal_says_what_to_check(status: int) -> None:
    pages = client(lambda _: httpx.Response(status, headers={"Location": "https://evil.example"})).orders_updated_since(
        SINCE
    )
    with pytest.raises(CallError, match=f"The shop answered {status}; check the address and the token"):
        next(pages)


@pytest.mark.parametrize("status", [403, 404])
def test_list_that_the_token_may_not_read_is_empty(status: int) -> None:
    shop = client(lambda _: httpx.Response(status))
    assert (shop.fulfillment_orders("1"), shop.fulfillment_events("1", "2")) == ([], [])


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), httpx.Response(200, json={"errors": 1})])
def test_answer_of_another_shape_is_an_error(answer: httpx.Response) -> None:
    with pytest.raises(CallError):
        next(client(lambda _: answer).orders_updated_since(SINCE))


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "localhost", "169.254.169.254", "[::1]"])
def test_private_shop_is_not_called(host: str) -> None:
    with pytest.raises(PrivateAddress, match="private network"):
        ShopClient(f"https://{host}/admin/api/2026-01", "tok").transactions("1")
