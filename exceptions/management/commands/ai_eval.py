"""`ai_eval`: how well the rules label: seeded orders of the mock shop, or, with a tenant, the set that its people stored."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django_tenants.utils import schema_context

from e2a.commands import JSONCommand, sentences
from exceptions.analyst.evaluation import LEAST_RIGHT, MOST_UNJUSTIFIED, Evaluation, evaluate
from exceptions.analyst.measure import Answer, Score, confusion, matrix_text, score
from exceptions.analyst.seeded import make_samples
from exceptions.analyst.stored import rerun_stored
from exceptions.selectors import database_now
from shopify_mock.config import Settings
from tenants.models import Tenant

MOST_ORDERS = 20_000


class Command(JSONCommand):
    help = (
        "Labels seeded orders of the mock shop from their events only and holds the labels against the shop's truth. "
        f"Fails below {LEAST_RIGHT:.0%} right, or with more than {MOST_UNJUSTIFIED:.0%} of the healthy orders in a false alarm."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--orders",
            type=int,
            default=2000,
            metavar="N",
            help="orders in trouble, and as many healthy ones; of a stored set at most so many exceptions (2000)",
        )
        parser.add_argument("--seed", type=int, default=2026, help="same seed, same orders (2026)")
        parser.add_argument(
            "--drop",
            type=float,
            default=0.0,
            metavar="SHARE",
            help="share of webhooks that never arrive; sets no bar (0)",
        )
        parser.add_argument(
            "--tenant",
            help="instead: this tenant's exceptions of which somebody said what they really were; sets no bar",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        orders, drop = options["orders"], options["drop"]
        if not 5 <= orders <= MOST_ORDERS:
            raise CommandError(f"--orders must be from 5 to {MOST_ORDERS}; it is {orders}.")
        if not 0 <= drop <= 0.9:
            raise CommandError(f"--drop must lie between 0 and 0.9; it is {drop:g}.")
        if options["tenant"]:
            self.stored(options["tenant"], orders, as_json=options["json"])
            return
        self.stderr.write(f"Making and judging {2 * orders} orders…")
        samples = make_samples(troubled=orders, healthy=orders, seed=options["seed"], settings=Settings(drop=drop))
        found = evaluate(samples)
        self.finish(result_of(found), text_of(found), as_json=options["json"])
        if not found.passed and not drop:
            raise CommandError("The rules miss the bar.")

    def stored(self, slug: str, limit: int, *, as_json: bool) -> None:
        with sentences(tenant="--tenant"):
            tenant = Tenant.objects.filter(slug=slug, active=True).first()
            if tenant is None:
                raise CommandError(f"--tenant: there is no tenant “{slug}”.")
            with schema_context(tenant.schema_name):
                answers = rerun_stored(limit, now=database_now())
        if not answers:
            raise CommandError("Nobody has said yet what any exception of this tenant really was.")
        result = {"tenant": slug, "exceptions": asdict(score(answers)), "confusion": confusion(answers)}
        self.finish(result, answers_text(answers), as_json=as_json)


def result_of(found: Evaluation) -> dict[str, Any]:
    return {
        "orders": found.troubled,
        "right": found.right,
        "accuracy": round(found.accuracy, 4),
        "healthy": found.healthy,
        "unjustified": found.unjustified,
        "false_alarm_rate": round(found.false_alarms, 4),
        "exceptions": asdict(score(found.answers)),
        "confusion": confusion(found.answers),
        "passed": found.passed,
    }


def text_of(found: Evaluation) -> str:
    return (
        f"Orders in trouble: {found.right} of {found.troubled} right ({found.accuracy:.2%}).\n"
        f"Healthy orders: {found.unjustified} of {found.healthy} with an exception that nothing justifies "
        f"({found.false_alarms:.2%}).\n\n{answers_text(found.answers)}"
    )


def answers_text(answers: Any) -> str:
    known: list[Answer] = list(answers)
    return f"{matrix_text(confusion(known))}\n\n{score_text(score(known))}"


def score_text(found: Score) -> str:
    bins = "\n".join(
        f"  {one.low:.1f} to {one.high:.1f}: {one.count} answers, sure of {one.stated:.0%}, right in {one.right:.0%}"
        for one in found.bins
    )
    return f"Exceptions: {found.right} of {found.count} right.\nCalibration, by stated confidence:\n{bins}"
