"""The shop's HTTP server, on loopback only."""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shopify_mock.admin_api import AdminApi, Answer
from shopify_mock.desk import Desk
from shopify_mock.doorman import Doorman
from shopify_mock.errors import MockError, WrongRequest
from shopify_mock.graphql.api import GraphQL, Silence
from shopify_mock.inbox import Inbox
from shopify_mock.inbox_page import inbox_page
from shopify_mock.page import page

logger = logging.getLogger(__name__)
MAX_BODY = 64 * 1024
GRAPHQL = re.compile(r"/admin/api/(?:20\d\d-\d\d|unstable)/graphql\.json")
Json = dict[str, Any]
JSON = "application/json; charset=utf-8"


class Routes:
    """What the shop answers, by method and path; knows nothing of sockets."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.api, self.graphql = desk, AdminApi(desk), GraphQL(desk)
        self.doorman, self.inbox = Doorman(desk), Inbox(desk.store)
        self.gets: dict[str, Callable[[dict[str, str]], Any]] = {
            "/healthz": lambda query: {"status": "ok"},
            "/stats": lambda query: desk.store.stats(time.time()),
            "/admin/stats": lambda query: desk.store.stats(time.time()),
            "/admin/settings": lambda query: desk.settings.as_dict(),
            "/admin/problems": lambda query: {"problems": desk.problems()},
            "/admin/orders.json": desk.orders,
            "/": lambda query: self._page(),
        }
        for path, kind in (("/mail", "mail"), ("/slack", "slack"), ("/hooks", "hook")):
            self.gets[path] = partial(self._inbox_page, kind)
            self.gets[f"{path}.json"] = partial(self._inbox, kind)
        self.posts: dict[str, tuple[int, Callable[[Json], Json]]] = {
            "/admin/orders/generate": (202, desk.generate),
            "/admin/settings": (200, desk.change_settings),
        }

    def get(self, path: str, query: dict[str, str]) -> Answer | str:
        if path not in self.gets:
            return missing(path in self.posts, "POST")
        found = self.gets[path](query)
        return found if isinstance(found, str) else Answer(200, found)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Raises: WrongRequest; Silence when there shall be no answer."""
        if GRAPHQL.fullmatch(path):
            return self.graphql.answer(body, headers.get("X-Shopify-Access-Token", ""))
        if path.startswith("/admin/api/"):
            return missing(True, "GET")
        if self.doorman.knows(path):
            return self.doorman.take(path, body, headers)
        if path not in self.posts:
            return missing(path in self.gets, "GET")
        status, act = self.posts[path]
        return Answer(status, act(_object(body)))

    def _inbox(self, kind: str, query: dict[str, str]) -> Json:
        return {"count": self.inbox.count(kind), "received": self.inbox.newest(kind)}

    def _inbox_page(self, kind: str, query: dict[str, str]) -> str:
        return inbox_page(kind, self.inbox.newest(kind))

    def _page(self) -> str:
        orders = self.desk.orders({"limit": "25"})["orders"]
        return page(self.desk.store.stats(time.time()), orders, self.desk.config.webhook_url)


def missing(known: bool, method: str) -> Answer:
    if known:
        return Answer(405, {"errors": f"Only {method} is answered here."}, {"Allow": method})
    return Answer(404, {"errors": "There is nothing at this address."})


def _object(body: bytes) -> Json:
    """Raises: WrongRequest."""
    try:
        found = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise WrongRequest("The body is no JSON.") from None
    if not isinstance(found, dict):
        raise WrongRequest("The body must be a JSON object.")
    return found


def make_server(desk: Desk, port: int) -> ThreadingHTTPServer:
    """Raises: OSError when the port is taken."""
    routes = Routes(desk)

    class Handler(_Handler):
        shop = routes

    return _Server(("127.0.0.1", port), Handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    shop: Routes
    protocol_version = "HTTP/1.1"
    server_version = "CasaLlum"
    sys_version = ""
    timeout = 30
    disable_nagle_algorithm = True  # head and body are two writes: the second would wait 40 ms for the first's receipt

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.path.startswith("/admin/api/"):
            token, host = self.headers.get("X-Shopify-Access-Token", ""), self.headers.get("Host", "")
            self._guarded(lambda: self.shop.api.answer(parts.path, query, token, host))
        else:
            self._guarded(lambda: self.shop.get(parts.path, query))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._send(Answer(413, {"errors": f"The body needs a length of at most {MAX_BODY} bytes."}))
            return
        body = self.rfile.read(int(length))
        own = f"http://{self.headers.get('Host')}"
        if self.headers.get("Origin", own) != own:
            self._send(Answer(403, {"errors": "Pages of other sites may not tell the shop anything."}))
            return
        path = urlsplit(self.path).path
        headers = {name.title(): value for name, value in self.headers.items()}
        self._guarded(lambda: self.shop.post(path, body, headers))

    def _guarded(self, act: Callable[[], Answer | str]) -> None:
        try:
            self._send(act())
        except MockError as error:
            self._send(Answer(400, {"errors": str(error)}))
        except (BrokenPipeError, ConnectionResetError, Silence):
            self.close_connection = True
        except Exception:
            logger.exception("%s %s failed", self.command, urlsplit(self.path).path)
            self._send(Answer(500, {"errors": "The shop stumbled; its log says over what."}))

    def _send(self, answer: Answer | str) -> None:
        if isinstance(answer, str):
            status, kind, body, more = 200, "text/html; charset=utf-8", answer.encode(), {}
        else:
            status, kind, more = answer.status, JSON, answer.headers
            body = json.dumps(answer.body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """A line for each request says nothing here."""
