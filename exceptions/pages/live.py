"""What an open page asks every few seconds: has anything changed since this version?"""

from django.http import HttpRequest, HttpResponse

from exceptions.live import version


def live(request: HttpRequest) -> HttpResponse:
    """204 when nothing changed since `v`, else the version of now; 401 or 403 when the page must not stay open."""
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    if request.membership is None:  # type: ignore[attr-defined]
        return HttpResponse(status=403)
    now = version()
    if request.GET.get("v") == now:
        return HttpResponse(status=204)
    return HttpResponse(now, content_type="text/plain", headers={"Cache-Control": "no-store"})
