"""The overview: how the operation stands now."""

from django.http import HttpRequest, HttpResponse

from e2a.pages import show
from tenants.gate import member_page


@member_page("read")
def dashboard(request: HttpRequest) -> HttpResponse:
    return show(request, "analytics/dashboard.html", "analytics/_dashboard.html")
