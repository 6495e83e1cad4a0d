"""The shop itself: its name, its zone, and times as it writes them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

NAME = "Casa Llum"
DOMAIN = "casa-llum.myshopify.com"
SHOP_ID = 68_114_022_000
ZONE = ZoneInfo("Europe/Madrid")
CURRENCY = "EUR"
API_VERSION = "2026-10"
HOME = {
    "address1": "Carrer de Pujades 74",
    "city": "Barcelona",
    "zip": "08005",
    "country": "Spain",
    "country_code": "ES",
}


def local_iso(at: int) -> str:
    """`2026-11-24T10:00:00+01:00`"""
    return datetime.fromtimestamp(at, ZONE).isoformat()


def utc_iso(at: float) -> str:
    """`2026-11-24T09:00:00Z`"""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def gid(kind: str, identity: int) -> str:
    return f"gid://shopify/{kind}/{identity}"
