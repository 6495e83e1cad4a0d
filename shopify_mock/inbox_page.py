"""The pages that show what came in: `/mail`, `/slack`, `/hooks`. Everything shown is escaped."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from shopify_mock.page import STYLE
from shopify_mock.shop import NAME

TITLES = {"mail": "E-mails", "slack": "Slack messages", "hook": "Webhooks"}
MORE = "article{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;padding:.75rem 1rem;margin:0 0 .75rem}article h2{margin:0;font-size:1rem}article p{margin:0 0 .5rem}pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.45 ui-monospace,monospace}"


def inbox_page(kind: str, received: Sequence[Mapping[str, Any]]) -> str:
    shown = "".join(_article(one) for one in received) or "<p>Nothing has come in yet.</p>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="10">'
        f"<title>{TITLES[kind]} · {NAME}</title><style>{STYLE}{MORE}</style></head><body><main>"
        f'<h1>{TITLES[kind]}</h1><p><a href="/">{NAME}</a> · the newest {len(received)}, newest first</p>'
        f"{shown}</main></body></html>"
    )


def _article(one: Mapping[str, Any]) -> str:
    title = escape(one["subject"] or one["to"])
    line = " · ".join(escape(text) for text in (one["at"], one["from"], f"to {one['to']}") if text)
    headers = "\n".join(f"{escape(name)}: {escape(value)}" for name, value in one["headers"].items())
    return f"<article><h2>{title}</h2><p>{line}</p><pre>{headers}\n\n{escape(_readable(one['body']))}</pre></article>"


def _readable(body: str) -> str:
    """JSON with its lines broken; anything else as it came."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
