"""Sources and signed deliveries for tests of the webhook address."""

import base64
import hashlib
import hmac
import json
from typing import Any

from django.http import HttpResponse
from django.test import RequestFactory

from e2a.encryption import secret_digest
from e2a.errors import ProblemError, problem_response
from e2a.postgresql.raw import raw_connection
from orders.webhooks import webhook
from tenants.models import Tenant, WebhookSecret, WebhookSource

SECRET = "shop-secret-of-acme-0123456789"


def source(tenant: Tenant, name: str = "shopify", *, secret: str = SECRET, **more: Any) -> WebhookSource:
    row = WebhookSource.objects.create(tenant=tenant, name=name, **{"provider": "shopify", **more})
    add_secret(row, secret)
    return row


def add_secret(row: WebhookSource, secret: str, **more: Any) -> None:
    WebhookSecret.objects.create(source=row, secret=secret, digest=secret_digest(secret), **more)


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def post(path: str, body: bytes | dict[str, Any], *, method: str = "POST", **headers: str) -> HttpResponse:
    """Calls the view as the URL would; a problem becomes its answer, as the middleware makes it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    tenant, name = path.split("/")
    names = {f"HTTP_{key.upper().replace('-', '_')}": value for key, value in headers.items()}
    request = RequestFactory().generic(method, f"/webhooks/{path}", raw, content_type="application/json", **names)
    try:
        return webhook(request, tenant, name)
    except ProblemError as problem:
        return problem_response(problem)


def shopify(
    topic: str, body: bytes | dict[str, Any], *, secret: str = SECRET, path: str = "acme/shopify", **more: str
) -> HttpResponse:
    """A delivery as Shopify signs it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signature(raw, secret), "X-Shopify-Event-Id": "ev-1"}
    return post(path, raw, **{**headers, **more})


def said(answer: HttpResponse) -> tuple[int, Any]:
    body = json.loads(answer.content)
    return answer.status_code, body.get("status") if answer.status_code == 200 else body["detail"]


def stored(schema: str = "acme") -> list[tuple[str, str, str]]:
    """(event type, order, event id) of every event, in the order of ids."""
    rows = raw_connection().execute(f'SELECT event_type, order_ref, event_id FROM "{schema}".orders_event ORDER BY id')
    return [tuple(row) for row in rows.fetchall()]


def letters(schema: str = "acme") -> list[tuple[Any, ...]]:
    rows = raw_connection().execute(
        f'SELECT source, reason, topic, headers::json, body FROM "{schema}".orders_deadletter ORDER BY id'
    )
    return [(source, reason, topic, headers, bytes(body)) for source, reason, topic, headers, body in rows.fetchall()]
