"""`import_truths TENANT FROM`: what orders really suffered from, for the analyst's scoreboard."""

import json
import sys
from pathlib import Path
from typing import Any

import httpx
from django.core.management.base import CommandError, CommandParser
from django_tenants.utils import schema_context

from e2a.commands import JSONCommand, sentences
from e2a.errors import Unprocessable
from exceptions.analyst.feedback import import_truths
from exceptions.selectors import database_now
from tenants.models import Tenant

MOST_BYTES = 64 * 1024 * 1024


class Command(JSONCommand):
    help = (
        "Reads the truth about orders and keeps it for the scoreboard. A rerun changes nothing. FROM is a file, “-” or an "
        "address such as the mock shop's http://127.0.0.1:8090/admin/problems: "
        '{"problems": [{"order_id": …, "problem": LABEL}, …]}, or the list alone.'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("source", metavar="FROM", help="a file, “-” for the standard input, or an http address")
        parser.add_argument("--merchant", default="default", help="whose orders they are (default)")

    def handle(self, *args: Any, **options: Any) -> None:
        truths = truths_of(text_of(options["source"]))
        with sentences():
            tenant = Tenant.objects.filter(slug=options["tenant"], active=True).first()
            if tenant is None:
                raise CommandError(f"There is no tenant “{options['tenant']}”.")
            with schema_context(tenant.schema_name):
                try:
                    done = import_truths(truths, merchant=options["merchant"], now=database_now())
                except Unprocessable as wrong:
                    raise CommandError(" ".join(text for texts in wrong.errors.values() for text in texts)) from None
        result = {"truths": len(truths), "exceptions": done.exceptions, "orders_without": done.unknown_orders}
        text = f"{done.exceptions} exceptions learned what they really were; {done.unknown_orders} orders have none."
        self.finish(result, text, as_json=options["json"])


def text_of(source: str) -> str:
    """Raises: CommandError."""
    try:
        if source == "-":
            return sys.stdin.read(MOST_BYTES)
        if source.startswith(("http://", "https://")):
            answer = httpx.get(source, timeout=10)
            answer.raise_for_status()
            return answer.text
        return Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, httpx.HTTPError) as error:
        raise CommandError(f"{source} cannot be read: {error}.") from None


def truths_of(text: str) -> dict[str, str]:
    """Order id → label. Raises: CommandError."""
    try:
        told = json.loads(text)
        listed = told["problems"] if isinstance(told, dict) else told
        return {str(one["order_id"]): str(one.get("problem") or one["label"]) for one in listed}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CommandError("It must be a list of objects with “order_id” and “problem” (or “label”).") from None
