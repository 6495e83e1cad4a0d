"""The API server's entrance (granian): events, webhooks and the API.

Django is called as a WSGI application, on a few threads, and only once a request's body is here. granian's own WSGI would give
the thread to the request first, so that a handful of senders who dribble a byte a second would leave none for anybody else;
here they cost a socket each, and are cut after some seconds.
"""

import asyncio
import gc
import io
import os
import sys
from collections.abc import Callable
from threading import Thread
from typing import Any, TypeVar

import django
import structlog
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from granian.rsgi import ProtocolClosed, ProtocolError  # type: ignore[attr-defined]

from e2a.errors import BadRequest, ProblemError, TooLarge, of_status, problem_response
from e2a.fair_queue import FairQueue
from e2a.observability.correlation import accept_or_make, correlation_id
from e2a.observability.watchers import start_watchers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "e2a.settings")
T = TypeVar("T")
logger = structlog.get_logger("e2a.request")
THREADS = 4  # without a pool of connections; with one, each of them has a thread
LARGEST_BODY = 9 * 1024 * 1024  # more than any address takes
Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]
GONE = (ProtocolClosed, ProtocolError)  # the other side hung up
TOO_LARGE = "The body is larger than any address takes."
TOO_SLOW, NOT_WHOLE = "The body did not arrive in time.", "The body did not arrive whole."


class Threads:
    """Runs calls and hands back what they return; a third of an executor's cost for each. Senders take turns."""

    def __init__(self, count: int) -> None:
        self.jobs: FairQueue[tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]] = FairQueue()
        for number in range(count):
            Thread(target=self.serve, name=f"request-{number}", daemon=True).start()

    async def run(self, sender: str, work: Callable[..., T], *arguments: Any) -> T:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.jobs.put(sender, (future, work, arguments))
        return await future

    def serve(self) -> None:
        while True:
            future, work, arguments = self.jobs.get()
            try:
                settle: Callable[..., None] = future.set_result
                outcome = work(*arguments)
            except BaseException as error:
                settle, outcome = future.set_exception, error
            future.get_loop().call_soon_threadsafe(unless_done, future, settle, outcome)


def unless_done(future: asyncio.Future[Any], settle: Callable[[Any], None], outcome: Any) -> None:
    """Whoever waited may have gone."""
    if not future.done():
        settle(outcome)


class DoorHandler(WSGIHandler):
    """Django with the few middlewares that the door needs: sessions, forms and pages have no part in it."""

    def load_middleware(self, is_async: bool = False) -> None:
        whole, settings.MIDDLEWARE = settings.MIDDLEWARE, settings.DOOR_MIDDLEWARE
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = whole


class Application:
    def __init__(self) -> None:
        django.setup(set_prefix=False)
        start_watchers()
        self.door, self.rest = DoorHandler(), WSGIHandler()
        self.threads = Threads(settings.DB_POOL_SIZE or THREADS)
        gc.freeze()  # what is loaded now stays; to look through it again and again took a third of a batch's time

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """1. the body, in time; 2. Django, on a thread; 3. what it said."""
        try:
            body = await body_of(scope, protocol)
        except TimeoutError:
            said: Answer | None = refusal(of_status(408, TOO_SLOW), scope)
        except GONE:
            said = refusal(BadRequest(NOT_WHOLE), scope)
        except TooLarge as error:
            said = refusal(error, scope)
        else:
            handler = self.door if scope.path.startswith(settings.DOOR_PATHS) else self.rest
            loop = asyncio.get_running_loop()
            said = await self.threads.run(sender_of(scope), answer, handler, environ_of(scope, body), protocol, loop)
        if said is not None:
            protocol.response_bytes(*said)


def refusal(problem: ProblemError, scope: Any) -> Answer:
    """Of a request that Django never sees, with its line in the log; the connection ends, since the body's rest is still to come."""
    identity = accept_or_make(scope.headers.get("x-correlation-id"))
    token = correlation_id.set(identity)
    try:
        logger.info("request", method=scope.method, route="none", status=problem.status)
        body = problem_response(problem).content
    finally:
        correlation_id.reset(token)
    headers = [("content-type", "application/problem+json"), ("connection", "close"), ("x-correlation-id", identity)]
    return problem.status, headers, body


def answer(
    handler: WSGIHandler, environ: dict[str, Any], protocol: Any, loop: asyncio.AbstractEventLoop
) -> Answer | None:
    """Status, headers and body; None for one that the view streams, which is sent from here, on the view's own thread."""
    said: list[tuple[int, Headers]] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None, /) -> Callable[[bytes], object]:
        said.append((int(status[:3]), headers))
        return lambda _: None

    response = handler(environ, start_response)
    status, headers = said[0]
    try:
        if not getattr(response, "streaming", False):
            return status, headers, b"".join(response)
        transport = protocol.response_stream(status, headers)
        for chunk in response:
            asyncio.run_coroutine_threadsafe(send(transport, chunk), loop).result()
        return None
    except GONE:
        return None
    finally:
        close(response)


async def send(transport: Any, chunk: bytes) -> None:
    await transport.send_bytes(chunk)


def close(response: Any) -> None:
    if hasattr(response, "close"):
        response.close()


def sender_of(scope: Any) -> str:
    """Whose line a request stands in: of whom it says to be for, and where it comes from, so that forging a name crowds no one else."""
    path: str = scope.path
    named = path.split("/", 3)[2] if path.startswith("/webhooks/") else scope.headers.get("x-tenant-id") or ""
    return f"{named or scope.headers.get('host')} {scope.client.rsplit(':', 1)[0]}"


def address_of(scope: Any) -> str:
    """The peer's, without its port and an IPv6 address's brackets."""
    return str(scope.client.rsplit(":", 1)[0]).strip("[]")


async def body_of(scope: Any, protocol: Any) -> bytes:
    """Raises: TimeoutError, TooLarge, one of GONE when the sender left before its end."""
    if scope.method in ("GET", "HEAD"):
        return b""
    length = scope.headers.get("content-length") or ""
    if length.isdigit() and int(length[:12]) > LARGEST_BODY:
        raise TooLarge(TOO_LARGE)
    async with asyncio.timeout(settings.BODY_SECONDS):
        if length.isdigit():
            return bytes(await protocol())
        parts, size = [], 0
        async for part in protocol:
            parts.append(part)
            size += len(part)
            if size > LARGEST_BODY:
                raise TooLarge(TOO_LARGE)
        return b"".join(parts)


def environ_of(scope: Any, body: bytes) -> dict[str, Any]:
    """A WSGI environment. Names of headers with an underscore are left out: they would pass for those with a hyphen."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path,
        "QUERY_STRING": scope.query_string,
        "REMOTE_ADDR": address_of(scope),
        "SERVER_NAME": "?",  # no host's name: a request without the Host header is refused like one with a wrong one
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name or name == "content-length":
            continue
        key = "CONTENT_TYPE" if name == "content-type" else f"HTTP_{name.upper().replace('-', '_')}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


application = Application()
