"""`POST /webhooks/TENANT/SOURCE`: checked, turned into events by the provider's adapter, and put through the door.

Once the signature holds, the answer is 200 whatever the content: a provider counts anything else as a failure and
unsubscribes us.
"""

from collections.abc import Mapping, Sequence

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from e2a.errors import BadRequest, Unauthorized
from e2a.observability.correlation import correlation_id
from e2a.observability.metrics import INGEST_ERRORS
from e2a.postgresql.raw import retried_if_cut
from orders.bodies import read_body, refuse_method
from orders.deadletters import Letter, printable
from orders.demands import meet
from orders.events import Origin
from orders.ingest import CONFLICT, NEW, Receipt, ingest
from orders.limits import limits
from orders.models import Entrance
from orders.providers.delivery import Delivery, Unusable
from orders.providers.signatures import DIGESTS, is_malformed, spend
from orders.sources import Source, find_source, read_delivery
from orders.unsigned import unsigned
from tenants.limits import client_address

MAX_BODY = 5 * 1024 * 1024
NOBODY = ("nobody-has-this-secret",)


@csrf_exempt
def webhook(request: HttpRequest, tenant: str, source: str) -> HttpResponse:
    if request.method != "POST":
        return refuse_method()
    body = read_body(request, MAX_BODY)
    headers = {name.lower(): value for name, value in request.headers.items()}
    if is_malformed(headers):
        raise BadRequest("The signature headers are not well-formed.")
    address = client_address(request) or ""
    limits.check_forger(address, tenant)
    try:
        return retried_if_cut(lambda: receive(tenant, source, body, headers))
    except Unauthorized:
        limits.note_forged(address, tenant)
        unsigned.note(tenant, source)
        raise


def receive(tenant: str, name: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
    """1. who it is for; 2. whether they signed it; 3. what it says; 4. through the door, or to the dead letters.

    Raises: Unauthorized, the same for an unknown address and for a wrong signature.
    """
    source = find_source(tenant, name)
    if source is None or not is_genuine(source, body, headers):
        spend(body, DIGESTS - (len(source.secrets or NOBODY) if source else 0))
        INGEST_ERRORS.labels("", "", "signature").inc()
        raise Unauthorized("There is no such address, or the signature is not valid.")
    limits.admit_signed(source.schema)
    delivery = source.delivery(body, headers, correlation_id=correlation_id.get())
    try:
        reading = read_delivery(source, delivery)
    except Unusable as trouble:
        return keep(source, delivery, trouble)
    if reading.demand:
        meet(source, reading.demand, delivery)
    if not reading.events:
        return answer(source, "processed" if reading.demand else "ignored", reason=reading.ignored)
    origin = origin_of(source, delivery)
    for event in reading.events:
        event.origin = origin
    return answer(source, outcome(ingest(source.schema, reading.events, now=source.now)))


def is_genuine(source: Source, body: bytes, headers: Mapping[str, str]) -> bool:
    """An inactive source takes only what its provider may still ask (Shopify's erasing, after the app is gone)."""
    delivery = source.delivery(body, headers)
    signed = source.adapter.verify(delivery, source.secrets or NOBODY) and bool(source.secrets)
    return signed and (source.active or source.adapter.survives_uninstall(source.adapter.topic(delivery)))


def keep(source: Source, delivery: Delivery, trouble: Unusable) -> HttpResponse:
    """A dead letter with all that a replay needs: the raw bytes, the topic, and headers that are no secret."""
    origin = origin_of(source, delivery)
    letter = Letter(
        source=source.name,
        reason=trouble.reason,
        body=delivery.body,
        errors=trouble.errors,
        event_id=trouble.event_id,
        order_ref=trouble.order_ref,
        topic=origin.topic,
        headers=origin.headers,
        correlation_id=delivery.correlation_id,
        entrance=origin.entrance,
        merchant=delivery.merchant,
    )
    ingest(source.schema, [], now=source.now, letters=[letter])
    INGEST_ERRORS.labels(source.schema, source.name, trouble.reason).inc()
    return answer(source, "dead_letter", reason=trouble.reason)


def origin_of(source: Source, delivery: Delivery) -> Origin:
    """What a dead letter of this delivery keeps of its headers."""
    adapter = source.adapter
    kept = {name: printable(delivery.headers[name], 256) for name in adapter.kept_headers if name in delivery.headers}
    return Origin(Entrance.WEBHOOK, adapter.topic(delivery), kept)


def outcome(receipts: Sequence[Receipt]) -> str:
    statuses = {receipt.status for receipt in receipts}
    if NEW in statuses:
        return "processed"
    return "dead_letter" if CONFLICT in statuses else "duplicate"


def answer(source: Source, status: str, *, reason: str = "") -> HttpResponse:
    body = {"status": status, **({"reason": reason} if reason else {}), **source.adapter.receipt}
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")
