"""A stage's target as JSON. Pure.

    {"hours": 24}                                     calendar time (or "minutes")
    {"working_hours": 8, "calendar": "lisbon"}        working time (or "working_minutes"); without `calendar` that of the
                                                      order's warehouse, else the policy's default
    {"cutoff": "14:00", "working_days": 0}            received by 14:00: end of that working day, else of the next;
                                                      {"mon": "14:00", "sat": "11:00"} gives each weekday its own
    {"promise": "fulfil_by"}                          what the order carries: promised_delivery_at, fulfil_by, delivery_window

and to each, if wished, `"warn": {"share": 0.75}`, or `before_minutes`, `before_hours`; with `"open_exception": true`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from tenants.calendar_form import WEEKDAY_NAMES, WEEKDAYS, clock_seconds, clock_text
from tenants.open_hours import Hours
from tenants.policy_rules import HOUR, MAX_TARGET_SECONDS, MINUTE
from tenants.reading import Form, is_number, shown
from tenants.targets import OF_WAREHOUSE, Cutoff, Length, Promise, PromiseKey, Target, Warn

UNITS = {"minutes": MINUTE, "hours": HOUR, "working_minutes": MINUTE, "working_hours": HOUR}
KINDS = (*UNITS, "cutoff", "promise")
KEYS = (*KINDS, "working_days", "calendar", "warn")
WARN_KEYS = ("share", "before_minutes", "before_hours", "open_exception")
PROMISES: tuple[PromiseKey, ...] = get_args(PromiseKey)
MOST_WORKING_DAYS = 60
WEEKS_IN_TEN_YEARS = 521
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Places:
    """The calendars that a target can name. `of_warehouses`: those that some warehouse keeps; `broken`: one was refused."""

    calendars: Mapping[str, Hours]
    default: str
    of_warehouses: tuple[str, ...]
    broken: bool = False

    def possible(self, name: str) -> list[tuple[str, Hours]]:
        """The calendars by which a target of that name may come to be counted."""
        names = {name} if name else {self.default, *self.of_warehouses}
        return [(each, self.calendars[each]) for each in sorted(names) if each in self.calendars]


def read_target(form: Form, places: Places) -> Target | None:
    """None when anything in it is wrong."""
    if not form.is_object(KEYS):
        return None
    kinds = [kind for kind in KINDS if form.has(kind)]
    if len(kinds) != 1:
        named = f"it has {' and '.join(kinds)}" if kinds else "it has none of them"
        form.refuse(f"A target has exactly one of {', '.join(KINDS)}; {named}. Write null for no deadline.")
        return None
    refuse_strays(form, kinds[0])
    warn = read_warn(form.at("warn")) if form.has("warn") else None
    if kinds[0] == "cutoff":
        return read_cutoff(form, places, warn)
    if kinds[0] == "promise":
        key = form.at("promise").word(PROMISES)
        return Promise(next(each for each in PROMISES if each == key), warn) if key else None
    return read_length(form, kinds[0], places, warn)


def refuse_strays(form: Form, kind: str) -> None:
    if form.has("working_days") and kind != "cutoff":
        form.at("working_days").refuse("Only a cut-off has it.")
    if form.has("calendar") and kind in ("minutes", "hours", "promise"):
        form.at("calendar").refuse("Every hour counts here; write working_hours or working_minutes for a calendar's.")


def read_calendar_name(form: Form, places: Places) -> str | None:
    """A name, or OF_WAREHOUSE. None when there is no such calendar."""
    if places.broken:
        return None
    if form.has("calendar"):
        return form.at("calendar").word(list(places.calendars))
    if places.default:
        return OF_WAREHOUSE
    form.refuse("Which working time? Name a calendar here, or give the policy calendars and a default_calendar.")
    return None


def read_length(form: Form, unit: str, places: Places, warn: Warn | None) -> Length | None:
    seconds = read_seconds(form.at(unit), UNITS[unit], unit)
    if seconds is None:
        return None
    refuse_unreachable_warning(form, warn, seconds, "the target")
    if not unit.startswith("working"):
        return Length(seconds, warn=warn)
    name = read_calendar_name(form, places)
    if name is None:
        return None
    for each, hours in places.possible(name):
        if seconds > hours.weekly_seconds * WEEKS_IN_TEN_YEARS:
            form.at(unit).refuse(f"By the calendar “{each}” that is more than ten years; give less.")
            return None
    return Length(seconds, name, warn)


def read_seconds(form: Form, unit_seconds: int, unit: str) -> int | None:
    value, name = form.value, unit.replace("_", " ")
    if not is_number(value) or value <= 0:
        form.refuse(f"It must be a number of {name} greater than 0, not {shown(value)}.")
    elif value * unit_seconds > MAX_TARGET_SECONDS:
        form.refuse(f"It is longer than ten years; give at most {MAX_TARGET_SECONDS // unit_seconds} {name}.")
    elif value * unit_seconds + HALF < 1:
        form.refuse("It is shorter than a second; give more.")
    else:
        return int(value * unit_seconds + HALF)
    return None


def read_cutoff(form: Form, places: Places, warn: Warn | None) -> Cutoff | None:
    name = read_calendar_name(form, places)
    days = form.at("working_days").whole(least=0, most=MOST_WORKING_DAYS) if form.has("working_days") else 0
    times = read_cutoff_times(form.at("cutoff"))
    if name is None or days is None or times is None:
        return None
    longest = 0
    for each, hours in places.possible(name):
        refuse_late_cutoffs(form.at("cutoff"), times, each, hours)
        longest = max(longest, *(sum(window.closes - window.opens for window in day) for day in hours.weekly))
    refuse_unreachable_warning(form, warn, longest * (days + 1), "the longest working day")
    return Cutoff(tuple(time or 0 for time in times), days, name, warn)


def read_cutoff_times(form: Form) -> list[int | None] | None:
    """By weekday, Monday's first; None: not given."""
    if isinstance(form.value, str):
        time = clock_seconds(form.value)
        if time is None:
            form.refuse(f"It must be a time of day such as 14:00, not {shown(form.value)}.")
            return None
        return [time] * len(WEEKDAYS)
    if not form.is_object(WEEKDAYS):
        return None
    times: list[int | None] = [None] * len(WEEKDAYS)
    for index, day in enumerate(WEEKDAYS):
        if form.has(day):
            text = form.at(day)
            times[index] = clock_seconds(text.value) if isinstance(text.value, str) else None
            if times[index] is None:
                text.refuse(f"It must be a time of day such as 14:00, not {shown(text.value)}.")
                return None
    return times


def refuse_late_cutoffs(form: Form, times: list[int | None], name: str, hours: Hours) -> None:
    """A cut-off after closing would make due what is past already."""
    for day, windows in enumerate(hours.weekly):
        if not windows:
            continue
        time, closes = times[day], windows[-1].closes
        if time is None:
            form.refuse(f"The calendar “{name}” is open on {WEEKDAY_NAMES[day]}, but that day has no cut-off.")
        elif time >= closes:
            form.refuse(
                f"On {WEEKDAY_NAMES[day]} the calendar “{name}” closes at {clock_text(closes)}, not after the cut-off at "
                f"{clock_text(time)}; give that day an earlier one."
            )


def read_warn(form: Form) -> Warn | None:
    if not form.is_object(WARN_KEYS):
        return None
    points = [key for key in WARN_KEYS[:3] if form.has(key)]
    opens = form.at("open_exception").flag() if form.has("open_exception") else False
    if len(points) != 1:
        form.refuse("A warning point is one of share, before_minutes, before_hours.")
        return None
    point = form.at(points[0])
    if points[0] != "share":
        before = read_seconds(
            point, MINUTE if points[0] == "before_minutes" else HOUR, points[0].removeprefix("before_")
        )
        return Warn(None, before, bool(opens)) if before is not None else None
    if not is_number(point.value) or not 0 < point.value < 1:
        point.refuse(f"It must be a share between 0 and 1, such as 0.75, not {shown(point.value)}.")
        return None
    return Warn(float(point.value), None, bool(opens))


def refuse_unreachable_warning(form: Form, warn: Warn | None, seconds: int, what: str) -> None:
    if warn is not None and warn.before_seconds is not None and warn.before_seconds >= seconds > 0:
        form.at("warn").refuse(f"It lies before the start, for {what} is no longer than that; warn later.")
