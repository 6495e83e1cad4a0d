"""Every value of every payload replaced by something strange: an adapter makes events or says why not."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from orders.providers.delivery import Unusable
from orders.providers.registry import ADAPTERS
from tests.orders.providers.cast import PAYLOADS, delivery
from tests.tenants.test_mapping import MAPPING

STRANGE: list[Any] = [None, [], {}, [{}], "x" * 300, "é", -1, 2**62, True, 1.5, "2026-02-30T00:00:00Z"]
FILES = sorted(
    path for path in PAYLOADS.glob("*/*.json") if path.parent.name in ADAPTERS and ".headers." not in path.name
)
TOPICS = {"order_shipped": "order.shipped", "shipment_on_hold": "order.shipment.on_hold"}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value, the first of each list only."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    if isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def changed(body: Any, path: tuple[Any, ...], strange: Any) -> Any:
    if not path:
        return strange
    copy = deepcopy(body)
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = strange
    return copy


def headers_of(path: Any) -> dict[str, str]:
    sidecar = path.with_name(f"{path.stem}.headers.json")
    given = json.loads(sidecar.read_text()) if sidecar.exists() else {}
    return {"webhook-id": "m", "x-webhook-topic": TOPICS.get(path.stem, ""), **{k.lower(): v for k, v in given.items()}}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_strange_value_makes_an_adapter_stumble(path: Any) -> None:
    body, headers = json.loads(path.read_text()), headers_of(path)
    adapter = ADAPTERS[path.parent.name]
    for index, place in enumerate(places(body)):
        for strange in STRANGE if len(place) < 3 else [STRANGE[index % len(STRANGE)]]:
            sent = delivery(changed(body, place, strange), headers, mapping=MAPPING)
            try:
                events = adapter.read(sent).events
            except Unusable as trouble:
                assert trouble.errors, place
                continue
            assert all(len(event.event_id) <= 128 and len(event.event_type) <= 32 for event in events), place
            assert all(len(event.payload) <= 256 * 1024 for event in events), place
