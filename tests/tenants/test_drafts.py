"""The draft of a policy: one at a time, changed by one person at a time, published or discarded; an older version again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from orders.sla import Fact, fold
from tenants.models import PolicyDraft, SlaPolicy, Tenant
from tenants.policy import DEFAULT_RULES, EVERY_ORDER, PolicyError, PolicyVersion, as_rules, parse_policy
from tenants.selectors import Draft, draft_of
from tenants.services.drafts import (
    NoDraft,
    NoSuchVersion,
    SameVersion,
    StaleDraft,
    begin_draft,
    change_draft,
    discard_draft,
    publish_draft,
    restore_version,
)
from tenants.services.policies import publish_policy

BY = "user:maria"
RULES = {"rules": [{"name": "All", "targets": {"order_fulfillment": {"hours": 8}}}]}
UNUSABLE = {"rules": [{"name": "All", "targets": {}}, {"name": "Never", "targets": {}}]}


def versions(tenant: Tenant) -> list[tuple[int, Any]]:
    return list(SlaPolicy.objects.filter(tenant=tenant).order_by("version").values_list("version", "rules"))


def drafted(tenant: Tenant, rules: Any = RULES) -> Draft:
    made = begin_draft(tenant=tenant, by=BY)
    change_draft(tenant=tenant, revision=made.revision, rules=rules, by=BY)
    found = draft_of(tenant)
    assert found is not None
    return found


def test_draft_begins_with_what_the_newest_version_says(acme: Tenant, globex: Tenant) -> None:
    made = begin_draft(tenant=acme, by=BY)
    assert begin_draft(tenant=acme, by="user:other").pk == made.pk
    found = draft_of(acme)
    assert found is not None and (found.based_on, found.edited_by, found.errors) == (1, BY, {})
    assert found.rules["rules"][0]["name"] == EVERY_ORDER
    assert draft_of(globex) is None


@pytest.mark.parametrize(
    "rules", [DEFAULT_RULES, {}, {"payment_processing_minutes": 0.5, "order_fulfillment_hours": None}]
)
def test_flat_form_as_a_rule_judges_the_same(rules: Any) -> None:
    start = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    detail = {"promise": (start + timedelta(hours=2)).isoformat()}
    kinds = ("order_created", "payment_confirmed", "inventory_allocated")
    facts = [Fact("wms", kind, kind, start, start, detail if kind == "order_created" else None) for kind in kinds]
    for now in (start, start + timedelta(hours=3), start + timedelta(days=9)):
        flat, formed = (
            fold(facts, [PolicyVersion(1, start, parse_policy(form))], now) for form in (rules, as_rules(rules))
        )
        assert formed._replace(rule="") == flat


def test_change_from_an_older_revision_is_refused_and_changes_nothing(acme: Tenant) -> None:
    made = begin_draft(tenant=acme, by=BY)
    change_draft(tenant=acme, revision=made.revision, rules=RULES, by=BY)
    with pytest.raises(StaleDraft):
        change_draft(tenant=acme, revision=made.revision, rules={"rules": []}, by=BY)
    found = draft_of(acme)
    assert found is not None and (found.rules, found.revision) == (RULES, made.revision + 1)


def test_draft_that_cannot_be_used_is_kept_but_not_published(acme: Tenant) -> None:
    found = drafted(acme, UNUSABLE)
    assert found.policy is None and list(found.errors) == ["rules[1].when"]
    before = versions(acme)
    with pytest.raises(PolicyError):
        publish_draft(tenant=acme, revision=found.revision)
    assert versions(acme) == before and draft_of(acme) == found


@pytest.mark.parametrize("ahead", [timedelta(hours=-1), timedelta(days=400)])
def test_draft_starts_neither_in_the_past_nor_in_a_far_future(acme: Tenant, ahead: timedelta) -> None:
    found, before = drafted(acme), versions(acme)
    with pytest.raises(ValidationError) as wrong:
        publish_draft(tenant=acme, revision=found.revision, starts_at=datetime.now(UTC) + ahead)
    assert "starts_at" in wrong.value.message_dict
    assert versions(acme) == before and draft_of(acme) == found


def test_published_draft_is_the_next_version_and_gone(acme: Tenant) -> None:
    found = drafted(acme)
    made = publish_draft(tenant=acme, revision=found.revision, note="eight hours", by=BY)
    assert (made.version, made.rules, made.note, made.created_by) == (2, RULES, "eight hours", BY)
    assert draft_of(acme) is None
    with pytest.raises(NoDraft):
        publish_draft(tenant=acme, revision=found.revision)
    assert len(versions(acme)) == 2


def test_discarded_draft_is_gone_and_an_old_page_changes_no_new_one(acme: Tenant) -> None:
    old = drafted(acme)
    discard_draft(tenant=acme, revision=old.revision)
    assert draft_of(acme) is None
    begin_draft(tenant=acme, by=BY)
    for act in (discard_draft, publish_draft):
        with pytest.raises(StaleDraft):
            act(tenant=acme, revision=old.revision)
    assert draft_of(acme) is not None and len(versions(acme)) == 1


@pytest.mark.parametrize(
    "act", [discard_draft, publish_draft, lambda **words: change_draft(rules=RULES, by=BY, **words)]
)
def test_anothers_draft_is_out_of_reach(acme: Tenant, globex: Tenant, act: Callable[..., Any]) -> None:
    found, before = drafted(acme), versions(globex)
    with pytest.raises(NoDraft):
        act(tenant=globex, revision=found.revision)
    assert draft_of(acme) == found and versions(globex) == before


def test_older_version_comes_back_as_a_new_one(acme: Tenant) -> None:
    publish_policy(tenant=acme, rules=RULES)
    made = restore_version(tenant=acme, version=1, by=BY)
    assert (made.version, made.note, made.created_by) == (3, "Back to version 1", BY)
    assert [rules for _, rules in versions(acme)] == [made.rules, RULES, made.rules]


@pytest.mark.parametrize(("version", "trouble"), [(1, SameVersion), (9, NoSuchVersion)])
def test_version_that_would_change_nothing_is_not_put_in_force(acme: Tenant, version: int, trouble: Any) -> None:
    before = versions(acme)
    with pytest.raises(trouble):
        restore_version(tenant=acme, version=version, by=BY)
    assert versions(acme) == before


def test_drafts_leave_a_history(acme: Tenant) -> None:
    found = drafted(acme)
    key = PolicyDraft.objects.get().pk
    discard_draft(tenant=acme, revision=found.revision)
    rows = PolicyDraft.pgh_event_model.objects.filter(pgh_obj_id=key).order_by("pgh_id")  # type: ignore[attr-defined]
    assert [(row.pgh_label, row.edited_by) for row in rows] == [("added", BY), ("changed", BY), ("removed", BY)]


def test_of_two_who_publish_at_once_one_does(committed: None) -> None:
    acme = Tenant.objects.get(slug="acme")
    found = drafted(acme)
    troubles = at_once(lambda: publish_draft(tenant=acme, revision=found.revision))
    assert troubles == [NoDraft] and [version for version, _ in versions(acme)] == [1, 2]


def test_of_two_who_change_at_once_the_second_is_told(committed: None) -> None:
    acme = Tenant.objects.get(slug="acme")
    found = drafted(acme)
    troubles = at_once(lambda: change_draft(tenant=acme, revision=found.revision, rules=RULES, by=BY))
    now = draft_of(acme)
    assert troubles == [StaleDraft] and now is not None and now.revision == found.revision + 1


def test_of_two_who_begin_at_once_both_get_the_same(committed: None) -> None:
    acme = Tenant.objects.get(slug="acme")
    assert at_once(lambda: begin_draft(tenant=acme, by=BY)) == []
    assert PolicyDraft.objects.count() == 1


def at_once(act: Callable[[], Any]) -> list[type[Exception]]:
    """By two threads, each on a connection of its own. Returns what was raised."""
    start = Barrier(2)

    def run(_: int) -> type[Exception] | None:
        try:
            start.wait()
            act()
        except Exception as trouble:
            return type(trouble)
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(2) as pool:
        return [trouble for trouble in pool.map(run, range(2)) if trouble]
