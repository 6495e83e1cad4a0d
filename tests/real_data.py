"""Real orders to test on (see the README beside them). They are not part of the project: E2A_DATA, or `../shared/data`."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("E2A_DATA") or Path(__file__).resolve().parent.parent.parent / "shared" / "data")
EVENTS = FOLDER / "olist-1500.ndjson"
POLICY = {"payment_processing_minutes": 30, "order_fulfillment_hours": 24}
needs_real_data = pytest.mark.skipif(not EVENTS.exists(), reason=f"there is no {EVENTS}; set E2A_DATA")


def truth() -> dict[str, Any]:
    """`breaches`: stage → ids of the orders that must be found in breach."""
    whole: dict[str, Any] = json.loads((FOLDER / "olist-1500.truth.json").read_text())
    return whole
