"""The client that asks the AI provider: chat completions as OpenRouter has them, over HTTP. Touches no database.

AskError                 the provider did not answer; the rules do
├── TimedOut             not within the time limit, which covers everything: name, connection, headers, body
├── Unreachable          no connection, or a certificate that is not valid
├── RateLimited          429; says how long the provider wants to be left alone
├── Refused              any other status that is not 200
├── Garbage              200, but no completion
└── TooLong              the answer is larger than any analysis

Whatever is sent passes `RedactingTransport`, which takes people out; there is no other way to the network here.
Source: openrouter.ai/docs, “API reference”, “Structured outputs”, “Provider routing”.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from exceptions.analyst.personal import NOBODY, Person, without_people

MOST_BYTES = 256 * 1024
MOST_ANSWER_TOKENS = 900
OVERHEAD_TOKENS = 64  # what a chat's own marks add
MAX_WISH = 3600.0


class AskError(Exception):
    """The AI provider did not answer."""

    status = "error"
    retryable = False
    costs = True  # the call may have used tokens


class TimedOut(AskError):
    """The AI provider did not answer in time."""

    status = "timeout"


class Unreachable(AskError):
    """The AI provider could not be reached."""

    status = "unreachable"
    retryable = True

    def __init__(self, *, connected: bool = False) -> None:
        self.costs = connected  # cut off amid the answer, it may have cost its tokens
        super().__init__("cut off" if connected else "no connection")


class RateLimited(AskError):
    """The AI provider asks to wait."""

    status = "rate_limited"
    retryable = True
    costs = False

    def __init__(self, wish_seconds: float) -> None:
        self.wish_seconds = wish_seconds
        super().__init__(f"wait {wish_seconds:g} s")


class Refused(AskError):
    """The AI provider refused the request."""

    status = "refused"
    costs = False

    def __init__(self, code: int) -> None:
        self.code = code
        self.retryable = code >= 500
        super().__init__(f"status {code}")


class Garbage(AskError):
    """The AI provider's answer is no completion."""

    status = "garbage"


class TooLong(AskError):
    """The AI provider's answer does not end."""

    status = "too_long"


@dataclass(frozen=True, slots=True)
class Provider:
    """`url`: the base, such as https://openrouter.ai/api/v1. `transport`: the seam for tests."""

    url: str
    model: str
    key: str = field(repr=False)
    timeout_seconds: float = 3.0
    transport: httpx.AsyncBaseTransport | None = None

    @property
    def name(self) -> str:
        return httpx.URL(self.url).host or "none"


@dataclass(frozen=True, slots=True)
class Question:
    """`system` is one of our prompts; `message` the briefing; `person` what must not leave."""

    system: str
    message: str
    response_format: Mapping[str, Any]
    person: Person = NOBODY


@dataclass(frozen=True, slots=True)
class Reply:
    """`tokens`: None when the provider does not say, or says what cannot be."""

    content: str
    tokens: int | None
    cost_usd: float | None


class RedactingTransport(httpx.AsyncBaseTransport):
    """Sends a JSON body on without people in it. `constants`: our own texts, byte for byte, which stay."""

    def __init__(self, inner: httpx.AsyncBaseTransport, person: Person, constants: Collection[str]) -> None:
        self.inner = inner
        self.person = person
        self.constants = frozenset(constants)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(await request.aread())
        clean = {key: self.clean(value) if key != "response_format" else value for key, value in body.items()}
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"content-length"]
        content = json.dumps(clean, ensure_ascii=False).encode()
        sent = httpx.Request(
            request.method, request.url, headers=headers, content=content, extensions=request.extensions
        )
        return await self.inner.handle_async_request(sent)

    def clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return value if value in self.constants else without_people(value, self.person)
        if isinstance(value, list):
            return [self.clean(item) for item in value]
        return {key: self.clean(item) for key, item in value.items()} if isinstance(value, dict) else value

    async def aclose(self) -> None:
        await self.inner.aclose()


def body_of(provider: Provider, question: Question) -> dict[str, Any]:
    return {
        "model": provider.model,
        "messages": [
            {"role": "system", "content": question.system},
            {"role": "user", "content": question.message},
        ],
        "response_format": question.response_format,
        "max_tokens": MOST_ANSWER_TOKENS,
        "temperature": 0,
        "stream": False,
        "provider": {"data_collection": "deny"},
        "usage": {"include": True},
    }


def most_tokens(provider: Provider, question: Question) -> int:
    """The most that a call can cost: no token is shorter than a byte of what is sent."""
    sent = json.dumps(body_of(provider, question), ensure_ascii=False).encode()
    return len(sent) + MOST_ANSWER_TOKENS + OVERHEAD_TOKENS


def ask_once(provider: Provider, question: Question, *, seconds: float) -> Reply:
    """One call, over within `seconds` whatever the other side does. Raises: AskError.

    In a thread of its own, since the caller's may have a loop that runs.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(in_own_loop, provider, question, seconds).result()


def in_own_loop(provider: Provider, question: Question, seconds: float) -> Reply:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(within(seconds, provider, question))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()  # does not wait for a look-up of the host's name that hangs in a thread


async def within(seconds: float, provider: Provider, question: Question) -> Reply:
    try:
        async with asyncio.timeout(seconds):
            return await send(provider, question)
    except TimeoutError:
        raise TimedOut from None


async def send(provider: Provider, question: Question) -> Reply:
    inner = provider.transport or httpx.AsyncHTTPTransport(retries=0)
    transport = RedactingTransport(inner, question.person, [question.system, provider.model])
    headers = {
        "Authorization": f"Bearer {provider.key}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",  # nothing small may unpack into something large
        "X-Title": "E2A",
    }
    address = provider.url.rstrip("/") + "/chat/completions"
    # The limit around all is `within`; httpx's own would only count from one byte to the next.
    async with httpx.AsyncClient(transport=transport, timeout=None, follow_redirects=False) as client:
        try:
            async with client.stream("POST", address, headers=headers, json=body_of(provider, question)) as answer:
                if answer.headers.get("content-encoding", "identity") != "identity":
                    raise Garbage
                return read_reply(answer.status_code, answer.headers, await read_all(answer.aiter_bytes()))
        except httpx.ConnectError:
            raise Unreachable from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise Unreachable(connected=True) from None


async def read_all(parts: AsyncIterator[bytes]) -> bytes:
    whole = bytearray()
    async for part in parts:
        whole += part
        if len(whole) > MOST_BYTES:
            raise TooLong
    return bytes(whole)


def read_reply(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """Raises: RateLimited, Refused, Garbage."""
    if status == 429:
        raise RateLimited(wish_of(headers))
    if status != 200:
        raise Refused(status)
    try:
        told = json.loads(body)
        content = told["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise Garbage from None
    if not isinstance(content, str) or not content.strip() or told.get("error"):
        raise Garbage
    usage = told.get("usage") if isinstance(told.get("usage"), dict) else {}
    return Reply(content, whole_number(usage.get("total_tokens")), amount(usage.get("cost")))


def wish_of(headers: Mapping[str, str]) -> float:
    """How many seconds a Retry-After asks for: a number, or a date held against the answer's own; 0 when there is none."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        return min(float(text), MAX_WISH)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))
        return min(max(wait.total_seconds(), 0.0), MAX_WISH)
    except (ValueError, TypeError):
        return 0.0


def whole_number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def amount(value: Any) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1000
    return float(value) if good else None
