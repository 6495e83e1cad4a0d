"""What a version of a policy changes of the one before it, in words. Pure.

Both are compared as the tables that people read (`policy_table`), so that what reads the same is the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from tenants.days_off import DayOff
from tenants.policy_table import CalendarRow, RuleRow, Table, TargetCell, table_of

Kind = Literal["added", "removed", "changed", "moved"]
MOST_DAYS_TOLD = 12


class Line(NamedTuple):
    """What stood there and what stands there now; empty: nothing."""

    label: str
    before: str
    after: str


class Difference(NamedTuple):
    """`what`: the rule or calendar that it is about, or the part of the policy."""

    kind: Kind
    what: str
    lines: Sequence[Line]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """`before`, `after`: either form."""
    old, new = table_of(before), table_of(after)
    return [*rule_differences(old.rules, new.rules), *calendar_differences(old, new), *weight_differences(old, new)]


def rule_differences(old: Sequence[RuleRow], new: Sequence[RuleRow]) -> list[Difference]:
    """A rule is known by its name; one that only changed its name, by what it says."""
    names = {row.name for row in new}
    renamed = renamings([row for row in old if row.name not in names], new, {row.name for row in old})
    known = {renamed.get(row.name, row.name): row for row in old}
    found = []
    for row in new:
        was = known.get(row.name)
        if was is None:
            found.append(Difference("added", rule_title(row), [line for line in rule_lines(None, row)]))
        elif lines := rule_lines(was, row):
            found.append(Difference("changed", rule_title(row), lines))
    found += [
        Difference("removed", rule_title(row), rule_lines(row, None))
        for name, row in known.items()
        if name not in names
    ]
    return found + movements(list(known), new)


def rule_title(row: RuleRow) -> str:
    return f"Rule “{row.name}”"


def renamings(gone: Iterable[RuleRow], new: Sequence[RuleRow], old_names: set[str]) -> dict[str, str]:
    """Old name → new name."""
    fresh = [row for row in new if row.name not in old_names]
    found: dict[str, str] = {}
    for row in gone:
        same = next((each for each in fresh if each.name not in found.values() and cells(each) == cells(row)), None)
        if same is not None:
            found[row.name] = same.name
    return found


def cells(row: RuleRow) -> dict[str, str]:
    """Label → words."""
    said = {"Orders": "; ".join(row.when)}
    if row.excluded:
        said["No deadlines"] = row.excluded
    said |= {cell.label: target_text(cell) for cell in row.targets}
    return said | {"Pauses": row.pauses or "Every hold pauses"}


def target_text(cell: TargetCell) -> str:
    return f"{cell.words}. {cell.warning}" if cell.warning else cell.words


def rule_lines(before: RuleRow | None, after: RuleRow | None) -> list[Line]:
    old, new = cells(before) if before else {}, cells(after) if after else {}
    renamed = before is not None and after is not None and before.name != after.name
    lines = [Line("Name", before.name, after.name)] if renamed and before and after else []
    return lines + lines_between(old, new)


def lines_between(old: Mapping[str, str], new: Mapping[str, str]) -> list[Line]:
    labels = [*old, *(label for label in new if label not in old)]
    return [Line(label, old.get(label, ""), new.get(label, "")) for label in labels if old.get(label) != new.get(label)]


def movements(old_names: Sequence[str], new: Sequence[RuleRow]) -> list[Difference]:
    """The fewest rules whose moving explains the new order."""
    names = [row.name for row in new]
    places = [old_names.index(name) for name in names if name in old_names]
    kept = set(longest_rising(places))
    return [
        Difference(
            "moved",
            f"Rule “{old_names[place]}”",
            [Line("Place", str(place + 1), str(names.index(old_names[place]) + 1))],
        )
        for place in places
        if place not in kept
    ]


def longest_rising(numbers: Sequence[int]) -> list[int]:
    """The longest run, not necessarily of neighbours, in which each is greater than the one before it."""
    runs: list[list[int]] = []  # the best that ends with each number
    for number in numbers:
        before = max((run for run in runs if run[-1] < number), key=len, default=[])
        runs.append([*before, number])
    return max(runs, key=len, default=[])


def calendar_differences(old: Table, new: Table) -> list[Difference]:
    before, after = ({row.name: row for row in table.calendars} for table in (old, new))
    found = []
    for name in [*after, *(name for name in before if name not in after)]:
        lines = calendar_lines(before.get(name), after.get(name))
        kind: Kind = "added" if name not in before else "removed" if name not in after else "changed"
        if lines:
            found.append(Difference(kind, f"Calendar “{name}”", lines))
    return found


def calendar_lines(before: CalendarRow | None, after: CalendarRow | None) -> list[Line]:
    lines = lines_between(calendar_cells(before), calendar_cells(after))
    was, now = (row.days_off if row else () for row in (before, after))
    gone, come = [day for day in was if day not in now], [day for day in now if day not in was]
    if gone or come:
        lines.append(Line("Own days off", days_words(gone), days_words(come)))
    return lines


def calendar_cells(row: CalendarRow | None) -> dict[str, str]:
    if row is None:
        return {}
    return {
        "Time zone": row.hours.timezone if row.hours else "",
        "Open": row.open,
        "Public holidays": row.holidays or "none",
        "Warehouses": ", ".join([*sorted(row.warehouses), *(["all others"] if row.default else [])]) or "none",
    }


def days_words(days: Sequence[DayOff]) -> str:
    told = ", ".join(f"{day.name} {day_words(day)}" for day in days[:MOST_DAYS_TOLD])
    return f"{told} and {len(days) - MOST_DAYS_TOLD} more" if len(days) > MOST_DAYS_TOLD else told


def day_words(day: DayOff) -> str:
    """`2026-12-24 to 2026-12-26, every year until 2030`."""
    span = day.first.isoformat() + (f" to {day.last.isoformat()}" if day.last > day.first else "")
    if not day.yearly:
        return span
    return f"{span}, every year" + (f" until {day.until}" if day.until is not None else "")


def weight_differences(old: Table, new: Table) -> list[Difference]:
    """Sentences that are gone stand before those that came."""
    found = []
    for what, before, after in (
        ("Severity", [*old.severity, *old.raises], [*new.severity, *new.raises]),
        ("Priority", old.priority, new.priority),
        ("Tries to solve an exception", [str(old.attempts)], [str(new.attempts)]),
    ):
        gone, come = "; ".join(set_less(before, after)), "; ".join(set_less(after, before))
        if gone or come:
            found.append(Difference("changed", what, [Line("", gone or "as usual", come or "as usual")]))
    return found


def set_less(these: Sequence[str], those: Sequence[str]) -> list[str]:
    return [each for each in these if each not in those]
