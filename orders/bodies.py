"""Reading a request's body at the door: media type, encoding, length, and the raw bytes."""

from collections.abc import Collection
from email.message import Message
from typing import Any

from django.http import HttpRequest, HttpResponse, UnreadablePostError

from e2a.errors import BadRequest, MethodNotAllowed, TooLarge, UnsupportedMedia, problem_response

JSON, NDJSON = "application/json", "application/x-ndjson"
CHARSETS = ("", "utf-8", "utf8")


def refuse_method() -> HttpResponse:
    """The door's addresses take POST."""
    refusal = problem_response(MethodNotAllowed())
    refusal["Allow"] = "POST"
    return refusal


def media_type(request: HttpRequest, taken: Collection[str]) -> str:
    """Raises: UnsupportedMedia for another type, another charset than UTF-8, or any content encoding."""
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMedia("Send the body without a content encoding.")
    sent = request.META.get("CONTENT_TYPE", "")
    if sent in taken:
        return str(sent)
    parsed = Message()
    parsed["Content-Type"] = "".join(c if c.isprintable() else "?" for c in sent[:200])
    kind, charset = parsed.get_content_type(), parsed.get_param("charset", "")
    if kind not in taken or not sent.strip():
        raise UnsupportedMedia(f"This address takes {' or '.join(taken)}.")
    if str(charset).lower() not in CHARSETS:
        raise UnsupportedMedia("JSON is read as UTF-8 only.")
    return kind


def read_body(request: HttpRequest, limit: int) -> bytes:
    """The raw bytes, never more than the limit in memory. Raises: TooLarge; BadRequest when they did not arrive whole."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and (len(length) > 12 or int(length) > limit):
        raise TooLarge(f"The body may have at most {limit} bytes.")
    encoding = request.META.get("HTTP_TRANSFER_ENCODING", "").strip().lower()
    if encoding not in ("", "chunked"):
        raise BadRequest("The only transfer encoding that is taken is “chunked”.")
    try:
        chunked = not length and encoding == "chunked"
        stream = request.META.get("wsgi.input") if chunked else None
        body = read_all(stream or request, limit + 1)
    except (UnreadablePostError, OSError):
        raise BadRequest("The body did not arrive whole.") from None
    if len(body) > limit:
        raise TooLarge(f"The body may have at most {limit} bytes.")
    if length.isdigit() and len(body) != int(length):
        raise BadRequest("The body did not arrive whole.")
    return body


def read_all(stream: Any, most: int) -> bytes:
    """Up to so many bytes. A server's stream may give a long body in parts."""
    body = bytearray()
    while len(body) < most and (part := stream.read(most - len(body))):
        body += part
    return bytes(body)
