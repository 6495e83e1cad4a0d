"""How long the faults last: briefly in every run, long with `-m faults_long`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extent:
    hang_seconds: float = 5
    load_seconds: float = 6
    orders: int = 70
    rounds: int = 3


SHORT = Extent()
LONG = Extent(hang_seconds=30, load_seconds=60, orders=600, rounds=20)
