"""Posts to Slack by an incoming webhook's address. Slack knows no idempotency key, so an unsure post is not repeated."""

import json

import httpx

from tenants.clients.errors import Busy, Refused, Unsure
from tenants.clients.outgoing import call, wait_of

LONGEST = 4000
MOST_ANSWER = 64 * 1024


def post_to_slack(
    url: str, text: str, *, transport: httpx.BaseTransport | None = None, allow_private: bool = False
) -> str:
    """What Slack said. Raises: Busy, Refused, Unsure."""
    answer = call(
        "POST",
        url,
        headers={"Content-Type": "application/json"},
        content=json.dumps({"text": escaped(text)[:LONGEST], "unfurl_links": False, "unfurl_media": False}).encode(),
        transport=transport,
        allow_private=allow_private,
        most=MOST_ANSWER,
    )
    said = answer.body.decode("utf-8", "replace")[:200]
    if answer.status == 200:
        return said
    if answer.status == 429:
        raise Busy("Slack asks to wait.", wait_seconds=wait_of(answer.headers))
    if answer.status == 503:
        raise Busy(f"Slack is not available: {said}")
    if answer.status >= 500:
        raise Unsure(f"Slack answered {answer.status}.")
    raise Refused(f"Slack answered {answer.status}: {said}")


def escaped(text: str) -> str:
    """Slack's three control characters, so that an order's text can call no channel and hide no link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
