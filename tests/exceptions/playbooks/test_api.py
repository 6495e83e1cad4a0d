"""/api/exceptions/ID/actions, /api/playbooks, /api/targets, /api/deliveries, and what another tenant sees of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django_tenants.utils import schema_context

from exceptions.models import ExceptionRecord
from exceptions.playbooks.models import Attempt, DryRun, Playbook
from tenants.models import Tenant
from tenants.outgoing.models import OutgoingTarget
from tests.exceptions.cast import make_member, resolved
from tests.exceptions.deliveries.test_sending import hook, target
from tests.exceptions.playbooks.cast import TAG, Team, exception_of, playbook, shop_at, source_of
from tests.programs import program

SUGGESTED = TAG | {"mode": "suggest"}


@pytest.fixture
def team(acme: Tenant, tmp_path: Path) -> Team:
    source_of(acme)
    return Team(acme, shop_at(tmp_path, 30))


@pytest.fixture
def record(team: Team) -> ExceptionRecord:
    with schema_context("acme"):
        found = exception_of(team.shop.open())
        playbook(team.tenant, SUGGESTED)
        team.round()
        return found


@pytest.fixture
def api(acme: Tenant) -> Client:
    return program("acme", "read", "operate", "admin")


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    return client.generic(method, path, json.dumps(body) if body is not None else "", content_type="application/json")


def decide(client: Client, record: ExceptionRecord, **body: Any) -> Any:
    return send(client, "POST", f"/api/exceptions/{record.pk}/actions", body)


def test_actions_are_listed_with_the_exception_and_run_by_a_word(
    api: Client, team: Team, record: ExceptionRecord
) -> None:
    (action,) = api.get(f"/api/exceptions/{record.pk}").json()["actions"]
    assert (action["kind"], action["state"], action["playbook"], action["undoable"]) == (
        "shopify_tag",
        "suggested",
        "mend",
        True,
    )
    answer = decide(api, record, action="approve", attempt=action["id"], reason="go")
    assert (answer.status_code, answer.json()["results"][0]["state"]) == (200, "planned")
    with schema_context("acme"):
        team.round()
    detail = api.get(f"/api/exceptions/{record.pk}").json()
    assert detail["actions"][0]["state"] == "done"
    assert detail["actions"][0]["request"]["calls"][0]["variables"]["tags"] == ["late"]
    assert (detail["resolution_attempts"], detail["resolution_blocked"]) == (0, False)
    assert [entry["kind"] for entry in detail["timeline"]] == [
        "opened",
        "action_suggested",
        "action_approved",
        "action_done",
    ]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"action": "approve"}, 422, "attempt"),
        ({"action": "run"}, 422, "kind"),
        ({"action": "dance"}, 422, "action"),
        ({"action": "run", "kind": "dance"}, 422, "kind"),
        ({"action": "run", "kind": "shopify_tag"}, 422, "parameters.tags"),
        ({"action": "run", "kind": "shopify_tag", "parameters": {"tags": ["a\x00b"]}}, 422, "parameters.tags"),
        ({"action": "run", "kind": "hold", "parameters": {"reason": "\ud800"}}, 422, None),
        ({"action": "approve", "attempt": 99}, 404, None),
        ({"action": "approve", "attempt": 2**62}, 404, None),
        ({"action": "unblock"}, 409, None),
    ],
)
def test_what_cannot_be_decided_is_refused_and_changes_nothing(
    api: Client, record: ExceptionRecord, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = decide(api, record, **body)
    assert answer.status_code == status
    assert field is None or list(answer.json()["errors"]) == [field]
    with schema_context("acme"):
        assert list(Attempt.objects.values_list("state", flat=True)) == ["suggested"]


def test_a_reader_may_look_and_not_decide(acme: Tenant, record: ExceptionRecord) -> None:
    reader = program("acme", "read")
    assert reader.get(f"/api/exceptions/{record.pk}/actions").status_code == 200
    assert decide(reader, record, action="run", kind="shopify_tag", parameters={"tags": ["x"]}).status_code == 403
    assert send(reader, "PUT", "/api/playbooks/PAYMENT_DELAY", {}).status_code == 403
    assert send(reader, "POST", "/api/targets", {}).status_code == 403


def test_an_exception_that_is_over_takes_no_action(api: Client, record: ExceptionRecord) -> None:
    with schema_context("acme"):
        ExceptionRecord.objects.update(**resolved())
    assert decide(api, record, action="run", kind="shopify_tag", parameters={"tags": ["x"]}).status_code == 409


def test_a_dry_run_is_asked_and_answered_by_a_worker(api: Client, team: Team, record: ExceptionRecord) -> None:
    answer = decide(api, record, action="dry-run", kind="shopify_refund")
    assert (answer.status_code, answer.json()["possible"]) == (202, None)
    with schema_context("acme"):
        team.round()
    found = api.get(f"/api/exceptions/{record.pk}/dry-runs/{answer.json()['id']}").json()
    assert (found["possible"], found["undo"], found["currency"]) == (True, "It cannot be undone.", "EUR")
    assert found["money_cents"] > 0 and "refundCreate" in found["request"]["calls"][0]["query"]
    assert team.shop.mutations() == []
    at_once = decide(api, record, action="dry-run", kind="hold", parameters={"reason": "x"}).json()
    assert (at_once["possible"], at_once["request"]) == (True, {"event": "order_held", "reason": "x"})


def test_only_the_newest_dry_runs_are_kept(api: Client, record: ExceptionRecord) -> None:
    for _ in range(12):
        decide(api, record, action="dry-run", kind="hold", parameters={"reason": "x"})
    with schema_context("acme"):
        assert DryRun.objects.count() == 10


def test_playbooks_are_read_and_written_with_their_versions(api: Client) -> None:
    body = {"name": "remind", "steps": [TAG], "based_on": 0}
    made = send(api, "PUT", "/api/playbooks/PAYMENT_DELAY", body).json()
    assert (made["version"], made["enabled"], made["created_by"][:4]) == (1, True, "key:")
    assert send(api, "PUT", "/api/playbooks/PAYMENT_DELAY", body).status_code == 409
    assert send(api, "DELETE", "/api/playbooks/PAYMENT_DELAY").json()["enabled"] is False
    versions = api.get("/api/playbooks/PAYMENT_DELAY/versions").json()["results"]
    assert [row["version"] for row in versions] == [2, 1]
    wrong = send(
        api, "PUT", "/api/playbooks/PAYMENT_DELAY", {"name": "x", "steps": [{"kind": "wait", "mode": "automatic"}]}
    )
    assert (wrong.status_code, list(wrong.json()["errors"])) == (422, ["steps.0.expects"])
    assert api.get("/api/playbooks/PAYMENT_FAILED").status_code == 404
    assert len(send(api, "POST", "/api/playbooks").json()["results"]) == 9
    assert len(api.get("/api/playbooks").json()["results"]) == 10
    kinds = api.get("/api/playbooks/kinds").json()["results"]
    assert [kind["name"] for kind in kinds if kind["irreversible"]] == ["shopify_refund", "shopify_cancel"]


def test_outcomes_are_what_the_orders_said(api: Client, team: Team, record: ExceptionRecord) -> None:
    with schema_context("acme"):
        states = ["fulfilled", "fulfilled", "fulfilled", "missed", "failed", "expecting"]
        for state in states:
            Attempt.objects.create(
                exception=record, order=record.order, kind="wait", mode="automatic", actor="playbook:mend", state=state,
                due_at=team.clock(), sent_at=team.clock(),
            )  # fmt: skip
    (row,) = api.get("/api/playbooks/outcomes").json()["results"]
    assert row == {
        "kind": "wait", "title": "Wait for an event", "done": 6, "fulfilled": 3, "missed": 1, "failed": 1, "uncertain": 0,
        "waiting": 1, "success_rate": 0.75,
    }  # fmt: skip


def test_targets_are_made_shown_without_their_path_changed_and_removed(api: Client) -> None:
    body = {"name": "wms", "channel": "webhook", "address": "http://127.0.0.1:9/secret/path"}
    made = send(api, "POST", "/api/targets", body)
    assert (made.status_code, made.json()["secret"][:6], made.json()["address"]) == (
        201,
        "whsec_",
        "http://127.0.0.1/…",
    )
    assert send(api, "POST", "/api/targets", body).json()["errors"] == {
        "name": ["There is a target of this name already."]
    }
    assert "secret" not in api.get("/api/targets/wms").json()
    rotated = send(api, "POST", "/api/targets/wms/rotate").json()["secret"]
    row = OutgoingTarget.objects.get()
    assert (row.secret, row.old_secret) == (rotated, made.json()["secret"])
    assert send(api, "PATCH", "/api/targets/wms", {"active": False}).json()["active"] is False
    assert send(api, "DELETE", "/api/targets/wms").status_code == 204
    assert api.get("/api/targets").json() == {"results": []}


@pytest.mark.parametrize(
    ("channel", "address", "sentence"),
    [
        ("webhook", "ftp://x.example/", "Give an address that begins with https://."),
        ("webhook", "https://u:p@x.example/", "Leave user name and password out of the address"),
        ("slack", "not an address", "Give an address that begins with https://."),
        ("email", "anna", "“anna” is no e-mail address."),
        ("email", ",", "Give 1 to 20 e-mail addresses"),
        ("fax", "123", "“fax” is no channel"),
    ],
)
def test_a_wrong_target_is_refused_with_a_sentence(api: Client, channel: str, address: str, sentence: str) -> None:
    answer = send(api, "POST", "/api/targets", {"name": "t", "channel": channel, "address": address})
    assert answer.status_code == 422
    ((text, *_),) = answer.json()["errors"].values()
    assert text.startswith(sentence)
    assert OutgoingTarget.objects.count() == 0


@pytest.mark.parametrize(
    "address",
    ["https://127.0.0.1/", "https://localhost/", "https://169.254.169.254/x", "https://[::1]/", "http://8.8.8.8/"],
)
def test_a_private_or_plain_address_is_refused_unless_the_installation_allows_it(
    api: Client, settings: Any, address: str
) -> None:
    settings.E2A_ALLOW_PRIVATE_OUTGOING = False
    answer = send(api, "POST", "/api/targets", {"name": "t", "channel": "webhook", "address": address})
    assert (answer.status_code, OutgoingTarget.objects.count()) == (422, 0)
    settings.E2A_ALLOW_PRIVATE_OUTGOING = True
    assert send(api, "POST", "/api/targets", {"name": "t", "channel": "webhook", "address": address}).status_code == 201


def test_deliveries_are_listed_with_their_tries_and_sent_again(api: Client) -> None:
    with schema_context("acme"):
        row = hook()
    (listed,) = api.get("/api/deliveries").json()["results"]
    assert (listed["state"], listed["key"], "content" in listed) == ("waiting", "m1", False)
    assert send(api, "POST", f"/api/deliveries/{row.pk}/retry").status_code == 409
    with schema_context("acme"):
        type(row).objects.update(state="failed", ended_at=row.created_at, due_at=None)
    assert send(api, "POST", f"/api/deliveries/{row.pk}/retry").json()["state"] == "waiting"
    assert send(api, "POST", "/api/deliveries/999/retry").status_code == 404


def test_another_tenant_sees_and_does_nothing(team: Team, record: ExceptionRecord, globex: Tenant) -> None:
    with schema_context("acme"):
        row = hook()
        attempt = Attempt.objects.get()
        make_member(team.tenant, "anna")
    target(team.tenant, "webhook", "wms")
    theirs = program("globex", "read", "operate", "admin")
    for path in ("/api/approvals", "/api/playbooks", "/api/targets", "/api/deliveries", "/api/playbooks/outcomes"):
        assert theirs.get(path).json() == {"results": []}
    assert theirs.get(f"/api/exceptions/{record.pk}/actions").status_code == 404
    assert decide(theirs, record, action="approve", attempt=attempt.pk).status_code == 404
    assert decide(theirs, record, action="run", kind="shopify_tag", parameters={"tags": ["x"]}).status_code == 404
    assert theirs.get("/api/playbooks/ADDRESS_INVALID").status_code == 404
    assert theirs.get("/api/targets/wms").status_code == 404
    assert send(theirs, "DELETE", "/api/targets/wms").status_code == 404
    assert send(theirs, "POST", "/api/targets/wms/rotate").status_code == 404
    assert send(theirs, "POST", f"/api/deliveries/{row.pk}/retry").status_code == 404
    with schema_context("acme"):
        assert (Attempt.objects.get().state, Playbook.objects.count()) == ("suggested", 1)
