"""What a simulation has found as a run's columns: read back, added up, chunk by chunk. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from orders.simulator.simulation import Simulation, Tally
from orders.stages import STAGES

SIDES = ("now", "then")


class Row(NamedTuple):
    """A stage's line of the result: as it stands, and under what was tried."""

    stage: str
    now: Tally
    then: Tally

    @property
    def breaches_more(self) -> int:
        return self.then.breaches - self.now.breaches


class RuleEffect(NamedTuple):
    """What a rule of the draft makes of orders that change sides, for one stage."""

    stage: str
    rule: str
    newly_late: int
    no_longer_late: int


def added_tallies(stored: Mapping[str, Any], found: Simulation) -> dict[str, dict[str, list[int]]]:
    """The column `tallies` with what one more chunk has found."""
    sides = {"now": found.now, "then": found.then}
    return {
        side: {
            name: [before + more for before, more in zip(known(stored, side, name), numbers(tally), strict=True)]
            for name, tally in sides[side].items()
        }
        for side in SIDES
    }


def added_by_rule(stored: Sequence[Sequence[Any]], found: Simulation) -> list[list[Any]]:
    """The column `by_rule` with what one more chunk has found."""
    counts = {(stage, rule, late): number for stage, rule, late, number in stored}
    for key, number in found.by_rule.items():
        counts[key] = counts.get(key, 0) + number
    return [[*key, number] for key, number in sorted(counts.items())]


def rows_of(tallies: Mapping[str, Any]) -> list[Row]:
    return [
        Row(stage.name, Tally(*known(tallies, "now", stage.name)), Tally(*known(tallies, "then", stage.name)))
        for stage in STAGES
    ]


def effects_of(by_rule: Sequence[Sequence[Any]]) -> list[RuleEffect]:
    """The largest effect first."""
    found: dict[tuple[str, str], list[int]] = {}
    for stage, rule, late, number in by_rule:
        found.setdefault((stage, rule), [0, 0])[0 if late else 1] += number
    effects = [RuleEffect(stage, rule, *counts) for (stage, rule), counts in found.items()]
    return sorted(effects, key=lambda each: (-each.newly_late - each.no_longer_late, each.stage, each.rule))


def known(stored: Mapping[str, Any], side: str, name: str) -> list[int]:
    return list(stored.get(side, {}).get(name, (0, 0, 0, 0)))


def numbers(tally: Tally) -> list[int]:
    return [tally.with_target, tally.breaches, tally.warnings, tally.saved]
