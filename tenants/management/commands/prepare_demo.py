"""`prepare_demo TENANT`: the tenant, source and logins of `./run.sh demo`, which gives the secrets by standard input."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from e2a.commands import JSONCommand, sentences
from tenants.services.demo import Shop, set_up_demo

KEYS = ("source", "secret", "api_url", "api_token", "password", "admin_password")


class Command(JSONCommand):
    help = f"Makes the demo's tenant, source and logins, or finds them. Reads a JSON object with {', '.join(KEYS)} from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="its slug, such as demo-3pl")

    def handle(self, *args: Any, **options: Any) -> None:
        given = read_given(sys.stdin.read())
        shop = Shop(given["source"], given["secret"], given["api_url"], given["api_token"])
        with sentences(slug="TENANT"):
            demo = set_up_demo(
                slug=options["tenant"], shop=shop, password=given["password"], admin_password=given["admin_password"]
            )
        text = f"Tenant “{demo.tenant}” is {'made' if demo.created else 'there'}; its manager is {demo.username}, the admin {demo.admin}."
        self.finish(asdict(demo), text, as_json=options["json"])


def read_given(text: str) -> dict[str, str]:
    """Raises: CommandError."""
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(given.get(key), str) for key in KEYS):
        raise CommandError(f"Standard input must be a JSON object with the texts {', '.join(KEYS)}.")
    return given
