"""The one way out by HTTP: time limits, no redirects, no private addresses, bounded answers.

A name is resolved once, judged, and the connection goes to that very address, so that a name which changes its mind
between the look and the call (rebinding) leads nowhere. Proxies of the environment are not used: they would resolve anew.
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from tenants.clients.errors import Busy, PrivateAddress, Refused, Unsure

TIMEOUT = httpx.Timeout(10, connect=5)
WHOLE_SECONDS = 20.0  # from the request to the last byte of the answer, however slowly they drip
MAX_ANSWER = 32 * 1024 * 1024
LONGEST_WAIT = 30.0
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, each once. Raises: Busy."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Busy(f"The host {host[:100]} cannot be found.") from None
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def is_public(address: str) -> bool:
    """Whether an address lies in the open internet. IPv6 that carries an IPv4 address in it does not count as such."""
    try:
        found = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if found.is_multicast or found.is_reserved or not found.is_global:
        return False
    return found.version == 4 or (found.ipv4_mapped is None and found.sixtofour is None and found.teredo is None)


def judged_addresses(host: str, port: int, *, allow_private: bool, resolve: Resolve = resolve) -> list[str]:
    """Where a host may be called. One private address among several spoils them all. Raises: Busy, PrivateAddress."""
    addresses = resolve(host, port)
    if not allow_private and not all(is_public(address) for address in addresses):
        raise PrivateAddress(f"The host {host[:100]} lies inside a private network; it is not called.")
    return addresses


class JudgedTransport(httpx.BaseTransport):
    """Connects to an address that was judged, and asks for the certificate of the name."""

    def __init__(
        self, *, allow_private: bool, resolve: Resolve = resolve, inner: httpx.BaseTransport | None = None
    ) -> None:
        self.allow_private, self.resolve = allow_private, resolve
        self.inner = inner or httpx.HTTPTransport(retries=0)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = judged_addresses(url.host, port, allow_private=self.allow_private, resolve=self.resolve)
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        for number, address in enumerate(addresses, start=1):
            request.url = url.copy_with(host=address)
            try:
                return self.inner.handle_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise Busy(f"The host {url.host[:100]} has no address.")

    def close(self) -> None:
        self.inner.close()


def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    transport: httpx.BaseTransport | None = None,
    allow_private: bool = False,
    most: int = MAX_ANSWER,
    seconds: float = WHOLE_SECONDS,
) -> Answer:
    """One try. Raises: Busy when nothing was sent, Refused for an address that is none, Unsure when no answer came."""
    with httpx.Client(
        transport=transport or JudgedTransport(allow_private=allow_private),
        timeout=TIMEOUT,
        follow_redirects=False,
        trust_env=False,
    ) as client:
        try:
            request = client.build_request(method, checked(url), headers=headers, content=content or None)
            return _answer(client, request, most, time.monotonic() + seconds)
        except NOT_SENT as error:
            raise Busy(f"{request.url.host[:100]} could not be reached ({type(error).__name__}).") from None
        except httpx.HTTPError as error:
            raise Unsure(f"No answer came from {httpx.URL(url).host[:100]} ({type(error).__name__}).") from None


def checked(url: str) -> httpx.URL:
    """Raises: Refused."""
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL:
        raise Refused("This is no address that can be called.") from None
    if found.scheme not in ("https", "http") or not found.host or found.userinfo:
        raise Refused("An address must be https://HOST/… without a user name.")
    return found


def _answer(client: httpx.Client, request: httpx.Request, most: int, until: float) -> Answer:
    response = client.send(request, stream=True)
    try:
        parts, size = [], 0
        for part in response.iter_bytes():
            size += len(part)
            if size > most:
                raise Unsure("The answer is too large to be read.")
            if time.monotonic() > until:
                raise Unsure("The answer came too slowly.")
            parts.append(part)
        return Answer(response.status_code, response.headers, b"".join(parts))
    finally:
        response.close()


def wait_of(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds, at most half a minute; None where it is missing or a date."""
    wish = headers.get("Retry-After", "")
    return min(float(wish), LONGEST_WAIT) if wish.replace(".", "", 1).isdigit() and wish.isascii() else None
