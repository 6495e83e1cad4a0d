"""The API's page in a real browser: it draws itself under the strict Content Security Policy."""

from typing import Any

import pytest

from tests.live import Live

pytestmark = pytest.mark.browser


def test_the_page_lists_the_addresses_and_the_browser_complains_of_nothing(live: Live, page: Any) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(live.url("acme", "/api/docs"))
    page.locator("#operations-events-send_event").wait_for(timeout=20_000)
    page.locator("#operations-events-send_event button.opblock-summary-control").click()
    page.locator("#operations-events-send_event .opblock-body").wait_for()
    assert said == []
