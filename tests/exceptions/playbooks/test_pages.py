"""The pages of playbooks, actions, approvals, targets and messages: what each role sees and may do."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import schema_context

from exceptions.models import ExceptionRecord
from exceptions.playbooks.library import install_defaults, newest
from exceptions.playbooks.models import Attempt, DryRun, Playbook
from tenants.models import Role, Tenant
from tenants.outgoing.models import OutgoingTarget
from tests.exceptions.cast import NOW
from tests.exceptions.deliveries.test_sending import hook, target
from tests.exceptions.playbooks.cast import RELEASE, TAG, Team, exception_of, playbook, shop_at, source_of, step
from tests.tenants.cast import make_member, signed_in

HTMX = {"HTTP_HX_REQUEST": "true"}
SUGGESTED = TAG | {"mode": "suggest"}
REFUND = step("shopify_refund", "approve", approver="manager")


@pytest.fixture
def team(acme: Tenant, tmp_path: Path) -> Team:
    source_of(acme)
    return Team(acme, shop_at(tmp_path, 30))


def client_of(tenant: Tenant, role: str) -> Client:
    return signed_in(tenant, make_member(tenant, role, role=role))


@pytest.fixture
def manager(acme: Tenant) -> Client:
    return client_of(acme, Role.MANAGER)


@pytest.fixture
def operator(acme: Tenant) -> Client:
    return client_of(acme, Role.OPERATOR)


@pytest.fixture
def viewer(acme: Tenant) -> Client:
    return client_of(acme, Role.VIEWER)


def planned(team: Team, *steps: dict[str, Any], order: dict[str, Any] | None = None) -> ExceptionRecord:
    with schema_context("acme"):
        record = exception_of(order or team.shop.open())
        playbook(team.tenant, *steps)
        team.round()
        return record


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:2000]
    return str(answer.content.decode())


def attempts() -> list[tuple[str, str]]:
    with schema_context("acme"):
        return list(Attempt.objects.order_by("pk").values_list("kind", "state"))


def test_an_exceptions_actions_are_shown_step_by_step(team: Team, viewer: Client) -> None:
    record = planned(team, TAG, RELEASE, SUGGESTED, order=team.shop.held("INCORRECT_ADDRESS"))
    page = text_of(viewer.get(f"/exceptions/{record.pk}/actions/"))
    for part in (
        "Playbook mend, version 1", "Tag the order in the shop", "Done", "Release the shop&#x27;s holds",
        "Waits for what it should lead to", "It should lead to the corrected address.", "Next: Tag the order in the shop",
        "1 of at most 3 tries to solve it.", "mutation E2ATag",
    ):  # fmt: skip
        assert part in page
    for act in ("Run it", "/reject/", "Do something"):
        assert act not in page
    assert "<html" not in text_of(viewer.get(f"/exceptions/{record.pk}/actions/", **HTMX))
    assert viewer.get("/exceptions/999999/actions/").status_code == 404


def test_one_button_runs_what_is_suggested(team: Team, operator: Client) -> None:
    record = planned(team, SUGGESTED)
    with schema_context("acme"):
        attempt = Attempt.objects.get()
    page = text_of(operator.get(f"/exceptions/{record.pk}/actions/"))
    assert "Run it" in page and "Skip" in page
    answer = operator.post(f"/exceptions/{record.pk}/actions/{attempt.pk}/approve/", **HTMX)
    assert (answer.status_code, attempts()) == (204, [("shopify_tag", "planned")])
    again = operator.post(f"/exceptions/{record.pk}/actions/{attempt.pk}/approve/", **HTMX)
    assert again.status_code == 409


def test_what_is_skipped_is_rejected(team: Team, operator: Client) -> None:
    record = planned(team, SUGGESTED)
    with schema_context("acme"):
        attempt = Attempt.objects.get()
    operator.post(f"/exceptions/{record.pk}/actions/{attempt.pk}/reject/", **HTMX)
    assert attempts() == [("shopify_tag", "rejected")]


def test_the_queue_shows_what_waits_and_a_manager_approves_from_it(
    team: Team, operator: Client, manager: Client
) -> None:
    record = planned(team, REFUND)
    with schema_context("acme"):
        attempt = Attempt.objects.get()
    page = text_of(operator.get("/approvals/"))
    assert "Needs a manager." in page and "At stake: " in page and "It cannot be undone." in page
    assert operator.post(f"/exceptions/{record.pk}/actions/{attempt.pk}/approve/", **HTMX).status_code == 403
    assert attempts() == [("shopify_refund", "awaiting")]
    manager.post(f"/exceptions/{record.pk}/actions/{attempt.pk}/approve/", **HTMX)
    assert attempts() == [("shopify_refund", "planned")]
    assert "Nothing waits for you" in text_of(operator.get("/approvals/"))


def test_the_exact_call_is_seen_before_it_is_agreed_to(team: Team, operator: Client, viewer: Client) -> None:
    record = planned(team, REFUND)
    with schema_context("acme"):
        attempt = Attempt.objects.get()
    address = f"/exceptions/{record.pk}/actions/{attempt.pk}/try/"
    assert address in text_of(operator.get("/approvals/"))
    assert viewer.post(address).status_code == 403
    answer = operator.post(address)
    assert (answer.status_code, answer["Location"]) == (302, f"/exceptions/{record.pk}/")
    assert operator.post(f"/exceptions/{record.pk + 1}/actions/{attempt.pk}/try/").status_code == 404
    with schema_context("acme"):
        team.round()
        assert DryRun.objects.get().kind == "shopify_refund"
    page = text_of(operator.get(f"/exceptions/{record.pk}/actions/"))
    assert "refundCreate" in page and "Money it moves" in page and "nothing was done" in page
    assert attempts() == [("shopify_refund", "awaiting")]
    assert "refundCreate" not in team.shop.mutations()


def test_what_is_missing_is_asked_for(team: Team, operator: Client) -> None:
    record = planned(team, step("shopify_address", "approve"))
    with schema_context("acme"):
        attempt = Attempt.objects.get()
    address = f"/exceptions/{record.pk}/actions/{attempt.pk}/approve/"
    assert "ZIP code" in text_of(operator.get(address))
    part = {"p_address_address1": "Rua 1", "p_address_city": "Porto", "p_address_zip": "4000"}
    assert "This field is required" in text_of(operator.post(address, part), 422)
    assert "two capital letters" in text_of(operator.post(address, {**part, "p_address_countryCode": "Portugal"}), 422)
    answer = operator.post(address, {**part, "p_address_countryCode": "PT"})
    assert (answer.status_code, attempts()) == (302, [("shopify_address", "planned")])


def test_an_action_of_ones_own_is_chosen_tried_dry_and_run(team: Team, operator: Client) -> None:
    record = planned(team, TAG)
    kinds = text_of(operator.get(f"/exceptions/{record.pk}/actions/new/"))
    assert "Refund the order" in kinds and "Cannot be undone" in kinds
    address = f"/exceptions/{record.pk}/actions/new/shopify_tag/"
    assert "With commas between." in text_of(operator.get(address))
    assert "This field is required" in text_of(operator.post(address, {}), 422)
    answer = operator.post(address, {"p_tags": "one, two", "dry": "1"})
    assert (answer.status_code, answer["Location"]) == (302, f"/exceptions/{record.pk}/")
    assert "A worker looks at the order" in text_of(operator.get(f"/exceptions/{record.pk}/actions/"))
    with schema_context("acme"):
        team.round()
        assert DryRun.objects.get().parameters == {"tags": ["one", "two"]}
    page = text_of(operator.get(f"/exceptions/{record.pk}/actions/"))
    assert "about 10 points" in page and "tagsAdd" in page and "nothing was done" in page
    operator.post(address, {"p_tags": "one", "reason": "asked"})
    assert attempts() == [("shopify_tag", "done"), ("shopify_tag", "planned")]
    assert operator.get(f"/exceptions/{record.pk}/actions/new/dance/").status_code == 422


def test_a_stopped_playbook_says_why_and_goes_on_by_a_button(team: Team, operator: Client) -> None:
    record = planned(team, TAG)
    with schema_context("acme"):
        ExceptionRecord.objects.update(resolution_blocked=True, resolution_blocked_reason="Three tries <b>failed</b>.")
    page = text_of(operator.get(f"/exceptions/{record.pk}/actions/"))
    assert "Three tries &lt;b&gt;failed&lt;/b&gt;." in page and "I have looked" in page
    assert operator.post(f"/exceptions/{record.pk}/unblock/", **HTMX).status_code == 204
    assert operator.post(f"/exceptions/{record.pk}/unblock/", **HTMX).status_code == 409


def test_playbooks_are_listed_with_their_steps_and_how_they_went(team: Team, viewer: Client, manager: Client) -> None:
    planned(team, TAG)
    page = text_of(viewer.get("/playbooks/"))
    assert "Address invalid" in page and "mend, version 1" in page and "How actions went" in page
    assert "Install ours" not in page
    assert "Install ours where there is none" in text_of(manager.get("/playbooks/"))
    manager.post("/playbooks/install/", **HTMX)
    with schema_context("acme"):
        assert Playbook.objects.count() == 10
    page = text_of(viewer.get("/playbooks/PAYMENT_FAILED/"))
    for part in (
        "By itself.", "Expects the payment within 1 day", "After a manager has approved, two of them above 200.00.",
        "Only if: order created or paid or allocated.",
    ):  # fmt: skip
        assert part in page
    assert viewer.get("/playbooks/RAIN/").status_code == 404


def test_queries_do_not_grow_with_the_lists(team: Team, viewer: Client) -> None:
    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            text_of(viewer.get(path))
        return len(caught)

    planned(team, REFUND)
    with schema_context("acme"):
        hook("m0")
    paths = ("/playbooks/", "/approvals/", "/deliveries/", "/targets/")
    before = {path: count(path) for path in paths}
    with schema_context("acme"):
        for number, order in enumerate(team.shop.orders()[:6]):
            exception_of(order)
            hook(f"m{number + 1}")
        team.round()
        install_defaults(tenant=team.tenant, actor="x", now=NOW)
    for number in range(3):
        target(team.tenant, "webhook", f"t{number}")
    assert {path: count(path) for path in paths} == before
    assert max(before.values()) <= 14


STEP = {
    "p_tags": "late, e2a", "p_note": "", "mode": "approve", "approver": "manager", "delay_minutes": "5",
    "expects": ["order_fulfilled"], "within": "6", "within_unit": "60", "severity_at_least": "HIGH", "version": "0",
}  # fmt: skip


def steps(reason: str = "PAYMENT_DELAY") -> list[dict[str, Any]]:
    with schema_context("acme"):
        book = newest(reason)
        return list(book.steps) if book else []


def test_a_step_is_added_edited_moved_and_removed(manager: Client) -> None:
    assert "Refund the order" in text_of(manager.get("/playbooks/PAYMENT_DELAY/steps/new/"))
    assert manager.post("/playbooks/PAYMENT_DELAY/steps/new/shopify_tag/", STEP).status_code == 302
    made = {
        "kind": "shopify_tag", "parameters": {"tags": ["late", "e2a"]}, "mode": "approve", "approver": "manager",
        "delay_minutes": 5, "when": {"severity_at_least": "HIGH"}, "expects": ["order_fulfilled"], "within_minutes": 360,
    }  # fmt: skip
    assert steps() == [made]
    page = text_of(manager.get("/playbooks/PAYMENT_DELAY/steps/0/"))
    assert 'value="late, e2a"' in page and 'value="6"' in page
    manager.post("/playbooks/PAYMENT_DELAY/steps/0/", {**STEP, "mode": "automatic", "version": "1"})
    assert steps() == [{**{key: value for key, value in made.items() if key != "approver"}, "mode": "automatic"}]
    manager.post("/playbooks/PAYMENT_DELAY/steps/new/wait/", {**STEP, "mode": "automatic", "version": "2"})
    manager.post("/playbooks/PAYMENT_DELAY/steps/1/up/", {"version": "3"})
    assert [item["kind"] for item in steps()] == ["wait", "shopify_tag"]
    manager.post("/playbooks/PAYMENT_DELAY/steps/0/mode/", {"version": "4", "mode": "off"})
    assert steps()[0]["mode"] == "off"
    manager.post("/playbooks/PAYMENT_DELAY/steps/0/remove/", {"version": "5"})
    assert [item["kind"] for item in steps()] == ["shopify_tag"]
    manager.post("/playbooks/PAYMENT_DELAY/versions/4/restore/", {"version": "6"})
    assert [item["kind"] for item in steps()] == ["wait", "shopify_tag"]
    manager.post("/playbooks/PAYMENT_DELAY/switch/", {"enabled": "0"})
    with schema_context("acme"):
        book = newest("PAYMENT_DELAY")
        assert book is not None and (book.version, book.enabled, book.created_by) == (8, False, "user:manager")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"p_tags": ""}, "This field is required"),
        ({"p_tags": "x" * 50}, "each of at most 40 characters"),
        ({"within": ""}, "Say within how many whole minutes"),
        ({"mode": "always"}, "Select a valid choice"),
    ],
)
def test_a_wrong_step_gets_a_sentence_and_is_not_kept(manager: Client, change: dict[str, str], sentence: str) -> None:
    page = text_of(manager.post("/playbooks/PAYMENT_DELAY/steps/new/shopify_tag/", {**STEP, **change}), 422)
    assert sentence in page
    assert steps() == []


def test_who_edits_what_somebody_else_has_changed_is_told(manager: Client) -> None:
    for _ in range(2):
        answer = manager.post("/playbooks/PAYMENT_DELAY/steps/new/shopify_tag/", STEP)
    assert (answer.status_code, len(steps())) == (409, 1)


def test_cancelling_cannot_be_set_to_run_by_itself(manager: Client) -> None:
    page = text_of(manager.get("/playbooks/PAYMENT_DELAY/steps/new/shopify_cancel/"))
    assert 'value="automatic"' not in page
    form = {"p_reason": "OTHER", "mode": "approve", "approver": "manager", "two_above": "100", "version": "0"}
    manager.post("/playbooks/PAYMENT_DELAY/steps/new/shopify_cancel/", form)
    assert steps()[0]["two_people_above_cents"] == 10000
    answer = manager.post("/playbooks/PAYMENT_DELAY/steps/0/mode/", {"version": "1", "mode": "automatic"}, **HTMX)
    assert (answer.status_code, steps()[0]["mode"]) == (422, "approve")


EDITS = (
    "/playbooks/install/", "/playbooks/ADDRESS_INVALID/switch/", "/playbooks/ADDRESS_INVALID/steps/new/wait/",
    "/playbooks/ADDRESS_INVALID/steps/0/", "/playbooks/ADDRESS_INVALID/steps/0/mode/",
    "/playbooks/ADDRESS_INVALID/steps/0/remove/", "/playbooks/ADDRESS_INVALID/versions/1/restore/", "/targets/new/",
    "/targets/ops/change/", "/targets/ops/switch/", "/targets/ops/rotate/", "/targets/ops/remove/",
)  # fmt: skip


def test_only_managers_edit_and_only_operators_act(team: Team, operator: Client, viewer: Client) -> None:
    record = planned(team, SUGGESTED)
    target(team.tenant, "webhook")
    with schema_context("acme"):
        attempt, row = Attempt.objects.get(), hook()
    for path in EDITS:
        assert operator.post(path).status_code == 403, path
    acts = (f"/exceptions/{record.pk}/actions/{attempt.pk}/approve/", f"/exceptions/{record.pk}/unblock/")
    for path in (*acts, f"/exceptions/{record.pk}/actions/new/shopify_tag/", f"/deliveries/{row.pk}/resend/"):
        assert viewer.post(path).status_code == 403, path
    with schema_context("acme"):
        assert (Playbook.objects.count(), OutgoingTarget.objects.count(), attempts()) == (
            1,
            1,
            [("shopify_tag", "suggested")],
        )


def test_targets_are_added_shown_once_and_changed(manager: Client, viewer: Client) -> None:
    form = {"name": "wms", "channel": "webhook", "address": "http://127.0.0.1:9/secret-path"}
    page = text_of(manager.post("/targets/new/", form))
    row = OutgoingTarget.objects.get()
    assert row.secret in page
    listed = text_of(viewer.get("/targets/"))
    assert "http://127.0.0.1/…" in listed
    assert not any(word in listed for word in ("secret-path", row.secret, "Remove"))
    assert "target of this name already" in text_of(manager.post("/targets/new/", form), 422)
    assert "begins with https" in text_of(manager.post("/targets/wms/change/", {"address": "ftp://x"}), 422)
    manager.post("/targets/wms/change/", {"address": "http://127.0.0.1:10/other"})
    rotated = text_of(manager.post("/targets/wms/rotate/"))
    row.refresh_from_db()
    assert (row.address, row.secret in rotated) == ("http://127.0.0.1:10/other", True)
    manager.post("/targets/wms/switch/", {"active": "0"})
    manager.post("/targets/wms/remove/")
    assert "No target yet" in text_of(viewer.get("/targets/"))


def test_messages_are_shown_with_their_tries_and_sent_again(operator: Client, acme: Tenant) -> None:
    with schema_context("acme"):
        row = hook()
        line = {"at": "2026-11-24T10:00:00+00:00", "outcome": "failed", "answer": "<b>410</b>", "ms": 12}
        type(row).objects.update(state="failed", due_at=None, ended_at=row.created_at, log=[line], tries=1)
    page = text_of(operator.get("/deliveries/?state=failed"))
    assert "&lt;b&gt;410&lt;/b&gt;" in page and "Send again" in page
    assert operator.post(f"/deliveries/{row.pk}/resend/", **HTMX).status_code == 204
    assert operator.post(f"/deliveries/{row.pk}/resend/", **HTMX).status_code == 409


def test_another_tenants_pages_show_nothing_of_it(team: Team, globex: Tenant) -> None:
    record = planned(team, SUGGESTED)
    target(team.tenant, "webhook", "secret-name")
    with schema_context("acme"):
        attempt, row = Attempt.objects.get(), hook()
    client = client_of(globex, Role.MANAGER)
    for path in ("/approvals/", "/playbooks/", "/targets/", "/deliveries/", "/playbooks/ADDRESS_INVALID/"):
        page = text_of(client.get(path))
        assert not any(word in page for word in (record.order_ref, "mend", "secret-name"))
    for path in (f"/exceptions/{record.pk}/actions/", f"/exceptions/{record.pk}/actions/new/wait/"):
        assert client.get(path).status_code == 404
    for path in (
        f"/exceptions/{record.pk}/actions/{attempt.pk}/approve/", f"/exceptions/{record.pk}/unblock/",
        "/targets/secret-name/remove/", "/playbooks/ADDRESS_INVALID/steps/0/remove/",
    ):  # fmt: skip
        assert client.post(path).status_code == 404, path
    assert client.post(f"/deliveries/{row.pk}/resend/").status_code == 409
    assert attempts() == [("shopify_tag", "suggested")]
