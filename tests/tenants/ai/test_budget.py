import threading
from collections import Counter

import pytest
from django.db import connection

from tenants.ai.budget import OverBudget, Spent, claim_tokens, settle_claim, settle_stale, spent_today, tenant_limit
from tenants.ai.models import AiBudget, AiReservation
from tenants.models import Tenant

LIMIT = 10_000


def claim(schema: str = "acme", tokens: int = 100, limit: int = LIMIT, share: float = 1.0) -> int:
    return claim_tokens(schema, tokens, limit=limit, share=share)


def rows() -> dict[str, tuple[int, int]]:
    return {row.schema: (row.reserved, row.spent) for row in AiBudget.objects.all()}


@pytest.mark.django_db
def test_claim_is_settled_with_what_it_cost() -> None:
    settled = settle_claim(claim(tokens=900), 250)
    assert settled == 250
    assert rows() == {"": (0, 250), "acme": (0, 250)}


@pytest.mark.django_db
@pytest.mark.parametrize(("used", "charged"), [(None, 900), (-5, 900), (5000, 900), (0, 0)])
def test_unknown_or_impossible_cost_is_the_whole_claim(used: int | None, charged: int) -> None:
    assert settle_claim(claim(tokens=900), used) == charged
    assert rows()["acme"] == (0, charged)


@pytest.mark.django_db
def test_second_settling_charges_nothing() -> None:
    made = claim(tokens=900)
    settle_claim(made, 100)
    assert settle_claim(made, 900) is None
    assert rows()["acme"] == (0, 100)


@pytest.mark.django_db
def test_what_exceeds_the_day_reserves_nothing() -> None:
    claim(tokens=9_950)
    with pytest.raises(OverBudget):
        claim(tokens=51)
    assert rows() == {"": (9_950, 0), "acme": (9_950, 0)}
    claim(tokens=50)


@pytest.mark.django_db
def test_one_tenant_of_several_has_its_share_and_no_more() -> None:
    claim("acme", tokens=5_000, share=0.5)
    with pytest.raises(OverBudget):
        claim("acme", tokens=1, share=0.5)
    claim("globex", tokens=5_000, share=0.5)
    assert rows() == {"": (10_000, 0), "acme": (5_000, 0), "globex": (5_000, 0)}


@pytest.mark.django_db
def test_tenant_that_is_alone_has_all() -> None:
    assert tenant_limit(limit=LIMIT, share=0.5) == 5_000
    Tenant.objects.exclude(slug="acme").update(active=False)
    assert tenant_limit(limit=LIMIT, share=0.5) == LIMIT


@pytest.mark.django_db
def test_limit_of_nothing_allows_nothing() -> None:
    with pytest.raises(OverBudget):
        claim(limit=0, tokens=1)


@pytest.mark.django_db
def test_claim_of_a_worker_that_died_is_charged_in_full() -> None:
    old, new = claim(tokens=700), claim(tokens=300)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tenants_aireservation SET created_at = now() - interval '6 minutes' WHERE id = %s", [old]
        )
    assert (settle_stale(), settle_stale()) == (1, 0)
    assert rows()["acme"] == (300, 700)
    assert AiReservation.objects.get(pk=new).used is None


@pytest.mark.django_db
def test_claim_of_yesterday_is_settled_on_its_own_day() -> None:
    made = claim(tokens=700)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_aireservation SET day = day - 1")
        cursor.execute("UPDATE tenants_aibudget SET day = day - 1")
    claim(tokens=50)
    settle_claim(made, 10)
    assert spent_today("acme", limit=LIMIT, share=1) == Spent(0, 0, 50, LIMIT)


@pytest.mark.usefixtures("committed")
def test_two_hundred_calls_at_once_at_99_percent_overspend_nothing() -> None:
    """Threads with connections of their own, each claiming 1% of what is left; the limit admits ten of them."""
    settle_claim(claim(tokens=9_900), 9_900)
    outcomes: Counter[str] = Counter()
    lock, start = threading.Lock(), threading.Barrier(200)

    def call(number: int) -> None:
        connection.ensure_connection()
        start.wait()
        try:
            settle_claim(claim("acme" if number % 2 else "globex", tokens=10), 10)
            word = "claimed"
        except OverBudget:
            word = "refused"
        finally:
            connection.close()
        with lock:
            outcomes[word] += 1

    threads = [threading.Thread(target=call, args=[number]) for number in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"claimed": 10, "refused": 190}
    assert rows()[""] == (0, LIMIT)
    assert sum(spent for schema, (_, spent) in rows().items() if schema) == LIMIT
