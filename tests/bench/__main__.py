"""`python -m tests.bench`: every figure beside its floor, the same SQL by psycopg alone, measured in the same run."""

import argparse
import json
import sys
from collections.abc import Sequence

import django

from tests.bench.place import Place


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run.sh bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_500, help="of the single path, five events each")
    parser.add_argument("--copies", type=int, default=4, help="of the real data's 5,961 events, for the batch path")
    parser.add_argument("--events", type=int, default=200_000, help="after which the API's memory is looked at")
    parser.add_argument(
        "--many",
        type=int,
        default=1_000_000,
        help="stored orders, beside 10,000, that an event's cost is measured among",
    )
    parser.add_argument("--json", action="store_true", help="the table as one JSON object in the last line")
    asked = parser.parse_args()
    place = Place()
    try:
        place.open()
        django.setup()
        from tests.bench import figures  # noqa: PLC0415  # Django's settings come from the place's environment

        rows = figures.measure(place, orders=asked.orders, copies=asked.copies, events=asked.events, many=asked.many)
    finally:
        place.close()
    show(rows)
    if asked.json:
        print(json.dumps(dict(rows)))
    return 0


def show(rows: Sequence[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    print()
    for name, value in rows:
        print(f"{name:<{width}}  {value:>14}")


if __name__ == "__main__":
    sys.exit(main())
