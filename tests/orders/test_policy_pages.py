"""The pages of the policy: what each role sees and may do, what is refused, and that nothing of another tenant shows."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.pages.policy.calendar_fields import CalendarForm
from orders.pages.policy.rule_form import RuleForm
from orders.pages.policy.weights_fields import WeightsForm
from tenants.models import PolicyDraft, Role, SlaPolicy, Tenant
from tenants.selectors import draft_of
from tenants.services.drafts import begin_draft
from tenants.services.policies import publish_policy
from tests.orders.policy_cast import as_posted, client_of, draft_now, drafted, posted, state_of, text_of, whole

HTMX = {"HTTP_HX_REQUEST": "true"}
READABLE = ("/policy/", "/policy/versions/1/", "/policy/draft/")
EDITORS = (
    "rules/0/", "rules/new/", "weights/", "raises/0/", "raises/new/", "calendars/0/", "calendars/new/", "calendars/0/days/",
    "publish/",
)  # fmt: skip
ACTS = (
    "/policy/draft/begin/", "/policy/versions/1/restore/", "/policy/versions/1/withdraw/", "/policy/draft/discard/", "/policy/draft/publish/",
    "/policy/draft/rules/new/", "/policy/draft/rules/0/", "/policy/draft/rules/move/", "/policy/draft/rules/remove/",
    "/policy/draft/weights/", "/policy/draft/raises/0/", "/policy/draft/raises/new/", "/policy/draft/raises/0/remove/",
    "/policy/draft/calendars/0/", "/policy/draft/calendars/new/", "/policy/draft/calendars/0/remove/",
    "/policy/draft/calendars/0/days/add/", "/policy/draft/calendars/0/days/remove/",
    "/policy/draft/calendars/0/import/", "/policy/draft/calendars/0/import/take/",
)  # fmt: skip
EXAMPLE = {"x-at": "2026-11-27T13:59", "x-late": "1", "x-occurrences": "1", "x-warehouse": "LIS1"}


@pytest.fixture
def manager(acme: Tenant) -> Client:
    return client_of(acme)


@pytest.mark.parametrize("address", [*READABLE, *(f"/policy/draft/{page}" for page in EDITORS)])
def test_manager_sees_each_page(acme: Tenant, manager: Client, address: str) -> None:
    drafted(acme)
    assert "<html" in text_of(manager.get(address))
    assert "<html" not in text_of(manager.get(address, **HTMX))


def test_policy_reads_as_a_table(acme: Tenant, manager: Client) -> None:
    publish_policy(tenant=acme, rules=whole(), note="Working time in Lisbon", by="user:maria")
    page = text_of(manager.get("/policy/"))
    for part in (
        "Version 2 is in force", "Express", "Sales channel amazon or Zalando", "Order value from 100.00 EUR",
        "4 h of working time", "At risk after 75 % of it, opens an exception", "Preorders ship when the goods arrive.",
        "Received by Mon–Fri 14:00, Sat 11:00: end of that working day, else of the next", "Every hold pauses but for OTHER",
        "Mon–Fri 09:00–13:00 and 14:00–18:00, Sat 09:00–13:00", "Customer tier gold: 1 step more severe",
        "CRITICAL by more than 48 h", "Working time in Lisbon", "the beginning", "Put in force again", "Begin a draft",
    ):  # fmt: skip
        assert part in page, part
    assert "Try it on past orders" not in text_of(manager.get("/policy/versions/1/"))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_who_is_no_manager_reads_and_changes_nothing(acme: Tenant, role: str) -> None:
    drafted(acme)
    client, before = client_of(acme, role), state_of(acme)
    for page in READABLE:
        text = text_of(client.get(page))
        assert "Discard" not in text and "Put in force" not in text and "/rules/0/" not in text
    for page in EDITORS:
        text_of(client.get(f"/policy/draft/{page}"), 403)
    for act in ACTS:
        text_of(client.post(act, posted(acme, name="x", way="up", place=1, day=0)), 403)
    assert state_of(acme) == before


def test_another_tenants_policy_is_out_of_sight_and_reach(acme: Tenant, globex: Tenant) -> None:
    publish_policy(tenant=acme, rules=whole())
    found, before = drafted(acme), state_of(acme)
    client = client_of(globex)
    assert "Express" not in text_of(client.get("/policy/"))
    text_of(client.get("/policy/versions/2/"), 404)
    text_of(client.get("/policy/draft/"), 404)
    text_of(client.post("/policy/example/", {**EXAMPLE, "version": "2"}), 404)
    for act in ACTS[1:]:
        assert client.post(
            act, {"revision": found.revision, "way": "up", "place": "1", "day": "0", "days": "[]"}
        ).status_code in (404, 409), act
    assert state_of(acme) == before and draft_of(globex) is None


def test_draft_is_begun_and_found_again(acme: Tenant, manager: Client) -> None:
    assert manager.post("/policy/draft/begin/").headers["Location"] == "/policy/draft/"
    assert "Begun from version 1" in text_of(manager.get("/policy/draft/"))
    assert "The draft" in text_of(manager.get("/policy/"))
    assert draft_now(acme).edited_by == "user:acme-manager"


def test_rule_is_added_before_the_one_that_takes_every_order(acme: Tenant, manager: Client) -> None:
    drafted(acme)
    form = RuleForm(calendars=["lisbon"])
    data = as_posted(
        form, *form.targets, name="Gold", customer_tier="gold, vip", order_fulfillment__kind="working",
        order_fulfillment__amount="2", order_fulfillment__warn="share", order_fulfillment__warn_amount="50",
        order_fulfillment__opens="on", **posted(acme),
    )  # fmt: skip
    assert manager.post("/policy/draft/rules/new/", data).status_code == 302
    rules = draft_now(acme).rules["rules"]
    assert [rule["name"] for rule in rules] == ["Express", "Preorders", "Gold", "Others"]
    assert rules[2]["when"] == {"customer_tier": ["gold", "vip"]}
    assert rules[2]["targets"] == {
        "order_fulfillment": {"working_hours": 2, "warn": {"share": 0.5, "open_exception": True}},
        "delivery": {"promise": "promised_delivery_at"},
    }


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"name": "Others"}, "Another rule is called so"),
        ({"name": ""}, "A rule needs a name."),
        ({"delivery__kind": "length", "delivery__amount": "-1"}, "greater than 0, not -1"),
    ],
)
def test_rule_that_cannot_be_used_is_shown_again_and_not_saved(
    acme: Tenant, manager: Client, changed: Any, sentence: str
) -> None:
    found = drafted(acme)
    form, before = RuleForm(rule=found.rules["rules"][0], calendars=["lisbon"]), state_of(acme)
    answer = manager.post("/policy/draft/rules/0/", as_posted(form, *form.targets, **changed, **posted(acme)))
    text = text_of(answer, 422)
    assert text.count(sentence) == 2  # at its field, and above the form with the way there
    assert state_of(acme) == before


def test_all_that_is_wrong_in_a_rule_is_told_at_once(acme: Tenant, manager: Client) -> None:
    found = drafted(acme)
    form = RuleForm(rule=found.rules["rules"][0], calendars=["lisbon"])
    wrong = {"name": "", "order_fulfillment__amount": "soon", "shipping_preparation__amount": "-1"}
    text = text_of(manager.post("/policy/draft/rules/0/", as_posted(form, *form.targets, **wrong, **posted(acme))), 422)
    for sentence in ("A rule needs a name.", "greater than 0, not &#x27;soon&#x27;", "greater than 0, not -1"):
        assert text.count(sentence) == 2, sentence


def test_two_people_on_one_draft(acme: Tenant, manager: Client) -> None:
    """What the second typed stays on the page; nothing is saved."""
    found = drafted(acme)
    form = RuleForm(rule=found.rules["rules"][0], calendars=["lisbon"])
    data = as_posted(form, *form.targets, name="Mine", revision=found.revision)
    manager.post("/policy/draft/rules/remove/", posted(acme, place=1))
    before = state_of(acme)
    text = text_of(manager.post("/policy/draft/rules/0/", data), 422)
    assert "Somebody else changed the draft meanwhile" in text and 'value="Mine"' in text
    text_of(manager.post("/policy/draft/rules/remove/", {"place": 0, "revision": found.revision}), 409)
    text_of(manager.post("/policy/draft/rules/remove/", {"place": 0, "revision": "9" * 30}), 409)
    assert state_of(acme) == before


def test_rules_are_moved_and_what_is_out_of_reach_is_said(acme: Tenant, manager: Client) -> None:
    drafted(acme)
    answer = manager.post("/policy/draft/rules/move/", posted(acme, place=2, way="up"), **HTMX)
    assert answer.status_code == 204
    assert [rule["name"] for rule in draft_now(acme).rules["rules"]] == ["Express", "Others", "Preorders"]
    page = text_of(manager.get("/policy/draft/"))
    assert "No order can reach this rule" in page and "It cannot be published yet" in page
    assert "No order can reach this rule" in text_of(manager.get("/policy/draft/publish/"))
    before = state_of(acme)
    text_of(manager.post("/policy/draft/publish/", posted(acme)), 422)
    text_of(manager.post("/policy/draft/rules/move/", posted(acme, place=0, way="up")), 409)
    text_of(manager.post("/policy/draft/rules/move/", posted(acme, place=2, way="down")), 409)
    text_of(manager.post("/policy/draft/rules/move/", posted(acme, place=7, way="up")), 409)
    assert state_of(acme) == before


def test_last_rule_is_not_removed(acme: Tenant, manager: Client) -> None:
    drafted(acme, {"rules": [{"name": "All", "targets": {}}]})
    before = state_of(acme)
    text_of(manager.post("/policy/draft/rules/remove/", posted(acme, place=0)), 409)
    assert state_of(acme) == before


def test_draft_is_compared_and_published_later(acme: Tenant, manager: Client) -> None:
    rules = whole()
    drafted(acme, rules)
    text_of(manager.post("/policy/draft/publish/", posted(acme, note="first")), 302)
    del rules["rules"][1]
    rules["rules"][0]["targets"]["order_fulfillment"] = {"working_hours": 6}
    drafted(acme, rules)
    page = text_of(manager.get("/policy/draft/publish/"))
    for part in ("Changed since version 2", "6 h of working time", "Rule “Preorders”", "removed"):
        assert part in page
    start = (timezone.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    answer = manager.post("/policy/draft/publish/", posted(acme, starts_at=f"{start:%Y-%m-%dT%H:%M}", note="six hours"))
    assert answer.headers["Location"] == "/policy/"
    made = SlaPolicy.objects.get(tenant=acme, version=3)
    assert (made.valid_from, made.note, made.created_by, made.rules) == (start, "six hours", "user:acme-manager", rules)
    text = text_of(manager.get("/policy/"))
    assert "Version 2 is in force" in text and "planned" in text and "six hours" in text
    assert "Changed since version 2" in text_of(manager.get("/policy/versions/3/"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"starts_at": "2020-01-01T10:00"}, "A policy starts now or later"),
        ({"starts_at": "2099-01-01T10:00"}, "more than a year ahead"),
        ({"starts_at": "soon"}, "a day and a time such as"),
        ({"note": "x" * 201}, "at most 200 characters"),
        ({"revision": 1}, "Somebody else changed the draft meanwhile"),
    ],
)
def test_what_cannot_be_published_has_its_sentence(acme: Tenant, manager: Client, words: Any, sentence: str) -> None:
    drafted(acme)
    before = state_of(acme)
    assert sentence in text_of(manager.post("/policy/draft/publish/", {**posted(acme), **words}), 422)
    assert state_of(acme) == before


def test_version_published_meanwhile_is_told(acme: Tenant, manager: Client) -> None:
    drafted(acme)
    publish_policy(tenant=acme, rules={"order_fulfillment_hours": 5})
    assert "was published after this draft was begun from version 1" in text_of(manager.get("/policy/draft/publish/"))


def test_rolled_back_and_discarded(acme: Tenant, manager: Client) -> None:
    publish_policy(tenant=acme, rules=whole())
    text_of(manager.post("/policy/versions/1/restore/"), 302)
    assert "Back to version 1" in text_of(manager.get("/policy/"))
    before = state_of(acme)
    text_of(manager.post("/policy/versions/3/restore/"), 409)
    text_of(manager.post("/policy/versions/77/restore/"), 404)
    text_of(manager.post("/policy/versions/99999999999999999999/restore/"), 404)
    assert state_of(acme) == before
    drafted(acme)
    text_of(manager.post("/policy/draft/discard/", posted(acme)), 302)
    assert draft_of(acme) is None
    text_of(manager.get("/policy/draft/"), 404)


def planned(tenant: Tenant, *, hours: int, **ahead: float) -> SlaPolicy:
    return publish_policy(
        tenant=tenant, rules={"order_fulfillment_hours": hours}, starts_at=timezone.now() + timedelta(**ahead)
    )


def test_planned_version_is_withdrawn_and_its_number_not_given_again(
    acme: Tenant, globex: Tenant, manager: Client
) -> None:
    planned(globex, hours=7, days=3)
    assert planned(acme, hours=5, days=3).version == 2
    begin_draft(tenant=acme, by="user:maria")
    assert "Withdraw" in text_of(manager.get("/policy/versions/2/"))
    assert "Withdraw" not in text_of(manager.get("/policy/versions/1/"))
    assert manager.post("/policy/versions/2/withdraw/").headers["Location"] == "/policy/"
    assert list(acme.policies.values_list("version", flat=True)) == [1]
    assert globex.policies.count() == 2
    text_of(manager.get("/policy/versions/2/"), 404)
    text_of(manager.post("/policy/versions/2/withdraw/"), 404)
    page = text_of(manager.get("/policy/draft/publish/"))
    assert "Version 2, from which this draft was begun, was withdrawn" in page
    assert publish_policy(tenant=acme, rules={"order_fulfillment_hours": 6}).version == 3
    changes = apps.get_model("tenants", "SlaPolicyChange").objects.filter(tenant=acme.pk, version=2)
    assert list(changes.order_by("pgh_id").values_list("pgh_label", flat=True)) == ["added", "removed"]


def test_version_that_counts_or_is_about_to_is_not_withdrawn(acme: Tenant, manager: Client) -> None:
    publish_policy(tenant=acme, rules={"order_fulfillment_hours": 6})
    planned(acme, hours=5, seconds=40)
    before = state_of(acme)
    for version in (1, 2, 3):
        assert "keep the version they began under" in text_of(
            manager.post(f"/policy/versions/{version}/withdraw/"), 409
        )
    assert state_of(acme) == before


def test_weights_are_saved(acme: Tenant, manager: Client) -> None:
    rules = drafted(acme).rules
    data = as_posted(*WeightsForm(rules=rules).parts, tiers="gold 30", points__CRITICAL="300", **posted(acme))
    assert manager.post("/policy/draft/weights/", data).status_code == 302
    policy = draft_now(acme).policy
    assert policy is not None and (policy.priority.tiers, policy.priority.severity["CRITICAL"]) == ({"gold": 30}, 300)
    before = state_of(acme)
    data = as_posted(*WeightsForm(rules=rules).parts, repeat="-1", **posted(acme))
    text_of(manager.post("/policy/draft/weights/", data), 422)
    assert state_of(acme) == before


def test_orders_that_count_more_are_added_changed_and_removed(acme: Tenant, manager: Client) -> None:
    drafted(acme)
    manager.post("/policy/draft/raises/new/", posted(acme, tag="vip", by="2"))
    manager.post("/policy/draft/raises/0/", posted(acme, customer_tier="silver", by="1"))
    assert draft_now(acme).rules["severity"]["raise"] == [
        {"when": {"customer_tier": ["silver"]}, "by": 1},
        {"when": {"tag": ["vip"]}, "by": 2},
    ]
    before = state_of(acme)
    text_of(manager.post("/policy/draft/raises/1/", posted(acme, by="2")), 422)
    text_of(manager.post("/policy/draft/raises/8/remove/", posted(acme)), 409)
    assert state_of(acme) == before
    manager.post("/policy/draft/raises/0/remove/", posted(acme))
    assert len(draft_now(acme).rules["severity"]["raise"]) == 1


def test_example_is_judged_by_a_version_or_by_the_draft(acme: Tenant, manager: Client) -> None:
    drafted(acme)
    flat = text_of(manager.post("/policy/example/", {**EXAMPLE, "version": "1"}))
    assert "Every order" in flat and "Sat 28 Nov 2026 13:59" in flat
    mine = text_of(manager.post("/policy/example/", EXAMPLE))
    assert "Others" in mine and "Fri 27 Nov 2026 18:00" in mine
    late = text_of(manager.post("/policy/example/", {**EXAMPLE, "x-at": "2026-11-27T14:01"}))
    assert "Sat 28 Nov 2026 13:00" in late and "after the cut-off at 14:00" in late
    assert "Preorders ship when" in text_of(manager.post("/policy/example/", {**EXAMPLE, "x-tag": "preorder"}))


def test_example_follows_what_is_typed_and_writes_nothing(acme: Tenant, manager: Client) -> None:
    found = drafted(acme)
    before = state_of(acme)
    form = RuleForm(rule=found.rules["rules"][2], calendars=["lisbon"])
    typed = as_posted(
        form, *form.targets, order_fulfillment__kind="length", order_fulfillment__amount="3", part="rule", place="2"
    )
    typed.update(EXAMPLE)
    assert "Fri 27 Nov 2026 16:59" in text_of(manager.post("/policy/example/", typed))
    typed["order_fulfillment-amount"] = "-"
    assert "It cannot be worked out yet" in text_of(manager.post("/policy/example/", typed))
    weights = as_posted(*WeightsForm(rules=found.rules).parts, points__MEDIUM="41", part="weights")
    weights.update(EXAMPLE)
    assert "severity 41" in text_of(manager.post("/policy/example/", weights))
    calendar = as_posted(CalendarForm(rules=found.rules, old_name="lisbon"), fri="09:00-17:30", part="calendar")
    calendar.update({**EXAMPLE, "place": str(list(found.rules["calendars"]).index("lisbon"))})
    assert "Fri 27 Nov 2026 17:30" in text_of(manager.post("/policy/example/", calendar))
    assert state_of(acme) == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"x-at": ""}, "When was it ordered?"),
        ({"x-at": "noon"}, "a day and a time such as"),
        ({"x-at": "9999-01-01T00:00"}, "a year from 2000 to 2099"),
        ({"x-zone": "Mars"}, "is no zone"),
        ({"x-value": "12", "x-currency": ""}, "Of which currency?"),
        ({"x-value": "much", "x-currency": "EUR"}, "much is no amount"),
        ({"x-held_until": "2026-11-28T10:00"}, "A hold ends after it began"),
        ({"x-late": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_is_wrong_in_an_example_is_said(acme: Tenant, manager: Client, words: Any, sentence: str) -> None:
    drafted(acme)
    assert sentence in text_of(manager.post("/policy/example/", {**EXAMPLE, **words}))


def test_example_is_kept_for_the_next_page(acme: Tenant, manager: Client) -> None:
    drafted(acme)
    manager.post("/policy/example/", {**EXAMPLE, "x-customer_tier": "gold"})
    assert 'value="gold"' in text_of(manager.get("/policy/draft/rules/0/"))


def test_example_beside_a_rule_meets_its_condition(acme: Tenant, manager: Client) -> None:
    drafted(acme)
    beside = manager.get("/policy/draft/rules/0/").context
    assert (beside["result"].rule, beside["example_form"]["value"].value()) == ("Express", "100.00")
    assert manager.get("/policy/draft/rules/1/").context["result"].excluded
    assert manager.get("/policy/draft/raises/0/").context["example_form"]["customer_tier"].value() == "gold"


def queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        text_of(client.get(page))
    return len(caught)


def test_number_of_queries_does_not_grow(acme: Tenant, manager: Client) -> None:
    drafted(acme, {"rules": [{"name": "All", "targets": {}}]})
    few = [queries(manager, page) for page in ("/policy/", "/policy/draft/")]
    rules = whole()
    rules["rules"][0:0] = [{"name": f"Rule {n}", "when": {"tag": f"t{n}"}, "targets": {}} for n in range(40)]
    for number in range(30):
        publish_policy(tenant=acme, rules=rules, note=str(number))
    PolicyDraft.objects.filter(tenant=acme).update(rules=rules)
    assert [queries(manager, page) for page in ("/policy/", "/policy/draft/")] == few
    assert max(few) <= 12, few
