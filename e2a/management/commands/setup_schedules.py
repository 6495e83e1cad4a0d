"""`setup_schedules`: the recurring work of e2a/schedules.py, upserted by name."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from e2a.schedules import set_up_schedules


class Command(BaseCommand):
    help = "Makes beat's schedules equal to the list in e2a/schedules.py; an admin's own schedules and settings stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")

    def handle(self, *args: Any, **options: Any) -> None:
        done = set_up_schedules()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(done)))
            return
        for what, names in asdict(done).items():
            if names:
                self.stdout.write(f"{what}: {', '.join(names)}")
        if not (done.created or done.updated or done.removed):
            self.stdout.write("The schedules are as they should be.")
