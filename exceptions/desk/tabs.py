"""The tabs, sorts and columns of the list. Pure: what an address may name, and what it then means."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from exceptions.choices import Status
from exceptions.selectors import NOBODY, Filters
from exceptions.transitions import UNRESOLVED

ACTIVE, ALL = "active", "all"


class Sort(StrEnum):
    PRIORITY = "priority"
    NEWEST = "newest"
    OVERDUE = "overdue"


SORT_TITLES: Mapping[str, str] = {
    Sort.PRIORITY: "Priority first",
    Sort.NEWEST: "Newest first",
    Sort.OVERDUE: "Longest overdue first",
}


@dataclass(frozen=True, slots=True)
class Tab:
    """`whose`: the tab says whose they are, so it takes no assignee besides. What sleeps has a tab of its own."""

    title: str
    status: tuple[str, ...] = ()
    snoozed: bool | None = None
    whose: str = ""

    def narrow(self, filters: Filters, *, me: int) -> Filters:
        """The filter within this tab. `me`: the asking person's id."""
        assignee = {"me": me, "nobody": NOBODY}.get(self.whose, filters.assignee)
        return replace(filters, status=self.status, snoozed=self.snoozed, assignee=assignee)

    @property
    def sort(self) -> Sort:
        """How it is sorted unless the address says: what is done has no priority any more."""
        return Sort.PRIORITY if self.status and Status.RESOLVED not in self.status else Sort.NEWEST


TABS: Mapping[str, Tab] = {
    ACTIVE: Tab("Active", UNRESOLVED, False),
    "open": Tab("Open", (Status.OPEN,), False),
    "mine": Tab("Mine", UNRESOLVED, False, "me"),
    "unassigned": Tab("Unassigned", UNRESOLVED, False, "nobody"),
    "acknowledged": Tab("Acknowledged", (Status.ACKNOWLEDGED,), False),
    "in_progress": Tab("In progress", (Status.IN_PROGRESS,), False),
    "snoozed": Tab("Snoozed", UNRESOLVED, True),
    "resolved": Tab("Resolved", (Status.RESOLVED,)),
    ALL: Tab("All"),
}

# What a person may choose to see; what is wrong, and the box to select by, are always there.
COLUMN_TITLES: Mapping[str, str] = {
    "severity": "Severity",
    "order": "Order",
    "overdue": "Overdue",
    "status": "Status",
    "assignee": "Assignee",
    "opened": "Opened",
    "priority": "Priority",
    "stage": "Stage",
    "carrier": "Carrier",
    "warehouse": "Warehouse",
    "value": "Order's worth",
    "updated": "Changed",
}
DEFAULT_COLUMNS = ("severity", "order", "overdue", "status", "assignee", "opened")
OF_THE_ORDER = frozenset(("carrier", "warehouse", "value"))
