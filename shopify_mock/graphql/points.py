"""What a call costs: points of a bucket that time fills again.

A mutation costs 10, every object that is asked for 1. Shopify's own sums are finer; the form of the answers is the same.
"""

import threading
import time
from typing import Any

from graphql import DocumentNode, FieldNode, OperationDefinitionNode, OperationType, Visitor, visit

MUTATION_COST = 10


class Points:
    def __init__(self, *, most: float) -> None:
        self._left, self._at = most, time.monotonic()
        self._lock = threading.Lock()

    def take(self, cost: float, most: float, restore: float) -> tuple[bool, float]:
        """Whether the call may pass, and the points that are left after it."""
        with self._lock:
            now = time.monotonic()
            self._left = min(most, self._left + (now - self._at) * restore)
            self._at = now
            passes = cost <= self._left
            self._left -= cost if passes else 0
            return passes, self._left


def cost_of(document: DocumentNode) -> int:
    counter = _Counter()
    visit(document, counter)
    return max(1, counter.cost)


class _Counter(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.cost = 0

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        if node.operation == OperationType.MUTATION:
            self.cost += MUTATION_COST * len(node.selection_set.selections)

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.cost += node.selection_set is not None


def extensions(cost: int, *, spent: bool, left: float, most: float, restore: float) -> dict[str, Any]:
    return {
        "cost": {
            "requestedQueryCost": cost,
            "actualQueryCost": cost if spent else None,
            "throttleStatus": {
                "maximumAvailable": most,
                "currentlyAvailable": int(left),
                "restoreRate": restore,
            },
        }
    }
