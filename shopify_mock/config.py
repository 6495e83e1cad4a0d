"""Settings of the process, read once from the environment, and those that may change while it runs."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from urllib.parse import urlsplit

from shopify_mock.errors import WrongSetting

MAX_BATCH = 50_000
SHARES = (
    "problem_share",
    "drop",
    "delay",
    "double",
    "reorder",
    "act_fail",
    "act_refuse",
    "act_silent",
    "inbox_fail",
)
ABOVE_ZERO = ("api_bucket", "api_leak_per_second", "graphql_points", "graphql_restore_per_second")


@dataclass(frozen=True, slots=True)
class Settings:
    """What `POST /admin/settings` can change; shares are 0 to 1. Those of webhooks hold for what is planned from then on.

    Of the calls that change an order: `act_fail` answers 500 and does nothing, `act_refuse` answers a userError,
    `act_silent` does it and never says so; each takes `act_slow_seconds`. `pace_seconds`: how soon people act on it.
    """

    problem_share: float = 0.15
    drop: float = 0.0
    delay: float = 0.0
    double: float = 0.0
    reorder: float = 0.0
    delay_seconds: float = 60.0
    api_bucket: float = 400.0
    api_leak_per_second: float = 20.0
    graphql_points: float = 2000.0
    graphql_restore_per_second: float = 100.0
    act_fail: float = 0.0
    act_refuse: float = 0.0
    act_silent: float = 0.0
    act_slow_seconds: float = 0.0
    inbox_fail: float = 0.0
    pace_seconds: float = 60.0

    def changed(self, values: Mapping[str, object]) -> "Settings":
        """Raises: WrongSetting."""
        known = {field.name for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise WrongSetting(f"There is no setting “{name[:64]}”; there are {', '.join(sorted(known))}.")
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise WrongSetting(f"{name} must be a number.")
            top = 1.0 if name in SHARES else 86_400.0
            if not 0 <= value <= top:
                raise WrongSetting(f"{name} must lie between 0 and {top:g}; it is {value:g}.")
        if any(not values.get(name, 1) for name in ABOVE_ZERO):
            raise WrongSetting(f"{', '.join(ABOVE_ZERO)} must be above 0.")
        return replace(self, **{name: float(value) for name, value in values.items() if isinstance(value, int | float)})

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Config:
    """`webhook_url` may be empty: then webhooks are planned and kept, but not sent."""

    port: int
    smtp_port: int
    home: Path
    webhook_url: str
    secret: str
    access_token: str
    least_orders: int
    most_orders: int
    webhook_delay: float
    seed: int
    settings: Settings


def read_config(environ: Mapping[str, str]) -> Config:
    """Raises: WrongSetting, with a sentence that names the variable."""
    home = Path(environ.get("SHOPIFY_MOCK_HOME") or ".local/shopify-mock")
    least = _whole(environ, "SHOPIFY_DEMO_API_PRODUCE_MIN_ORDERS", 1001, 1, MAX_BATCH)
    most = _whole(environ, "SHOPIFY_DEMO_API_PRODUCE_MAX_ORDERS", 1999, 1, MAX_BATCH)
    if least > most:
        raise WrongSetting(
            "SHOPIFY_DEMO_API_PRODUCE_MIN_ORDERS must not be above SHOPIFY_DEMO_API_PRODUCE_MAX_ORDERS; "
            f"they are {least} and {most}."
        )
    secret = environ.get("SHOPIFY_MOCK_SECRET") or _kept_secret(home)
    port = _whole(environ, "SHOPIFY_MOCK_PORT", 8090, 0, 65_535)
    return Config(
        port=port,
        smtp_port=_whole(environ, "SHOPIFY_MOCK_SMTP_PORT", min(port + 1, 65_535) if port else 0, 0, 65_535),
        home=home,
        webhook_url=_address(environ),
        secret=secret,
        access_token=environ.get("SHOPIFY_MOCK_ACCESS_TOKEN") or access_token_of(secret),
        least_orders=least,
        most_orders=most,
        webhook_delay=_number(environ, "WEBHOOK_DELAY_SECONDS", 2, 3600),
        seed=_whole(environ, "SHOPIFY_MOCK_SEED", 2026, 0, 2**63 - 1),
        settings=Settings(problem_share=_number(environ, "SHOPIFY_MOCK_PROBLEM_SHARE", 0.15, 1)),
    )


def access_token_of(secret: str) -> str:
    """The Admin API's token unless one is set: derived, so that both sides know it from the secret alone."""
    return "shpat_" + hmac.new(secret.encode(), b"admin-api", hashlib.sha256).hexdigest()[:32]


def _kept_secret(home: Path) -> str:
    path = home / "secret"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32))
        return path.read_text().strip()
    except OSError as error:
        raise WrongSetting(f"SHOPIFY_MOCK_HOME cannot be used: {error.strerror} at {home}.") from None


def _whole(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environ.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) <= most:
        raise WrongSetting(f"{name} must be a whole number from {least} to {most}; it is “{text[:40]}”.")
    return int(text)


def _number(environ: Mapping[str, str], name: str, default: float, most: float) -> float:
    text = environ.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{0,9}\.?[0-9]{1,9}", text) or float(text) > most:
        raise WrongSetting(f"{name} must be a number from 0 to {most:g}; it is “{text[:40]}”.")
    return float(text)


def _address(environ: Mapping[str, str]) -> str:
    url = environ.get("SHOPIFY_MOCK_WEBHOOK_URL", "")
    try:
        parts = urlsplit(url)
        good = not url or (parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        good = False
    if not good:
        raise WrongSetting("SHOPIFY_MOCK_WEBHOOK_URL must be an http or https address such as http://127.0.0.1:8001/….")
    return url
