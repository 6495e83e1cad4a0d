"""`POST /events` and `POST /events/batch`: from a program's request to the door and back (CONTRACT 3). Plain views, for speed."""

from collections.abc import Sequence
from typing import Any, NoReturn

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from e2a.errors import BadRequest, Conflict, Forbidden, TooLarge, Unauthorized, Unprocessable
from e2a.observability.correlation import correlation_id
from e2a.observability.metrics import INGEST_ERRORS
from e2a.postgresql.raw import retried_if_cut
from orders.bodies import JSON, NDJSON, media_type, read_body, refuse_method
from orders.deadletters import Letter
from orders.events import MAX_PAYLOAD_BYTES, EventBody, Incoming, decode_event, prepare
from orders.ingest import CONFLICT, MAX_EVENTS, NEW, Receipt, ingest
from orders.limits import limits
from orders.refusals import refused_letter
from tenants.access import Access, UnknownCaller, bearer_of
from tenants.limits import client_address
from tenants.models import Scope
from tenants.tokens import access_by_bearer

MAX_BODY = MAX_PAYLOAD_BYTES + 16 * 1024  # the payload's limit, and room for the rest
MAX_BATCH_BODY = 8 * 1024 * 1024


class BatchBody(msgspec.Struct):
    events: list[msgspec.Raw]


_batch = msgspec.json.Decoder(BatchBody)


@csrf_exempt
def post_event(request: HttpRequest) -> HttpResponse:
    """1. who asks; 2. what it says; 3. through the door. Only what asks the database is tried again: a body is read once."""
    if request.method != "POST":
        return refuse_method()
    access = retried_if_cut(lambda: sender_of(request))
    media_type(request, (JSON,))
    raw = read_body(request, MAX_BODY)
    limits.admit(access.schema)
    return retried_if_cut(lambda: take_event(access, raw))


@csrf_exempt
def post_batch(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return refuse_method()
    access = retried_if_cut(lambda: sender_of(request))
    kind = media_type(request, (JSON, NDJSON))
    raws = split_batch(read_body(request, MAX_BATCH_BODY), kind)
    limits.admit(access.schema, len(raws))
    return retried_if_cut(lambda: take_batch(access, raws))


def take_event(access: Access, raw: bytes) -> HttpResponse:
    """What is wrong in content is kept before it is refused."""
    try:
        body = decode_event(raw)
        check_bounds(access, body)
        limits.admit_sources(access.schema, (body.source,))
        event = prepare(body, raw=raw, now=access.now, merchant=access.merchant, correlation_id=correlation_id.get())
    except Unprocessable as refusal:
        letter = refused_letter(raw, refusal.errors, merchant=access.merchant, correlation_id=correlation_id.get())
        ingest(access.schema, [], now=access.now, letters=[letter])
        INGEST_ERRORS.labels(access.schema, "", "invalid").inc()
        raise
    [receipt] = ingest(access.schema, [event], now=access.now)
    return answer_of(receipt)


def answer_of(receipt: Receipt) -> HttpResponse:
    """Raises: Conflict."""
    if receipt.status == NEW:
        said = {
            "status": "processed",
            "event_id": receipt.event_id,
            "order_id": receipt.order_id,
            "exceptions": receipt.exceptions,
        }
        return as_answer(said, 201)
    if receipt.status == CONFLICT:
        raise Conflict(
            "An event with this source and event_id is stored with other content; the first one stands.",
            errors={"event_id": ["It is already taken by an event with other content."]},
        )
    return as_answer({"status": "duplicate", "ignored": True, "event_id": receipt.event_id}, 200)


def take_batch(access: Access, raws: Sequence[bytes]) -> HttpResponse:
    events: list[Incoming] = []
    letters: list[Letter] = []
    rejected: list[dict[str, Any]] = []
    for index, raw in enumerate(raws):
        try:
            events.append(read_one(access, raw, index))
        except (BadRequest, Forbidden, Unprocessable) as refusal:
            errors = refusal.errors or {"event": [refusal.detail]}
            letter = refused_letter(
                raw, errors, merchant=access.merchant, correlation_id=correlation_id.get(), position=index + 1
            )
            rejected.append({"index": index, "event_id": letter.event_id, "errors": errors})
            if isinstance(refusal, Unprocessable):
                letters.append(letter)
    limits.admit_sources(access.schema, (event.source for event in events))
    receipts = ingest(access.schema, events, now=access.now, letters=letters) if events or letters else []
    rejected += conflicts(events, receipts)
    if rejected:
        INGEST_ERRORS.labels(access.schema, "", "invalid").inc(len(rejected))
    statuses = [receipt.status for receipt in receipts]
    new, conflicting = statuses.count(NEW), statuses.count(CONFLICT)
    said = {
        "processed": new,
        "duplicates": len(statuses) - new - conflicting,
        "rejected": sorted(rejected, key=lambda each: each["index"]),
    }
    return as_answer(said, 200)


def read_one(access: Access, raw: bytes, index: int) -> Incoming:
    """Raises: BadRequest, Forbidden, Unprocessable."""
    body = decode_event(raw)
    check_bounds(access, body)
    event = prepare(body, raw=raw, now=access.now, merchant=access.merchant, correlation_id=correlation_id.get())
    event.position = index
    return event


def conflicts(events: list[Incoming], receipts: list[Receipt]) -> list[dict[str, Any]]:
    sentence = "It is already taken by an event with other content; the first one stands."
    return [
        {"index": event.position, "event_id": event.event_id, "errors": {"event_id": [sentence]}}
        for event, receipt in zip(events, receipts, strict=True)
        if receipt.status == CONFLICT
    ]


def split_batch(body: bytes, kind: str) -> list[bytes]:
    """The events' own texts. Raises: BadRequest, TooLarge."""
    if kind == NDJSON:
        raws = [line for line in (line.strip() for line in body.split(b"\n")) if line]
    else:
        try:
            raws = [bytes(raw) for raw in _batch.decode(body).events]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(f"The body must be a JSON object with a list “events”: {str(error)[:120]}.") from None
    if not raws:
        raise BadRequest("The batch holds no event.")
    if len(raws) > MAX_EVENTS:
        raise TooLarge(f"The batch holds {len(raws)} events; at most {MAX_EVENTS} are taken at once.")
    return raws


def sender_of(request: HttpRequest) -> Access:
    """Raises: Unauthorized, OtherTenant, Forbidden (a person's token never has the scope), TooMany."""
    token = bearer_of(request.META.get("HTTP_AUTHORIZATION", ""))
    if not token:
        raise UnknownCaller
    address, tenant = client_address(request) or "", request.META.get("HTTP_X_TENANT_ID", "")
    limits.check_forger(address, tenant)
    try:
        access = access_by_bearer(token, tenant)
    except Unauthorized:
        limits.note_forged(address, tenant)
        raise
    access.require(Scope.INGEST)
    return access


def check_bounds(access: Access, body: EventBody) -> None:
    """A key may be bound to sources and to a merchant. Raises: Forbidden."""
    if access.sources and body.source not in access.sources:
        refuse_bounds("source", f"This key may send for {', '.join(sorted(access.sources))} only.")
    if access.merchant and body.merchant not in (None, access.merchant):
        refuse_bounds("merchant", f"This key may send for the merchant {access.merchant} only.")


def refuse_bounds(name: str, sentence: str) -> NoReturn:
    raise Forbidden(sentence, errors={name: [sentence]})


def as_answer(said: Any, status: int) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(said), status=status, content_type=JSON)
