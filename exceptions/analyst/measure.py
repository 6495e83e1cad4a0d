"""How good an analyst is: accuracy with its uncertainty, confusion, calibration, and whether it loses to the rules. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb, sqrt
from typing import NamedTuple

BINS = 10
Z = 1.96  # 95%
LEAST_CASES = 30
SURE = 0.05


class Answer(NamedTuple):
    """A label with its confidence, and what it really was."""

    label: str
    confidence: float
    truth: str

    @property
    def right(self) -> bool:
        return self.label == self.truth


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose confidence lies in [low, high). `stated`: their mean confidence; `right`: the share that was right."""

    low: float
    high: float
    count: int
    stated: float
    right: float


@dataclass(frozen=True, slots=True)
class Score:
    """`low`, `high`: 95% bounds of the accuracy. `gap`: expected calibration error. None where there is no answer."""

    count: int
    right: int
    accuracy: float | None
    low: float | None
    high: float | None
    gap: float | None
    bins: Sequence[Bin]


def score(answers: Iterable[Answer]) -> Score:
    known = list(answers)
    count, right = len(known), sum(one.right for one in known)
    if not count:
        return Score(0, 0, None, None, None, None, ())
    low, high = wilson(right, count)
    bins = reliability(known)
    gap = sum(one.count * abs(one.stated - one.right) for one in bins) / count
    return Score(count, right, right / count, low, high, gap, bins)


def wilson(right: int, count: int) -> tuple[float, float]:
    """Source: Wilson, 1927. Bounds that hold for few cases and for shares near 0 and 1."""
    share, spread = right / count, Z * Z / count
    centre = (share + spread / 2) / (1 + spread)
    half = Z * sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def reliability(answers: Sequence[Answer]) -> list[Bin]:
    """The filled bins, ascending."""
    filled: dict[int, list[Answer]] = {}
    for one in answers:
        filled.setdefault(min(BINS - 1, int(one.confidence * BINS)), []).append(one)
    return [
        Bin(
            place / BINS,
            (place + 1) / BINS,
            len(found),
            sum(one.confidence for one in found) / len(found),
            sum(one.right for one in found) / len(found),
        )
        for place, found in sorted(filled.items())
    ]


def confusion(answers: Iterable[Answer]) -> Mapping[str, Mapping[str, int]]:
    """Truth → label → count."""
    rows: dict[str, Counter[str]] = {}
    for one in answers:
        rows.setdefault(one.truth, Counter())[one.label] += 1
    return {truth: dict(sorted(row.items())) for truth, row in sorted(rows.items())}


def loses(pairs: Iterable[tuple[bool, bool]]) -> bool:
    """Whether an analyst is worse than the rules on the same cases: (it was right, the rules were right) each.

    One-sided sign test over the cases on which they differ, at 5%; never before thirty cases.
    """
    known = list(pairs)
    worse = sum(rules and not own for own, rules in known)
    better = sum(own and not rules for own, rules in known)
    differing = worse + better
    if len(known) < LEAST_CASES or worse <= better:
        return False
    chance: float = sum(comb(differing, hits) for hits in range(worse, differing + 1)) / 2**differing
    return chance <= SURE


def matrix_text(rows: Mapping[str, Mapping[str, int]]) -> str:
    """The confusion as a table: truths down, labels across."""
    labels = sorted({label for row in rows.values() for label in row})
    width = max((len(truth) for truth in rows), default=5)
    lines = [" " * width + "  " + "  ".join(labels)]
    for truth, row in rows.items():
        cells = "  ".join(f"{row.get(label, 0) or '·':>{len(label)}}" for label in labels)
        lines.append(f"{truth:<{width}}  {cells}")
    return "\n".join(lines)
