"""`python -m tests.bench.radar_alone`: the radar's figures on servers of its own. Ends with 1 when one is beyond its limit."""

import sys
from importlib import import_module

import django
from django.core.management import call_command

from tests.bench.place import Place


def main() -> int:
    place = Place()
    missed = 0
    try:
        place.open()
        django.setup()
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
        for figure in import_module("tests.bench.radar").measure():  # it needs Django, which needed the servers
            print(figure, flush=True)
            missed += figure.value > figure.limit
    finally:
        place.close()
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
