"""Tags: one spelling, one row of timeline, found by a filter, unseen by another tenant."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django_tenants.utils import schema_context

from exceptions import services
from exceptions.errors import ImpossibleChange
from exceptions.models import ExceptionRecord
from exceptions.selectors import Filters, filter_exceptions
from exceptions.tags import MOST_TAGS, NoTag, read_tag
from tenants.models import Role, Tenant
from tests.exceptions.cast import NOW, kinds, make_exception
from tests.programs import program
from tests.tenants.cast import make_member, signed_in

ANNA = {"actor": "user:anna", "now": NOW}


@pytest.mark.parametrize(
    ("text", "tag"), [(" Storm Porto ", "storm-porto"), ("#VIP", "vip"), ("Größe", "grösse"), ("a_b-1", "a_b-1")]
)
def test_tag_has_one_spelling(text: str, tag: str) -> None:
    assert read_tag(text) == tag


@pytest.mark.parametrize("text", ["", " # ", "-a", "a,b", "<b>", "x" * 33, "a\0b", "_"])
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(NoTag):
        read_tag(text)


def test_tagging_and_untagging_are_told_once_each(in_acme: Tenant) -> None:
    record = make_exception()
    assert services.tag_exception(exception_id=record.pk, tag="VIP", **ANNA).tags == ["vip"]
    with pytest.raises(ImpossibleChange, match="already"):
        services.tag_exception(exception_id=record.pk, tag="vip", **ANNA)
    assert services.untag_exception(exception_id=record.pk, tag="vip", **ANNA).tags == []
    with pytest.raises(ImpossibleChange, match="no tag"):
        services.untag_exception(exception_id=record.pk, tag="vip", **ANNA)
    assert kinds(record) == ["opened", "tagged", "untagged"]
    assert record.timeline.last().detail == {"tag": "vip"}


def test_tags_have_an_end(in_acme: Tenant) -> None:
    record = make_exception(tags=[f"t{number}" for number in range(MOST_TAGS)])
    with pytest.raises(ImpossibleChange, match="the most"):
        services.tag_exception(exception_id=record.pk, tag="one-more", **ANNA)
    assert kinds(record) == ["opened"]


def test_filter_by_tag_uses_its_index(in_acme: Tenant) -> None:
    make_exception("1")
    tagged = make_exception("2", tags=["storm", "vip"])
    assert list(filter_exceptions(Filters(tag="vip"))) == [tagged]
    assert not filter_exceptions(Filters(tag="vi"))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE exceptions_record")  # of two rows, for which any other index would do as well
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("DROP INDEX exception_newest")
    assert "exception_tags" in filter_exceptions(Filters(tag="vip")).values("pk").order_by().explain()


def post(client: Client, path: str, body: Any) -> Any:
    return client.generic("POST", path, json.dumps(body), content_type="application/json")


def test_api_tags_filters_and_tags_many(acme: Tenant) -> None:
    client = program("acme", "read", "operate")
    with schema_context("acme"):
        one, two = make_exception("1"), make_exception("2")
    assert post(client, f"/api/exceptions/{one.pk}/tag", {"tag": "Storm"}).json()["tags"] == ["storm"]
    assert post(client, f"/api/exceptions/{one.pk}/tag", {"tag": "a b c!"}).status_code == 422
    assert post(client, f"/api/exceptions/{one.pk}/tag", {}).status_code == 422
    found = client.get("/api/exceptions?tag=STORM").json()["results"]
    assert [row["id"] for row in found] == [one.pk]
    outcome = post(client, "/api/exceptions/bulk", {"action": "tag", "filter": {}, "tag": "storm"}).json()
    assert (outcome["changed"], outcome["refused"]) == (1, 1)
    assert len(client.get("/api/exceptions?tag=storm").json()["results"]) == 2
    assert b"storm" in b"".join(client.get("/api/exceptions.csv?tag=storm").streaming_content)  # type: ignore[arg-type]
    with schema_context("acme"):
        assert kinds(two) == ["opened", "tagged"]


def test_page_adds_shows_and_removes(acme: Tenant, globex: Tenant) -> None:
    with schema_context("acme"):
        record = make_exception()
    desk = signed_in(acme, make_member(acme))
    assert desk.post(f"/exceptions/{record.pk}/tag/", {"tag": "VIP"}).status_code == 302
    assert "status=all&amp;tag=vip" in desk.get(f"/exceptions/{record.pk}/").content.decode()
    assert ">vip<" in desk.get("/exceptions/?tag=vip").content.decode()
    assert "1001" not in desk.get("/exceptions/?tag=other").content.decode()
    viewer = signed_in(acme, make_member(acme, "vera", role=Role.VIEWER))
    other = signed_in(globex, make_member(globex, "gregor"))
    assert viewer.post(f"/exceptions/{record.pk}/untag/", {"tag": "vip"}).status_code == 403
    assert other.post(f"/exceptions/{record.pk}/untag/", {"tag": "vip"}).status_code == 404
    assert "vip" not in other.get("/exceptions/").content.decode()
    assert desk.post(f"/exceptions/{record.pk}/untag/", {"tag": "vip"}).status_code == 302
    with schema_context("acme"):
        assert ExceptionRecord.objects.get().tags == []
        assert kinds(record) == ["opened", "tagged", "untagged"]
