"""The API server's entrance, spoken to in raw bytes (more of that in orders/bad_inputs/test_sockets.py)."""

from tenants.models import Tenant
from tenants.services import create_api_key
from tests.api_server import ApiServer, statuses

CLOSE = b"Host: 127.0.0.1\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"
LARGEST_BODY = 9 * 1024 * 1024


def post(headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /events HTTP/1.1\r\n" + CLOSE + JSON + headers + b"\r\n" + body


def test_body_that_no_address_takes_is_refused_before_it_is_sent(api: ApiServer) -> None:
    answer = api.exchange(post(f"Content-Length: {LARGEST_BODY + 1}\r\nX-Correlation-Id: too-large-1\r\n".encode()))
    assert statuses(answer) == [413]
    assert b"application/problem+json" in answer
    assert b'"correlation_id":"too-large-1"' in answer
    assert '"correlation_id": "too-large-1"' in api.log()


def test_header_with_an_underscore_is_not_taken_for_one_with_a_hyphen(api: ApiServer) -> None:
    answer = api.exchange(post(b"X_Correlation_Id: forged\r\nContent-Length: 2\r\n", b"{}"))
    assert b"x-correlation-id" in answer.lower()
    assert b"forged" not in answer


def test_streamed_answer_comes_whole(api: ApiServer) -> None:
    key = create_api_key(tenant=Tenant.objects.get(slug="acme"), scopes=["read"]).key
    who = f"Authorization: Bearer {key}\r\nX-Tenant-Id: acme\r\n".encode()
    answer = api.exchange(b"GET /api/exceptions.csv HTTP/1.1\r\n" + CLOSE + who + b"\r\n")
    assert statuses(answer) == [200]
    assert b"reason_code" in answer
