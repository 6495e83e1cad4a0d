"""The order that a person makes up is judged as a real one would be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orders.carried import Carried
from orders.example import Made, StageExample, example_of, facts_of, moment_in
from orders.sla import findings, fold
from orders.wording import STAGE_WORDS
from tenants.policy import Policy, PolicyVersion, parse_policy
from tests.orders.policy_cast import whole
from tests.tenants.calendar_cast import local

POLICY = parse_policy(whole())
FRIDAY = local("lisbon", "2026-11-27 13:59")
LATER = FRIDAY + timedelta(days=5)
MADE = Made(at=FRIDAY, timezone="Europe/Lisbon", carried=Carried(warehouse="LIS1"))


def stages(made: Made, policy: Policy = POLICY) -> dict[str, StageExample]:
    return {stage.label: stage for stage in example_of(made, policy).stages}


ORDERS = [
    MADE,
    MADE._replace(at=FRIDAY + timedelta(minutes=2)),
    MADE._replace(carried=Carried(warehouse="x", sales_channel="amazon", shipping_service="express", tags=["gift"], value_cents=10_000, currency="EUR")),
    MADE._replace(carried=Carried(tags=["preorder"])),
    MADE._replace(carried=Carried(customer_tier="gold"), promises=[("promise", LATER), ("fulfil_by", LATER)]),
    MADE._replace(held_from=FRIDAY + timedelta(minutes=5), held_until=FRIDAY + timedelta(hours=2), hold_reason="FRAUD"),
    MADE._replace(held_from=FRIDAY + timedelta(minutes=5)),
]  # fmt: skip


@pytest.mark.parametrize("made", ORDERS, ids=range(len(ORDERS)))
@pytest.mark.parametrize(
    "form", [whole(), {"order_fulfillment_hours": 24, "payment_processing_minutes": 30}], ids=["rules", "flat"]
)
def test_it_is_due_when_a_real_order_would_be(made: Made, form: Any) -> None:
    policy = parse_policy(form)
    verdict = fold(facts_of(made), [PolicyVersion(1, made.at, policy)], made.at)
    found = {stage.label: stage.due for stage in example_of(made, policy).stages}
    due = {STAGE_WORDS[name]: stage.due_at for name, stage in verdict.stages.items()}
    for label, said in found.items():
        zones = ("Europe/Lisbon", "America/Sao_Paulo")
        at = due[label]
        assert said.partition(" (")[0] in ({moment_in(at, zone) for zone in zones} if at else {""})
    assert {label for label, at in due.items() if at} <= found.keys()


def test_friday_before_and_after_the_cutoff() -> None:
    assert stages(MADE)["Handover to the carrier"].due == "Fri 27 Nov 2026 18:00"
    late = stages(MADE._replace(at=FRIDAY + timedelta(minutes=2)))["Handover to the carrier"]
    assert late.due == "Sat 28 Nov 2026 13:00" and "after the cut-off at 14:00" in late.notes[0]
    assert [line.kind for line in late.lines] == ["counted", "closed", "counted"]


def test_place_of_another_zone_is_told_in_it() -> None:
    assert stages(MADE)["Packing"].due == "Fri 27 Nov 2026 11:29 (America/Sao_Paulo)"


def test_rule_that_excludes_and_none_at_all() -> None:
    found = example_of(MADE._replace(carried=Carried(tags=["preorder"])), POLICY)
    assert (found.place, found.rule, found.excluded, found.stages) == (
        1,
        "Preorders",
        "Preorders ship when the goods arrive.",
        [],
    )
    only = parse_policy({"rules": [{"name": "Gold", "when": {"customer_tier": "gold"}, "targets": {}}]})
    assert (example_of(MADE, only).place, example_of(MADE, only).stages) == (None, [])


@pytest.mark.parametrize("hours", [0.5, 20, 60])
@pytest.mark.parametrize("tier", ["", "gold"])
def test_being_late_weighs_what_a_real_breach_would(hours: float, tier: str) -> None:
    """So late as an order that nobody handed over."""
    made = MADE._replace(carried=Carried(warehouse="LIS1", customer_tier=tier), late=timedelta(hours=hours))
    shown = stages(made)["Handover to the carrier"]
    due = datetime(2026, 11, 27, 18, 0, tzinfo=UTC)
    verdict = fold(facts_of(made), [PolicyVersion(1, made.at, POLICY)], due + made.late)
    assert shown.severity == findings(verdict)["FULFILLMENT_DELAY"].severity
    assert shown.priority == sum(points for _, points in shown.parts)
    assert dict(shown.parts).get("customer tier", 0) == (20 if tier else 0)


def test_repetitions_add_to_the_priority() -> None:
    once, thrice = (stages(MADE._replace(occurrences=n))["Handover to the carrier"].priority for n in (1, 3))
    assert thrice - once == 2 * 7


def test_open_hold_keeps_the_due_time_away_and_is_told() -> None:
    made = MADE._replace(held_from=FRIDAY + timedelta(minutes=5), hold_reason="FRAUD")
    flat = parse_policy({"order_fulfillment_hours": 24})
    [found] = [stage for stage in example_of(made, flat).stages if stage.label == "Handover to the carrier"]
    assert found.due == "" and found.notes == ["Nothing is due while it is paused."]
    assert [line.kind for line in found.lines] == ["counted", "paused"] and "FRAUD" in found.lines[1].what
    ignored = stages(made)["Handover to the carrier"]
    assert ignored.due and any("moves nothing" in note for note in ignored.notes)


def test_long_course_is_cut() -> None:
    long = parse_policy(
        {**whole(), "rules": [{"name": "All", "targets": {"order_fulfillment": {"working_hours": 300}}}]}
    )
    found = stages(MADE, long)["Handover to the carrier"]
    assert len(found.lines) == 14 and found.more_lines > 50
