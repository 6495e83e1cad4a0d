"""Files that are sent while they are made, whichever server asks."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse


def stream_file(
    request: HttpRequest, parts: Iterator[str] | Iterator[bytes], *, name: str, content_type: str
) -> StreamingHttpResponse:
    """`parts` run after the view has returned, when the connection has left the tenant: each enters it anew.

    Under ASGI Django would gather a plain iterator whole before it sends anything, so it gets one that it can wait for.
    """
    body = one_by_one(parts) if isinstance(request, ASGIRequest) else parts
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(body, content_type=content_type, headers=headers)


async def one_by_one(parts: Iterator[str] | Iterator[bytes]) -> AsyncIterator[str | bytes]:
    """Each part is one call in a thread, so nothing of its search path is held between two."""
    following = sync_to_async(lambda: next(parts, None))
    while (part := await following()) is not None:
        yield part
