"""The gate of the pages: who is signed in, is a member of the host's tenant, and has the scope (CONTRACT 2)."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.module_loading import import_string

from e2a.errors import DATABASE_DOWN, Forbidden, ProblemError, as_problem
from e2a.pages import refused, wants_part
from e2a.postgresql.raw import database_now, raw_connection
from tenants.access import Access, access_of_member
from tenants.models import Membership, Scope

View = Callable[..., HttpResponse]


class NotAMember(Forbidden):
    """You are signed in, but not a member of this team. Ask one of its managers for an invitation."""


class RoleTooSmall(Forbidden):
    """Your role in this team does not allow this. A manager can change your role."""


def member_page(scope: str = Scope.READ) -> Callable[[View], View]:
    """For a page's view: nobody goes to the login and comes back, others get 403; `request.access` is theirs.

    A ProblemError of the view becomes a page, or for htmx a toast. Times show in the tenant's zone.
    """

    def gate(view: View) -> View:
        @wraps(view)
        def gated(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if not request.user.is_authenticated:
                return to_login(request)
            membership: Membership | None = request.membership  # type: ignore[attr-defined]
            try:
                request.access = admit(membership, scope)  # type: ignore[attr-defined]
                zone = membership.tenant.timezone if membership else "UTC"
                with timezone.override(ZoneInfo(zone)):
                    note_version(request)
                    return view(request, *args, **kwargs)
            except (ProblemError, Http404, PermissionDenied, *DATABASE_DOWN) as error:
                return refused(request, as_problem(error) or Forbidden())

        return gated

    return gate


def admit(membership: Membership | None, scope: str) -> Access:
    """Raises: NotAMember, RoleTooSmall."""
    if membership is None:
        raise NotAMember
    access = access_of_member(membership, database_now(raw_connection()))
    if scope not in access.scopes:
        raise RoleTooSmall
    return access


def note_version(request: HttpRequest) -> None:
    """The tenant's version before the page reads anything, so that the page notices what changes while it is made."""
    if request.method == "GET" and not wants_part(request):
        version: Callable[[], str] = import_string(settings.LIVE_VERSION)
        request.live_version = version()  # type: ignore[attr-defined]


def to_login(request: HttpRequest) -> HttpResponse:
    """For htmx the whole browser goes there, and comes back to the page rather than to the part."""
    here = request.get_full_path() if request.method in ("GET", "HEAD") else ""
    if wants_part(request):
        here = request.htmx.current_url_abs_path or ""  # type: ignore[attr-defined]
    address = settings.LOGIN_URL + (f"?{urlencode({'next': here})}" if here not in ("", "/") else "")
    if wants_part(request):
        response = HttpResponse(status=401)
        response["HX-Redirect"] = address
        return response
    return HttpResponseRedirect(address)
