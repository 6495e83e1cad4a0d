"""Days on which a place is closed: a country's public holidays (library `holidays`) and its own. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import holidays

LONGEST = timedelta(days=366)
ENGLISH = "en_US"


@dataclass(frozen=True, slots=True)
class DayOff:
    """From `first` to `last`, both included; `yearly`: in each year from then on, with `until` the last year that has it.

    One that begins on 29 February comes in leap years only.
    """

    name: str
    first: date
    last: date
    yearly: bool = False
    until: int | None = None

    def in_year(self, year: int) -> Iterator[date]:
        """Its days within that year."""
        shifts = (year - 1 - self.first.year, year - self.first.year) if self.yearly else (0,)
        for shift in shifts:
            begins = self.first.year + shift
            if shift < 0 or (self.until is not None and begins > self.until):
                continue
            try:
                first = self.first.replace(year=begins)
            except ValueError:
                continue
            for number in range((self.last - self.first).days + 1):
                day = first + timedelta(days=number)
                if day.year == year:
                    yield day


class DaysOff:
    """Looked up by date; the names of a year are made when they are first asked for."""

    def __init__(self, country: str, subdivision: str, own: Sequence[DayOff]) -> None:
        self.country, self.subdivision, self.own = country, subdivision, own
        self._years: dict[int, dict[date, str]] = {}

    def in_year(self, year: int) -> dict[date, str]:
        """Date → name. Its own name for a day wins over that of the holiday."""
        known = self._years.get(year)
        if known is None:
            known = self._years[year] = self._made(year)
        return known

    def _made(self, year: int) -> dict[date, str]:
        names: dict[date, str] = {}
        if self.country:
            names.update(public_holidays(self.country, self.subdivision, year))
        for off in self.own:
            names.update(dict.fromkeys(off.in_year(year), off.name))
        return names


def public_holidays(country: str, subdivision: str, year: int) -> dict[date, str]:
    """In English, where the library has it: else the names would follow the language of whatever process asks."""
    found = holidays.country_holidays(country, subdiv=subdivision or None, years=year, expand=False, language=ENGLISH)
    return dict(found.items())


def has_country(country: str) -> bool:
    return country in holidays.list_supported_countries(include_aliases=False)


def subdivisions_of(country: str) -> Sequence[str]:
    found: Sequence[str] = holidays.list_supported_countries(include_aliases=False).get(country, [])
    return found
