"""`ai_eval`: how well the analyst labels, on orders of the mock shop made from a seed."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from e2a.commands import JSONCommand
from exceptions.analyst.evaluation import LEAST_RIGHT, MOST_UNJUSTIFIED, Evaluation, evaluate
from exceptions.analyst.measure import confusion, matrix_text, score
from exceptions.analyst.seeded import make_samples
from shopify_mock.config import Settings

MOST_ORDERS = 20_000


class Command(JSONCommand):
    help = (
        "Labels seeded orders of the mock shop from their events only and holds the labels against the shop's truth. "
        f"Fails below {LEAST_RIGHT:.0%} right, or with more than {MOST_UNJUSTIFIED:.0%} of the healthy orders in a false alarm."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--orders", type=int, default=2000, metavar="N", help="orders in trouble, and as many healthy ones (2000)"
        )
        parser.add_argument("--seed", type=int, default=2026, help="same seed, same orders (2026)")

        parser.add_argument(
            "--drop",
            type=float,
            default=0.0,
            metavar="SHARE",
            help="share of webhooks that never arrive; sets no bar (0)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        orders = options["orders"]
        if not 5 <= orders <= MOST_ORDERS:
            raise CommandError(f"--orders must be from 5 to {MOST_ORDERS}; it is {orders}.")
        if not 0 <= options["drop"] <= 0.9:
            raise CommandError(f"--drop must lie between 0 and 0.9; it is {options['drop']:g}.")
        self.stderr.write(f"Making and judging {2 * orders} orders…")
        shop = Settings(drop=options["drop"])
        found = evaluate(make_samples(troubled=orders, healthy=orders, seed=options["seed"], settings=shop))
        result = result_of(found)
        self.finish(result, text_of(found), as_json=options["json"])
        if not found.passed and not options["drop"]:
            raise CommandError("The rules miss the bar.")


def result_of(found: Evaluation) -> dict[str, Any]:
    answers = score(found.answers)
    return {
        "orders": found.troubled,
        "right": found.right,
        "accuracy": round(found.accuracy, 4),
        "healthy": found.healthy,
        "unjustified": found.unjustified,
        "false_alarm_rate": round(found.false_alarms, 4),
        "exceptions": asdict(answers),
        "confusion": confusion(found.answers),
        "passed": found.passed,
    }


def text_of(found: Evaluation) -> str:
    answers = score(found.answers)
    bins = "\n".join(
        f"  {one.low:.1f} to {one.high:.1f}: {one.count} answers, sure of {one.stated:.0%}, right in {one.right:.0%}"
        for one in answers.bins
    )
    return (
        f"{matrix_text(confusion(found.answers))}\n\n"
        f"Orders in trouble: {found.right} of {found.troubled} right ({found.accuracy:.2%}).\n"
        f"Healthy orders: {found.unjustified} of {found.healthy} with an exception that nothing justifies "
        f"({found.false_alarms:.2%}).\nCalibration, by stated confidence:\n{bins}"
    )
