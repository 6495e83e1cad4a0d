"""The flat form of an SLA configuration: what is taken, what is refused with which sentence, which version counts."""

from typing import Any

import pytest

from tenants.policy import DEFAULT_RULES, Policy, PolicyError, PolicyVersion, parse_policy, policy_at
from tests.orders.sla_cast import at

KEYS = [
    ("order_fulfillment_hours", "order_fulfillment", "hours", 3600),
    ("shipping_preparation_hours", "shipping_preparation", "hours", 3600),
    ("payment_processing_minutes", "payment_processing", "minutes", 60),
    ("inventory_check_minutes", "inventory_check", "minutes", 60),
]


def errors_of(rules: Any) -> dict[str, list[str]]:
    with pytest.raises(PolicyError) as refused:
        parse_policy(rules)
    return refused.value.errors


def test_default_is_that_of_the_contract() -> None:
    targets = {
        "order_fulfillment": 86_400,
        "shipping_preparation": 14_400,
        "payment_processing": 1_800,
        "inventory_check": 900,
    }
    assert parse_policy(DEFAULT_RULES) == Policy(targets, 3)


@pytest.mark.parametrize(("key", "stage", "unit", "seconds"), KEYS)
@pytest.mark.parametrize("value", [1, 2.5, 0.1, 48])
def test_number_becomes_whole_seconds(key: str, stage: str, unit: str, seconds: int, value: float) -> None:
    assert parse_policy({key: value}).targets == {stage: round(value * seconds)}


def test_seconds_round_half_up() -> None:
    assert parse_policy({"payment_processing_minutes": 0.025}).targets == {"payment_processing": 2}


@pytest.mark.parametrize("rules", [{}, {key: None for key, *_ in KEYS}, {"max_resolution_attempts": None}])
def test_missing_or_null_is_no_target(rules: dict[str, None]) -> None:
    assert parse_policy(rules) == Policy({}, 3)


@pytest.mark.parametrize(("key", "stage", "unit", "seconds"), KEYS)
@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (0, "It is 0; give a number of {unit} greater than 0, or null for no deadline."),
        (-1.5, "It is -1.5; give a number of {unit} greater than 0, or null for no deadline."),
        ("24", "It must be a number, not '24'; give a number of {unit} greater than 0, or null for no deadline."),
        (True, "It must be a number, not True; give a number of {unit} greater than 0, or null for no deadline."),
        ([], "It must be a number, not a list; give a number of {unit} greater than 0, or null for no deadline."),
        (
            float("nan"),
            "It must be a number, not nan; give a number of {unit} greater than 0, or null for no deadline.",
        ),
        (1e-9, "It is shorter than a second; give a number of {unit} greater than 0, or null for no deadline."),
        pytest.param(
            -(10**5000),
            "It is so large a number; give a number of {unit} greater than 0, or null for no deadline.",
            id="more digits than Python prints",
        ),
    ],
)
def test_wrong_target_is_refused_by_name(
    key: str, stage: str, unit: str, seconds: int, value: object, sentence: str
) -> None:
    assert errors_of({key: value}) == {key: [sentence.format(unit=unit)]}


@pytest.mark.parametrize(("value", "taken"), [(87_600, True), (87_600.1, False), (10**400, False), (1e308, False)])
def test_target_is_at_most_ten_years(value: float, taken: bool) -> None:
    if taken:
        assert parse_policy({"order_fulfillment_hours": value}).targets == {"order_fulfillment": 315_360_000}
    else:
        sentence = "It is longer than ten years; give at most 87600 hours."
        assert errors_of({"order_fulfillment_hours": value}) == {"order_fulfillment_hours": [sentence]}


@pytest.mark.parametrize(("value", "attempts"), [(1, 1), (100, 100), (4.0, 4)])
def test_attempts_are_a_whole_number(value: float, attempts: int) -> None:
    assert parse_policy({"max_resolution_attempts": value}).max_resolution_attempts == attempts


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        (0, "0"),
        (101, "101"),
        (2.5, "2.5"),
        (True, "True"),
        ("3", "'3'"),
        ({}, "a dict"),
        (float("inf"), "so large a number"),
    ],
)
def test_wrong_attempts_are_refused(value: object, quoted: str) -> None:
    sentence = f"It must be a whole number from 1 to 100, not {quoted}."
    assert errors_of({"max_resolution_attempts": value}) == {"max_resolution_attempts": [sentence]}


def test_unknown_key_is_refused_with_the_known_ones() -> None:
    sentence = (
        "There is no such key; the keys are order_fulfillment_hours, shipping_preparation_hours, "
        "payment_processing_minutes, inventory_check_minutes, max_resolution_attempts."
    )
    assert errors_of({"order_fulfilment_hours": 24}) == {"order_fulfilment_hours": [sentence]}


def test_every_wrong_value_is_named_at_once() -> None:
    errors = errors_of(
        {"order_fulfillment_hours": 0, "inventory_check_minutes": "x", "weekend": 1, "max_resolution_attempts": 0}
    )
    assert sorted(errors) == [
        "inventory_check_minutes",
        "max_resolution_attempts",
        "order_fulfillment_hours",
        "weekend",
    ]


@pytest.mark.parametrize("rules", [None, [], "24", 24])
def test_what_is_no_object_is_refused(rules: object) -> None:
    (sentence,) = errors_of(rules)["rules"]
    assert sentence.startswith("It must be an object with any of the keys order_fulfillment_hours, ")


def test_error_reads_as_sentences_with_their_keys() -> None:
    with pytest.raises(
        PolicyError, match=r"^inventory_check_minutes: It is 0; give a number of minutes greater than 0"
    ):
        parse_policy({"inventory_check_minutes": 0})


def version(number: int, start: float) -> PolicyVersion:
    return PolicyVersion(id=number, valid_from=at(start), policy=Policy())


@pytest.mark.parametrize(
    ("starts", "began", "chosen"),
    [
        ([10], 0, 1),
        ([10], 20, 1),
        ([10, 20], 5, 1),
        ([10, 20], 19.99, 1),
        ([10, 20], 20, 2),
        ([10, 20, 20], 20, 3),
        ([10, 40, 20], 30, 3),
        ([10, 40, 20], 40, 2),
        ([10, 40, 20], 15, 1),
        ([50, 20], 30, 2),
        ([50, 20], 60, 2),
    ],
)
def test_version_is_chosen_by_when_the_order_began(starts: list[float], began: float, chosen: int) -> None:
    versions = [version(number, start) for number, start in enumerate(starts, 1)]
    policy = policy_at(versions, at(began))
    assert policy is not None and policy.id == chosen


def test_without_versions_there_is_no_policy() -> None:
    assert policy_at([], at(0)) is None
