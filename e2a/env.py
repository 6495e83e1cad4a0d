"""Typed readers of environment variables. A wrong value stops the start with one sentence that names it."""

import os
import re
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


class Environment:
    """Reads from a mapping (the process's own by default), so that tests can hand in another."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = os.environ if values is None else values

    def read(self, name: str, default: T, parse: Callable[[str], T], wanted: str) -> T:
        """Raises: ImproperlyConfigured, naming the variable and what it wants, when `parse` refuses the value."""
        raw = self.values.get(name, "").strip()
        if not raw:
            return default
        try:
            return parse(raw)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be {wanted}; it is {shown(raw)!r}.") from None

    def text(self, name: str, default: str = "") -> str:
        return self.read(name, default, str, "text")

    def secret(self, name: str) -> str:
        """Raises: ImproperlyConfigured when it is missing, or shorter than 32 characters; never echoes the value."""
        raw = self.values.get(name, "").strip()
        if len(raw) < 32:
            raise ImproperlyConfigured(f"{name} must be set to a random text of at least 32 characters.")
        return raw

    def whole(self, name: str, default: int, *, low: int = 0, high: int = 10**9) -> int:
        return self.read(
            name, default, lambda raw: _between(int(raw), low, high), f"a whole number from {low} to {high}"
        )

    def number(self, name: str, default: float, *, low: float = 0, high: float = 1e9) -> float:
        return self.read(name, default, lambda raw: _between(float(raw), low, high), f"a number from {low} to {high}")

    def flag(self, name: str, default: bool) -> bool:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        return self.read(name, default, lambda raw: _pick(words, raw.lower()), "true or false")

    def one_of(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        table = {choice: choice for choice in choices}
        return self.read(name, default, lambda raw: _pick(table, raw), "one of " + ", ".join(choices))

    def url(self, name: str, default: str, schemes: tuple[str, ...]) -> str:
        return self.read(
            name, default, lambda raw: _url(raw, schemes), "a URL that starts with " + " or ".join(schemes)
        )

    def host(self, name: str, default: str) -> str:
        return self.read(name, default, _host, "a host name such as e2a.example.com")

    def words(self, name: str) -> list[str]:
        return [word.strip() for word in self.values.get(name, "").split(",") if word.strip()]


def shown(raw: str) -> str:
    """A value as the sentence quotes it: short, and without the password that a URL may carry."""
    return re.sub(r"(?<=//)[^/@]*@", "…@", raw)[:60]


def database_settings(url: str) -> dict[str, object]:
    """Django's settings of `postgresql://user:password@host:port/name`; a socket folder goes in `?host=/folder`."""
    parts = urlsplit(url)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or query.pop("user", "")),
        "PASSWORD": unquote(parts.password or query.pop("password", "")),
        "HOST": query.pop("host", "") or parts.hostname or "",
        "PORT": query.pop("port", "") or (str(parts.port) if parts.port else ""),
        "OPTIONS": dict(query),
    }


def redis_database(url: str, number: int) -> str:
    """The same server, another numbered database: `redis://host:port/N` or `unix://path?db=N`."""
    if url.startswith("unix:"):
        return f"{url.split('?', maxsplit=1)[0]}?db={number}"
    parts = urlsplit(url)
    return parts._replace(path=f"/{number}").geturl()


def broker_url(url: str) -> str:
    """The form in which Celery wants a Redis address: a socket is `redis+socket://path?virtual_host=N`."""
    if not url.startswith("unix:"):
        return redis_database(url, 0)
    path = urlsplit(url).path
    return f"redis+socket://{path}?virtual_host=0"


def email_settings(url: str) -> tuple[str, str, int, str, str, bool, bool]:
    """Backend, host, port, user, password, SSL and TLS of `smtp://user:password@host:port` (`smtps`, `smtp+tls`)."""
    parts = urlsplit(url)
    kind = {"consolemail": "console", "memorymail": "locmem"}.get(parts.scheme, "smtp")
    ssl, tls = parts.scheme == "smtps", parts.scheme == "smtp+tls"
    port = parts.port or (465 if ssl else 587 if tls else 25)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return f"django.core.mail.backends.{kind}.EmailBackend", parts.hostname or "", port, user, password, ssl, tls


def _between(value: T, low: float, high: float) -> T:
    if not low <= value <= high:  # type: ignore[operator]
        raise ValueError
    return value


def _pick(table: Mapping[str, T], raw: str) -> T:
    if raw not in table:
        raise ValueError
    return table[raw]


def _url(raw: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(raw)
    if parts.port == 0:  # reading a port that is none raises ValueError
        raise ValueError
    if not raw.startswith(schemes) or not (parts.netloc or parts.path.strip("/") or "mail:" in raw):
        raise ValueError
    return raw


def _host(raw: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", raw):
        raise ValueError
    return raw
