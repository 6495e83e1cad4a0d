"""The README's “Adding a provider”, done as it says: its example is run, and takes deliveries at the door."""

import re
from pathlib import Path
from textwrap import dedent

import pytest

from orders.providers.registry import ADAPTERS
from tenants.models import Tenant
from tests.orders.providers.cast import delivery
from tests.orders.webhook_cast import letters, post, said, signature, source, stored

README = (Path(__file__).parents[3] / "README.md").read_text()


@pytest.fixture
def dockside(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    section = README[README.index("## Adding a provider") : README.index("## Decisions")]
    [code] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    names: dict[str, object] = {}
    exec(dedent(code), names)
    monkeypatch.setitem(ADAPTERS, "dockside", names["Dockside"]())  # type: ignore[operator]
    source(acme, "dockside", provider="dockside")


def test_delivery_that_the_readme_shows_becomes_an_event(dockside: None) -> None:
    [body] = re.findall(r"sends `(\{.*?\})`", README)
    raw = body.encode()
    assert said(post("acme/dockside", raw, **{"X-Dockside-Signature": signature(raw)})) == (200, "processed")
    assert said(post("acme/dockside", raw, **{"X-Dockside-Signature": signature(raw)})) == (200, "duplicate")
    assert stored() == [("order_packed", "1001", "~77")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"no": "1001", "kind": "lost", "at": "2026-11-23T10:00:00Z", "id": "78"}', "unmapped"),
        (b'{"no": "1001", "kind": ["packed"], "at": "2026-11-23T10:00:00Z", "id": "78"}', "unmapped"),
        (b'{"no": "10 01", "kind": "packed", "at": "2026-11-23T10:00:00Z", "id": "78"}', "invalid"),
        (b'{"no": "1001", "kind": "packed", "at": "noon", "id": "78"}', "invalid"),
        (b"[]", "invalid"),
    ],
)
def test_what_it_cannot_read_becomes_a_dead_letter(dockside: None, body: bytes, reason: str) -> None:
    assert said(post("acme/dockside", body, **{"X-Dockside-Signature": signature(body)})) == (200, "dead_letter")
    assert [letter[1] for letter in letters()] == [reason]
    assert stored() == []


def test_wrong_signature_is_refused(dockside: None) -> None:
    assert said(post("acme/dockside", b"{}", **{"X-Dockside-Signature": signature(b"{ }")}))[0] == 401
    assert stored() == letters() == []


@pytest.mark.parametrize("provider", sorted(ADAPTERS))
def test_every_adapter_says_what_to_set_up(provider: str) -> None:
    assert ADAPTERS[provider].setup.endswith(".")


@pytest.mark.parametrize("provider", sorted(ADAPTERS))
def test_no_adapter_verifies_without_a_secret(provider: str) -> None:
    assert not ADAPTERS[provider].verify(delivery(b"{}"), [])
