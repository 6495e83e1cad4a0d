import pytest

from exceptions.analyst.measure import Answer, confusion, loses, matrix_text, score, wilson


def answers(right: int, wrong: int, confidence: float) -> list[Answer]:
    return [Answer("a", confidence, "a")] * right + [Answer("a", confidence, "b")] * wrong


def test_score_of_nothing_claims_nothing() -> None:
    assert score([]) == (empty := score([])) and empty.accuracy is None and empty.gap is None


def test_score_counts_and_bounds() -> None:
    found = score(answers(90, 10, 0.9))
    assert (found.count, found.right, found.accuracy) == (100, 90, 0.9)
    assert found.low == pytest.approx(0.8256, abs=1e-3) and found.high == pytest.approx(0.9448, abs=1e-3)
    assert found.gap == pytest.approx(0)


def test_overconfidence_shows_in_the_gap() -> None:
    found = score([*answers(50, 50, 0.95), *answers(60, 40, 0.65)])
    assert found.gap == pytest.approx((0.45 + 0.05) / 2)
    assert [(one.low, one.count, one.right) for one in found.bins] == [(0.6, 100, 0.6), (0.9, 100, 0.5)]


def test_full_confidence_has_a_bin() -> None:
    assert score(answers(1, 0, 1.0)).bins[0].high == 1.0


def test_bounds_hold_at_the_ends() -> None:
    assert wilson(0, 10)[0] == 0 and wilson(10, 10)[1] == 1 and wilson(10, 10)[0] < 0.8


def test_confusion_as_a_table() -> None:
    rows = confusion([*answers(2, 1, 0.5), Answer("b", 0.5, "b")])
    assert rows == {"a": {"a": 2}, "b": {"a": 1, "b": 1}}
    assert matrix_text(rows).splitlines() == ["   a  b", "a  2  ·", "b  1  1"]


@pytest.mark.parametrize(
    ("worse", "better", "same", "lost"),
    [(0, 0, 100, False), (8, 1, 25, True), (8, 1, 10, False), (5, 5, 40, False), (6, 4, 40, False), (20, 5, 40, True)],
)
def test_losing_to_the_rules_needs_cases_and_a_clear_difference(worse: int, better: int, same: int, lost: bool) -> None:
    pairs = [(False, True)] * worse + [(True, False)] * better + [(True, True)] * same
    assert loses(pairs) is lost
