"""Takes Slack messages and webhooks, as Slack and a system of one's own would."""

import json
from collections.abc import Mapping
from random import Random

from shopify_mock.admin_api import Answer
from shopify_mock.desk import Desk
from shopify_mock.inbox import Inbox

KEPT_HEADERS = ("content-type", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature")
PLACES = {"/slack/": "slack", "/hooks/": "hook"}


class Doorman:
    def __init__(self, desk: Desk) -> None:
        self.desk, self.inbox = desk, Inbox(desk.store)

    def knows(self, path: str) -> bool:
        return path.startswith(tuple(PLACES))

    def take(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        kind = next(kind for place, kind in PLACES.items() if path.startswith(place))
        if Random(f"{kind}/{self.inbox.count(kind)}").random() < self.desk.settings.inbox_fail:
            return Answer(503, {"errors": "Not now."}, {"Retry-After": "1"})
        text = body.decode("utf-8", "replace")
        if kind == "slack" and (wrong := wrong_message(text)):
            return Answer(400, {"errors": wrong})
        lowered = {name.lower(): value for name, value in headers.items()}
        kept = {name: lowered[name] for name in KEPT_HEADERS if name in lowered}
        self.inbox.keep(kind, recipient=path, headers=kept, body=text)
        return Answer(200, {"ok": True})


def wrong_message(text: str) -> str:
    """Slack's own word for what is wrong with a message; empty if nothing is."""
    try:
        message = json.loads(text)
    except ValueError:
        return "invalid_payload"
    return "" if isinstance(message, dict) and (message.get("text") or message.get("blocks")) else "no_text"
