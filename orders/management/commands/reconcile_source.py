"""`reconcile_source TENANT SOURCE`: asks the shop what its webhooks never told."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.reconcile_shop import CannotReconcile, reconcile_source
from tenants.clients import CallError
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Asks a Shopify source's Admin API for changed orders and puts through the door what never arrived."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("source", help="the name of the Shopify source")
        parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"], active=True).first()
        if tenant is None:
            raise CommandError(f"There is no tenant “{options['tenant']}”.")
        try:
            done = reconcile_source(tenant.schema_name, options["source"])
        except (CannotReconcile, CallError) as error:
            raise CommandError(str(error.args[0])) from None
        if done is None:
            raise CommandError("Another process is reconciling this source; try again later.")
        if options["json"]:
            self.stdout.write(json.dumps(asdict(done)))
        else:
            self.stdout.write(f"{done.orders} orders looked at; {done.missing} events had never arrived.")
