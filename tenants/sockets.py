"""The websocket `/ws` of a tenant's host: hints that something changed, nothing else (CONTRACT 5).

Who may listen is decided as for a page: session, account, membership in the host's tenant; and again every 20
seconds while it is open. The group is the tenant's own; nothing that a client sends is read.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django_tenants.utils import get_public_schema_name, schema_context

from e2a.pulse import group_of
from tenants.middleware import membership_of, session_ended, tenant_of_host

logger = logging.getLogger(__name__)
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
REDIS_RETRY_SECONDS = 5.0
MOST_FRAMES = 10  # a page sends none
NOT_ALLOWED = 4403
TOO_MUCH = 4408


@dataclass(frozen=True, slots=True)
class Listener:
    """Who asks: the host and the session id, as the browser showed them."""

    host: str
    session: str


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Closing before accepting answers 403."""
    await receive()
    listener = listener_of(scope)
    schema = await admitted_to(listener) if listener else None
    if listener is None or schema is None:
        await send({"type": "websocket.close", "code": NOT_ALLOWED})
        return
    await send({"type": "websocket.accept"})
    code = await listen(schema, listener, receive, send)
    if code is not None:
        await send({"type": "websocket.close", "code": code})


def listener_of(scope: Message) -> Listener | None:
    """None unless the path is ours, the origin is the host itself, and a session is shown."""
    headers = scope["headers"]
    host, origin = only(headers, b"host"), only(headers, b"origin")
    cookies = parse_cookie(only(headers, b"cookie"))
    session = cookies.get(settings.SESSION_COOKIE_NAME, "")
    if scope["path"] != "/ws" or not host or not session or not is_origin(origin, host):
        return None
    return Listener(host.rsplit(":", 1)[0].lower(), session)


def only(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """The header's value; empty when there is none, or more than one."""
    values = [value for key, value in headers if key == name]
    return values[0].decode("latin-1") if len(values) == 1 else ""


def is_origin(origin: str, host: str) -> bool:
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


async def admitted_to(listener: Listener) -> str | None:
    found: str | None = await database_sync_to_async(find_schema)(listener)
    return found


def find_schema(listener: Listener) -> str | None:
    """The schema of the host's tenant if its session's person is a member there now; else None.

    One synchronous call that enters its schema itself: awaiting between the schema and a query reads other tenants' rows.
    """
    with schema_context(get_public_schema_name()):
        tenant = tenant_of_host(listener.host)
        if tenant is None:
            return None
        request = HttpRequest()
        request.session = SessionStore(listener.session)
        user = get_user(request)
        if not user.is_authenticated or session_ended(request.session, time.time()):
            return None
        if membership_of(tenant, user.pk) is None:
            return None
        schema: str = tenant.schema_name
        return schema


async def listen(schema: str, listener: Listener, receive: Receive, send: Send) -> int | None:
    """Until the client goes, sends too much or may no longer listen: the code to close with, None when it has gone."""
    ends = {
        asyncio.ensure_future(until_gone(receive)),
        asyncio.ensure_future(until_refused(schema, listener)),
        asyncio.ensure_future(pass_hints(schema, send)),
    }
    try:
        ended, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(ended)).result()
    finally:
        for task in ends:
            task.cancel()
        await asyncio.gather(*ends, return_exceptions=True)


async def until_gone(receive: Receive) -> int | None:
    for _ in range(MOST_FRAMES):
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return None
    return TOO_MUCH


async def until_refused(schema: str, listener: Listener) -> int:
    while True:
        await asyncio.sleep(settings.E2A_SOCKET_RECHECK_SECONDS)
        try:
            if await admitted_to(listener) != schema:
                return NOT_ALLOWED
        except Exception as error:
            # Whether the person is still a member cannot be known now; the page reconnects, and is asked again there.
            logger.warning("socket closed, membership not readable: %s", type(error).__name__)
            return NOT_ALLOWED


async def pass_hints(schema: str, send: Send) -> None:
    """Without Redis the socket stays, and the page polls besides."""
    while True:
        try:
            layer = get_channel_layer()
            channel = await asyncio.wait_for(layer.new_channel(), REDIS_RETRY_SECONDS)
            await asyncio.wait_for(layer.group_add(group_of(schema), channel), REDIS_RETRY_SECONDS)
            while True:
                await layer.receive(channel)
                await send({"type": "websocket.send", "text": "changed"})
        except Exception as error:
            logger.warning("no hints for now: %s", type(error).__name__)
            await asyncio.sleep(REDIS_RETRY_SECONDS)
