"""Whether a rule can ever be reached: what its condition lets in, less what the rules before it take. Pure.

What is left of a condition is kept as boxes. A box says for each word which values are in or out, for each list which of its
words must be there and which must not, and between which bounds the value lies. Taking one condition away from a box leaves one
smaller box for each thing that the condition asks for.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tenants.conditions import Condition

CURRENCY = "currency"  # of the value; an order without a value has none
MOST_CUTS = 1_000  # of boxes, for one rule; beyond that nothing is claimed


class Box(NamedTuple):
    """`within`: the only values of a word; `without`: those it has not. Lists: one of each clause, none of `lacks`."""

    within: Mapping[str, frozenset[str]] = {}
    without: Mapping[str, frozenset[str]] = {}
    clauses: Mapping[str, tuple[frozenset[str], ...]] = {}
    lacks: Mapping[str, frozenset[str]] = {}
    at_least: int = 0
    below: int | None = None

    def is_empty(self) -> bool:
        if any(not self.words(key) for key in self.within):
            return True
        if any(
            not clause - self.lacks.get(key, frozenset()) for key, all_of in self.clauses.items() for clause in all_of
        ):
            return True
        return self.below is not None and self.at_least >= self.below

    def words(self, key: str) -> frozenset[str]:
        return self.within[key] - self.without.get(key, frozenset())

    def only(self, key: str, wanted: frozenset[str]) -> "Box":
        return self._replace(within={**self.within, key: wanted & self.within.get(key, wanted)})

    def never(self, key: str, unwanted: frozenset[str]) -> "Box":
        return self._replace(without={**self.without, key: unwanted | self.without.get(key, frozenset())})

    def one_of(self, key: str, wanted: frozenset[str]) -> "Box":
        return self._replace(clauses={**self.clauses, key: (*self.clauses.get(key, ()), wanted)})

    def none_of(self, key: str, unwanted: frozenset[str]) -> "Box":
        return self._replace(lacks={**self.lacks, key: unwanted | self.lacks.get(key, frozenset())})

    def between(self, at_least: int, below: int | None) -> "Box":
        tops = [top for top in (below, self.below) if top is not None]
        return self._replace(at_least=max(at_least, self.at_least), below=min(tops, default=None))


def is_covered(condition: Condition, earlier: Sequence[Condition]) -> bool:
    """Whether every order that the condition lets in is taken by one of the earlier ones."""
    whole = box_of(condition)
    touching = [taken for taken in earlier if not split(whole, taken)[0].is_empty()]
    if any(not less(whole, taken) for taken in touching):
        return True
    left, cuts = [whole], 0
    for taken in touching:
        cuts += len(left)
        if cuts > MOST_CUTS:
            return False
        left = [piece for box in left for piece in less(box, taken)]
    return not left


def box_of(condition: Condition) -> Box:
    return split(Box(), condition)[0]


def less(box: Box, taken: Condition) -> list[Box]:
    """The pieces of the box that the condition does not let in; the box itself where it lets in nothing."""
    inside, outside = split(box, taken)
    return [box] if inside.is_empty() else [piece for piece in outside if not piece.is_empty()]


def split(box: Box, condition: Condition) -> tuple[Box, list[Box]]:
    """What of the box the condition lets in, and the pieces that it does not."""
    outside: list[Box] = []
    for key, wanted in condition.words.items():
        outside.append(box.never(key, wanted))
        box = box.only(key, wanted)
    for key, wanted in condition.lists.items():
        outside.append(box.none_of(key, wanted))
        box = box.one_of(key, wanted)
    if (value := condition.value) is not None:
        outside.append(box.never(CURRENCY, frozenset([value.currency])))
        box = box.only(CURRENCY, frozenset([value.currency]))
        outside.append(box.between(0, value.at_least))
        if value.below is not None:
            outside.append(box.between(value.below, None))
        box = box.between(value.at_least, value.below)
    return box, outside
