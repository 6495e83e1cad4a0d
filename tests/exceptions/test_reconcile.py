"""The table of CONTRACT 4 that joins verdicts with decisions, line by line."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exceptions.reconcile import UNCHANGED, Decision, Snapshot, reconcile
from orders.ports import Finding

T0 = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
AT = T0 + timedelta(hours=5)
LATE = Finding("active", T0, None, None, "MEDIUM", "stage", "order_fulfillment", T0)
ENDED_LATE = LATE._replace(verdict="over", ended_at=T0 + timedelta(hours=1), how="completed_late")
FAILED = Finding("active", T0, None, None, "HIGH", "first", None, None)
CURED = FAILED._replace(verdict="over", ended_at=T0 + timedelta(hours=1), how="cured")
FAILED_AGAIN = FAILED._replace(opened_at=T0 + timedelta(hours=2), occurrence_key="2026-11-23T11:00:00+00:00")
CURED_AGAIN = FAILED_AGAIN._replace(verdict="over", ended_at=T0 + timedelta(hours=3), how="cured")
STATUSES = ("OPEN", "ACKNOWLEDGED", "IN_PROGRESS")


def row_of(decision: Decision) -> Snapshot:
    assert decision.row is not None
    return decision.row


def stored(finding: Finding, **changes: object) -> Snapshot:
    return row_of(reconcile(None, finding, None, at=T0))._replace(**changes)  # type: ignore[arg-type]


def by_person(row: Snapshot, resolution: str = "manual") -> Snapshot:
    return row._replace(status="RESOLVED", resolution=resolution, resolved_at=T0, resolved_by="person")


def kinds(decision: Decision) -> list[str]:
    return [entry.kind for entry in decision.entries]


def test_active_without_exception_is_opened_at_its_due_time() -> None:
    decision = reconcile(None, LATE, None, at=AT)
    row = row_of(decision)
    assert (row.status, row.verdict, row.opened_at, row.due_at, row.severity) == ("OPEN", "active", T0, T0, "MEDIUM")
    assert (row.occurrence_count, row.occurrence_key, row.stage) == (1, "stage", "order_fulfillment")
    assert (kinds(decision), decision.surfaced, row.history) == (["opened"], True, False)


@pytest.mark.parametrize(("finding", "resolution"), [(ENDED_LATE, "completed_late"), (CURED, "cured")])
def test_what_is_over_already_is_born_resolved_and_silent(finding: Finding, resolution: str) -> None:
    decision = reconcile(None, finding, None, at=AT, history=True)
    row = row_of(decision)
    assert (row.status, row.verdict, row.resolution, row.resolved_by) == ("RESOLVED", "over", resolution, "fold")
    assert (row.resolved_at, row.ended_at, row.history) == (AT, finding.ended_at, True)
    assert (kinds(decision), decision.surfaced) == (["resolved"], False)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("how", ["completed_late", "cancelled"])
def test_over_resolves_whatever_the_status_and_ends_the_snooze(status: str, how: str) -> None:
    exception = stored(LATE, status=status, snoozed_until=AT + timedelta(days=1), acknowledged_at=T0)
    decision = reconcile(LATE, ENDED_LATE._replace(how=how), exception, at=AT)  # type: ignore[arg-type]
    row = row_of(decision)
    assert (row.status, row.resolution, row.resolved_by, row.resolved_at) == ("RESOLVED", how, "fold", AT)
    assert (row.verdict, row.ended_at, row.snoozed_until) == ("over", T0 + timedelta(hours=1), None)
    assert (row.acknowledged_at, kinds(decision), decision.surfaced) == (T0, ["resolved"], False)


def test_over_after_a_person_resolved_keeps_the_persons_resolution() -> None:
    decision = reconcile(LATE, ENDED_LATE, by_person(stored(LATE), "refunded"), at=AT)
    row = row_of(decision)
    assert (row.status, row.resolution, row.resolved_by, row.verdict) == ("RESOLVED", "refunded", "person", "over")
    assert (kinds(decision), decision.surfaced) == (["ended"], False)


@pytest.mark.parametrize("status", STATUSES)
def test_what_never_was_resolves_as_a_false_alarm(status: str) -> None:
    decision = reconcile(LATE, None, stored(LATE, status=status, snoozed_until=AT), at=AT)
    row = row_of(decision)
    assert (row.status, row.verdict, row.resolution, row.resolved_by) == ("RESOLVED", "none", "false_alarm", "fold")
    assert (row.ended_at, row.snoozed_until, kinds(decision)) == (None, None, ["retracted"])


def test_what_never_was_stays_as_the_person_left_it() -> None:
    was = by_person(stored(LATE))
    decision = reconcile(LATE, None, was, at=AT)
    assert row_of(decision) == was._replace(verdict="none")
    assert kinds(decision) == ["retracted"]


def test_what_the_fold_resolved_and_never_was_becomes_a_false_alarm() -> None:
    decision = reconcile(ENDED_LATE, None, stored(ENDED_LATE), at=AT)
    row = row_of(decision)
    assert (row.status, row.verdict, row.resolution, row.ended_at) == ("RESOLVED", "none", "false_alarm", None)


def test_active_again_in_the_same_occurrence_lets_a_persons_word_stand() -> None:
    was = by_person(stored(ENDED_LATE))
    decision = reconcile(ENDED_LATE, LATE, was, at=AT)
    assert row_of(decision) == was._replace(verdict="active", ended_at=None)
    assert (decision.entries, decision.surfaced) == ((), False)


def test_a_retracted_breach_that_comes_back_lets_a_persons_word_stand() -> None:
    was = by_person(stored(LATE, verdict="none"))
    decision = reconcile(None, LATE, was, at=AT)
    assert row_of(decision) == was._replace(verdict="active")
    assert (decision.entries, decision.surfaced) == ((), False)


def test_active_again_after_the_fold_resolved_it_is_reopened() -> None:
    decision = reconcile(ENDED_LATE, LATE, stored(ENDED_LATE, acknowledged_at=T0), at=AT)
    row = row_of(decision)
    assert (row.status, row.verdict, row.occurrence_count, row.resolution) == ("OPEN", "active", 2, None)
    assert (row.resolved_at, row.resolved_by, row.acknowledged_at) == (None, None, None)
    assert (kinds(decision), decision.surfaced) == (["reopened"], True)


def test_a_false_alarm_that_comes_back_is_reopened() -> None:
    false_alarm = row_of(reconcile(LATE, None, stored(LATE), at=T0))
    row = row_of(reconcile(None, LATE, false_alarm, at=AT))
    assert (row.status, row.occurrence_count) == ("OPEN", 2)


@pytest.mark.parametrize("resolve", [by_person, lambda row: row])
@pytest.mark.parametrize("before", [FAILED, CURED])
def test_a_new_occurrence_reopens_whoever_resolved_the_last(before: Finding, resolve: object) -> None:
    was = resolve(stored(before))  # type: ignore[operator]
    decision = reconcile(before, FAILED_AGAIN, was, at=AT)
    row = row_of(decision)
    assert (row.status, row.occurrence_count, row.occurrence_key) == ("OPEN", 2, FAILED_AGAIN.occurrence_key)
    assert (row.opened_at, row.resolution, decision.surfaced) == (FAILED_AGAIN.opened_at, None, True)


def test_a_late_cure_before_the_known_problem_makes_no_new_occurrence() -> None:
    was = by_person(stored(FAILED))
    decision = reconcile(FAILED, FAILED._replace(occurrence_key="2026-11-23T09:00:00+00:00"), was, at=AT)
    row = row_of(decision)
    assert (row.status, row.occurrence_count, decision.surfaced) == ("RESOLVED", 1, False)


def test_a_new_occurrence_that_is_over_already_counts_in_silence() -> None:
    was = by_person(stored(FAILED))
    decision = reconcile(FAILED, CURED_AGAIN, was, at=AT)
    row = row_of(decision)
    assert (row.status, row.resolution, row.resolved_by, row.occurrence_count) == ("RESOLVED", "manual", "person", 2)
    assert (kinds(decision), decision.surfaced) == (["recurred"], False)


def test_a_person_who_reopened_what_is_over_is_not_overruled_by_a_correction() -> None:
    was = stored(ENDED_LATE)._replace(status="OPEN", resolution=None, resolved_at=None, resolved_by=None)
    later = ENDED_LATE._replace(ended_at=T0 + timedelta(hours=2))
    decision = reconcile(ENDED_LATE, later, was, at=AT)
    assert row_of(decision) == was._replace(ended_at=later.ended_at)
    assert kinds(decision) == ["corrected"]


def test_severity_that_grows_with_time_is_told() -> None:
    decision = reconcile(LATE, LATE._replace(severity="CRITICAL"), stored(LATE, status="ACKNOWLEDGED"), at=AT)
    row = row_of(decision)
    assert (row.severity, row.status, row.occurrence_count) == ("CRITICAL", "ACKNOWLEDGED", 1)
    assert [(entry.kind, entry.detail) for entry in decision.entries] == [
        ("severity_changed", {"from": "MEDIUM", "to": "CRITICAL"})
    ]


def test_a_due_time_that_a_late_hold_moved_is_told() -> None:
    moved = LATE._replace(opened_at=T0 + timedelta(hours=1), due_at=T0 + timedelta(hours=1))
    decision = reconcile(LATE, moved, stored(LATE), at=AT)
    assert (row_of(decision).opened_at, row_of(decision).status) == (moved.opened_at, "OPEN")
    assert [(entry.kind, entry.detail) for entry in decision.entries] == [
        ("corrected", {"opened_at": [T0, moved.opened_at]})
    ]


def test_a_cancelling_that_corrects_the_end_changes_the_folds_resolution() -> None:
    decision = reconcile(CURED, CURED._replace(how="cancelled"), stored(CURED), at=AT)
    assert row_of(decision).resolution == "cancelled"
    assert kinds(decision) == ["corrected"]


@pytest.mark.parametrize("finding", [None, LATE, ENDED_LATE, FAILED, CURED])
def test_unchanged_writes_nothing(finding: Finding | None) -> None:
    assert reconcile(finding, finding, stored(finding or LATE), at=AT) is UNCHANGED


def test_nothing_before_and_nothing_now_writes_nothing() -> None:
    assert reconcile(LATE, None, None, at=AT) is UNCHANGED


FINDINGS = st.sampled_from(
    [None, LATE, ENDED_LATE, LATE._replace(severity="HIGH"), ENDED_LATE._replace(how="cancelled")]
) | st.sampled_from([None, FAILED, CURED, FAILED_AGAIN, CURED_AGAIN])
DECISIONS = st.sampled_from(["acknowledge", "resolve", "reopen", "nothing"])


def decided(row: Snapshot, word: str) -> Snapshot:
    if word == "acknowledge" and row.status == "OPEN":
        return row._replace(status="ACKNOWLEDGED", acknowledged_at=T0)
    if word == "resolve" and row.status != "RESOLVED":
        return by_person(row)
    if word == "reopen" and row.status == "RESOLVED" and row.verdict != "none":
        return row._replace(status="OPEN", resolution=None, resolved_at=None, resolved_by=None)
    return row


@given(st.lists(st.tuples(FINDINGS, DECISIONS), max_size=12))
def test_verdict_columns_always_follow_the_fold_and_judging_again_changes_nothing(
    course: list[tuple[Finding | None, str]],
) -> None:
    before: Finding | None = None
    row: Snapshot | None = None
    for now, word in course:
        decision = reconcile(before, now, row, at=AT)
        row = decision.row or row
        again = reconcile(before if decision is UNCHANGED else None, now, row, at=AT + timedelta(hours=1))
        assert again.row is None
        check(row, now)
        before, row = now, decided(row, word) if row else None


def check(row: Snapshot | None, now: Finding | None) -> None:
    """What the tables' constraints say, and that the verdict is the fold's."""
    if row is None:
        assert now is None
        return
    assert row.verdict == (now.verdict if now else "none")
    assert (row.status == "RESOLVED") == (row.resolution is not None) == (row.resolved_by is not None)
    assert (row.verdict == "over") == (row.ended_at is not None)
    if now is not None:
        assert (row.opened_at, row.ended_at, row.due_at) == (now.opened_at, now.ended_at, now.due_at)
        assert (row.severity, row.occurrence_key) == (now.severity, now.occurrence_key)


SAME_OCCURRENCE = st.sampled_from([None, FAILED_AGAIN, CURED_AGAIN, CURED_AGAIN._replace(how="cancelled")])


@given(st.lists(SAME_OCCURRENCE, min_size=1, max_size=8))
def test_a_persons_resolution_survives_whatever_the_fold_says_of_that_occurrence(course: list[Finding | None]) -> None:
    row = by_person(stored(FAILED_AGAIN))
    before: Finding | None = FAILED_AGAIN
    for now in course:
        decision = reconcile(before, now, row, at=AT)
        row, before = decision.row or row, now
        assert (row.status, row.resolution, row.resolved_by, row.occurrence_count) == (
            "RESOLVED",
            "manual",
            "person",
            1,
        )
